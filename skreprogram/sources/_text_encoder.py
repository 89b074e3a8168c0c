"""A Hugging Face language model as a map from embeddings to one vector a text."""

import torch
from torch import nn

from skreprogram._input_space import ATTENDED, READ

HEADS = ("none", "transform", "decoder")
# rows of one pass, which are padded to the longest of them only
ROWS_ALIKE = 16


class TextEncoder(nn.Module):
    """A language model that takes embeddings and marks, and answers with one vector a text.

    One input is the sequence of its tokens' embeddings, before positions are added, with one more
    channel that says of each position: 0 is padding, 1 attended, 2 attended and *read*. The answer
    is the mean of the last states over the positions that are read. Where none is marked, it is
    that over all attended positions, or the state of the last one where the model looks back only.

    Parameters
    ----------
    model : torch.nn.Module
        A model of transformers that takes ``inputs_embeds`` and ``attention_mask``. With a head it
        is one for masked or causal language modelling.
    head : {"none", "transform", "decoder"}, default="none"
        What the states go through: nothing; the masked language model's dense layer, activation
        and normalisation; or these and the decoder, so that there is one score a token.
    looks_back : bool, default=False
        Whether a position attends to earlier ones only, as in causal language models.

    Notes
    -----
    What is padded never changes an answer: padding is not attended, and rows of similar length run
    together, so that a long text does not lengthen all others. A text without a single attended
    position is read as its first embedding.

    Examples
    --------
    >>> import torch
    >>> from transformers import BertConfig, BertModel
    >>> from skreprogram.sources import TextEncoder
    >>> sizes = {"vocab_size": 9, "hidden_size": 8, "intermediate_size": 8}
    >>> config = BertConfig(**sizes, num_hidden_layers=2, num_attention_heads=2)
    >>> encoder = TextEncoder(BertModel(config)).eval()
    >>> embedded = encoder.embeddings[torch.tensor([[2, 5, 3]])]
    >>> encoder(torch.cat([embedded, torch.ones(1, 3, 1)], 2)).shape
    torch.Size([1, 8])
    """

    def __init__(self, model, head="none", looks_back=False):
        super().__init__()
        if head not in HEADS:
            raise ValueError(f"Got head={head!r}, expected one of {list(HEADS)}.")
        decoder = None if head == "none" else model.get_output_embeddings()
        if head != "none":
            check_decoder(model, decoder, head)
            _leave_out(model, decoder)
        self.model = model
        self.decoder = decoder if head == "decoder" else None
        self.head = head
        self.looks_back = looks_back

    @property
    def embeddings(self):
        """Vectors of the vocabulary, of shape (n_tokens, d)."""
        table = self.model.get_input_embeddings()
        vectors = table(torch.arange(len(table.weight), device=table.weight.device))
        # some scale the rows; where none does, no memory is needed twice
        return table.weight if torch.equal(vectors, table.weight) else vectors

    def forward(self, inputs):
        """Answer with one vector a text.

        Parameters
        ----------
        inputs : torch.Tensor of shape (n, length, d + 1)
            Embeddings, and in the last channel the marks.

        Returns
        -------
        outputs : torch.Tensor of shape (n, n_outputs)
            Pooled states, or scores of the vocabulary's tokens.
        """
        (states,) = self._pooled(inputs, self._last)
        return states if self.decoder is None else self.decoder(states)

    def stages(self, inputs):
        """Pooled states of every layer.

        Parameters
        ----------
        inputs : torch.Tensor of shape (n, length, d + 1)
            As in `forward`.

        Returns
        -------
        stages : tuple of torch.Tensor, each of shape (n, n_hidden)
            Of the embeddings with their positions first, then of each layer.
        """
        return self._pooled(inputs, self._layers)

    def _last(self, embedded, attended):
        answer = self.model(inputs_embeds=embedded, attention_mask=attended)
        return (answer.last_hidden_state if self.head == "none" else answer.logits,)

    def _layers(self, embedded, attended):
        body = self.model if self.head == "none" else self.model.base_model
        return body(
            inputs_embeds=embedded, attention_mask=attended, output_hidden_states=True
        ).hidden_states

    def _pooled(self, inputs, states_of):
        """Run rows of similar length together; pool the positions of what comes out."""
        marks = inputs[..., -1].detach()
        ends = _ends(marks)
        order, dtype = ends.argsort(), self.model.get_input_embeddings().weight.dtype
        parts = []
        # on a GPU one large pass is faster than several short ones
        for rows in order.split(len(order) if inputs.is_cuda else ROWS_ALIKE):
            cut = inputs[rows, : int(ends[rows].max())].to(dtype)
            attended, weight = self._weights(cut[..., -1].detach())
            states = states_of(cut[..., :-1], attended.long())
            parts.append([(weight.unsqueeze(1) @ state).squeeze(1) for state in states])
        back = order.argsort()
        return tuple(torch.cat(stage)[back] for stage in zip(*parts, strict=True))

    def _weights(self, marks):
        """Which positions are attended, and what each counts in the mean; shape (n, length)."""
        attended = marks > ATTENDED / 2
        # attention over nothing would be NaN
        attended[:, 0] |= ~attended.any(1)
        read = marks > (ATTENDED + READ) / 2
        rest = _only_last(attended) if self.looks_back else attended
        weight = torch.where(read.any(1, keepdim=True), read, rest).to(marks.dtype)
        return attended, weight / weight.sum(1, keepdim=True)


def check_decoder(model, decoder, head):
    """Refuse a head that the model does not have."""
    if decoder is None:
        raise ValueError(
            f"Got head={head!r} for {type(model).__name__}, which has no head for words, expected "
            "a masked or causal language model. Use head='none'."
        )


def _leave_out(model, decoder):
    """Let a head end in the states that it would decode, whatever the architecture."""
    path = next(name for name, part in model.named_modules() if part is decoder)
    owner, _, leaf = path.rpartition(".")
    setattr(model.get_submodule(owner), leaf, nn.Identity())


def _ends(marks):
    """Positions up to the last one that is no padding, at least 1; shape (n,)."""
    places = torch.arange(1, marks.shape[1] + 1, device=marks.device)
    return (places * (marks > ATTENDED / 2)).amax(1).clamp_min(1)


def _only_last(attended):
    """True at the last attended position of each row."""
    places = torch.arange(attended.shape[1], device=attended.device)
    last = (places * attended).amax(1, keepdim=True)
    return places == last
