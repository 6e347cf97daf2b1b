"""The stub of the compiled module is what its signatures say, and a checker can use it."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_stub_is_fresh():
    """Regenerate with `python scripts/make_stubs.py` after changing a binding."""
    spec = importlib.util.spec_from_file_location("make_stubs", ROOT / "scripts" / "make_stubs.py")
    make_stubs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_stubs)
    assert make_stubs.stub() == (ROOT / "python" / "freedive" / "_core.pyi").read_text()


def test_the_package_is_typed():
    assert (ROOT / "python" / "freedive" / "py.typed").exists()
