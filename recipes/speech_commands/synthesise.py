"""Speak the keywords with three free synthesisers and keep the clips in one .npz file.

Voices are split by speaker: whoever is heard in training is never heard in the evaluation. The
clips are 16 kHz, mono, without silence around the word, int16, end to end in one array.
"""

import argparse
import io
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from itertools import groupby
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly
from tqdm import tqdm

from words import WORDS

RATE = 16_000
LONGEST = RATE

ACCENTS = "en-gb en-us en-gb-scotland en-gb-x-gbclan en-gb-x-rp en-us-nyc en-029 en-gb-x-gbcwmd"
UNSEEN_ACCENTS = "en-029 en-gb-x-gbcwmd"
VARIANTS = """
Alex Alicia Andrea Andy Annie AnxiousAndy Demonic Denis Diogo Gene Gene2 Henrique Hugo Jacky
Lee Marco Mario Michael Mike Nguyen RicishayMax RicishayMax2 RicishayMax3 Storm Tweaky
UniRobot adam anika anikaRobot announcer antonio aunty belinda benjamin boris caleb croak
david ed edward edward2 f1 f2 f3 f4 f5 grandma grandpa gustave iven iven2 iven3 iven4 john
kaukovalta klatt klatt2 klatt3 klatt4 klatt5 klatt6 linda m1 m2 m3 m4 m5 m6 m7 m8 marcelo max
michel miguel norbert pablo paul pedro quincy rob robert robosoft robosoft2 robosoft3
robosoft4 robosoft5 robosoft6 robosoft7 robosoft8 sandro shelby steph steph2 steph3 travis
victor whisper whisperf zac
"""
# Relatives (steph, steph2, steph3) stay together: a voice is unseen only if its kin are.
UNSEEN_VARIANTS = """
Mario Nguyen announcer benjamin boris croak f3 grandma grandpa iven iven2 iven3 iven4 linda
m3 m7 max quincy steph steph2 steph3 travis
"""
# kal and slt speak in flite and in festival, so both of their voices are on the training side.
FLITE = {"kal": "train", "kal16": "train", "awb": "train", "slt": "train", "rms": "unseen"}
FESTIVAL = {
    "kal_diphone": "train",
    "cmu_us_slt_arctic_hts": "train",
    "ked_diphone": "unseen",
}
PITCHES = {
    "kal": 105, "kal16": 105, "awb": 130, "slt": 175, "rms": 95, "kal_diphone": 105,
    "ked_diphone": 115,
}  # fmt: skip


@dataclass(frozen=True)
class Utterance:
    """One word to be spoken: ``speed`` 1, ``pitch`` 0 and ``tract`` 0 are a voice's own.

    The pitch is in semitones; the vocal tract is longer or shorter where the engine has a say.
    """

    engine: str
    voice: str
    split: str
    word: str
    mark: str
    speed: float
    pitch: float
    tract: float


def utterance(engine, voice, split, word, rng):
    """Draw how the word is spoken."""
    mark = str(rng.choice(["", "", "?", "!"]))
    speed = float(np.exp(rng.uniform(np.log(0.7), np.log(1.35))))
    pitch, tract = float(rng.uniform(-5, 5)), float(rng.uniform(-1, 1))
    return Utterance(engine, voice, split, word, mark, speed, pitch, tract)


def espeak_plan(rng, words_train, words_unseen):
    """Each voice (accent and variant) says a random choice of the words."""
    for accent in ACCENTS.split():
        for variant in VARIANTS.split():
            unseen = variant in UNSEEN_VARIANTS.split()
            if accent in UNSEEN_ACCENTS.split() and not unseen:
                continue
            split, share = ("unseen", words_unseen) if unseen else ("train", words_train)
            for word in rng.permutation(WORDS)[:share]:
                yield utterance("espeak-ng", f"{accent}+{variant}", split, str(word), rng)


def fixed_plan(engine, voices, rng, times_train, times_unseen):
    """Each voice says every word several times."""
    for voice, split in voices.items():
        for word in WORDS:
            for _ in range(times_unseen if split == "unseen" else times_train):
                yield utterance(engine, voice, split, word, rng)


def plan(seed, scale):
    """The whole list of utterances, the same for the same seed."""
    rng = np.random.default_rng(seed)
    share = max(1, round(20 * scale))
    return [
        *espeak_plan(rng, share, max(1, share // 2)),
        *fixed_plan("flite", FLITE, rng, max(1, round(30 * scale)), max(1, round(8 * scale))),
        *fixed_plan("festival", FESTIVAL, rng, max(1, round(30 * scale)), max(1, round(8 * scale))),
    ]


def read_wave(data):
    """Samples and rate of a mono 16-bit file, whatever length a streamed header claims."""
    with wave.open(io.BytesIO(data)) as file:
        rate = file.getframerate()
    samples = data[data.index(b"data") + 8 :]
    return np.frombuffer(samples[: len(samples) // 2 * 2], dtype="<i2").astype(np.float64), rate


def tidy(samples, rate):
    """Resample to 16 kHz, cut the silence, fill the int16 range."""
    if rate != RATE:
        divisor = np.gcd(rate, RATE)
        samples = resample_poly(samples, RATE // divisor, rate // divisor)
    level = np.abs(samples)
    loud = np.flatnonzero(level > 0.015 * max(level.max(initial=0.0), 1.0))
    if loud.size == 0:
        return np.zeros(0, dtype=np.int16)
    margin = RATE // 50
    samples = samples[max(0, loud[0] - margin) : loud[-1] + margin][:LONGEST]
    return np.round(samples * (29_000 / np.abs(samples).max())).astype(np.int16)


def speak_espeak(utterances):
    """One process per word: espeak-ng takes 10 ms."""
    for u in utterances:
        speed, pitch = str(round(165 * u.speed)), str(round(50 + 8 * u.pitch))
        command = ["espeak-ng", "-v", u.voice, "-s", speed, "-p", pitch, "--stdout"]
        yield subprocess.run([*command, u.word + u.mark], capture_output=True, check=True).stdout


def speak_flite(utterances):
    """One process per word, 20 ms."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.wav"
        for u in utterances:
            hertz = PITCHES[u.voice] * 2 ** (u.pitch / 12)
            command = ["flite", "-voice", u.voice, "--setf", f"duration_stretch={1 / u.speed:.3f}"]
            command += ["--setf", f"int_f0_target_mean={hertz:.1f}", "-t", u.word + u.mark]
            subprocess.run([*command, "-o", str(path)], check=True, capture_output=True)
            yield path.read_bytes()


def festival_controls(u):
    """Scheme that sets voice, speed and pitch."""
    if u.voice in PITCHES:
        hertz = PITCHES[u.voice] * 2 ** (u.pitch / 12)
        return (
            f"(voice_{u.voice}) (Parameter.set 'Duration_Stretch {1 / u.speed:.3f})"
            f"(set! int_lr_params '((target_f0_mean {hertz:.1f}) (target_f0_std 14)"
            "(model_f0_mean 170) (model_f0_std 34)))"
        )
    # The head of the list names the file of the voice; the rest belongs to the last word spoken.
    tract = 0.45 + 0.06 * u.tract
    settings = {"-g": 0, "-b": 0, "-u": 0.5, "-r": u.speed, "-fm": u.pitch, "-a": tract}
    pairs = " ".join(f'("{key}" {value:.3f})' for key, value in settings.items())
    return (
        f"(voice_{u.voice}) (Parameter.set 'Duration_Stretch 1.0)"
        f"(set! hts_engine_params (append (list (car hts_engine_params)) '({pairs})))"
    )


def speak_festival(utterances):
    """One process for all the words: loading a voice is slow."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{i}.wav" for i in range(len(utterances))]
        lines = [
            f'{festival_controls(u)} (set! u (utt.synth (Utterance Text "{u.word}{u.mark}")))'
            f'(utt.save.wave u "{path}" \'riff)'
            for u, path in zip(utterances, paths, strict=True)
        ]
        script = Path(folder) / "words.scm"
        script.write_text("\n".join(lines))
        subprocess.run(["festival", "-b", str(script)], check=True, capture_output=True)
        for path in paths:
            yield path.read_bytes()


SPEAKERS = {"espeak-ng": speak_espeak, "flite": speak_flite, "festival": speak_festival}


def speak(utterances):
    """The clips of utterances that share one engine."""
    return [tidy(*read_wave(data)) for data in SPEAKERS[utterances[0].engine](utterances)]


def chunks(utterances, size=35):
    """Groups of one engine, small enough for a lively progress bar."""
    for _, group in groupby(utterances, key=lambda u: u.engine):
        group = list(group)
        for start in range(0, len(group), size):
            yield group[start : start + size]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the .npz file to write")
    parser.add_argument("--scale", type=float, default=1.0, help="0.1 for a trial corpus")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    utterances = plan(options.seed, options.scale)
    clips = []
    with Pool(options.jobs) as pool, tqdm(total=len(utterances), unit="clip") as bar:
        for spoken in pool.imap(speak, list(chunks(utterances))):
            clips += spoken
            bar.update(len(spoken))
    kept = [i for i, clip in enumerate(clips) if len(clip) > RATE // 10]
    clips, utterances = [clips[i] for i in kept], [utterances[i] for i in kept]
    np.savez(
        options.out,
        samples=np.concatenate(clips),
        offsets=np.cumsum([0] + [len(clip) for clip in clips]),
        labels=np.array([WORDS.index(u.word) for u in utterances]),
        voices=np.array([f"{u.engine}:{u.voice}" for u in utterances]),
        unseen=np.array([u.split == "unseen" for u in utterances]),
        words=np.array(WORDS),
    )
    unseen = sum(u.split == "unseen" for u in utterances)
    print(f"{len(clips) - unseen} training clips, {unseen} of unseen voices: {options.out}")


if __name__ == "__main__":
    main()
