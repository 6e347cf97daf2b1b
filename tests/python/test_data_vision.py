"""freedive.vision: transforms one by one and in batches, and the data sets under torchvision's names."""

import os

import numpy as np
import pytest

import freedive as fd
from freedive.data import DataLoader
from freedive.vision import datasets, transforms
from freedive.vision.resample import interpolation

HERE = "/usr/share/datasets/fashion-mnist"
needs_fashion = pytest.mark.skipif(not os.path.isdir(HERE), reason="Debian's dataset-fashion-mnist is not installed")


def picture(height=28, width=28, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


def test_to_tensor():
    gray = transforms.ToTensor()(picture())
    assert tuple(gray.shape) == (1, 28, 28)
    assert gray.dtype == fd.float32
    np.testing.assert_allclose(gray[0].numpy(), picture() / 255, rtol=1e-6)
    assert tuple(transforms.ToTensor()(np.zeros((4, 5, 3), np.uint8)).shape) == (3, 4, 5)
    assert (transforms.ToTensor()(fd.from_numpy(picture())) == gray).all()
    with pytest.raises(ValueError, match="shape"):
        transforms.ToTensor()(fd.zeros(2, 2, 2, 2))


@pytest.mark.parametrize("size", [(32, 32), (20, 28), (14, 14), (56, 31), (224, 224)])
def test_resize_matches_pil(size):
    Image = pytest.importorskip("PIL.Image")
    got = transforms.Resize(size)(fd.from_numpy(picture())).numpy().astype(int)
    want = np.asarray(Image.fromarray(picture()).resize(size[::-1], Image.BILINEAR)).astype(int)
    assert np.abs(got - want).max() <= 1
    assert (got != want).mean() < 0.1


def test_resize_forms():
    assert tuple(transforms.Resize(14)(fd.zeros(3, 28, 56)).shape) == (3, 14, 28)
    assert tuple(transforms.Resize((7, 9))(fd.zeros(5, 1, 28, 28)).shape) == (5, 1, 7, 9)
    weights = interpolation(28, 11)
    np.testing.assert_allclose(weights.sum(1).numpy(), 1, rtol=1e-6)
    ramp = fd.arange(28, dtype=fd.float32).reshape(1, 28).expand(28, 28)
    np.testing.assert_allclose(
        transforms.Resize((14, 14))(ramp)[3, 1:13].numpy(), np.arange(1, 13) * 2 + 0.5, rtol=1e-5
    )
    for bad in (0, (4, 0), (1, 2, 3)):
        with pytest.raises(ValueError):
            transforms.Resize(bad)


def test_normalize():
    image = fd.ones(2, 3, 3)
    out = transforms.Normalize([0.5, 1.0], [0.5, 2.0])(image)
    assert out[0, 0, 0] == 1.0
    assert out[1, 2, 2] == 0.0
    with pytest.raises(ValueError):
        transforms.Normalize([0.5], [0.0])
    with pytest.raises(TypeError, match="ToTensor"):
        transforms.Normalize([0.5], [1.0])(fd.zeros(1, 2, 2, dtype=fd.uint8))


def test_flip():
    image = fd.arange(6).reshape(1, 2, 3)
    assert (transforms.RandomHorizontalFlip(1.0)(image) == image.flip(-1)).all()
    assert (transforms.RandomHorizontalFlip(0.0)(image) == image).all()
    many = transforms.RandomHorizontalFlip(0.5).batch(image.expand(400, 1, 2, 3))
    share = float((many[:, 0, 0, 0] == 2).float().mean())
    assert 0.35 < share < 0.65
    with pytest.raises(ValueError):
        transforms.RandomHorizontalFlip(1.5)


def test_crop():
    image = fd.arange(36).reshape(1, 6, 6)
    for _ in range(20):
        window = transforms.RandomCrop(4)(image)
        top, left = divmod(int(window[0, 0, 0]), 6)
        assert (window == image[:, top : top + 4, left : left + 4]).all()
    assert tuple(transforms.RandomCrop(8, padding=1)(image).shape) == (1, 8, 8)
    padded = transforms.RandomCrop((8, 6), padding=(0, 1), fill=9)(image)
    assert (padded[0, 0] == 9).all()
    assert (padded[0, -1] == 9).all()
    with pytest.raises(ValueError, match="larger"):
        transforms.RandomCrop(7)(image)


@pytest.fixture
def root(tmp_path):
    import gzip
    import struct

    rng = np.random.default_rng(1)
    for stem, n in (("train", 40), ("t10k", 12)):
        images = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        labels = rng.integers(0, 10, n, dtype=np.uint8)
        raw = tmp_path / "FashionMNIST" / "raw"
        raw.mkdir(parents=True, exist_ok=True)
        head = struct.pack(">4B3I", 0, 0, 8, 3, n, 28, 28)
        (raw / f"{stem}-images-idx3-ubyte.gz").write_bytes(gzip.compress(head + images.tobytes()))
        (raw / f"{stem}-labels-idx1-ubyte.gz").write_bytes(
            gzip.compress(struct.pack(">4BI", 0, 0, 8, 1, n) + labels.tobytes())
        )
    return tmp_path


PIPELINES = {
    "plain": transforms.ToTensor(),
    "book": transforms.Compose([transforms.Resize((28, 28)), transforms.ToTensor()]),
    "resized": transforms.Compose([transforms.Resize((32, 20)), transforms.ToTensor()]),
    "normalised": transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.3,), (0.4,))]),
    "late": transforms.Compose([transforms.ToTensor(), transforms.Resize(35)]),
}


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_batches_equal_single_samples(root, pipeline):
    data = datasets.FashionMNIST(root, train=True, transform=PIPELINES[pipeline], download=True)
    assert len(data) == 40
    assert tuple(data.data.shape) == (40, 28, 28)
    X, y = next(iter(DataLoader(data, 16)))
    assert y.dtype == fd.int64
    for i in range(16):
        image, label = data[i]
        np.testing.assert_allclose(X[i].numpy(), image.numpy(), rtol=1e-6, atol=1e-6)
        assert label == int(y[i])
        assert isinstance(label, int)


def test_own_transform_is_called_per_sample(root):
    data = datasets.FashionMNIST(root, transform=lambda image: image.float().mean(), target_transform=lambda t: -t)
    X, y = next(iter(DataLoader(data, 4)))
    assert tuple(X.shape) == (4,)
    assert int(y.max()) <= 0
    assert data.gather is None


def test_without_transform_images_are_bytes(root):
    data = datasets.FashionMNIST(root, train=False)
    assert data[0][0].dtype == fd.uint8
    assert tuple(data[0][0].shape) == (28, 28)
    assert data.classes[9] == "Ankle boot"
    assert data.class_to_idx["Bag"] == 8
    assert "Number of datapoints: 12" in repr(data)


@pytest.mark.parametrize("own", [False, True], ids=["batched", "one by one"])
def test_augmentation_is_reproducible_with_any_number_of_workers(root, own):
    chain = [transforms.RandomCrop(28, padding=2), transforms.RandomHorizontalFlip(), transforms.ToTensor()]
    if own:
        chain.append(lambda image: image)
    data = datasets.FashionMNIST(root, transform=transforms.Compose(chain))

    def run(workers):
        return [X for X, _ in DataLoader(data, 8, shuffle=True, seed=3, num_workers=workers)]

    runs = [run(0), run(0), run(3)]
    for other in runs[1:]:
        assert all((a == b).all() for a, b in zip(runs[0], other, strict=False))
    first, second = (run(0) for _ in range(2))
    assert (first[0] == second[0]).all()


@needs_fashion
def test_book_data_module():
    from freedive import d2l

    data = d2l.FashionMNIST(batch_size=64, resize=(32, 32))
    assert (len(data.train), len(data.val)) == (60_000, 10_000)
    assert tuple(data.train[0][0].shape) == (1, 32, 32)
    X, y = next(iter(data.train_dataloader()))
    assert tuple(X.shape) == (64, 1, 32, 32)
    assert X.dtype == fd.float32
    assert y.dtype == fd.int64
    assert data.text_labels([0, 9]) == ["t-shirt", "ankle boot"]
