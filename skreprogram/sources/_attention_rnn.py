"""A recurrent network with attention that recognises spoken keywords."""

import torch
from torch import nn

from skreprogram.sources._attention_rnn_front_end import FRONT_ENDS


class AttentionRNN(nn.Module):
    """Attention RNN over mel frames [1]_, the source model of Voice2Series [2]_.

    Two convolutions over time, two bidirectional LSTMs, and an average of their states over time
    whose weights are asked for by the last state. Waveforms of any length are accepted.

    Parameters
    ----------
    n_outputs : int, default=36
        Number of keywords.
    front_end : {"decibel", "log_magnitude"}, default="decibel"
        Spectrogram: the one of Voice2Series, or the one that the weights published by the
        authors of [1]_ were trained with.

    Notes
    -----
    The published weights were trained with spectrograms standardised over a whole batch. Here
    every recording is standardised alone, so that outputs do not depend on their neighbours; a
    batch of one gives the same.

    References
    ----------
    .. [1] D. C. de Andrade et al., "A neural attention model for speech command recognition",
       arXiv:1808.08929, 2018.
    .. [2] C.-H. Yang et al., "Voice2Series: Reprogramming Acoustic Models for Time Series
       Classification", ICML 2021.
    """

    def __init__(self, n_outputs=36, front_end="decibel"):
        super().__init__()
        if front_end not in FRONT_ENDS:
            raise ValueError(f"Got front_end={front_end!r}, expected one of {list(FRONT_ENDS)}.")
        self.front_end = FRONT_ENDS[front_end]()
        # with the channels last these few channels take a fifth of the time
        filters = nn.Sequential(*_filter(1, 10), *_filter(10, 1))
        self.filters = filters.to(memory_format=torch.channels_last)
        self.first_lstm = nn.LSTM(80, 64, batch_first=True, bidirectional=True)
        self.second_lstm = nn.LSTM(128, 64, batch_first=True, bidirectional=True)
        self.query = nn.Linear(128, 128)
        self.narrowing = nn.Sequential(nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 32))
        self.head = nn.Linear(32, n_outputs)

    def stages(self, waveform):
        """Activations on the way.

        Parameters
        ----------
        waveform : tensor of shape (n, samples)
            Samples at 16 kHz.

        Returns
        -------
        tuple of tensors
            Filtered frames ``(n, 80, frames)``, states of the two LSTMs ``(n, 128, frames)``,
            their weighted average ``(n, 128)``, and the last hidden layer ``(n, 32)``; one frame
            every 128 samples.
        """
        return self.stages_of_frames(self.front_end.frames(self.front_end.pad(waveform)))

    def stages_of_frames(self, frames):
        """Activations behind the local part of the front end.

        Parameters
        ----------
        frames : torch.Tensor of shape (n, 80, frames)
            Levels of the bands.

        Returns
        -------
        stages : tuple of torch.Tensor
            As in `stages`.
        """
        frames = self.front_end.standardise(frames).transpose(1, 2).unsqueeze(1)
        maps = frames.contiguous(memory_format=torch.channels_last)
        filtered = self.filters(maps).squeeze(1)
        first, _ = self.first_lstm(filtered)
        second, _ = self.second_lstm(first)
        scores = (second @ self.query(second[:, -1]).unsqueeze(-1)).softmax(1)
        context = (scores * second).sum(1)
        over_time = (states.transpose(1, 2) for states in (filtered, first, second))
        return (*over_time, context, self.narrowing(context))

    def outputs_of_frames(self, frames):
        """Logits of the keywords from the levels of the bands.

        Parameters
        ----------
        frames : torch.Tensor of shape (n, 80, frames)
            Levels of the bands.

        Returns
        -------
        logits : torch.Tensor of shape (n, n_outputs)
            One score a keyword.
        """
        return self.head(self.stages_of_frames(frames)[-1])

    def forward(self, waveform):
        """Logits of the keywords.

        Parameters
        ----------
        waveform : tensor of shape (n, samples)
            Samples at 16 kHz.

        Returns
        -------
        logits : torch.Tensor of shape (n, n_outputs)
            One score a keyword.
        """
        return self.head(self.stages(waveform)[-1])


def _filter(n_inputs, n_channels):
    # eps and momentum are those of Keras, where this network comes from
    return (
        nn.Conv2d(n_inputs, n_channels, (5, 1), padding=(2, 0)),
        nn.ReLU(),
        nn.BatchNorm2d(n_channels, eps=1e-3, momentum=0.01),
    )
