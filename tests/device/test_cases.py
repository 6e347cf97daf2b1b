"""Every Case on the device: NumPy's values, every layout, the CPU's gradients, sizes around the edges of tiles."""

import zlib

import pytest

from freedive.testing import all_cases, on_device

every_case = pytest.mark.parametrize("case", all_cases(), ids=lambda c: c.name)
EDGES = (0, 1, 2, 31, 32, 33, 63, 64, 65)


@every_case
def test_case(case):
    on_device(case, "cuda")


@every_case
def test_other_sizes(case):
    """A few sizes of each case, chosen by its name."""
    seed = zlib.crc32(case.name.encode())
    for _ in range(3):
        sizes = {}
        for symbol in case.symbols():
            allowed = [e for e in EDGES if e >= case.least]
            sizes[symbol] = allowed[seed % len(allowed)]
            seed = seed // 7 + 12_345
        if _product(sizes.values()) <= 5_000:
            on_device(case, "cuda", sizes=sizes, seed=1)


def _product(sizes):
    out = 1
    for size in sizes:
        out *= max(size, 1)
    return out
