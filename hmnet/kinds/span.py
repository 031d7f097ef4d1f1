"""An answer that stands in a text: where it begins and where it ends, over windows of the text."""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from jaxtyping import Float, Float64, Int, Int32, Int64
from scipy.special import softmax
from torch import Tensor
from transformers import PreTrainedConfig

from hmnet.data.alignment import aligned, assemble_aligned, with_dropped
from hmnet.data.encoded import Encoded
from hmnet.data.encoded_files import gathered
from hmnet.data.encoder import Columns, Encoder
from hmnet.data.template import Pieces, Sequences
from hmnet.data.windows import OVERLAP, windows, windows_of_rows
from hmnet.kinds._entropy import normalised_entropy
from hmnet.kinds.kind import Logits, ModelOutputs, Rows, Texts, TokenLevelKind
from relevance.errors import RelevanceError
from relevance.tasks.answers import is_invisible
from relevance.tasks.data import Labels, as_rows

LONGEST_QUESTION = 64  # tokens, at most half of what fits
LONGEST_ANSWER = 30  # tokens
NO_ANSWER = 0  # the token, [CLS], that stands for it
Places: TypeAlias = Int32[np.ndarray, " token"]  # characters at which tokens begin, or end
FAR_BELOW = -1e4  # a logit that has no chance, and is no trouble to differences


class Window(NamedTuple):
    """Outputs of a model for a part of a context.

    Attributes:
        logits: Logits of each token `[token, 2]`, as the first and as the last of the answer.
        begins: Character of the context at which each token begins, -1 for other tokens.
        ends: Character behind it.
    """

    logits: Logits
    begins: Int32[np.ndarray, " _"]
    ends: Int32[np.ndarray, " _"]


class Answer(NamedTuple):
    """An answer to a question, from a text.

    Attributes:
        answer: The answer, empty where there is none.
        start: Character at which it begins, None where there is none.
        end: Character behind it.
        probability: Probability among all answers of up to 30 tokens, in all windows.
    """

    answer: str
    start: int | None
    end: int | None
    probability: float


class Span(TokenLevelKind):
    """Classes are tokens; the two places are the answer's first token and its last.

    A context that does not fit beside its question is read in windows that overlap. A window
    without the whole answer has the target [CLS], so each learns to say that it holds none.

    Source:
        Devlin et al. (2019), sections 4.2 and 4.3.
    """

    auto = "AutoModelForQuestionAnswering"
    purpose = "question answering"
    token_axis = 0

    def configure(self, config: PreTrainedConfig) -> None:
        """Two outputs without names."""
        config.num_labels = self.task.outputs

    def layout(self, parts: int) -> str:
        """Windows."""
        return (
            f"windows of {parts}, {OVERLAP} in common, questions of {LONGEST_QUESTION}, dropped"
            " characters with the tokens beside them"
        )

    def encode(self, texts: Columns, encoder: Encoder, max_length: int) -> Sequences:
        """One sequence per window; places are characters of the context."""
        questions, contexts = texts
        room = encoder.room(max_length, parts=2)
        question = encoder.located(questions).pieces
        context = with_dropped(contexts, encoder.located(contexts))
        kept = np.minimum(question.lengths, min(LONGEST_QUESTION, room // 2))
        rows, starts, lengths = windows(context.pieces.lengths, room - kept)
        parts = Pieces(context.pieces.ids, context.pieces.starts[rows] + starts, lengths)
        return assemble_aligned(
            encoder.template,
            [Pieces(question.ids, question.starts[rows], kept[rows])],
            context._replace(pieces=parts),
            rows,
            max_length,
        )

    def reading(self, texts: Texts) -> Texts:
        """A question and its context."""
        if len(texts) != 2:
            raise RelevanceError(
                f"task '{self.task.name}' reads a question and a context, got {len(texts)} under"
                " 'text'."
            )
        return texts

    def targets(self, encoded: Encoded, rows: Rows) -> Int64[np.ndarray, "row 2"]:
        """First and last token of the first gold answer; [CLS] twice where it is not whole."""
        found = np.full((len(rows), 2), NO_ANSWER, dtype=np.int64)
        alignment = aligned(encoded)
        for place, row in enumerate(rows.tolist()):
            golds = encoded.labels[alignment.rows[row]]
            if golds:
                text, start = golds[0]
                first, last = _trimmed(text, 0, len(text))
                found[place] = _token_span(*_places(encoded, row), start + first, start + last)
        return found

    def unlearned(self, encoded: Encoded) -> str | None:
        """Rows with an answer that no window holds whole, so that all say there is none."""
        found = (self.targets(encoded, np.arange(len(encoded))) != NO_ANSWER).any(axis=1)
        of_row = aligned(encoded).rows
        rows, held = np.unique(of_row), set(of_row[found].tolist())
        count = sum(len(encoded.labels[row]) > 0 and row not in held for row in rows.tolist())
        if not count:
            return None
        what = (
            f"Task '{self.task.name}': in {count} of {len(rows)} training rows no window holds"
            " the whole answer as the backbone's tokenizer reads it"
        )
        if not held:
            raise RelevanceError(
                f"{what}, and there are no others with an answer. Choose a larger `max_length`, or"
                " a backbone whose tokenizer knows the language."
            )
        return f"{what}, so that they are learned as rows without an answer."

    def predictions(self, said: ModelOutputs) -> Labels:
        """Texts of the answers."""
        return as_rows([found.answer for found in self._found(said)])

    def answers(self, said: ModelOutputs) -> list[dict[str, Any]]:
        """The answer, where it stands in the context, and its probability."""
        return [found._asdict() for found in self._found(said)]

    def entropies(
        self, logits: Float[np.ndarray, "row token 2"], encoded: Encoded, rows: Rows
    ) -> Float64[np.ndarray, " row"]:
        """Entropies of an answer's first and last token over 2 log n, n the places it may have.

        These are the tokens of the context and [CLS], the target of windows without an answer; 0
        where there is no other. The question, special tokens and padding are left out of both.
        """
        allowed = np.zeros(logits.shape[:2], dtype=bool)
        allowed[:, NO_ANSWER] = True
        for place, row in enumerate(rows.tolist()):
            begins, ends = _places(encoded, row)
            allowed[place, : len(begins)] |= ends > begins
        among = np.where(allowed[..., None], logits, -np.inf)
        return np.asarray(normalised_entropy(among).mean(axis=1))

    def outputs(self, output: Any) -> Float[Tensor, "row token output"]:
        """What the family's own class says about both ends."""
        return torch.stack([output.start_logits, output.end_logits], dim=-1)

    def logits(
        self, outputs: Float[Tensor, "row token output"], mask: Int[Tensor, "row token"]
    ) -> Float[Tensor, "row token output"]:
        """Logits of tokens at both ends; padding has no chance."""
        return outputs.masked_fill(mask.unsqueeze(-1) == 0, FAR_BELOW)

    def _found(self, said: ModelOutputs) -> list[Answer]:
        """The best answer to each row, over all of its windows."""
        each = windows_of_rows(said.sequences)
        return [
            best_answer(
                context,
                [Window(said.logits[n], *_places(said.sequences, n)) for n in of_one.tolist()],
                unanswerable=self.task.unanswerable,
            )
            for context, of_one in zip(said.texts[1], each, strict=True)
        ]


def best_answer(context: str, parts: Sequence[Window], *, unanswerable: bool) -> Answer:
    """The answer with the highest sum of logits of its first token and its last.

    Args:
        context: Context that the answer is a part of.
        parts: Outputs for each window.
        unanswerable: Whether there may be no answer, which then has the logits of [CLS] in the
            window where these are lowest.

    Returns:
        The answer; none for a context without tokens.

    Source:
        Devlin et al. (2019), sections 4.2 and 4.3; the lowest of the windows as in their code.
    """
    scores, spans = map(np.concatenate, zip(*map(_candidates, parts), strict=True))
    nothing = min(float(part.logits[NO_ANSWER].sum(dtype=np.float64)) for part in parts)
    among = np.append(scores, nothing) if unanswerable or not len(scores) else scores
    chances = softmax(among)
    if not len(scores) or (unanswerable and nothing > scores.max()):
        return Answer("", None, None, float(chances[-1]))
    start, end = spans[scores.argmax()].tolist()
    same = np.flatnonzero((spans == (start, end)).all(axis=1))  # windows overlap
    start, end = _trimmed(context, start, end)
    return Answer(context[start:end], start, end, float(chances[same].sum()))


def _trimmed(context: str, start: int, end: int) -> tuple[int, int]:
    """A span without white space and invisible characters at its ends; marks belong to letters."""
    first, last = start, end
    while first < last and is_invisible(context[first]):
        first += 1
    while first < last and is_invisible(context[last - 1]):
        last -= 1
    return (first, last) if first < last else (start, end)


def _candidates(
    part: Window,
) -> tuple[Float64[np.ndarray, " answer"], Int32[np.ndarray, "answer 2"]]:
    """All answers of a window: sums of logits, and first and last character."""
    logits, begins, ends = part
    # Special tokens, the question and what nobody sees have no characters of the context.
    tokens = np.flatnonzero(ends > begins)
    first, last = logits[tokens].astype(np.float64).T
    scores, spans = [np.empty(0)], [np.empty((0, 2), dtype=np.int32)]
    for more in range(min(LONGEST_ANSWER, len(tokens))):
        stop = len(tokens) - more
        scores.append(first[:stop] + last[more:])
        spans.append(np.stack([begins[tokens[:stop]], ends[tokens[more:]]], axis=1))
    return np.concatenate(scores), np.concatenate(spans)


def _token_span(begins: Places, ends: Places, start: int, stop: int) -> tuple[int, int]:
    """First and last token of some characters; [CLS] twice if the window does not have them all."""
    tokens = np.flatnonzero(ends > begins)
    within = tokens[(ends[tokens] > start) & (begins[tokens] < stop)]
    if not len(within) or begins[tokens[0]] > start or ends[tokens[-1]] < stop:
        return NO_ANSWER, NO_ANSWER
    return int(within[0]), int(within[-1])


def _places(sequences: Sequences, row: int) -> tuple[Places, Places]:
    """Characters at which the tokens of a sequence begin and end."""
    own = slice(sequences.offsets[row], sequences.offsets[row + 1])
    alignment = aligned(sequences)
    return gathered(alignment.begins, own), gathered(alignment.ends, own)
