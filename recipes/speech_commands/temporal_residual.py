"""The temporal residual network as it is trained: with batch normalisation and dropout."""

from torch import nn
from torch.nn import functional

from skreprogram.sources._log_mel import LogMel


class ResidualStage(nn.Module):
    """Two convolutions over time with a way around them.

    Parameters
    ----------
    n_inputs, n_channels : int
        Channels before and after.
    stride : int, default=1
        Frames from one output to the next.
    dilation : int, default=1
        Frames between the taps of the kernels.
    kernel : int, default=5
        Taps of the kernels.
    """

    def __init__(self, n_inputs, n_channels, stride=1, dilation=1, kernel=5):
        super().__init__()
        reach = dilation * (kernel // 2)
        first = nn.Conv1d(n_inputs, n_channels, kernel, stride, reach, dilation, bias=False)
        second = nn.Conv1d(n_channels, n_channels, kernel, 1, reach, dilation, bias=False)
        self.body = nn.Sequential(
            first, nn.BatchNorm1d(n_channels), nn.ReLU(), second, nn.BatchNorm1d(n_channels)
        )
        self.around = nn.Sequential()
        if stride > 1 or n_inputs != n_channels:
            projection = nn.Conv1d(n_inputs, n_channels, 1, stride, bias=False)
            self.around = nn.Sequential(projection, nn.BatchNorm1d(n_channels))

    def forward(self, frames):
        """Map ``(n, n_inputs, frames)`` to ``(n, n_channels, frames / stride)``."""
        return functional.relu(self.body(frames) + self.around(frames))


class TemporalResidualNetwork(nn.Module):
    """Temporal residual network over log-mel frames [1]_.

    The mel bands are the channels of one-dimensional convolutions over time, so that the first
    kernel sees the whole spectrum. Waveforms of any length are accepted.

    Parameters
    ----------
    n_outputs : int, default=35
        Number of keywords.
    n_mels : int, default=40
        Number of mel bands.
    stages : tuple of (channels, stride, dilation)
        The residual stages, from the input to the output.
    dropout : float, default=0.2
        Share of the pooled features that is dropped in training.

    References
    ----------
    .. [1] S. Choi et al., "Temporal Convolution for Real-time Keyword Spotting on Mobile
       Devices", Interspeech 2019.
    """

    def __init__(
        self,
        n_outputs=35,
        n_mels=40,
        stages=(
            (64, 1, 1),
            (64, 1, 2),
            (96, 2, 1),
            (96, 1, 2),
            (128, 2, 1),
            (128, 1, 2),
            (128, 1, 4),
        ),
        dropout=0.2,
    ):
        super().__init__()
        widths = [stages[0][0], *(width for width, _, _ in stages)]
        self.front_end = LogMel(n_mels)
        self.stem = nn.Sequential(
            nn.Conv1d(n_mels, widths[0], 3, padding=1, bias=False),
            nn.BatchNorm1d(widths[0]),
            nn.ReLU(),
        )
        self.residual_stages = nn.ModuleList(
            ResidualStage(n_inputs, *stage)
            for n_inputs, stage in zip(widths[:-1], stages, strict=True)
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(widths[-1], n_outputs)

    def stages(self, waveform):
        """Activations on the way.

        Parameters
        ----------
        waveform : tensor of shape (n, samples)
            Samples in [-1, 1] at 16 kHz, at least 160 of them.

        Returns
        -------
        tuple of tensors of shape (n, channels, frames)
            The log-mel frames, then the rectified output of the stem and of each stage.
        """
        frames = self.front_end(waveform)
        activations = [frames, self.stem(frames)]
        for stage in self.residual_stages:
            activations.append(stage(activations[-1]))
        return tuple(activations)

    def forward(self, waveform):
        """Logits of the keywords.

        Parameters
        ----------
        waveform : tensor of shape (n, samples)
            Samples in [-1, 1] at 16 kHz, at least 160 of them.

        Returns
        -------
        tensor of shape (n, n_outputs)
        """
        return self.head(self.dropout(self.stages(waveform)[-1].mean(-1)))
