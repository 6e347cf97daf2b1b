"""A GPU takes the dtypes that docs/dtypes.md says."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_table_holds_on_the_device():
    spec = importlib.util.spec_from_file_location("make_dtype_table", ROOT / "scripts" / "make_dtype_table.py")
    make_dtype_table = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_dtype_table)
    assert make_dtype_table.table("cuda") == (ROOT / "docs" / "dtypes.md").read_text()
