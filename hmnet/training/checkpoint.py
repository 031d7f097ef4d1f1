"""Checkpoints: all that is needed to go on with a run as if it had never been stopped.

A checkpoint is a folder of safetensors and JSON that appears by rename, whole or not at all. The
one before is kept until the new one is in place.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import BaseModel, NonNegativeInt
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from hmnet.saving import os_errors
from hmnet.training.record import NOTHING, Record
from relevance.disk.files import digest, file_digest, read_json, unwritable, validated, write_json
from relevance.disk.folders import discard, drafted
from relevance.errors import RelevanceError

SCHEMA = "relevance.checkpoint/1"
MODEL, OPTIMIZER, STATE = "model.safetensors", "optimizer.safetensors", "state.json"
OLD = ".old"

Kept = Mapping[str, dict[str, Tensor]]  # by the name of the file, without its ending


@dataclass(frozen=True)
class Position:
    """The position of a run.

    Attributes:
        part: Number of the method's part that is being trained, from 0.
        step: Steps of that part that are done.
        data: Fingerprint of the part's training rows.
        record: Record of these steps.
    """

    part: int
    step: int
    data: str
    record: Record = NOTHING


class _State(BaseModel):
    """The content of `state.json`.

    Attributes:
        part: Part; see `Position`.
        step: Step; see `Position`.
        data: Data; see `Position`.
        record: Record; see `Position`.
        random: States of random generators by the type of the device, as hexadecimal text.
        sha256: Digests of the other files.
        seal: Digest of all else in this one; None in those of older versions.
    """

    part: NonNegativeInt
    step: NonNegativeInt
    data: str
    record: Record
    random: dict[str, str]
    sha256: dict[str, str]
    seal: str | None = None


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder beside another, which takes its place when the block ends well.

    Args:
        folder: The folder to write, by one process at a time. An older one stands as `<name>.old`
            while the two are swapped.

    Yields:
        The temporary folder.

    Raises:
        RelevanceError: If it cannot be written or the disk is full.
    """
    old = folder.with_name(f"{folder.name}{OLD}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with drafted(folder) as draft:
            with os_errors():
                yield draft
            if folder.exists():
                discard(old)
                folder.rename(old)
            draft.rename(folder)
        discard(old)
    except OSError as error:
        raise unwritable(folder, error) from error


def discard_checkpoint(folder: Path) -> None:
    """Take a checkpoint away, and the one before it.

    Args:
        folder: Folder of checkpoints; none there is no error.

    Raises:
        RelevanceError: If it cannot be removed.
    """
    discard(folder)
    discard(folder.with_name(f"{folder.name}{OLD}"))


def save_checkpoint(
    folder: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    position: Position,
    kept: Kept | None = None,
) -> None:
    """Write weights, optimizer, random state, position, and what else a run has kept.

    Args:
        folder: Takes the place of an older checkpoint.
        model: Model whose weights are saved.
        optimizer: Optimizer of the model's weights.
        position: Position of the run.
        kept: Further tensors by name, such as a regularizer's state; none for an empty dictionary.

    Raises:
        RelevanceError: If it cannot be written or the disk is full.
    """
    names: dict[Tensor, str] = {weight: name for name, weight in model.named_parameters()}
    moments = {
        f"{names[weight]}:{key}": value
        for weight, state in optimizer.state.items()
        for key, value in state.items()
    }
    device = next(model.parameters()).device
    files = {MODEL: {name: weight.detach() for weight, name in names.items()}, OPTIMIZER: moments}
    files |= {f"{name}.safetensors": state for name, state in (kept or {}).items() if state}
    with replacing_folder(folder) as temporary:
        for name, tensors in files.items():
            whole = {key: tensor.contiguous() for key, tensor in tensors.items()}
            save_file(whole, temporary / name)
        state = {
            "part": position.part,
            "step": position.step,
            "data": position.data,
            "record": position.record.model_dump(mode="json"),
            "random": _random_state(device),
            "torch": torch.__version__,
            "sha256": {name: file_digest(temporary / name) for name in files},
        }
        write_json(temporary / STATE, SCHEMA, {**state, "seal": digest(state)})


def find_checkpoint(folder: Path) -> tuple[Path, Position] | None:
    """The newest whole checkpoint.

    Args:
        folder: Folder of checkpoints.

    Returns:
        Folder of the checkpoint, which is the one before if a kill came between two renames, and
        position; None if there is none.

    Raises:
        RelevanceError: If there are only damaged ones.
    """
    present = [path for path in (folder, folder.with_name(f"{folder.name}{OLD}")) if path.is_dir()]
    for path in present:
        try:
            state = _read_state(path)
            whole = all(file_digest(path / name) == sha for name, sha in state.sha256.items())
        except (RelevanceError, OSError, ValueError):  # the last for names that are none
            continue
        if whole:
            return path, Position(state.part, state.step, state.data, state.record)
    if present:
        raise _damaged(folder)
    return None


def load_checkpoint(
    folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, kept: Kept | None = None
) -> None:
    """Put weights, optimizer, random state and what else a run has kept back.

    Args:
        folder: Folder from `find_checkpoint`.
        model: Built as for the run's beginning; its weights are replaced.
        optimizer: Optimizer of the model's weights; its state is replaced.
        kept: Dictionaries that are filled anew, on the model's device.

    Raises:
        RelevanceError: If it is one of another model.
    """
    try:
        _load(folder, model, optimizer, kept or {})
    except (OSError, SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise _damaged(folder) from error


def _load(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, kept: Kept) -> None:
    weights = dict(model.named_parameters())
    device = next(model.parameters()).device
    saved = load_file(folder / MODEL, device=str(device))
    with torch.no_grad():
        for name, weight in weights.items():
            weight.copy_(saved[name])
    optimizer.state.clear()
    for key, value in load_file(folder / OPTIMIZER, device=str(device)).items():
        name, _, moment = key.rpartition(":")
        optimizer.state[weights[name]][moment] = value
    for name, state in kept.items():
        state.clear()
        if (folder / f"{name}.safetensors").exists():
            state.update(load_file(folder / f"{name}.safetensors", device=str(device)))
    _restore_random_state(_read_state(folder).random, device)


def _read_state(folder: Path) -> _State:
    """The state of a checkpoint, if its file is what was written."""
    content = read_json(folder / STATE, SCHEMA)
    state = validated(_State, content, str(folder / STATE))
    unsealed = {name: value for name, value in content.items() if name != "seal"}
    if not {MODEL, OPTIMIZER} <= state.sha256.keys():
        raise _damaged(folder)
    if state.seal is not None and state.seal != digest(unsealed):
        raise _damaged(folder)
    return state


def _damaged(folder: Path) -> RelevanceError:
    return RelevanceError(
        f"{folder} is damaged: its files are not what was written. Delete it to train this part"
        " of the run from its beginning, then `resume=True`."
    )


def _random_state(device: torch.device) -> dict[str, str]:
    """State of torch's generators, which dropout draws from, as hexadecimal text."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return {name: state.numpy().tobytes().hex() for name, state in states.items()}


def _restore_random_state(states: dict[str, str], device: torch.device) -> None:
    def tensor(text: str) -> Tensor:
        return torch.frombuffer(bytearray.fromhex(text), dtype=torch.uint8)

    torch.set_rng_state(tensor(states["cpu"]))
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(tensor(states["cuda"]), device)
