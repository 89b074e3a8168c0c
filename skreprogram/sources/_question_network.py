"""A recurrent network that tells kinds of questions apart."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from skreprogram._input_space import ATTENDED, READ


class QuestionNetwork(nn.Module):
    """Bidirectional LSTM over words; the largest value of every state is what it answers from.

    The kind of network that texts were first reprogrammed for [1]_, with maxima over the positions
    in the place of the last states [2]_.

    Parameters
    ----------
    n_words : int
        Rows of the table of embeddings: 0 is padding, 1 an unknown word, the words follow.
    n_outputs : int, default=6
        Kinds of questions.
    n_embedded : int, default=96
        Length of an embedding.
    n_hidden : int, default=96
        States of each direction.

    Notes
    -----
    One input has the shape (length, n_embedded + 1): embeddings, and in the last channel 0 where a
    position is padding, 1 where it is attended, 2 where it is attended and read. Padding is taken
    out wherever it stands, so that it changes nothing. Maxima and means are over the positions
    that are read; where none is marked, over all attended ones. A text without any word is a single
    padding.

    References
    ----------
    .. [1] P. Neekhara, S. Hussain, S. Dubnov, F. Koushanfar, "Adversarial Reprogramming of Text
       Classification Neural Networks", EMNLP 2019.
    .. [2] A. Conneau, D. Kiela, H. Schwenk, L. Barrault, A. Bordes, "Supervised Learning of
       Universal Sentence Representations from Natural Language Inference Data", EMNLP 2017.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.sources._question_network import QuestionNetwork
    >>> network = QuestionNetwork(n_words=50)
    >>> words = network.embeddings[torch.tensor([[7, 12, 3]])]
    >>> network(torch.cat([words, torch.ones(1, 3, 1)], 2)).shape
    torch.Size([1, 6])
    """

    def __init__(self, n_words, n_outputs=6, n_embedded=96, n_hidden=96):
        super().__init__()
        self.words = nn.Embedding(n_words, n_embedded, padding_idx=0)
        self.recurrent = nn.LSTM(n_embedded, n_hidden, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * n_hidden, n_outputs)

    @property
    def embeddings(self):
        """Vectors of the vocabulary, of shape (n_words, n_embedded)."""
        return self.words.weight

    def forward(self, inputs):
        """Scores of the kinds of questions.

        Parameters
        ----------
        inputs : torch.Tensor of shape (n, length, n_embedded + 1)
            Embeddings, and in the last channel the marks.

        Returns
        -------
        logits : torch.Tensor of shape (n, n_outputs)
            One score a kind.
        """
        return self.head(self.stages(inputs)[-1])

    def stages(self, inputs):
        """Means and maxima over the positions that are read.

        Parameters
        ----------
        inputs : torch.Tensor of shape (n, length, n_embedded + 1)
            As in `forward`.

        Returns
        -------
        stages : tuple of torch.Tensor of shape (n, channels)
            Means of embeddings and of states, then the maxima of the states.
        """
        # embeddings may come in another precision than the weights
        embedded, read, lengths = _closed_up(inputs.to(self.words.weight.dtype))
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.recurrent(packed)[0], batch_first=True)
        share = read / read.sum(1, keepdim=True)
        means = [(share.unsqueeze(1) @ own).squeeze(1) for own in (embedded, states)]
        return *means, states.masked_fill(read.unsqueeze(2) == 0, -torch.inf).amax(1)


def _closed_up(inputs):
    """Attended positions in their order without gaps, which of them are read, and their number."""
    marks = inputs[..., -1].detach()
    attended = marks > ATTENDED / 2
    lengths = attended.sum(1).clamp_min(1)
    order = (~attended).int().argsort(dim=1, stable=True)[:, : int(lengths.max())]
    attended, marks = attended.gather(1, order), marks.gather(1, order)
    embedded = inputs[..., :-1].gather(1, order.unsqueeze(2).expand(-1, -1, inputs.shape[2] - 1))
    embedded = embedded.where(attended.unsqueeze(2), 0.0)
    # a text without any word is read at its one padding
    attended = attended | (torch.arange(attended.shape[1], device=attended.device) == 0)
    read = marks > (ATTENDED + READ) / 2
    read = torch.where(read.any(1, keepdim=True), read, attended)
    return embedded, read.to(embedded.dtype), lengths.cpu()
