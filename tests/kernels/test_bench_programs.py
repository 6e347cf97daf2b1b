"""The grid and the sweep: their arithmetic, and the JAX programs where JAX is installed."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from freedive.testing.bench import kernel_workloads
from freedive.testing.bench.measure import Result
from freedive.testing.bench.row import Row

ROOT = Path(__file__).parents[2]


@pytest.fixture
def grid(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    yield importlib.import_module("benchmarks.grid")
    for name in [n for n in sys.modules if n.split(".")[0] == "benchmarks"]:
        del sys.modules[name]


def test_the_grid_is_wide(grid):
    shapes = grid.shapes()
    assert len(shapes) == len(set(shapes)) >= 200
    assert {way for *_, way in shapes} == set(grid.TRANSPOSES)
    assert {1, 4096} <= {size for m, k, n, _ in shapes for size in (m, k, n)}


def test_the_verdict_is_about_the_best_peer(grid):
    seconds = {"freedive": [1.0, 2.0, 1.0], "numpy": [3.0, 3.0, 3.0], "torch": [0.5, 1.0, 9.0]}
    result = Result(Row("2x3x4 nn", "f", "g", flops=48), seconds)
    assert result.best_peer() == ("torch", 0.5)
    line = grid.line_of(result)
    assert line["times_as_fast"] == 0.5
    assert line["jax_us"] == ""
    text = grid.summary([line, {**line, "times_as_fast": 2.0}], worst=1)
    assert "2 shapes: geometric mean of best peer's time over freedive's 1.00" in text
    assert "more than 5 % slower than the best peer: 1" in text


@pytest.mark.parametrize(("ta", "tb"), [(False, False), (True, False), (False, True), (True, True)])
def test_every_library_multiplies_the_same(ta, tb):
    expected = kernel_workloads.gemm("numpy", 5, 7, 3, ta, tb)()
    for lib in ("freedive", "kernels"):
        got = kernel_workloads.gemm(lib, 5, 7, 3, ta, tb)()
        np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-5)


def test_jax_computes_the_same():
    jax = pytest.importorskip("jax")
    file = Path(kernel_workloads.__file__).with_name("kernel_workloads_jax.py")
    spec = importlib.util.spec_from_file_location("jax_programs", file)
    programs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(programs)
    np.testing.assert_allclose(
        programs.gemm("jax", 5, 7, 3, True, True)(), kernel_workloads.gemm("numpy", 5, 7, 3, True, True)(), rtol=1e-5
    )
    loss, slope = programs.cross_entropy("jax", 6, 4)()
    expected_loss, expected_slope = kernel_workloads.cross_entropy("numpy", 6, 4)()
    np.testing.assert_allclose(loss, expected_loss, rtol=1e-5)
    np.testing.assert_allclose(slope, expected_slope, atol=1e-6)
    dropped = programs.dropout("jax", 1000)
    assert 400 < np.count_nonzero(dropped()) < 600
    assert not np.array_equal(dropped(), dropped())
    assert jax.default_backend()
