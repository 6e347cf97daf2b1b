"""What this installation is and runs on."""

from __future__ import annotations

import os
import platform

from . import _core, cuda


def show_config() -> None:
    """Prints version, instruction set in use and why, threads and devices, as `freedive info` does."""
    lines = [
        f"freedive          {_core.__version__}",
        f"Python            {platform.python_version()} on {platform.system()} {platform.machine()}",
        f"instruction set   {_core._isa()} ({_core._isa_reason()})",
        f"also available    {', '.join(i for i in _core._isas() if i != _core._isa())}",
        f"threads           {_core.get_num_threads()} ({_why_threads()})",
        f"devices           {', '.join(['cpu', *(f'cuda:{i}' for i in range(cuda.device_count()))])}",
        f"cuda              {_cuda()}",
    ]
    print("\n".join(lines))


def _why_threads() -> str:
    wish = os.environ.get("FREEDIVE_NUM_THREADS")
    if not wish:
        return "all usable CPUs"
    ignored = "" if wish.isdecimal() and int(wish) else ", which is no number of threads: all usable CPUs"
    return f"FREEDIVE_NUM_THREADS={wish}{ignored}"


def _cuda() -> str:
    if not cuda.is_available():
        return f"not available: {_core._cuda_unavailable()}"
    return ", ".join(cuda.get_device_name(i) for i in range(cuda.device_count()))
