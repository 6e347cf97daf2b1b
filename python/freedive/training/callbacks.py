"""Callbacks: things to do at the ends of steps and epochs."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .trainer import Trainer


class Callback:
    """Base class: override what is needed. `row` maps names (epoch, train_loss, val_loss, val_acc, seconds, …) to
    numbers; `trainer.should_stop = True` ends training after the epoch.
    """

    def on_fit_start(self, trainer: Trainer) -> None:
        """Before the first epoch (after a resume has been loaded)."""

    def on_epoch_end(self, trainer: Trainer, row: dict[str, Any]) -> None:
        """After validation."""

    def on_fit_end(self, trainer: Trainer) -> None:
        """After the last epoch, unless an exception ended training."""


class CSVLog(Callback):
    """Keeps one line per epoch in a CSV file, which is complete and readable at any moment, also after a resume."""

    def __init__(self, path: str) -> None:
        self.path = os.fspath(path)

    def on_epoch_end(self, trainer: Trainer, row: dict[str, Any]) -> None:
        """Write the file anew."""
        import csv
        from io import StringIO

        from freedive._files import write_atomically

        text = StringIO()
        names = list(dict.fromkeys(name for past in trainer.history for name in past))
        writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(trainer.history)
        write_atomically(self.path, text.getvalue().encode())


class Picture(Callback):
    """Saves the board's curves as a picture when training ends; `skipped` says why if that is not possible."""

    def __init__(self, path: str) -> None:
        self.path = os.fspath(path)
        self.skipped: str | None = None

    def on_fit_end(self, trainer: Trainer) -> None:
        """Save the picture."""
        try:
            trainer.model.board.save(self.path)
        except ImportError as error:
            self.skipped = str(error)


class EarlyStopping(Callback):
    """Ends training once `monitor` has not improved by more than `min_delta` for `patience` epochs.

    mode: "min" (losses) or "max" (accuracies).
    """

    def __init__(self, monitor: str = "val_loss", patience: int = 3, min_delta: float = 0.0, mode: str = "min") -> None:
        if mode not in ("min", "max"):
            raise ValueError(f'EarlyStopping: mode must be "min" or "max", got {mode!r}')
        if patience < 1 or not min_delta >= 0:
            raise ValueError(f"EarlyStopping: needs patience ≥ 1 and min_delta ≥ 0, got {patience} and {min_delta}")
        self.monitor, self.patience, self.min_delta, self.mode = monitor, patience, min_delta, mode

    def on_epoch_end(self, trainer: Trainer, row: dict[str, Any]) -> None:
        """Decide from the history."""
        if self.monitor not in row:
            raise KeyError(f"EarlyStopping: no {self.monitor!r} among {sorted(row)}")
        sign = 1 if self.mode == "min" else -1
        # From the history, so that a resumed run decides as the uninterrupted one.
        best, waited = float("inf"), 0
        for past in trainer.history:
            value = sign * past[self.monitor]
            best, waited = (value, 0) if value < best - self.min_delta else (best, waited + 1)
        if waited >= self.patience:
            trainer.should_stop = True
