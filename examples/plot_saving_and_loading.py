"""
How large is a program, and who may load it?
============================================

A fitted estimator is saved as its program: what was learned, in one safetensors file. The source
stays behind, named by its sha256, and a program is refused by any other.
"""

# %%
# Fit and save
# ------------
# Nothing of the file is executed when it is loaded: it holds tensors and JSON, never a pickle.

import tempfile
from pathlib import Path

import joblib
import numpy as np

import skreprogram
from skreprogram import TimeSeriesReprogrammer
from skreprogram.datasets import load_ucr
from skreprogram.sources import load_source

X_train, y_train, X_test, y_test = load_ucr("GunPoint")
X_test, y_test = X_test[:40], y_test[:40]
clf = TimeSeriesReprogrammer(random_state=0).fit(X_train, y_train)

folder = Path(tempfile.mkdtemp())
clf.save(folder / "gunpoint.safetensors")

# %%
# Load
# ----
# The source is of the catalogue and comes with the package, so the path is all that is needed.

loaded = skreprogram.load(folder / "gunpoint.safetensors")
assert np.array_equal(loaded.predict_proba(X_test), clf.predict_proba(X_test))
print(f"accuracy after loading: {loaded.score(X_test, y_test):.3f}")

# %%
# Another source is refused
# -------------------------
# The same network with other weights would predict nonsense, so loading says what is wrong.

other = load_source("speech-commands").with_random_weights(0)
try:
    skreprogram.load(folder / "gunpoint.safetensors", source=other)
except ValueError as error:
    print(f"refused: {str(error).replace(str(folder), '...')}")

# %%
# Sizes
# -----
# A small program has a trained frame or a label mapping; the default one has a ridge head on the
# features of eight views. Pickles work too, in scikit-learn's usual way, and hold no source.

small = TimeSeriesReprogrammer(
    input_transformation="modulation", output_mapping="frequency", random_state=0
).fit(X_train, y_train)
small.save(folder / "small.safetensors")
joblib.dump(clf, folder / "gunpoint.joblib")
weights = Path(skreprogram.__file__).parent / "sources/weights/speech_commands.safetensors"
sizes = {
    "source (not saved)": weights.stat().st_size,
    "default, joblib": (folder / "gunpoint.joblib").stat().st_size,
    "default, save": (folder / "gunpoint.safetensors").stat().st_size,
    "one view, label mapping, save": (folder / "small.safetensors").stat().st_size,
}
for name, size in sizes.items():
    print(f"{name:30} {size / 1024:8.1f} kB")

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 2.8), layout="constrained")
names = list(sizes)[::-1]
kilobytes = [sizes[name] / 1024 for name in names]
bars = axes.barh(names, kilobytes, color=["#e07a3f", "#e07a3f", "#e07a3f", "#9fb3c8"])
axes.bar_label(bars, fmt="%.0f kB", padding=4)
axes.set(title="GunPoint: what lies on the disk", xlabel="size (kB, logarithmic)", xscale="log")
axes.set_xlim(1, 5 * max(kilobytes))
axes.spines[["top", "right"]].set_visible(False)

pictures = Path("figures")
pictures.mkdir(exist_ok=True)
figure.savefig(pictures / "saving_and_loading.png", dpi=120)
print(f"Figure: {(pictures / 'saving_and_loading.png').resolve()}")
