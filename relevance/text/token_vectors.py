"""What a measure asks of an encoder that it does not run: a vector for every token."""

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
        name: What to call them: as the user named the encoder.
        tokenizer: Makes ids of texts.
        vectors: The row of an id belongs to its token.
        fingerprint: Hexadecimal sha256 of the vectors.
    """

    name: str
    tokenizer: TextTokenizer
    vectors: Float[np.ndarray, "token dimension"]
    fingerprint: str
