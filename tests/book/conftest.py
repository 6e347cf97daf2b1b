"""The chapters' tests draw without a screen, and start from the same random numbers."""

import os

import pytest

import freedive as fd

os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.fixture(autouse=True)
def seeded():
    fd.manual_seed(0)
    yield
    import sys

    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
