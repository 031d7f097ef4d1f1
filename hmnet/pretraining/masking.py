"""What inputs of pre-training hide: masked tokens, and swapped neighbours."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int
from transformers import PreTrainedTokenizerBase

from relevance.errors import RelevanceError

SHARE = 0.15  # of the tokens that are masked, and of the neighbours that are swapped
MASKED, REPLACED = 0.8, 0.1  # of the chosen tokens; the rest stays as it is
IGNORED = -100  # as torch's losses have it

Ids = Int[np.ndarray, "row token"]
Places = Bool[np.ndarray, "row token"]


class Hidden(NamedTuple):
    """Inputs, and what is asked about them.

    Attributes:
        ids: Token ids, some of them other than they were.
        labels: What is asked at each place, -100 where nothing is.
    """

    ids: Ids
    labels: Ids


@dataclass(frozen=True)
class Masking:
    """Masks a share of the tokens of inputs.

    transformers' `DataCollatorForLanguageModeling` chooses every token by a draw of its own, so
    that an input can have none masked and any number; this chooses an exact number. What becomes
    of a chosen token is drawn as there, but for random words, which are never special ones.

    Attributes:
        mask_id: Id of the mask.
        words: Ids that stand in for a token.
        share: Share of the tokens of an input, in (0, 1].
        cap: Most masked tokens of an input; None for any number.
    """

    mask_id: int
    words: Int[np.ndarray, " word"]
    share: float = SHARE
    cap: int | None = None

    @classmethod
    def of(
        cls, tokenizer: PreTrainedTokenizerBase, share: float = SHARE, cap: int | None = None
    ) -> "Masking":
        """Masks with a tokenizer's mask and words.

        Args:
            tokenizer: The backbone's.
            share: Share of the tokens.
            cap: Most masked tokens of an input.

        Returns:
            The masking.

        Raises:
            RelevanceError: If the tokenizer has no mask, or a number is out of its range.
        """
        if not 0 < share <= 1:
            raise RelevanceError(f"A share of {share:g} masked tokens is not above 0 and up to 1.")
        if cap is not None and cap < 1:
            raise RelevanceError(f"At most {cap} masked tokens leave nothing to learn; give 1.")
        if tokenizer.mask_token_id is None:
            raise RelevanceError(
                "The backbone's tokenizer has no mask token. Use one of a masked language model."
            )
        words = np.setdiff1d(np.arange(len(tokenizer)), tokenizer.all_special_ids)
        return cls(int(tokenizer.mask_token_id), words, share, cap)

    def hide(self, ids: Ids, maskable: Places, rng: np.random.Generator) -> Hidden:
        """Mask inputs.

        Args:
            ids: Token ids; they are not changed.
            maskable: Tokens of texts; special ones and padding are never chosen.
            rng: Source of all draws.

        Returns:
            `round(share n)` tokens of each input of `n` such tokens are asked for, at least 1 and
            at most `cap`; 80 % of them are the mask, 10 % random words, and 10 % as they were.
        """
        counts = maskable.sum(axis=1)
        wanted = np.maximum(np.rint(self.share * counts), 1)
        if self.cap is not None:
            wanted = np.minimum(wanted, self.cap)
        drawn = np.where(maskable, rng.random(ids.shape), np.inf)
        ranks = drawn.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
        chosen = maskable & (ranks < wanted[:, None])
        fate = rng.random(ids.shape)
        hidden = np.where(chosen & (fate < MASKED), self.mask_id, ids)
        random = chosen & (fate >= MASKED) & (fate < MASKED + REPLACED)
        hidden[random] = self.words[rng.integers(len(self.words), size=int(random.sum()))]
        return Hidden(hidden, np.where(chosen, ids, IGNORED))


def shift(ids: Ids, movable: Places, rng: np.random.Generator, share: float = SHARE) -> Hidden:
    """Swap neighbours within inputs, before anything is masked.

    Args:
        ids: Token ids; they are not changed.
        movable: Tokens of texts. Special ones stay, and part the texts that they stand between.
        rng: Source of all draws.
        share: Share of the `n - 1` pairs of neighbours of an input of `n` such tokens.

    Returns:
        `round(share (n - 1))` pairs are swapped, no token twice, fewer where there are no more;
        equal tokens are no pair. Labels are 1 for tokens that were moved, else 0; -100 for others.
    """
    ids, labels = ids.copy(), np.where(movable, 0, IGNORED)
    pairs = movable[:, :-1] & movable[:, 1:] & (ids[:, :-1] != ids[:, 1:])
    wanted = np.rint(share * (movable.sum(axis=1) - 1)).astype(int)
    for row in range(len(ids)):
        left = int(wanted[row])
        free = pairs[row].copy()
        for place in rng.permutation(np.flatnonzero(free)).tolist():
            if left < 1:
                break
            if free[place]:
                free[max(place - 1, 0) : place + 2] = False
                ids[row, [place, place + 1]] = ids[row, [place + 1, place]]
                labels[row, [place, place + 1]] = 1
                left -= 1
    return Hidden(ids, labels)
