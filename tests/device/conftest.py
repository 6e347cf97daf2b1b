"""These tests run on the GPU there is: a real one, or the emulated one that FREEDIVE_CUDA_LIBRARY names."""

import os
from pathlib import Path

import pytest

import freedive as fd

ORDER = os.environ.get("FREEDIVE_EMULATOR_ORDER", "forward")


def pytest_collection_modifyitems(items):
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in here:
        item.add_marker(pytest.mark.device)
        if ORDER != "forward" and item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="the order of threads is for the short tests"))
        if not fd.cuda.is_available():
            reason = fd._core._cuda_unavailable()
            assert "FREEDIVE_CUDA_LIBRARY" not in os.environ, reason
            item.add_marker(pytest.mark.skip(reason=f"no GPU: {reason}"))


@pytest.fixture(autouse=True)
def nothing_is_left_running():
    """A fault belongs to the test that made it."""
    yield
    if fd.cuda.is_available():
        fd.cuda.synchronize()
