"""Token vectors: what a measure asks of an encoder that it does not run."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from relevance.text.tokenizers import TextTokenizer


@dataclass(frozen=True)
class TokenVectors:
    """A tokenizer and a vector for each of its tokens.

    `hmnet.backbones.token_vectors` reads those of an encoder; any others, such as word vectors,
    will do as well.

    Attributes:
        name: Name of the encoder, as the user gave it.
        tokenizer: Tokenizer that makes ids of texts.
        vectors: Vectors in the order of the ids.
        fingerprint: Hexadecimal sha256 of the vectors.
    """

    name: str
    tokenizer: TextTokenizer
    vectors: Float[np.ndarray, "token dimension"]
    fingerprint: str
