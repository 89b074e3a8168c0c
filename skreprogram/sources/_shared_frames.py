"""Spectrogram frames of waveforms that are alike except in some spans."""

import torch


def shared_frames(front_end, waveforms, n_rows, spans):
    """Compute the frames that all rows of a group share once, the others for each row.

    A tiled series touches few frames of a second of sound; everywhere else a batch holds the
    same program. The frames are those of the plain front end, and so is their gradient.

    Parameters
    ----------
    front_end : torch.nn.Module
        With ``pad``, ``frames``, ``before``, ``hop`` and ``length``; each of its frames depends
        on its own window only.
    waveforms : torch.Tensor of shape (n_groups * n_rows, samples)
        Rows of a group differ inside the spans only.
    n_rows : int
        Rows of a group.
    spans : list of (int, int)
        Where rows differ: first sample and the one after the last.

    Returns
    -------
    frames : torch.Tensor of shape (n_groups * n_rows, n_bands, n_frames)
    """
    padded = front_end.pad(waveforms)
    common = front_end.frames(padded[::n_rows])
    n_frames = common.shape[-1]
    pieces, reached = [], 0
    for first, last in touched_frames(spans, front_end, n_frames):
        start = first * front_end.hop
        stop = (last - 1) * front_end.hop + front_end.length
        pieces.append(common[..., reached:first].repeat_interleave(n_rows, 0))
        pieces.append(front_end.frames(padded[:, start:stop]))
        reached = last
    pieces.append(common[..., reached:].repeat_interleave(n_rows, 0))
    return torch.cat(pieces, -1)


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
