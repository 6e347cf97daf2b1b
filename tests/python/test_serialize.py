"""save and load: what comes back, what is refused, damaged files, full disks, files of others."""

import errno
import io
import json
import os
import pickle
import random
import zipfile
from collections import Counter, OrderedDict

import numpy as np
import pytest

import freedive as fd
from freedive import nn, optim


def round_trip(value):
    file = io.BytesIO()
    fd.save(value, file)
    file.seek(0)
    return fd.load(file)


def same(a, b):
    assert type(a) is type(b)
    if isinstance(a, fd.Tensor):
        assert a.dtype == b.dtype and tuple(a.shape) == tuple(b.shape) and a.requires_grad == b.requires_grad
        np.testing.assert_array_equal(a.detach().double().numpy(), b.detach().double().numpy())
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for x, y in zip(a, b):
            same(x, y)
    elif isinstance(a, dict):
        assert list(a) == list(b)
        for key in a:
            same(a[key], b[key])
    else:
        assert a == b or a != a


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64", "float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,), (2, 0)])
def test_tensors(dtype, shape):
    tensor = (fd.rand(shape) * 3).to(getattr(fd, dtype))
    same(tensor, round_trip(tensor))


def test_strided_and_shared():
    base = fd.arange(12).reshape(3, 4)
    same(base.t().contiguous(), round_trip(base.t()))
    a, b = round_trip([base, base])
    assert a is b


def test_structures():
    value = {
        "list": [1, -(10**30), 2.5, float("inf"), True, None, "text \u00e4", b"\x00\xff"],
        ("tuple", 3): (fd.ones(2), [fd.zeros(1)]),
        4: OrderedDict(a=1, b=fd.arange(3)),
        "set": {1, 2},
        "counter": Counter([1, 1, 2]),
        "dtype": fd.float64,
        "empty": {},
        "nan": float("nan"),
        "parameter": nn.Parameter(fd.ones(2)),
        "frozen": nn.Parameter(fd.ones(2), requires_grad=False),
        "leaf": fd.ones(2, requires_grad=True),
        "numpy": [],
    }
    same(value, round_trip(value))
    assert round_trip([np.float64(2.5), np.int64(3)]) == [2.5, 3]


def test_training_state(tmp_path):
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    optimizer = optim.Adam(net.parameters(), lr=0.1)
    schedule = optim.lr_scheduler.MultiStepLR(optimizer, milestones=[1, 2])
    for _ in range(3):
        optimizer.zero_grad()
        net(fd.randn(5, 3)).sum().backward()
        optimizer.step()
        schedule.step()
    path = tmp_path / "state"
    fd.save({"net": net.state_dict(), "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}, path)
    saved = fd.load(path)
    twin = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    twin.load_state_dict(saved["net"])
    again = optim.Adam(twin.parameters())
    again.load_state_dict(saved["optimizer"])
    same(again.state_dict(), optimizer.state_dict())
    schedule.load_state_dict(saved["schedule"])
    assert schedule.milestones == Counter([1, 2])
    net.eval(), twin.eval()
    x = fd.ones(1, 3)
    same(net(x).detach(), twin(x).detach())


def test_a_state_dict_is_a_safetensors_file(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    state = nn.Linear(3, 2).state_dict()
    fd.save(state, tmp_path / "ours")
    theirs = safetensors.load_file(tmp_path / "ours")
    assert set(theirs) == {"weight", "bias"}
    np.testing.assert_array_equal(theirs["weight"], state["weight"].numpy())
    safetensors.save_file({"w": np.arange(6.0).reshape(2, 3), "i": np.arange(3)}, tmp_path / "theirs.safetensors")
    ours = fd.load(tmp_path / "theirs.safetensors", map_location="cpu")
    assert ours["w"].dtype == fd.float64 and ours["w"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert ours["i"].tolist() == [0, 1, 2]


class Own:
    pass


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (nn.ReLU(), "state_dict"),
        ({"a": [1, Own()]}, "Own at 'a.1'"),
        (lambda: 0, "function"),
        ([nn.LazyLinear(2).weight], "uninitialized"),
        (np.zeros(3), "ndarray"),
    ],
)
def test_what_is_refused(value, text, tmp_path):
    with pytest.raises(TypeError, match=text) as caught:
        fd.save(value, tmp_path / "file")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_the_old_file_survives_a_full_disk(tmp_path, monkeypatch):
    path = tmp_path / "state"
    fd.save([1], path)

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="space"):
        fd.save([2], path)
    monkeypatch.undo()
    assert fd.load(path) == [1]
    assert [p.name for p in tmp_path.iterdir()] == ["state"]


def test_a_link_stays_a_link(tmp_path):
    fd.save([1], tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    fd.save([2], tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and fd.load(tmp_path / "real") == [2]


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(FileNotFoundError):
        fd.load(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError):
        fd.save([1], tmp_path / "no" / "folder")


@pytest.fixture(scope="module")
def saved():
    file = io.BytesIO()
    fd.save({"a": fd.randn(3, 4), "b": [1, 2.5, "text"], "c": fd.arange(5)}, file)
    return file.getvalue()


def one_line(action):
    with pytest.raises(ValueError, match="^load: ") as caught:
        action()
    assert "\n" not in str(caught.value)


def test_every_truncation_is_noticed(saved):
    for size in range(len(saved)):
        one_line(lambda size=size: fd.load(io.BytesIO(saved[:size])))


def test_damage_in_the_data_is_noticed(saved):
    begin = 8 + int.from_bytes(saved[:8], "little")
    for at in range(begin, len(saved)):
        damaged = bytearray(saved)
        damaged[at] ^= 1 << (at % 8)
        one_line(lambda damaged=damaged: fd.load(io.BytesIO(damaged)))


def test_damage_anywhere_raises_only_value_error(saved):
    rng = random.Random(0)
    for _ in range(2000):
        damaged = bytearray(saved)
        for _ in range(rng.choice([1, 1, 3])):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        try:
            fd.load(io.BytesIO(damaged))
        except ValueError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [2], "data_offsets": [8, 16]},
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 8, 9]},
        {"dtype": "F32", "shape": [2**62, 2**62], "data_offsets": [0, 8]},
        {"dtype": "F8", "shape": [2], "data_offsets": [0, 2]},
        {"dtype": "F32", "shape": 2},
        [],
        {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]},
    ],
)
def test_hostile_headers(entry):
    text = json.dumps({"a": entry}).encode()
    one_line(lambda: fd.load(io.BytesIO(len(text).to_bytes(8, "little") + text + bytes(8))))


def test_hostile_structures():
    for tree in ('["__init__", 1]', '["list"]', '{"a": 1}', '["tensor", "zzz", false]', '[[]]', '["decode", 3]',
                 "[" * 100000):  # fmt: skip
        text = json.dumps({"__metadata__": {"tree": tree, "crc32": "0"}}).encode()
        one_line(lambda text=text: fd.load(io.BytesIO(len(text).to_bytes(8, "little") + text)))


def test_other_files():
    one_line(lambda: fd.load(io.BytesIO(b"")))
    one_line(lambda: fd.load(io.BytesIO(b"hello, this is no tensor file")))
    with pytest.raises(ValueError, match="pickle"):
        fd.load(io.BytesIO(pickle.dumps({"a": 1}) + bytes(20)))


# ------------------------------------------------------------------------------------------ PyTorch's checkpoints


def test_torch_checkpoint(torch, tmp_path):
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.randn(5, 3)).sum().backward()
    optimizer.step()
    base = torch.arange(12.0).reshape(3, 4)
    value = {
        "net": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "view": base.t(), "part": base[1:],
        "half": torch.ones(2, dtype=torch.bfloat16), "flag": torch.tensor([True]), "empty": torch.zeros(0, 2),
        "parameter": torch.nn.Parameter(torch.ones(2)), "dtype": torch.float64, "bytes": b"ab", "set": {1},
    }  # fmt: skip
    torch.save(value, tmp_path / "file.pt")
    ours = fd.load(tmp_path / "file.pt")
    assert ours["epoch"] == 3 and ours["dtype"] == fd.float64 and ours["bytes"] == b"ab" and ours["set"] == {1}
    for key, tensor in value["net"].items():
        np.testing.assert_array_equal(ours["net"][key].numpy(), tensor.numpy())
    assert ours["view"].tolist() == base.t().tolist() and ours["part"].tolist() == base[1:].tolist()
    assert ours["half"].dtype == fd.bfloat16 and ours["flag"].tolist() == [True] and ours["empty"].shape == (0, 2)
    assert type(ours["parameter"]) is nn.Parameter
    mine = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    mine.load_state_dict(ours["net"])
    optim.Adam(mine.parameters()).load_state_dict(ours["optimizer"])


def test_torch_checkpoint_with_code_is_refused(torch, tmp_path):
    torch.save(torch.nn.Linear(2, 2), tmp_path / "module.pt")
    with pytest.raises(ValueError, match="Linear"):
        fd.load(tmp_path / "module.pt")


def archive(pickled, data=b""):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as z:
        z.writestr("archive/data.pkl", pickled)
        z.writestr("archive/data/0", data)
    file.seek(0)
    return file


class Harmful:
    def __reduce__(self):
        return os.system, ("echo harm",)


def test_harmful_pickles_do_nothing(monkeypatch):
    file = archive(pickle.dumps(Harmful()))
    monkeypatch.setattr(os, "system", lambda command: pytest.fail("the file's code was executed"))
    with pytest.raises(ValueError, match="system"):
        fd.load(file)


@pytest.mark.parametrize("size", [(5,), (2, 4), (-1,), (2**62, 4)])
def test_tensors_beyond_their_storage(size):
    """A hand-written pickle of a tensor with strides 1 over a storage of four elements."""
    stream = (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
        b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQK\x00"
        + tuple_of(size)
        + tuple_of((1,) * len(size))
        + b"\x89NtR."
    )
    with pytest.raises(ValueError, match="beyond its storage|makes no sense"):
        fd.load(archive(stream, bytes(16)))


def tuple_of(numbers):
    return pickle.dumps(tuple(numbers), protocol=2)[2:-1].split(b"q")[0]


def test_damaged_checkpoints(torch):
    file = io.BytesIO()
    torch.save({"a": torch.randn(10)}, file)
    good = file.getvalue()
    for size in range(0, len(good), 7):
        one_line(lambda size=size: fd.load(io.BytesIO(good[:size])))
    one_line(lambda: fd.load(io.BytesIO(b"PK\x03\x04 and nothing more")))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as z:
        z.writestr("readme.txt", "hello")
    one_line(lambda: fd.load(file))


def test_older_torch_format(torch, tmp_path):
    torch.save({"a": torch.ones(2)}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(ValueError, match="older PyTorch"):
        fd.load(tmp_path / "old.pt")
