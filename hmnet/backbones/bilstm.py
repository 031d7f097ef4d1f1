"""A bidirectional LSTM on word vectors as a family of encoders, beside those of transformers.

Its classes are what the Auto classes of transformers find for its configuration, so all that
trains, saves and answers with an encoder takes it as one more family, of one layer.

Source:
    Conneau et al. (2017), "Supervised Learning of Universal Sentence Representations from Natural
    Language Inference Data": BiLSTM with max pooling, pairs as (u, v, |u - v|, u * v).
"""

from typing import Any, cast

import torch
import transformers
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import (
    BaseModelOutput,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)

from hmnet.backbones.vector_folder import MODEL_TYPE, PREFIX


class BiLSTMConfig(PreTrainedConfig):
    """The sizes of an encoder.

    Args:
        vocab_size: Number of words, special tokens counted.
        embedding_size: Width of word vectors.
        hidden_size: Width of what the layer gives for each word, half of it each way.
        num_hidden_layers: Number of layers: one.
        hidden_dropout_prob: Dropout before the layers of heads.
        texts: Number of texts in a row that are read one by one.
        **others: What every configuration of transformers has.
    """

    model_type = MODEL_TYPE

    def __init__(
        self,
        vocab_size: int = 4,
        embedding_size: int = 300,
        hidden_size: int = 512,
        num_hidden_layers: int = 1,
        hidden_dropout_prob: float = 0.1,
        texts: int = 1,
        **others: Any,
    ) -> None:
        self.vocab_size, self.embedding_size = vocab_size, embedding_size
        self.hidden_size, self.num_hidden_layers = hidden_size, num_hidden_layers
        self.hidden_dropout_prob, self.texts = hidden_dropout_prob, texts
        super().__init__(**others)


class BiLSTMLayer(nn.Module):
    """One LSTM each way, over the words that are no padding.

    Padding stands behind the words, so an LSTM onwards never sees it before them; the one backwards
    reads each row's own words from its last to its first. That is what packed sequences give, which
    torch runs word by word on a CPU, several times slower.

    Args:
        width: Width of what comes in.
        hidden: Width of what goes out, half of it each way.
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.onwards = nn.LSTM(width, hidden // 2, batch_first=True)
        self.backwards = nn.LSTM(width, hidden // 2, batch_first=True)

    def forward(
        self,
        hidden_states: Float[Tensor, "row token width"],
        attention_mask: Int[Tensor, "row token"],
    ) -> Float[Tensor, "row token _"]:
        """States of every word.

        Args:
            hidden_states: Vectors of words.
            attention_mask: One for words, then zero for padding; no row without words.

        Returns:
            The states, zero at padding.
        """
        turned = reversed_places(attention_mask)[..., None]
        onwards, _ = self.onwards(hidden_states)
        backwards, _ = self.backwards(hidden_states.take_along_dim(turned, dim=1))
        states = torch.cat([onwards, backwards.take_along_dim(turned, dim=1)], dim=-1)
        return states * attention_mask[..., None]


class BiLSTMPreTrainedModel(PreTrainedModel):
    """What all models of the family have in common."""

    config: BiLSTMConfig
    config_class = BiLSTMConfig
    base_model_prefix = PREFIX
    _input_embed_layer = "word_embeddings"


class BiLSTMModel(BiLSTMPreTrainedModel):
    """The encoder: a table of word vectors, and the layer.

    Args:
        config: Its sizes.

    Attributes:
        drawn: Weights that no file of word vectors has, so that a seed draws them.
        reads_apart: Whether the texts of a row are read one by one where a row has one answer.
    """

    drawn = "layers."
    reads_apart = True

    def __init__(self, config: BiLSTMConfig) -> None:
        super().__init__(config)
        self.word_embeddings = nn.Embedding(config.vocab_size, config.embedding_size)
        widths = [config.embedding_size, *[config.hidden_size] * (config.num_hidden_layers - 1)]
        self.layers = nn.ModuleList(BiLSTMLayer(width, config.hidden_size) for width in widths)
        self.post_init()  # type: ignore[no-untyped-call]  # transformers'

    def forward(
        self,
        input_ids: Int[Tensor, "row token"] | None = None,
        attention_mask: Int[Tensor, "row token"] | None = None,
        inputs_embeds: Float[Tensor, "row token width"] | None = None,
        **others: Any,  # noqa: ARG002  families differ in what they take
    ) -> BaseModelOutput:
        """States of every word, as `last_hidden_state`.

        Args:
            input_ids: Ids of words.
            attention_mask: One for words, zero for padding; None for no padding.
            inputs_embeds: Vectors in the place of ids.
            **others: What other families take; it is left out.

        Returns:
            The states.
        """
        states: Tensor
        states = self.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds
        if attention_mask is None:
            attention_mask = torch.ones(states.shape[:2], dtype=torch.int64, device=states.device)
        for layer in self.layers:
            states = layer(states, attention_mask)
        return BaseModelOutput(last_hidden_state=states)


class BiLSTMForSequenceClassification(BiLSTMPreTrainedModel):
    """A linear layer on the maximum over time, or for two texts a hidden layer and one above it.

    Args:
        config: Sizes, and the numbers of texts and outputs.
    """

    def __init__(self, config: BiLSTMConfig) -> None:
        super().__init__(config)
        width = config.hidden_size
        self.bilstm = BiLSTMModel(config)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.hidden = nn.Linear(4 * width, width) if config.texts > 1 else nn.Identity()
        self.classifier = nn.Linear(width, cast("int", config.num_labels))
        self.post_init()  # type: ignore[no-untyped-call]  # transformers'

    def forward(
        self,
        input_ids: Int[Tensor, "row *text token"] | None = None,
        attention_mask: Int[Tensor, "row *text token"] | None = None,
        inputs_embeds: Float[Tensor, "row *text token width"] | None = None,
        **others: Any,  # noqa: ARG002  families differ in what they take
    ) -> SequenceClassifierOutput:
        """Logits `[row, label]`.

        Args:
            input_ids: Ids of words; of two texts `[row, 2, token]`.
            attention_mask: One for words, zero for padding.
            inputs_embeds: Vectors in the place of ids.
            **others: What other families take; it is left out.

        Returns:
            The logits.
        """
        assert attention_mask is not None  # noqa: S101  every batch has one
        *texts, _length = attention_mask.shape
        last = len(texts) - 1
        mask = attention_mask.flatten(0, last)
        states = self.bilstm(
            input_ids=None if input_ids is None else input_ids.flatten(0, last),
            attention_mask=mask,
            inputs_embeds=None if inputs_embeds is None else inputs_embeds.flatten(0, last),
        ).last_hidden_state
        vectors = max_over_time(states, mask == 1).reshape(*texts, -1)
        if last:
            u, v = vectors.unbind(dim=1)
            joined = torch.cat([u, v, (u - v).abs(), u * v], dim=-1)
            vectors = self.hidden(self.dropout(joined)).tanh()
        return SequenceClassifierOutput(logits=self.classifier(self.dropout(vectors)))


class BiLSTMForTokenClassification(BiLSTMPreTrainedModel):
    """A linear layer on the states of every word.

    Args:
        config: Sizes, and the number of outputs.
    """

    def __init__(self, config: BiLSTMConfig) -> None:
        super().__init__(config)
        self.bilstm = BiLSTMModel(config)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, cast("int", config.num_labels))
        self.post_init()  # type: ignore[no-untyped-call]  # transformers'

    def forward(self, **inputs: Any) -> TokenClassifierOutput:
        """Logits `[row, token, label]`; inputs as the encoder takes them."""
        states = self.bilstm(**inputs).last_hidden_state
        return TokenClassifierOutput(logits=self.classifier(self.dropout(states)))


class BiLSTMForQuestionAnswering(BiLSTMPreTrainedModel):
    """A linear layer on the states of every word of a question and its context, read together.

    Args:
        config: Sizes.
    """

    def __init__(self, config: BiLSTMConfig) -> None:
        super().__init__(config)
        self.bilstm = BiLSTMModel(config)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.qa_outputs = nn.Linear(config.hidden_size, 2)
        self.post_init()  # type: ignore[no-untyped-call]  # transformers'

    def forward(self, **inputs: Any) -> QuestionAnsweringModelOutput:
        """Logits of the first and of the last token `[row, token]`."""
        states = self.bilstm(**inputs).last_hidden_state
        start, end = self.qa_outputs(self.dropout(states)).unbind(dim=-1)
        return QuestionAnsweringModelOutput(start_logits=start, end_logits=end)


def reversed_places(mask: Int[Tensor, "row token"]) -> Int[Tensor, "row token"]:
    """Places that turn the words of each row round, and leave padding where it is.

    Args:
        mask: One for words, then zero for padding.

    Returns:
        The places, which also turn them back.

    >>> import torch
    >>> reversed_places(torch.tensor([[1, 1, 1], [1, 1, 0]]))
    tensor([[2, 1, 0],
            [1, 0, 2]])
    """
    places = torch.arange(mask.shape[1], device=mask.device)
    last = mask.sum(dim=1, keepdim=True) - 1
    return torch.where(mask == 1, last - places, places)


def max_over_time(
    states: Float[Tensor, "row token hidden"], is_word: Bool[Tensor, "row token"]
) -> Float[Tensor, "row hidden"]:
    """The largest value of each unit over the words of a text.

    Args:
        states: States of every word.
        is_word: False for padding.

    Returns:
        One vector for each text.

    >>> import torch
    >>> max_over_time(torch.tensor([[[-2.0], [-1.0], [0.0]]]), torch.tensor([[True, True, False]]))
    tensor([[-1.]])
    """
    return states.masked_fill(~is_word[..., None], torch.finfo(states.dtype).min).amax(dim=1)


def register() -> None:
    """Let the Auto classes of transformers find the family."""
    transformers.AutoConfig.register(MODEL_TYPE, BiLSTMConfig, exist_ok=True)
    for auto, model in (
        (transformers.AutoModel, BiLSTMModel),
        (transformers.AutoModelForSequenceClassification, BiLSTMForSequenceClassification),
        (transformers.AutoModelForTokenClassification, BiLSTMForTokenClassification),
        (transformers.AutoModelForQuestionAnswering, BiLSTMForQuestionAnswering),
    ):
        auto.register(BiLSTMConfig, model, exist_ok=True)
