"""Inputs of a corpus, short and long, what is held out of them, and the steps that they make."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int

from hmnet.pretraining.encoded_corpus import EncodedCorpus
from hmnet.pretraining.pairs import Pairs, make_pairs, make_singles
from hmnet.pretraining.settings import OFF, PretrainingConfig
from hmnet.samplers.sampler import Step, TaskBatch, generator
from relevance.errors import RelevanceError

Length = Literal["short", "long"]


@dataclass(frozen=True)
class Inputs:
    """What a model is pre-trained on and scored on.

    Attributes:
        train: Inputs by length; without `long` where no step is.
        dev: Short inputs of documents that are held out; None where none are.
    """

    train: dict[Length, Pairs]
    dev: Pairs | None


def make_inputs(corpus: EncodedCorpus, config: PretrainingConfig) -> Inputs:
    """Make the inputs of a corpus.

    Args:
        corpus: The documents.
        config: Lengths, seed, what is held out, and whether segments are paired.

    Returns:
        The inputs. Held out are documents drawn with seed 0, two at least.

    Raises:
        RelevanceError: If the corpus makes no pairs, too few inputs for a batch, or has too few
            documents to hold any out.
    """
    train, held = _split(len(corpus), config)

    def made(length: int, documents: Int[np.ndarray, " _"], seed: int) -> Pairs:
        if config.nsp_layer == OFF:
            return make_singles(corpus, length, documents)
        return make_pairs(corpus, length, seed, documents=documents)

    lengths: dict[Length, int] = {}
    if config.long_share < 1:
        lengths["short"] = config.max_length
    if config.long_share > 0:
        lengths["long"] = config.long_length
    found = {
        name: made(length, train, config.seed + number)
        for number, (name, length) in enumerate(lengths.items())
    }
    sizes = {"short": config.batch_size, "long": config.long_batch_size}
    for name, pairs in found.items():
        if len(pairs) < sizes[name]:
            prefix = "long_" if name == "long" else ""
            raise RelevanceError(
                f"The corpus makes {len(pairs)} inputs of up to {lengths[name]} tokens, fewer than"
                f" a batch of {sizes[name]}. Give more text, or `{prefix}batch_size={len(pairs)}`"
                " at most."
            )
    return Inputs(found, None if held is None else made(config.max_length, held, 0))


def _split(
    count: int, config: PretrainingConfig
) -> tuple[Int[np.ndarray, " _"], Int[np.ndarray, " _"] | None]:
    """Numbers of the documents that are trained on, and of those held out."""
    every = np.arange(count)
    if not config.dev_share:
        return every, None
    least = 1 if config.nsp_layer == OFF else 2
    size = max(least, round(config.dev_share * count))
    if count - size < least:
        raise RelevanceError(
            f"The corpus has {count} document(s), too few to hold some out for dev. Give"
            " `dev_share=0`, or say where documents end, such as FILE@row."
        )
    held = np.sort(generator(0, "dev").permutation(count)[:size])
    return np.setdiff1d(every, held), held


def make_steps(inputs: Inputs, config: PretrainingConfig) -> list[list[Step]]:
    """All steps, from one evaluation to the next.

    Inputs come in random order, all of them before any comes again.

    Args:
        inputs: The inputs.
        config: Steps, sizes of batches, share of long steps, and seed.

    Returns:
        Steps by evaluation. A step is a batch of short inputs or of long ones.
    """
    long = is_long(config)
    sizes = {"short": config.batch_size, "long": config.long_batch_size}
    counts = {"short": int((~long).sum()), "long": int(long.sum())}
    batches = {
        name: _batches(len(pairs), sizes[name], counts[name], config.seed, name)
        for name, pairs in inputs.train.items()
    }
    steps: list[Step] = []
    for each in long:
        name: Length = "long" if each else "short"
        steps.append([TaskBatch(name, next(batches[name]))])
    return [steps[start : start + config.chunk] for start in range(0, len(steps), config.chunk)]


def is_long(config: PretrainingConfig) -> Bool[np.ndarray, " step"]:
    """Which steps are long: of ten with a share of .1 the last."""
    done = np.floor(np.arange(config.steps + 1) * config.long_share + 1e-9)
    return np.asarray(np.diff(done) > 0)


def passes(inputs: Inputs, config: PretrainingConfig) -> dict[str, float]:
    """How often each input is trained on, by length."""
    long = is_long(config)
    rows = {
        "short": int((~long).sum()) * config.batch_size,
        "long": int(long.sum()) * config.long_batch_size,
    }
    return {name: rows[name] / len(pairs) for name, pairs in inputs.train.items()}


def _batches(
    count: int, size: int, batches: int, seed: int, name: str
) -> Iterator[Int[np.ndarray, " row"]]:
    """So many batches of rows, drawn pass by pass."""
    left = np.empty(0, dtype=np.int64)
    number = 0
    for _ in range(batches):
        while len(left) < size:
            drawn = generator(seed, "inputs", name, number).permutation(count)
            left, number = np.concatenate([left, drawn]), number + 1
        yield left[:size]
        left = left[size:]
