"""Iterative label mapping as the code of ILM-VP works, in plain torch.

A data loader that transforms one image after the other, padding, program and normalisation in a
module, and before every epoch a pass over all training data for the mapping, with a one-hot loop
over the classes. The program goes through ``sigmoid(2 W)``, which is the package's tanh in [0, 1],
so that both compute the same.
"""

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset


class Images(Dataset):
    """Bytes (height, width, channels) that become a tensor when they are asked for."""

    def __init__(self, X, y, dtype=torch.float32):
        self.X, self.y, self.dtype = X, y, dtype

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        image = torch.from_numpy(self.X[i].copy()).permute(2, 0, 1).contiguous()
        return image.to(self.dtype).div(255), int(self.y[i])


class Prompt(nn.Module):
    """The image in the middle of a frame, a program around it, and normalisation."""

    def __init__(self, side, image_side, mean, std):
        super().__init__()
        before = (side - image_side) // 2
        self.widths = (before, side - image_side - before) * 2
        mask = torch.ones(3, side, side)
        mask[:, before : before + image_side, before : before + image_side] = 0
        self.register_buffer("mask", mask)
        self.program = nn.Parameter(torch.zeros(3, side, side))
        self.register_buffer("mean", torch.tensor(mean).reshape(3, 1, 1))
        self.register_buffer("std", torch.tensor(std).reshape(3, 1, 1))

    def forward(self, images):
        """Map ``(n, 3, image_side, image_side)`` to what the source gets."""
        padded = functional.pad(images, self.widths, value=0)
        return (padded + torch.sigmoid(2 * self.program) * self.mask - self.mean) / self.std


def label_counts(outputs, labels, n_classes):
    """Count source labels for each class, a class after the other."""
    counts = torch.zeros(outputs.shape[1], n_classes)
    predicted = outputs.argmax(1)
    for number in range(n_classes):
        own = predicted[labels == number]
        counts[:, number] = functional.one_hot(own, outputs.shape[1]).sum(0).float()
    return counts


def greedy_labels(counts):
    """Take the largest count, strike its row and column, and so on."""
    counts = counts.clone()
    chosen = torch.zeros(counts.shape[1], dtype=torch.long)
    for _ in range(counts.shape[1]):
        source_label, target_class = divmod(int(counts.argmax()), counts.shape[1])
        chosen[target_class] = source_label
        counts[source_label] = -1
        counts[:, target_class] = -1
    return chosen


def train(network, prompt, X, y, epochs, batch_size, optimizer):
    """Train the prompt; return the loss of the last epoch."""
    network.eval().requires_grad_(False)
    n_classes = int(y.max()) + 1
    generator = torch.Generator().manual_seed(0)
    data = Images(X, y, prompt.program.dtype)
    loader = DataLoader(data, batch_size, shuffle=True, generator=generator)
    for _ in range(epochs):
        chosen = _mapping(network, prompt, loader, n_classes)
        loss_sum, n_right = 0.0, 0
        for images, labels in loader:
            optimizer.zero_grad()
            scores = network(prompt(images))[:, chosen]
            loss = functional.cross_entropy(scores, labels)
            loss.backward()
            optimizer.step()
            n_right += scores.argmax(1).eq(labels).float().sum().item()
            loss_sum += loss.item() * len(labels)
    return loss_sum / len(X)


def _mapping(network, prompt, loader, n_classes):
    outputs, everything = [], []
    with torch.no_grad():
        for images, labels in loader:
            outputs.append(network(prompt(images)))
            everything.append(labels)
    return greedy_labels(label_counts(torch.cat(outputs), torch.cat(everything), n_classes))
