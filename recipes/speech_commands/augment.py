"""Random placement, speed, reverberation, background and noise, a whole batch at a time.

Everything is drawn from the generator that is passed in and computed in torch, so that the same
seed gives the same batches.
"""

import math

import torch

RATE = 16_000


def uniform(n, low, high, generator):
    """``n`` numbers between ``low`` and ``high``, as a column."""
    return low + (high - low) * torch.rand(n, 1, generator=generator)


def chance(n, probability, generator):
    """A column of ``n`` zeros and ones."""
    return (torch.rand(n, 1, generator=generator) < probability).float()


def unit_power(sound):
    """The same sounds at mean square 1; silence stays silence."""
    return sound / (sound.square().mean(-1, keepdim=True) + 1e-8).sqrt()


def place(clips, lengths, speed, samples, generator):
    """Put each clip somewhere in ``samples`` of silence, played ``speed`` times as fast.

    Speed and pitch change together, as on a record player.
    """
    duration = lengths[:, None] / speed
    start = (samples - duration) * torch.rand(len(clips), 1, generator=generator)
    time = (torch.arange(samples) - start) * speed
    inside = (time >= 0) & (time < lengths[:, None] - 1)
    left = time.floor().long().clamp(0, clips.shape[1] - 2)
    weight = time - left
    sound = clips.gather(1, left) * (1 - weight) + clips.gather(1, left + 1) * weight
    return sound * inside


def equaliser(n, bins, generator, points=8, decibels=10):
    """Smooth random gains over log-frequency, as of different microphones and mouths."""
    position = torch.linspace(0.01, 1, bins).log2().add(6.7).div(6.7) * (points - 1)
    hats = (1 - (position - torch.arange(points)[:, None]).abs()).clamp(min=0)
    return louder_by(decibels * (2 * torch.rand(n, points, generator=generator) - 1) @ hats)


def filtered(sound, generator, longest=6_000):
    """Colour the sound, and convolve some of it with noise that dies away: a crude room."""
    n, samples = sound.shape
    decay = uniform(n, 0.03, 0.35, generator) * RATE / math.log(1e3)
    tail = torch.randn(n, longest, generator=generator) * torch.exp(-torch.arange(longest) / decay)
    tail = tail / tail.square().sum(-1, keepdim=True).sqrt()
    room = tail * uniform(n, 0.1, 0.9, generator) * chance(n, 0.4, generator)
    room[:, 0] = 1.0
    size = samples + longest
    spectrum = torch.fft.rfft(sound, size) * torch.fft.rfft(room, size)
    spectrum = spectrum * equaliser(n, spectrum.shape[1], generator)
    return torch.fft.irfft(spectrum, size)[:, :samples]


def coloured_noise(like, generator):
    """Noise whose power falls (or rises a little) with frequency, from blue to brown."""
    n, samples = like.shape
    size = 1 << (samples - 1).bit_length()
    tilt = uniform(n, -0.5, 2.0, generator)
    bins = torch.arange(1, size // 2 + 2)
    spectrum = torch.randn(n, len(bins), 2, generator=generator)
    spectrum = torch.view_as_complex(spectrum * bins.pow(-tilt / 2)[..., None])
    return unit_power(torch.fft.irfft(spectrum, size)[:, :samples])


def tones(like, generator, voices=2):
    """Tones that glide, waver and swell."""
    n, samples = like.shape
    time = torch.arange(samples) / samples
    sound = torch.zeros(n, samples)
    for _ in range(voices):
        octave = uniform(n, 0, 5, generator) + uniform(n, -2, 2, generator) * time
        depth, rate = uniform(n, 0, 0.3, generator), uniform(n, 0.5, 12, generator)
        octave = octave + depth * torch.sin(2 * math.pi * rate * time)
        hertz = (120 * 2**octave).clamp(60, 7_000)
        phase = 2 * math.pi * hertz.div(RATE).cumsum(-1)
        swell = torch.sin(math.pi * uniform(n, 0.3, 4, generator) * time) ** 2
        sound += torch.sin(phase) * swell * uniform(n, 0.1, 1, generator)
    return unit_power(sound)


def babble(sound, generator):
    """The sounds themselves in another order, shifted in time and added up."""
    mixture = torch.zeros_like(sound)
    for _ in range(3):
        shift = int(torch.randint(1, sound.shape[1], (), generator=generator))
        order = torch.randperm(len(sound), generator=generator)
        mixture += sound[order].roll(shift, dims=1)
    return unit_power(mixture)


def louder_by(decibels):
    """Factor of amplitude."""
    return 10 ** (decibels / 20)


def augment(clips, lengths, generator, samples=RATE, strength=1.0):
    """Turn clips into one-second recordings.

    Parameters
    ----------
    clips : tensor of shape (n, longest)
        Words, followed by zeros.
    lengths : tensor of shape (n,)
        Samples of each word.
    generator : torch.Generator
        Source of all that is random.
    samples : int, default=16000
        Length of the recordings.
    strength : float, default=1.0
        How far the recordings stray from the clips; 0 places and scales them only.

    Returns
    -------
    tensor of shape (n, samples)
        Recordings in [-1, 1].
    """
    n = len(clips)
    widest = math.log(1.25) * strength
    # A word that fills the second already cannot be played slower without losing its end.
    slowest = (lengths[:, None] / samples).clamp(min=math.exp(-widest))
    speed = torch.maximum(uniform(n, -widest, widest, generator).exp(), slowest)
    sound = unit_power(place(clips, lengths, speed, samples, generator))
    if strength:
        sound = unit_power(filtered(sound, generator))
        for background, share, low, high in (
            (coloured_noise, 0.7, 2, 45),
            (tones, 0.3, 4, 30),
            (babble, 0.25, 8, 30),
        ):
            rows = torch.nonzero(torch.rand(n, generator=generator) < share).squeeze(1)
            extra = background(sound[rows], generator)
            below = uniform(len(rows), low, high, generator) * (1.3 - 0.3 * strength)
            sound = sound.index_add(0, rows, extra * louder_by(-below))
    gain = louder_by(uniform(n, -26, 0, generator))
    return gain * sound / sound.abs().amax(-1, keepdim=True).clamp(min=1e-6)
