"""The speech sources as a research script writes them in torch.

``torch.stft`` over the whole recording, one-dimensional convolutions with batch normalisation
behind them, plain two-dimensional convolutions. Weights are those of the package's networks, and
so is what they compute; only the way of computing it is not tuned.
"""

import torch
from torch import nn
from torch.nn import functional

from skreprogram.sources import AttentionRNN, KeywordNetwork


class PlainKeywordNetwork(nn.Module):
    """The temporal residual network, with its batch normalisation as trained."""

    def __init__(self, tuned):
        super().__init__()
        self.front_end = tuned.front_end
        self.stem = _conv_and_norm(tuned.stem)
        self.stages = nn.ModuleList(_PlainStage(stage) for stage in tuned.residual_stages)
        self.head = tuned.head

    def forward(self, waveform):
        """Map ``(n, samples)`` to ``(n, n_outputs)``."""
        end = self.front_end
        # torch.stft puts the window into the middle of the transform
        before = end.before + (end.n_fft - end.length) // 2
        after = end.n_fft - end.hop - before
        padded = functional.pad(waveform, (before, after))
        spectra = torch.stft(
            padded, end.n_fft, end.hop, end.length, end.window, center=False, return_complex=True
        )
        level = (end.bands.T @ spectra.abs().square() + end.floor).log()
        frames = self.stem((level - end.mean) / end.scale).relu()
        for stage in self.stages:
            frames = stage(frames)
        return self.head(frames.mean(-1))


class _PlainStage(nn.Module):
    def __init__(self, tuned):
        super().__init__()
        self.first, self.second = _conv_and_norm(tuned.first), _conv_and_norm(tuned.second)
        is_same = isinstance(tuned.around, nn.Identity)
        self.around = nn.Identity() if is_same else _conv_and_norm(tuned.around)

    def forward(self, frames):
        return (self.second(self.first(frames).relu()) + self.around(frames)).relu()


def _conv_and_norm(folded):
    """A one-dimensional convolution whose bias stands in the batch normalisation again."""
    (kernel, stride, padding, dilation) = (
        size[1] for size in (folded.kernel_size, folded.stride, folded.padding, folded.dilation)
    )
    n_inputs, n_outputs = folded.in_channels, folded.out_channels
    conv = nn.Conv1d(n_inputs, n_outputs, kernel, stride, padding, dilation, bias=False)
    norm = nn.BatchNorm1d(n_outputs)
    with torch.no_grad():
        conv.weight.copy_(folded.weight.squeeze(2))
        norm.bias.copy_(folded.bias)
        norm.running_var.fill_(1 - norm.eps)
    return nn.Sequential(conv, norm)


class PlainAttentionRNN(nn.Module):
    """The attention RNN with the log-magnitude front end, after its authors' Keras layers."""

    def __init__(self, tuned):
        super().__init__()
        self.front_end = tuned.front_end
        self.filters = tuned.filters.to(memory_format=torch.contiguous_format)
        self.first_lstm, self.second_lstm = tuned.first_lstm, tuned.second_lstm
        self.query, self.narrowing, self.head = tuned.query, tuned.narrowing, tuned.head

    def forward(self, waveform):
        """Map ``(n, samples)`` to ``(n, n_outputs)``."""
        end = self.front_end
        spectra = torch.stft(
            end.pad(waveform), end.length, end.hop, window=end.window, center=False,
            return_complex=True,
        )  # fmt: skip
        level = (end.bands.T @ spectra.abs() + end.floor).log()
        centred = level - level.mean((1, 2), keepdim=True)
        frames = centred / (centred.square().mean((1, 2), keepdim=True) + 1e-20).sqrt()
        filtered = self.filters(frames.transpose(1, 2).unsqueeze(1)).squeeze(1)
        states = self.second_lstm(self.first_lstm(filtered)[0])[0]
        scores = (states @ self.query(states[:, -1]).unsqueeze(-1)).softmax(1)
        return self.head(self.narrowing((scores * states).sum(1)))


def written_plainly(tuned):
    """The plain network that computes what one of the package's networks does.

    Parameters
    ----------
    tuned : KeywordNetwork or AttentionRNN
        Its parts are taken over: give a copy.

    Returns
    -------
    network : torch.nn.Module
    """
    return {KeywordNetwork: PlainKeywordNetwork, AttentionRNN: PlainAttentionRNN}[type(tuned)](
        tuned
    )
