"""Random draws made while samples are prepared (flips, crops), apart from the model's own.

Such draws may happen in a background thread, ahead of the step that uses them. To give the same images whatever the
number of workers, and after a resume, the loader names a seed per minibatch; transforms ask for its generator here.
"""

from __future__ import annotations

from _thread import get_ident

import freedive as fd

_by_thread: dict[int, seeded_samples] = {}


def sample_generator() -> fd.Generator | None:
    """The generator for the minibatch this thread prepares; None (the default generator) outside of a DataLoader."""
    current = _by_thread.get(get_ident())
    return current.generator() if current is not None else None


class seeded_samples:
    """While active in this thread, `sample_generator()` is one seeded with `seed`, made when first asked for."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.made: fd.Generator | None = None

    def generator(self) -> fd.Generator:
        """The generator, made when first asked for."""
        if self.made is None:
            self.made = fd.Generator()
            self.made.manual_seed(self.seed)
        return self.made

    def __enter__(self) -> None:
        self.outer = _by_thread.get(get_ident())
        _by_thread[get_ident()] = self

    def __exit__(self, *exc: object) -> None:
        if self.outer is None:
            del _by_thread[get_ident()]
        else:
            _by_thread[get_ident()] = self.outer


def mix(seed: int, index: int) -> int:
    """A seed for item `index` of the series named by `seed`: different items, unrelated draws."""
    return (seed + 0x9E3779B97F4A7C15 * (index + 1)) & 0x7FFFFFFFFFFFFFFF
