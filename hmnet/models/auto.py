"""The Auto classes of transformers, kept quiet, their errors told in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
import transformers
from safetensors import SafetensorError
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.utils import logging

from relevance.errors import RelevanceError


def classification_model(config: PreTrainedConfig) -> PreTrainedModel:
    """A model of the family's own class for classification.

    Args:
        config: Says the family, the sizes and the number of outputs.

    Returns:
        The model, see `family_model`.

    Raises:
        RelevanceError: If the family has no such class.
    """
    return family_model(config, "AutoModelForSequenceClassification", "classification")


def family_model(config: PreTrainedConfig, auto: str, purpose: str) -> PreTrainedModel:
    """A model of one of the family's own classes, on torch's default device.

    Args:
        config: Says the family, the sizes and the number of outputs.
        auto: Name of the Auto class in transformers that knows the class.
        purpose: What the class is for, in the message.

    Returns:
        The model, its weights random; the global random state is left alone.

    Raises:
        RelevanceError: If the family has no such class.
    """
    with quiet(), torch.random.fork_rng(devices=[]):
        try:
            model: PreTrainedModel = getattr(transformers, auto).from_config(config)
        except ValueError as error:
            raise RelevanceError(
                f"The family '{config.model_type}' has no model for {purpose} in transformers."
            ) from error
    return model


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from reporting what is expected here, such as a head without weights."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


@contextmanager
def readable(folder: Path) -> Iterator[None]:
    """Tell in one line what transformers raises for a checkpoint that it cannot read.

    Args:
        folder: The checkpoint.

    Yields:
        Nothing.

    Raises:
        RelevanceError: In place of what came up inside.
    """
    try:
        yield
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".:")
        raise RelevanceError(
            f"{folder} cannot be loaded as an encoder: {reason}. Expected config.json and"
            " model.safetensors of a family that transformers can classify with."
        ) from error
