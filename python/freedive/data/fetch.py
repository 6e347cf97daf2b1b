"""Finding data files, and fetching what is missing: searched folders, verified downloads."""

from __future__ import annotations

import os
import sys

from freedive._files import write_atomically

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CHUNK = 1 << 16
TIMEOUT_SECONDS = 20


class DownloadError(OSError):
    """A file could not be fetched, or what came is not the right file."""


def user_cache() -> str:
    """The user's cache folder for data: $XDG_CACHE_HOME/freedive, or ~/.cache/freedive."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "freedive")


def folders(name: str, data_dir: str | None = None) -> list[str]:
    """Where data set `name` is looked for, in this order; in each the folder itself and what torchvision calls raw."""
    bases = [data_dir, os.environ.get("FREEDIVE_DATA"), user_cache(), "/usr/share/datasets"]
    found: list[str] = []
    for base in filter(None, bases):
        found += [os.path.join(base, name), base] if base != "/usr/share/datasets" else [os.path.join(base, name)]
        if base == data_dir:
            found.append(os.path.join(base, _torchvision_name(name), "raw"))
    return found


def find(names: Iterable[str], places: Iterable[str]) -> list[str] | None:
    """Paths of all files (each as NAME.gz or NAME) in the first folder that has every one of them."""
    names = list(names)
    for place in places:
        paths = [_first_file(os.path.join(place, name)) for name in names]
        if all(paths):
            return [p for p in paths if p]
    return None


def download(urls: Iterable[str], path: str, verify: Callable[[bytes], str | None], progress: bool = True) -> str:
    """Fetch the first of `urls` that answers into `path`, once `verify(content)` finds nothing wrong.

    DownloadError tells what each address answered; nothing is left behind then.
    """
    failures = []
    for url in urls:
        try:
            content = _fetch(url, progress)
        except (OSError, ValueError) as error:
            failures.append(f"{url}: {getattr(error, 'reason', None) or error}")
            continue
        wrong = verify(content)
        if wrong is None:
            write_atomically(path, content)
            return path
        failures.append(f"{url}: {wrong}")
    raise DownloadError("; ".join(failures))


def digest_check(algorithm: str, expected: str | None, decompress: bool = False) -> Callable[[bytes], str | None]:
    """A `verify` for `download`: compares the (decompressed) content's hash; no expected hash accepts anything."""

    def verify(content: bytes) -> str | None:
        import gzip
        import hashlib
        import zlib

        if expected is None:
            return None
        try:
            data = gzip.decompress(content) if decompress else content
        except (OSError, EOFError, zlib.error) as error:
            return f"not a whole gzip file ({error})"
        got = hashlib.new(algorithm, data).hexdigest()
        return None if got == expected else f"wrong {algorithm} {got}, expected {expected}"

    return verify


def _fetch(url: str, progress: bool) -> bytes:
    from urllib.request import Request, urlopen

    request = Request(url, headers={"User-Agent": "freedive"})
    with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
        total = int(answer.headers.get("Content-Length") or 0)
        with _bar(url, total, progress) as bar:
            chunks = []
            while chunk := answer.read(CHUNK):
                chunks.append(chunk)
                bar.update(len(chunk))
    content = b"".join(chunks)
    if total and len(content) != total:
        raise OSError(f"connection closed after {len(content)} of {total} bytes")
    return content


def _bar(url: str, total: int, progress: bool):  # type: ignore[no-untyped-def]
    from tqdm import tqdm

    name = url.rsplit("/", 1)[-1]
    shown = progress and sys.stderr is not None and sys.stderr.isatty()
    return tqdm(total=total or None, desc=name, unit="B", unit_scale=True, leave=False, disable=not shown)


def _first_file(stem: str) -> str | None:
    return next((p for p in (stem + ".gz", stem) if os.path.isfile(p)), None)


def _torchvision_name(name: str) -> str:
    return {"fashion-mnist": "FashionMNIST", "mnist": "MNIST"}.get(name, name)
