"""Spectrogram frames of waveforms that are alike except in some spans."""

import torch


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
    intervals = touched_frames(spans, front_end, shared.shape[-1])
    pieces, reached = [], 0
    own = _own_frames(front_end, front_end.pad(waveforms.detach()), padded, intervals)
    for (first, last), frames in zip(intervals, own, strict=True):
        pieces += [shared[..., reached:first].repeat_interleave(n_rows, 0), frames]
        reached = last
    pieces.append(shared[..., reached:].repeat_interleave(n_rows, 0))
    return torch.cat(pieces, -1)


def _own_frames(front_end, waveforms, common, intervals):
    """Frames of every row in each interval, for all intervals at once.

    The shorter intervals are computed together with frames before them, which are cut off again.
    """
    if not intervals:
        return []
    size = max(last - first for first, last in intervals)
    starts = [max(last - size, 0) for _, last in intervals]
    length = (size - 1) * front_end.hop + front_end.length
    cuts = [slice(start * front_end.hop, start * front_end.hop + length) for start in starts]
    rows = torch.stack([waveforms[:, cut] for cut in cuts], 1)
    groups = torch.stack([common[:, cut] for cut in cuts], 1)
    # the values are the rows' own, the gradient is that of what they share
    rows = rows + (groups - groups.detach()).repeat_interleave(len(rows) // len(groups), 0)
    frames = front_end.frames(rows.flatten(0, 1)).unflatten(0, rows.shape[:2])
    return [
        frames[:, i, :, first - start : last - start]
        for i, ((first, last), start) in enumerate(zip(intervals, starts, strict=True))
    ]


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
