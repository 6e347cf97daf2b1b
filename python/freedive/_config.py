"""What this installation is and runs on."""

from __future__ import annotations

import os
import platform

from . import _core


def show_config() -> None:
    """Prints version, instruction set in use and why, threads and devices, as `freedive info` does."""
    threads = os.environ.get("FREEDIVE_NUM_THREADS")
    why = f"FREEDIVE_NUM_THREADS={threads}" if threads else "all usable CPUs"
    lines = [
        f"freedive          {_core.__version__}",
        f"Python            {platform.python_version()} on {platform.system()} {platform.machine()}",
        f"instruction set   {_core._isa()} ({_core._isa_reason()})",
        f"also available    {', '.join(i for i in _core._isas() if i != _core._isa())}",
        f"threads           {_core.get_num_threads()} ({why})",
        "devices           cpu",
        "cuda              not available: this build has no CUDA plug-in",
    ]
    print("\n".join(lines))
