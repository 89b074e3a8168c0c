"""The networks that train.py can train.

All of them take waveforms of any length, have ``forward`` (logits) and ``stages`` (activations of
shape ``(n, channels, frames)``), and begin with the same log-mel frames.
"""

import torch
from torch import nn
from torch.nn import functional

from skreprogram.sources._log_mel import LogMel
from temporal_residual import TemporalResidualNetwork


class BroadcastBlock(nn.Module):
    """A convolution over mel bands, and one over time of their mean, added to every band.

    Kim et al., "Broadcasted Residual Learning for Efficient Keyword Spotting", Interspeech 2021,
    with batch normalisation instead of sub-spectral normalisation.
    """

    def __init__(self, n_inputs, n_channels, mel_stride=1, stride=1, dilation=1):
        super().__init__()
        self.residual = n_inputs == n_channels and mel_stride == stride == 1
        kernel, step = (3, 1), (mel_stride, stride)
        self.over_mel = nn.Sequential(
            nn.Conv2d(n_inputs, n_inputs, kernel, step, (1, 0), groups=n_inputs, bias=False),
            nn.BatchNorm2d(n_inputs),
        )
        # Wider only after the strides: the maps are what costs time.
        if n_inputs != n_channels:
            self.over_mel += nn.Sequential(
                nn.ReLU(),
                nn.Conv2d(n_inputs, n_channels, 1, bias=False),
                nn.BatchNorm2d(n_channels),
            )
        self.over_time = nn.Sequential(
            nn.Conv1d(
                n_channels, n_channels, 3, 1, dilation, dilation, groups=n_channels, bias=False
            ),
            nn.BatchNorm1d(n_channels),
            nn.SiLU(),
            nn.Conv1d(n_channels, n_channels, 1),
        )

    def forward(self, maps):
        bands = self.over_mel(maps)
        output = bands + self.over_time(bands.mean(2)).unsqueeze(2)
        return functional.relu(output + maps if self.residual else output)


class BroadcastResidualNetwork(nn.Module):
    """Two-dimensional convolutions over mel bands and time; stages are means over the bands."""

    plan = (
        # channels, blocks, stride over mel bands, stride over time, dilation
        (24, 1, 1, 1, 1),
        (48, 2, 2, 1, 2),
        (96, 2, 2, 2, 2),
        (192, 3, 1, 1, 4),
    )

    def __init__(self, n_outputs=35, n_mels=40, width=256, dropout=0.2):
        super().__init__()
        self.front_end = LogMel(n_mels)
        n_channels = self.plan[0][0]
        self.stem = nn.Sequential(
            nn.Conv2d(1, n_channels, 5, (2, 1), 2, bias=False),
            nn.BatchNorm2d(n_channels),
            nn.ReLU(),
        )
        self.broadcast_stages = nn.ModuleList()
        for wider, n_blocks, mel_stride, stride, dilation in self.plan:
            blocks = [BroadcastBlock(n_channels, wider, mel_stride, stride, dilation)]
            blocks += [BroadcastBlock(wider, wider, dilation=dilation) for _ in range(n_blocks - 1)]
            self.broadcast_stages.append(nn.Sequential(*blocks))
            n_channels = wider
        self.last = nn.Sequential(
            nn.Conv1d(n_channels, width, 5, padding=2, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(),
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, n_outputs)

    def stages(self, waveform):
        """The log-mel frames, then the activations of stem, stages and last convolution."""
        frames = self.front_end(waveform)
        maps = [self.stem(frames.unsqueeze(1))]
        for stage in self.broadcast_stages:
            maps.append(stage(maps[-1]))
        means = [activation.mean(2) for activation in maps]
        return (frames, *means, self.last(means[-1]))

    def forward(self, waveform):
        return self.head(self.dropout(self.stages(waveform)[-1].mean(-1)))


class AttentionRecurrentNetwork(nn.Module):
    """Convolutions, two bidirectional recurrent layers, and attention over time.

    After de Andrade et al., "A neural attention model for speech command recognition", 2018, the
    source model of Voice2Series; gated units, and the query is the mean state.
    """

    def __init__(self, n_outputs=35, n_mels=40, width=96, n_hidden=128, dropout=0.2):
        super().__init__()
        self.front_end = LogMel(n_mels)
        self.convolutions = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(n_inputs, width, 5, padding=2, bias=False),
                nn.BatchNorm1d(width),
                nn.ReLU(),
            )
            for n_inputs in (n_mels, width)
        )
        self.recurrent = nn.ModuleList(
            nn.GRU(n_inputs, n_hidden, batch_first=True, bidirectional=True)
            for n_inputs in (width, 2 * n_hidden)
        )
        self.query = nn.Linear(2 * n_hidden, 2 * n_hidden)
        self.hidden = nn.Linear(2 * n_hidden, 128)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(128, n_outputs)

    def stages(self, waveform):
        """The log-mel frames, then the activations of convolutions and recurrent layers."""
        activations = [self.front_end(waveform)]
        for convolution in self.convolutions:
            activations.append(convolution(activations[-1]))
        # Recurrent layers on the CPU know one precision at a time.
        with torch.autocast(waveform.device.type, enabled=False):
            for layer in self.recurrent:
                states, _ = layer(activations[-1].to(waveform.dtype).transpose(1, 2))
                activations.append(states.transpose(1, 2))
        return tuple(activations)

    def forward(self, waveform):
        states = self.stages(waveform)[-1]
        query = self.query(states.mean(-1)).unsqueeze(1)
        attention = (query @ states / states.shape[1] ** 0.5).softmax(-1)
        context = (states * attention).sum(-1)
        return self.head(self.dropout(functional.relu(self.hidden(context))))


ARCHITECTURES = {
    "temporal_residual": TemporalResidualNetwork,
    "broadcast_residual": BroadcastResidualNetwork,
    "attention_rnn": AttentionRecurrentNetwork,
}
