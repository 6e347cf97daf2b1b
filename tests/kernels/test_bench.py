"""The benchmark's own arithmetic, and one short run of it."""

import pytest

import freedive as fd
from freedive.testing import bench
from freedive.testing.bench import record
from freedive.testing.bench.kernel_rows import KERNEL_ROWS
from freedive.testing.bench.measure import Result, as_rows
from freedive.testing.bench.row import Goal, Row


def result(goal, **seconds):
    return Result(Row("r", "f", "g", goal=goal, bytes=8), {k: list(v) for k, v in seconds.items()}, [1.0, 2.0, 1.0])


def test_verdicts_are_medians_of_ratios():
    r = result(Goal(floor=1.5, peers=1.0), freedive=(2, 2, 1.4), numpy=(3, 3, 3), torch=(1, 4, 4))
    assert r.over_floor() == pytest.approx(1.4)
    assert r.over("numpy", "torch") == pytest.approx(2 / 3)
    assert r.reached()
    assert not result(Goal(peer={"torch": 0.4}), freedive=(2, 2, 1.4), torch=(1, 4, 4)).reached()
    assert not result(Goal(floor=1.5, microseconds=1), freedive=(2, 2, 1.4)).reached()
    assert result(Goal(), freedive=(1, 1, 1)).reached() is None


def test_csv_comes_back_and_compares(tmp_path):
    r = result(Goal(floor=1.5), freedive=(2, 2, 1.4), numpy=(3, 3, 3))
    a, b = tmp_path / "a.csv", tmp_path / "b.csv"
    record.write(a, as_rows([r]), {"cpu": "this one"})
    r.seconds["freedive"] = [4.0, 4.0, 2.8]
    record.write(b, as_rows([r]), {})
    rows, about = record.read(a)
    assert about == {"cpu": "this one"}
    assert [(row["library"], row["rounds"]) for row in rows] == [("freedive", "3"), ("numpy", "3")]
    (line,) = record.compare(a, b)
    assert "+100.0%" in line


def test_names_of_rows_are_unique():
    assert len({r.name for r in KERNEL_ROWS}) == len(KERNEL_ROWS)


def test_ceilings_are_measured():
    assert fd._core._fma_peak(0.01, 1) > 1e8
    assert fd._core._copy_bandwidth(1 << 22, 0.01, 1) > 1e7


def test_a_short_run(tmp_path, capsys):
    out = tmp_path / "out.csv"
    assert bench.main(["gemm 64*", "sgd*", "--rounds", "2", "--quick", "--threads", "1", "--out", str(out)]) == 0
    assert "GFLOP/s" in capsys.readouterr().out
    rows, about = record.read(out)
    assert {r["row"] for r in rows} == {"gemm 64x64x64", "sgd momentum MLP"}
    assert about["threads"] == 1
    assert about["processes"]["freedive"]["isa"]


def test_an_unknown_row_is_refused():
    with pytest.raises(ValueError, match="no row is named nonsense"):
        bench.main(["nonsense"])
