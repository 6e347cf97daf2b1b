"""Kernels, overhead and training against this machine's ceilings, NumPy, PyTorch and JAX: see --help."""

import sys

from benchmarks.overhead import OVERHEAD_ROWS
from benchmarks.training import TRAINING_ROWS
from freedive.testing import bench

try:
    sys.exit(bench.main(rows=[*OVERHEAD_ROWS, *TRAINING_ROWS], prog="python -m benchmarks"))
except (ValueError, ImportError, OSError, RuntimeError) as error:
    print(f"benchmarks: {error}", file=sys.stderr)
    sys.exit(1)
