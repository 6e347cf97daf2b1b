"""ProgressBoard: no point is ever lost, nothing is drawn where nobody looks, pictures are files."""

import os
import subprocess
import sys

import pytest

import freedive as fd
from freedive import d2l
from freedive.training import ProgressBoard


def test_every_n_averages():
    board = ProgressBoard("x")
    for i in range(6):
        board.draw(i, i * 10, "a", every_n=2)
    assert board.data == {"a": [(0.5, 5.0), (2.5, 25.0), (4.5, 45.0)]}


@pytest.mark.parametrize("every_n", [0, 1, -3])
def test_small_every_n_draws_each_point(every_n):
    board = ProgressBoard()
    board.draw(1, 2.0, "a", every_n=every_n)
    assert board.data == {"a": [(1.0, 2.0)]}


def test_left_over_values_become_a_last_point():
    board = ProgressBoard()
    for i in range(5):
        board.draw(i, float(i), "a", every_n=3)
    assert len(board.data["a"]) == 1
    board.finish()
    assert board.data["a"] == [(1.0, 1.0), (3.5, 3.5)]
    board.finish()
    assert len(board.data["a"]) == 2


def test_tensors_and_arrays_are_values():
    np = pytest.importorskip("numpy")
    board = ProgressBoard()
    for y in (fd.tensor(1.0), np.float32(2.0), np.array(3.0), fd.tensor([4.0])):
        board.draw(0, y, "a")
    assert [y for _, y in board.data["a"]] == [1.0, 2.0, 3.0, 4.0]


def test_fewer_batches_than_points_per_epoch_are_drawn():
    fd.manual_seed(0)
    data = d2l.SyntheticRegressionData(fd.tensor([1.0]), 0.0, num_train=20, num_val=20, batch_size=20)
    model = d2l.LinearRegression(lr=0.1)
    d2l.Trainer(4, progress=False).fit(model, data)
    points = model.board.data
    assert [x for x, _ in points["train_loss"]] == [0.0, 1.0, 2.0, 3.0]
    assert [x for x, _ in points["val_loss"]] == [1.0, 2.0, 3.0, 4.0]
    assert model.board.xlabel == "epoch"
    assert model.board.xlim == [0, 4]


@pytest.mark.parametrize(("name", "start"), [("a.png", b"\x89PNG"), ("b.svg", b"<?xml"), ("c.pdf", b"%PDF")])
def test_save(tmp_path, name, start):
    pytest.importorskip("matplotlib")
    board = ProgressBoard("x", "y", yscale="log", ylim=[0.1, 10])
    for i in range(10):
        board.draw(i, 0.1 + i, "a")
        board.draw(i, 1.0, "b", every_n=4)
    board.save(str(tmp_path / "deep" / name))
    assert (tmp_path / "deep" / name).read_bytes().startswith(start)
    axes = board.figure().axes[0]
    assert [line.get_label() for line in axes.get_lines()] == ["a", "b"]
    assert len(axes.get_lines()[0].get_xdata()) == 10
    assert axes.get_yscale() == "log"


def test_state_round_trip():
    board, other = ProgressBoard(), ProgressBoard()
    for i in range(5):
        board.draw(i, fd.tensor(float(i)), "a", every_n=3)
    other.load_state_dict(board.state_dict())
    for b in (board, other):
        b.draw(5, 5.0, "a", every_n=3)
    assert board.data == other.data


class FakeShell:
    """What the board needs of a notebook."""

    kernel = object()

    def __init__(self):
        self.shown, self.updates, self.callbacks = [], 0, []
        self.display = self
        self.events = self

    def get_ipython(self):
        return self

    def display(self):
        raise AssertionError

    def register(self, name, callback):
        self.callbacks.append(callback)

    def unregister(self, name, callback):
        self.callbacks.remove(callback)


def test_notebook_uses_one_display_and_draws_seldom(monkeypatch):
    pytest.importorskip("matplotlib")
    shell = FakeShell()

    class Display:
        @staticmethod
        def display(bundle, raw, display_id):
            shell.shown.append(bundle)
            return Display()

        def update(self, bundle, raw):
            shell.updates += 1
            shell.shown[-1] = bundle

    shell.display = Display
    monkeypatch.setitem(sys.modules, "IPython", shell)
    board = ProgressBoard("x")
    for i in range(2000):
        board.draw(i, i, "a")
    assert len(shell.shown) == 1
    assert shell.updates <= 3
    for callback in list(shell.callbacks):  # the cell ends
        callback()
    assert len(shell.shown) == 1
    assert shell.callbacks == []
    assert "svg" in shell.shown[0]["image/svg+xml"]
    board.draw(1, 1, "b")
    assert len(shell.shown) == 2
    quiet = ProgressBoard(display=False)
    quiet.draw(1, 1, "a")
    assert len(shell.shown) == 2


def test_heavy_modules_wait_until_they_are_needed():
    code = """
import sys
import freedive as fd
from freedive import d2l
heavy = ("numpy", "matplotlib", "tqdm", "safetensors", "typing", "inspect", "dataclasses", "argparse")
assert not [m for m in heavy if m in sys.modules], sys.modules.keys()
data = d2l.SyntheticRegressionData(fd.tensor([1.0]), 0.0, num_train=40, num_val=8)
d2l.Trainer(2, progress=False).fit(d2l.LinearRegression(lr=0.1), data)
bad = [m for m in ("matplotlib", "tqdm", "IPython", "pandas") if m in sys.modules]
assert not bad, bad
"""
    # -S: an environment may import modules of its own at start.
    paths = [os.path.dirname(os.path.dirname(fd.__file__))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    subprocess.run([sys.executable, "-S", "-c", code], check=True, env=environment)


def test_missing_matplotlib_is_one_clear_line(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"freedive\[plot\]"):
        ProgressBoard().save(str(tmp_path / "a.png"))


def test_a_readers_own_draw_keeps_its_curves():
    board = ProgressBoard()
    board.data = {}
    board.data["mine"] = [(1, 2.0)]
    board.draw(0, 1.0, "other")
    assert board.data == {"mine": [(1, 2.0)]}
