"""Spectrogram frames of waveforms that are alike except in some spans."""

import torch
from torch.nn import functional


def shared_frames(front_end, waveforms, common, spans):
    """Compute the frames that all rows of a group share once, the others for each row.

    A tiled series touches few frames of a second of sound; everywhere else a batch holds the
    same program. The frames are those of the plain front end. Gradients flow into `common` only:
    inside the spans nothing trains.

    Parameters
    ----------
    front_end : torch.nn.Module
        With ``pad``, ``frames``, ``before``, ``hop`` and ``length``; each of its frames depends
        on its own window only.
    waveforms : torch.Tensor of shape (n_groups * n_rows, samples)
        Rows of a group differ inside the spans only.
    common : torch.Tensor of shape (n_groups, samples)
        One row of each group.
    spans : list of (int, int)
        Where rows differ: first sample and the one after the last.

    Returns
    -------
    frames : torch.Tensor of shape (n_groups * n_rows, n_bands, n_frames)
    """
    n_rows = len(waveforms) // len(common)
    padded = front_end.pad(common)
    shared = front_end.frames(padded)
    pieces, reached = [], 0
    for first, last in touched_frames(spans, front_end, shared.shape[-1]):
        start = first * front_end.hop
        stop = (last - 1) * front_end.hop + front_end.length
        pieces.append(shared[..., reached:first].repeat_interleave(n_rows, 0))
        own = padded[:, start:stop].repeat_interleave(n_rows, 0)
        difference = _difference(waveforms, common, start - front_end.before, stop - start)
        pieces.append(front_end.frames(own + difference))
        reached = last
    pieces.append(shared[..., reached:].repeat_interleave(n_rows, 0))
    return torch.cat(pieces, -1)


def _difference(waveforms, common, start, length):
    """What rows have and their group's row has not, from a sample on; zero outside of them."""
    n_rows, n_samples = len(waveforms) // len(common), waveforms.shape[-1]
    inside = slice(max(start, 0), min(start + length, n_samples))
    own, groups = waveforms[:, inside].detach(), common[:, inside].detach()
    difference = own - groups.repeat_interleave(n_rows, 0)
    before = inside.start - start
    return functional.pad(difference, (before, length - before - difference.shape[-1]))


def touched_frames(spans, front_end, n_frames):
    """Intervals of frames whose windows reach into a span, merged where they meet.

    Parameters
    ----------
    spans : list of (int, int)
        Spans of samples, in ascending order.
    front_end : torch.nn.Module
        With ``before``, ``hop`` and ``length``.
    n_frames : int
        Frames in all.

    Returns
    -------
    intervals : list of (int, int)
        First frame and the one after the last.
    """
    intervals = []
    for start, stop in spans:
        first = -(-(start + front_end.before - front_end.length + 1) // front_end.hop)
        last = min((stop - 1 + front_end.before) // front_end.hop + 1, n_frames)
        first = max(first, 0)
        if intervals and first <= intervals[-1][1]:
            intervals[-1] = (intervals[-1][0], max(last, intervals[-1][1]))
        elif first < last:
            intervals.append((first, last))
    return intervals
