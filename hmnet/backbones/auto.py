"""The Auto classes of transformers, kept quiet, their errors told in one line."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import transformers
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.utils import logging

from hmnet.backbones.pretrained import said_by
from relevance.errors import RelevanceError


def family_model(config: PreTrainedConfig, auto: str, purpose: str) -> PreTrainedModel:
    """A model of one of the family's own classes, on torch's default device.

    Args:
        config: Configuration, which says the family, the sizes and the number of outputs.
        auto: Name of the Auto class in transformers that knows the class.
        purpose: Use of the class, in the message.

    Returns:
        The model, its weights random; the global random state is left alone.

    Raises:
        RelevanceError: If the family has no such class, or cannot be built of these settings.
    """
    with quiet(), torch.random.fork_rng(devices=[]):
        try:
            model: PreTrainedModel = getattr(transformers, auto).from_config(config)
        except Exception as error:  # by family and by what is wrong with the configuration
            if str(error).startswith("Unrecognized configuration class"):
                raise RelevanceError(
                    f"The family '{config.model_type}' has no model for {purpose} in transformers."
                ) from error
            raise RelevanceError(
                f"transformers cannot build a model of the family '{config.model_type}' from the"
                f" backbone's config.json: {said_by(error)}. Give the configuration that belongs"
                " to the checkpoint."
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
