"""A temporal residual network that recognises spoken keywords."""

import torch
from torch import nn

from skreprogram.sources._log_mel import LogMel

STAGES = (
    # channels, stride, dilation
    (64, 1, 1),
    (64, 1, 2),
    (96, 2, 1),
    (96, 1, 2),
    (128, 2, 1),
    (128, 1, 2),
    (128, 1, 4),
)


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
        self.first = _convolution(n_inputs, n_channels, kernel, stride, dilation)
        self.second = _convolution(n_channels, n_channels, kernel, 1, dilation)
        same = stride == 1 and n_inputs == n_channels
        self.around = nn.Identity() if same else _convolution(n_inputs, n_channels, 1, stride)

    def forward(self, frames):
        """Map ``(n, n_inputs, 1, frames)`` to ``(n, n_channels, 1, frames / stride)``."""
        return (self.second(self.first(frames).relu()) + self.around(frames)).relu()


class KeywordNetwork(nn.Module):
    """Temporal residual network over log-mel frames [1]_, as it runs when trained.

    The mel bands are the channels of convolutions over time, so that the first kernel sees the
    whole spectrum. Waveforms of any length are accepted. Batch normalisation is folded into the
    convolutions; the network that is trained stands in ``recipes/speech_commands``.

    Parameters
    ----------
    n_outputs : int, default=35
        Number of keywords.
    n_mels : int, default=40
        Number of mel bands.
    plan : tuple of (channels, stride, dilation)
        The residual stages, from the input to the output.

    References
    ----------
    .. [1] S. Choi et al., "Temporal Convolution for Real-time Keyword Spotting on Mobile
       Devices", Interspeech 2019.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.sources import KeywordNetwork
    >>> KeywordNetwork()(torch.zeros(2, 16000)).shape
    torch.Size([2, 35])
    """

    def __init__(self, n_outputs=35, n_mels=40, plan=STAGES):
        super().__init__()
        widths = [plan[0][0], *(width for width, _, _ in plan)]
        self.front_end = LogMel(n_mels)
        self.stem = _convolution(n_mels, widths[0], 3)
        self.residual_stages = nn.ModuleList(
            ResidualStage(n_inputs, *stage)
            for n_inputs, stage in zip(widths[:-1], plan, strict=True)
        )
        self.head = nn.Linear(widths[-1], n_outputs)

    def stages_of_frames(self, frames):
        """Activations behind the front end.

        Parameters
        ----------
        frames : torch.Tensor of shape (n, n_mels, frames)
            Log-mel frames.

        Returns
        -------
        stages : tuple of torch.Tensor of shape (n, channels, frames)
            The frames, then the rectified output of the stem and of each stage.
        """
        # two-dimensional convolutions with the channels last take half the time of Conv1d
        maps = frames.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        activations = [maps, self.stem(maps).relu()]
        for stage in self.residual_stages:
            activations.append(stage(activations[-1]))
        return tuple(activation.squeeze(2) for activation in activations)

    def stages(self, waveform):
        """Activations on the way.

        Parameters
        ----------
        waveform : torch.Tensor of shape (n, samples)
            Samples in [-1, 1] at 16 kHz, at least 160 of them.

        Returns
        -------
        stages : tuple of torch.Tensor of shape (n, channels, frames)
            The log-mel frames, then the rectified output of the stem and of each stage.
        """
        return self.stages_of_frames(self.front_end(waveform))

    def outputs_of_frames(self, frames):
        """Logits of the keywords from log-mel frames.

        Parameters
        ----------
        frames : torch.Tensor of shape (n, n_mels, frames)
            Log-mel frames.

        Returns
        -------
        logits : torch.Tensor of shape (n, n_outputs)
            One score a keyword.
        """
        return self.head(self.stages_of_frames(frames)[-1].mean(-1))

    def forward(self, waveform):
        """Logits of the keywords.

        Parameters
        ----------
        waveform : torch.Tensor of shape (n, samples)
            Samples in [-1, 1] at 16 kHz, at least 160 of them.

        Returns
        -------
        logits : torch.Tensor of shape (n, n_outputs)
            One score a keyword.
        """
        return self.outputs_of_frames(self.front_end(waveform))


def _convolution(n_inputs, n_channels, kernel, stride=1, dilation=1):
    reach = dilation * (kernel // 2)
    convolution = nn.Conv2d(
        n_inputs, n_channels, (1, kernel), (1, stride), (0, reach), (1, dilation)
    )
    return convolution.to(memory_format=torch.channels_last)
