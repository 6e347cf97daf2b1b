"""GPUs. This build has no CUDA plug-in, so there are none; asking for one raises DeviceError."""

from __future__ import annotations

from ._core import DeviceError

__all__ = ["current_device", "device_count", "empty_cache", "get_device_name", "is_available", "synchronize"]


def is_available() -> bool:
    """Whether a GPU can be used."""
    return False


def device_count() -> int:
    """How many GPUs can be used."""
    return 0


def synchronize(device=None) -> None:
    """Waits for all work on a GPU. Raises DeviceError: there is none."""
    raise DeviceError("cuda.synchronize: no GPU is available: this build has no CUDA plug-in")


def current_device() -> int:
    """The GPU in use. Raises DeviceError: there is none."""
    raise DeviceError("cuda.current_device: no GPU is available: this build has no CUDA plug-in")


def get_device_name(device=None) -> str:
    """The name of a GPU. Raises DeviceError: there is none."""
    raise DeviceError("cuda.get_device_name: no GPU is available: this build has no CUDA plug-in")


def empty_cache() -> None:
    """Gives cached device memory back; there is none to give."""
