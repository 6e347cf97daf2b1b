"""Writing files so that a full disk, a killed process or a power cut leaves the old one whole."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def write_atomically(
    path: str, *parts: bytes | memoryview, partial: str | None = None, make_folder: bool = True
) -> None:
    """Write a file that is there whole or not at all: beside its place, onto the disk, then renamed into it.

    Links are followed, an older file's permissions are kept, and what is no plain file (a device, a pipe) is written
    to as it is. partial: the temporary file's name; a fixed one means that a killed process leaves at most one behind.
    make_folder: whether folders that are missing are made.

    Raises OSError that names `path`; nothing is left behind then, and an older file stays.
    """
    target = os.path.realpath(path)
    try:
        mode = os.stat(target).st_mode
    except OSError:
        mode = None
    try:
        if mode is not None and not stat.S_ISREG(mode):
            with open(target, "wb") as file:
                file.writelines(parts)
            return
        folder, name = os.path.split(target)
        if make_folder:
            os.makedirs(folder, exist_ok=True)
        _replace(target, partial or os.path.join(folder, f".{name}.{os.getpid()}.partial"), parts, mode)
        _sync_folder(folder)
    except OSError as error:
        kept = "; the older one is kept" if mode is not None and stat.S_ISREG(mode) else ""
        raise type(error)(error.errno, f"{error.strerror}{kept}", path) from None


def _replace(target: str, partial: str, parts: Iterable[bytes | memoryview], mode: int | None) -> None:
    try:
        with open(partial, "wb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), stat.S_IMODE(mode))
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
    except BaseException:
        try:
            os.remove(partial)
        except OSError:
            pass
        raise


def _sync_folder(folder: str) -> None:
    """Put the new name on the disk too, where the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
