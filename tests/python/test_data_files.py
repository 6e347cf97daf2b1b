"""Data files: finding, parsing, refusing damaged ones, downloading through a local server."""

import gzip
import hashlib
import http.server
import os
import struct
import threading

import pytest

import freedive as fd
from freedive._files import write_atomically
from freedive.data import DataFileError, DataNotFound, DownloadError, digits_split, load_digits, load_fashion_mnist
from freedive.data.fetch import digest_check, download, find, folders
from freedive.data.idx import parse_idx, read_idx

HERE = "/usr/share/datasets/fashion-mnist"
needs_fashion = pytest.mark.skipif(not os.path.isdir(HERE), reason="Debian's dataset-fashion-mnist is not installed")


def idx(*sizes, content=None):
    body = bytes(i % 10 for i in range(_product(sizes))) if content is None else content
    return struct.pack(">4B", 0, 0, 8, len(sizes)) + struct.pack(f">{len(sizes)}I", *sizes) + body


def read(path):
    with open(path, "rb") as file:
        return file.read()


def _product(sizes):
    total = 1
    for s in sizes:
        total *= s
    return total


@pytest.fixture
def tiny(tmp_path):
    """A folder with four well-formed files of 28×28 images."""
    for stem, n in (("train", 6), ("t10k", 4)):
        (tmp_path / f"{stem}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(n, 28, 28)))
        (tmp_path / f"{stem}-labels-idx1-ubyte").write_bytes(idx(n))
    return tmp_path


def test_idx_round_trip(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(idx(2, 3)))
    array = read_idx(path, (None, 3))
    assert array.dtype == fd.uint8
    assert array.tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "nothing"),
        (b"\0\0\x08", "not an IDX"),
        (b"\0\0\x09\x01" + bytes(4), "not an IDX"),
        (idx(2, 3)[:-1], "promises 18"),
        (idx(2, 3) + b"x", "19 bytes"),
        (idx(2, 4), r"shape \(2, 4\)"),
        (idx(6), "expected"),
    ],
)
def test_damaged_idx_is_named(content, words):
    with pytest.raises(DataFileError, match=words) as caught:
        parse_idx(content, "some/file", (None, 3))
    assert "some/file" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_are_found_raw_or_compressed(tiny):
    images, labels = load_fashion_mnist(True, tiny)
    assert tuple(images.shape) == (6, 28, 28)
    assert images.dtype == fd.uint8
    assert labels.dtype == fd.int64
    assert labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert len(load_fashion_mnist(False, tiny)[0]) == 4


def test_environment_variable_names_the_folder(tiny, monkeypatch):
    monkeypatch.setenv("FREEDIVE_DATA", str(tiny))
    assert len(load_fashion_mnist(True)[0]) == 6


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("train-images-idx3-ubyte.gz", gzip.compress(idx(6, 28, 28))[:-9], "truncated"),
        ("train-images-idx3-ubyte.gz", b"\x1f\x8b" + b"rubbish" * 9, "corrupted"),
        ("train-images-idx3-ubyte.gz", gzip.compress(idx(5, 28, 28)), "6 labels for 5 images"),
        ("train-labels-idx1-ubyte", idx(6, content=b"\x0b" * 6), "label 11"),
    ],
)
def test_damaged_sets_are_named(tiny, name, content, words):
    (tiny / name).write_bytes(content)
    with pytest.raises(DataFileError, match=words):
        load_fashion_mnist(True, tiny)


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """No data anywhere and no network."""
    import urllib.request

    def refuse(*args, **kwargs):
        raise OSError("network is unreachable")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("freedive.data.fashion_mnist.folders", lambda name, data_dir: [str(tmp_path / "none")])
    return tmp_path


def test_without_network_one_line_lists_the_choices(nowhere):
    with pytest.raises(DataNotFound) as caught:
        load_fashion_mnist(True)
    message = str(caught.value)
    for words in ("dataset-fashion-mnist", "--data-dir", "FREEDIVE_DATA", "unreachable"):
        assert words in message
    assert "\n" not in message
    assert [p for p in nowhere.rglob("*") if p.is_file()] == []


def test_search_order(tmp_path, monkeypatch):
    monkeypatch.setenv("FREEDIVE_DATA", "/env")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    places = folders("fashion-mnist", "/given")
    order = [places.index(p) for p in ("/given", "/env", "/cache/freedive/fashion-mnist", HERE)]
    assert order == sorted(order)
    assert find(["missing"], [str(tmp_path)]) is None


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, *args):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield folder, f"http://127.0.0.1:{httpd.server_address[1]}/"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def test_download_verifies_and_caches(server, tmp_path):
    folder, base = server
    content = gzip.compress(b"some data")
    (folder / "good.gz").write_bytes(content)
    right = digest_check("sha256", hashlib.sha256(b"some data").hexdigest(), decompress=True)
    path = str(tmp_path / "cache" / "good.gz")
    assert download([base + "absent.gz", base + "good.gz"], path, right) == path
    assert read(path) == content
    other = str(tmp_path / "cache" / "other.gz")
    with pytest.raises(DownloadError, match="wrong sha256"):
        download([base + "good.gz"], other, digest_check("sha256", "00", decompress=True))
    (folder / "cut.gz").write_bytes(content[:-4])
    with pytest.raises(DownloadError, match="not a whole gzip"):
        download([base + "cut.gz"], other, right)
    assert os.listdir(tmp_path / "cache") == ["good.gz"]


def test_whole_data_set_is_downloaded_into_the_folder(server, tmp_path, monkeypatch):
    from freedive.data import fetch

    folder, base = server
    module = __import__("sys").modules["freedive.data.fashion_mnist"]
    sums = {}
    for stem, content in (("train-images-idx3-ubyte", idx(3, 28, 28)), ("train-labels-idx1-ubyte", idx(3))):
        (folder / (stem + ".gz")).write_bytes(gzip.compress(content))
        sums[stem] = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(module, "FASHION_URLS", (base,))
    monkeypatch.setattr(module, "FASHION_SHA256", sums)
    monkeypatch.setattr(module, "folders", lambda name, data_dir: [os.path.join(data_dir, name)])
    target = tmp_path / "data"
    for _ in range(2):
        images, labels = load_fashion_mnist(True, str(target))
        assert len(images) == len(labels) == 3
        (folder / "train-images-idx3-ubyte.gz").unlink(missing_ok=True)  # the second time must not need it
    assert fetch.find(sums, [str(target / "fashion-mnist")])


def test_atomic_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "f"
    path.write_bytes(b"old")

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(str(path), b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]


def test_atomic_write_keeps_permissions_links_and_devices(tmp_path):
    path, link, pipe = tmp_path / "f", tmp_path / "link", tmp_path / "pipe"
    path.write_bytes(b"old")
    path.chmod(0o600)
    link.symlink_to(path)
    write_atomically(str(link), b"new", b"er")
    assert path.read_bytes() == b"newer" and link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o600
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(str(pipe), b"through")
    assert os.read(reader, 100) == b"through" and pipe.is_fifo()
    os.close(reader)
    with pytest.raises(IsADirectoryError, match=str(tmp_path)):
        write_atomically(str(tmp_path), b"")


def test_digits():
    images, labels = load_digits()
    assert tuple(images.shape) == (1797, 8, 8)
    assert int(images.max()) == 16
    assert labels[:10].tolist() == list(range(10))
    counts = [int((labels == c).sum()) for c in range(10)]
    assert counts == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    train, val = digits_split()
    assert (len(train), len(val)) == (1438, 359)
    again, _ = digits_split()
    assert (train.targets == again.targets).all()
    image, label = train[0]
    assert tuple(image.shape) == (1, 8, 8)
    assert 0 <= float(image.max()) <= 1
    assert 0 <= int(label) <= 9


def test_digits_split_is_a_partition():
    train, val = digits_split()
    rows = {bytes(i.reshape(-1).tolist()) for i in train.data} | {bytes(i.reshape(-1).tolist()) for i in val.data}
    everything = {bytes(i.reshape(-1).tolist()) for i in load_digits()[0]}
    assert rows == everything


@needs_fashion
def test_real_fashion_mnist():
    from freedive.data.fashion_mnist import FASHION_SHA256
    from freedive.data.idx import read_bytes

    for train, n in ((True, 60_000), (False, 10_000)):
        images, labels = load_fashion_mnist(train, HERE)
        assert tuple(images.shape) == (n, 28, 28)
        assert [int((labels == c).sum()) for c in range(10)] == [n // 10] * 10
    for stem, digest in FASHION_SHA256.items():
        assert hashlib.sha256(read_bytes(f"{HERE}/{stem}.gz")).hexdigest() == digest
