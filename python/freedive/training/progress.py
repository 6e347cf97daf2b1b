"""What a user sees while training runs: a bar on a terminal, and one line per epoch."""

from __future__ import annotations

import sys
from time import perf_counter

from .board import in_notebook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SECONDS_BETWEEN_REFRESHES = 0.1
BAR_FORMAT = "{desc} {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]"


class Progress:
    """Shown unless `mode` is False; mode None leaves the lines out in a notebook, where the board draws."""

    def __init__(self, mode: bool | None, max_epochs: int) -> None:
        self.lines = mode if mode is not None else not in_notebook()
        self.max_epochs = max_epochs
        self.bar: Any = None
        self.examples = 0
        self.metrics = ""

    def start_epoch(self, epoch: int, batches: int, done: int) -> None:
        """Open the bar of an epoch of which `done` batches lie behind."""
        self.examples, self.batches, self.started = 0, done, perf_counter()
        self.next_refresh = self.started + SECONDS_BETWEEN_REFRESHES
        if self.lines and _terminal():
            from tqdm import tqdm

            name = f"epoch {epoch + 1}/{self.max_epochs}"
            self.bar = tqdm(
                total=batches, initial=done, desc=name, leave=False, dynamic_ncols=True, bar_format=BAR_FORMAT
            )

    def step(self, examples: int, loss: Any) -> None:
        """One batch done. The loss is read from its device only when the bar is redrawn."""
        self.examples += examples
        self.batches += 1
        if self.bar is not None and (now := perf_counter()) >= self.next_refresh:
            self.next_refresh = now + SECONDS_BETWEEN_REFRESHES
            rate = self.examples / (now - self.started)
            self.bar.set_postfix_str(f"loss {float(loss):.4g}{self.metrics}, {rate:,.0f} examples/s", refresh=False)
            self.bar.update(self.batches - self.bar.n)

    def end_epoch(self, row: dict) -> None:
        """Replace the bar by a line with the epoch's numbers."""
        self.close()
        names = [n for n in row if n not in ("epoch", "seconds", "examples_per_second")]
        shown = "  ".join(f"{name} {row[name]:.4f}" for name in names)
        self.metrics = "".join(f", {name} {row[name]:.4g}" for name in names[-1:] if name.startswith("val_"))
        if self.lines:
            speed = f"{row['seconds']:.3f} s  {row['examples_per_second']:,.0f} examples/s"
            print(f"epoch {row['epoch']}/{self.max_epochs}  {shown}  {speed}", flush=True)

    def close(self) -> None:
        """Remove the bar, if there is one."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None


def _terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()
