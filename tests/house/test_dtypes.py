"""docs/dtypes.md says what the operations say when asked."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_table_holds():
    """Write it anew with `python scripts/make_dtype_table.py` when an operation takes more dtypes, or fewer."""
    spec = importlib.util.spec_from_file_location("make_dtype_table", ROOT / "scripts" / "make_dtype_table.py")
    make_dtype_table = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_dtype_table)
    assert make_dtype_table.table() == (ROOT / "docs" / "dtypes.md").read_text()
