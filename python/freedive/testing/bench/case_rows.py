"""The tests' Cases as benchmark rows."""

from __future__ import annotations

from pathlib import Path

from ..case import Case
from ..families import all_cases
from .row import Row


def case_rows() -> list[Row]:
    """A row for every Case that has sizes for one."""
    rows = []
    for case in all_cases():
        if case.bench is None:
            continue
        sizes = case.all_sizes(case.bench)
        rows.append(
            Row(
                f"case/{case.name}",
                str(Path(__file__).with_name("case_workload.py")),
                "case",
                {"name": case.name},
                bytes=0 if case.work else case.moved(sizes) if case.moved else _moved(case),
                flops=case.work(sizes) if case.work else 0,
                group="cases",
            )
        )
    return rows


def _moved(case: Case) -> float:
    """Bytes read plus written: arguments and results once each."""
    import freedive as fd

    arrays = case.arrays("float32", sizes=case.bench)
    with fd.no_grad():
        out = case.run(fd, *[fd.tensor(a) for a in arrays])
    results = out if isinstance(out, (tuple, list)) else [out]
    return float(sum(a.nbytes for a in arrays) + sum(t.nbytes for t in results))
