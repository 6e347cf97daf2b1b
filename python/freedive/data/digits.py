"""Handwritten digits, 8×8 pixels, bundled with the package.

Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998,
https://doi.org/10.24432/C50P49, CC BY 4.0 (data/files/ATTRIBUTION.txt).
"""

from __future__ import annotations

import os

import freedive as fd

from .dataset import ImageDataset
from .idx import read_images_and_labels

SIDE = 8
CLASSES = 10
BRIGHTEST = 16
SPLIT_SEED = 20240229  # decides which fifth is held out; part of what "validation accuracy on digits" means


def load_digits() -> tuple[fd.Tensor, fd.Tensor]:
    """(images, labels) of all digits in original order: uint8 (1797, 8, 8) with values 0 to 16, int64 (1797,)."""
    folder = os.path.join(os.path.dirname(__file__), "files")
    images = os.path.join(folder, "digits-images-idx3-ubyte.gz")
    labels = os.path.join(folder, "digits-labels-idx1-ubyte.gz")
    return read_images_and_labels(images, labels, SIDE, SIDE, CLASSES)


def digits_split() -> tuple[ImageDataset, ImageDataset]:
    """(training, validation): a fixed random fifth is held out. Images are float32 (1, 8, 8) in 0 to 1."""
    images, labels = load_digits()
    generator = fd.Generator()
    generator.manual_seed(SPLIT_SEED)
    order = fd.randperm(len(images), generator=generator)
    held_out = len(images) // 5
    parts = (order[held_out:], order[:held_out])
    train, val = (ImageDataset(images[rows], labels[rows], 1 / BRIGHTEST, shape=(1, SIDE, SIDE)) for rows in parts)
    return train, val
