"""
Does a model of antibodies know which peptides kill bacteria?
=============================================================

AntiBERTy (Ruffolo, Gray, Sulam 2021) learned to fill gaps in 558 million antibodies. Antimicrobial
peptides are short, charged and no antibodies, and few of them are known. Frozen, can the model
tell them from other short proteins when 64 of each are labelled?
"""

# %%
# A language model out of a package
# ---------------------------------
# The package ``antiberty==0.1.3`` brings the weights as a pickle, which torch reads without running
# code; a source of text wants a folder of safetensors and a tokenizer's files. Nothing of the
# package is imported. ``pip install --no-deps antiberty==0.1.3 modlamp`` is enough.

import tempfile
from importlib.util import find_spec
from pathlib import Path

import torch
from transformers import BertConfig, BertForMaskedLM, BertTokenizer

from skreprogram.sources import TextSource


def folder_of(package):
    """Where an installed package lies."""
    spec = find_spec(package)
    if spec is None:
        raise ImportError("Run `pip install --no-deps antiberty==0.1.3 modlamp` for this example.")
    return Path(spec.submodule_search_locations[0])


shipped = folder_of("antiberty") / "trained_models"
checkpoint = shipped / "AntiBERTy_md_smooth"
# heads for species and chains are left behind
model = BertForMaskedLM(BertConfig.from_json_file(checkpoint / "config.json"))
weights = torch.load(checkpoint / "pytorch_model.bin", map_location="cpu", weights_only=True)
model.load_state_dict(weights, strict=False)
written = tempfile.TemporaryDirectory()
model.save_pretrained(written.name)
BertTokenizer(str(shipped / "vocab.txt"), do_lower_case=False).save_pretrained(written.name)

source = TextSource.from_pretrained(written.name, name="antiberty")
untrained = source.with_random_weights()
print(source, [token for token, _ in source.special_tokens])

# %%
# Peptides
# --------
# ``modlamp`` ships 2,600 antimicrobial peptides and 2,600 pieces of UniProt. Of the latter most
# begin with methionine, M, as whole proteins do, which tells them apart without any biology: it is
# cut off. A letter is a word of the source, so that a peptide is a list of letters.

import pandas as pd
from sklearn.model_selection import train_test_split

file = folder_of("modlamp") / "data" / "AMPvsUniProt.csv"
peptides = pd.read_csv(file, skiprows=1, names=["text", "label"], skipinitialspace=True)
peptides["text"] = peptides["text"].str.removeprefix("M")
peptides = peptides[peptides["text"].str.len().between(10, 30)].drop_duplicates("text")
peptides = peptides.groupby("label").sample(800, random_state=0)
X = pd.Series([list(text) for text in peptides["text"]])
y = peptides["label"].map({1: "antimicrobial", 0: "other"}).to_numpy()
X_pool, X_test, y_pool, y_test = train_test_split(X, y, test_size=400, stratify=y, random_state=0)
print(peptides.groupby("label").head(3).to_string(index=False))

# %%
# Five classifiers
# ----------------
# The answer is read at all positions: a [MASK] behind a peptide asks for the next residue, which is
# another question. The same network with random weights tells what antibodies have taught it.

from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from tqdm.auto import tqdm

from skreprogram import SequenceReprogrammer
from skreprogram.transformations import PromptTransformation

letters = {"analyzer": "char", "preprocessor": "".join, "lowercase": False, "ngram_range": (1, 3)}
penalties = {"C": [0.01, 0.1, 1, 10]}
prompts = {"input_transformation": PromptTransformation(mask=False), "max_epochs": 6}


def classifiers(seed):
    """Unfitted classifiers by what the figure calls them."""
    regression = GridSearchCV(LogisticRegression(max_iter=2000), penalties, cv=3)
    models = {"k-mer counts": make_pipeline(CountVectorizer(**letters), MaxAbsScaler(), regression)}
    for kind, handle in (("random weights", untrained), ("antibodies", source)):
        models[kind] = SequenceReprogrammer(handle, random_state=seed)
        models[f"{kind}, 8 prompts"] = SequenceReprogrammer(
            handle, **prompts, lr=0.003, output_lr=0.02, random_state=seed
        )
    return models


runs = [(seed, name) for seed in range(3) for name in classifiers(0)]
scores = {}
for seed, name in tqdm(runs, desc="classifiers"):
    X_train, _, y_train, _ = train_test_split(
        X_pool, y_pool, train_size=128, stratify=y_pool, random_state=seed
    )
    clf = classifiers(seed)[name].fit(X_train, y_train)
    scores[name, seed] = clf.score(X_test, y_test)
table = pd.Series(scores).unstack().loc[list(classifiers(0))]
print(f"\n{table.assign(mean=table.mean(axis=1)).to_string(float_format='{:.3f}'.format)}")

# %%
# What is read
# ------------
# Bacteria's membranes are negative, so that peptides which attack them are mostly positive. Right:
# probabilities of the last classifier against the charge, K and R less D and E.

import matplotlib.pyplot as plt
import numpy as np

probability = clf.predict_proba(X_test)[:, 0]
charge = np.array([sum((a in "KR") - (a in "DE") for a in text) for text in X_test])
jittered = charge + np.random.default_rng(0).uniform(-0.3, 0.3, len(charge))

figure, axes = plt.subplots(1, 2, figsize=(13, 4.5), width_ratios=[4, 3], layout="constrained")
for row, (name, accuracies) in enumerate(table[::-1].iterrows()):
    color = "C0" if "antibodies" in name else "C3" if "random" in name else "0.4"
    axes[0].barh(row, accuracies.mean(), color=color, alpha=0.6, height=0.6)
    axes[0].plot(accuracies, [row] * 3, "k.")
    axes[0].text(0.507, row, f"{accuracies.mean():.3f}", va="center")
axes[0].set(yticks=range(len(table)), yticklabels=table.index[::-1], xlim=(0.5, 0.9))
axes[0].set(xlabel="accuracy on 400 unseen peptides; chance is 0.5")
axes[0].set_title("64 labelled peptides a class; dots are three draws of them")
for label, color in (("antimicrobial", "C2"), ("other", "C1")):
    rows = y_test == label
    axes[1].plot(jittered[rows], probability[rows], ".", color=color, alpha=0.6, label=label)
axes[1].set(xlabel="net charge of the peptide (jittered)", ylabel="probability of antimicrobial")
axes[1].set(title="Answers of the model of antibodies with prompts", ylim=(0, 1))
axes[1].legend(title="in truth")

folder = Path("figures")
folder.mkdir(exist_ok=True)
figure.savefig(folder / "antibodies.png", dpi=120)
print(f"Figure: {(folder / 'antibodies.png').resolve()}")

# %%
# On other peptides (one draw) counted letters had .797, antibodies .773, with prompts .760, random
# weights .753: what fills gaps in antibodies says little of these peptides.
