"""Fixtures that every test may use."""

import os
import signal

import pytest

# A shell's background job starts with SIGINT ignored, and so would what the tests of Ctrl-C interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def torch():
    """PyTorch, the peer of parity tests: skipped without it, unless FREEDIVE_REQUIRE_TORCH=1 makes that a failure."""
    try:
        import torch
    except ImportError:
        if os.environ.get("FREEDIVE_REQUIRE_TORCH") == "1":
            pytest.fail("FREEDIVE_REQUIRE_TORCH=1, but torch cannot be imported")
        pytest.skip("torch is not installed")
    return torch
