"""Trainer: the loop over epochs and minibatches (Dive into Deep Learning, section 3.2), made safe to interrupt."""

from __future__ import annotations

import os
from time import perf_counter

import freedive as fd

from . import checkpoint as checkpoints
from .callbacks import CSVLog, Picture
from .capture import CapturedSteps
from .hyperparameters import HyperParameters
from .interrupt import DelayedInterrupt
from .progress import Progress
from .watch import explain_loss, explain_parameters, is_lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .callbacks import Callback
    from .data_module import DataModule
    from .module import Module

DEVICE_STEPS_BETWEEN_CHECKS = 50  # reading the loss stops a GPU; on the CPU it is read at every step


class Trainer(HyperParameters):
    """Trains a Module on a DataModule with minibatch gradient descent.

    max_epochs, num_gpus, gradient_clip_val: as in the book; clipping is by the norm of all gradients together.

    device: "cpu" or "cuda"; asked for and absent raises. On "cuda" a training step is captured and replayed as one
      launch where its code is freedive's own or marked with `freedive.cuda.capturable`; a warning says once why not.
      capture=False leaves it. seed: sets all of freedive's random draws at the start of fit.
    checkpoint: file for the state of the run, written whole or not at all at each epoch's end, on Ctrl-C and, with
      checkpoint_every=N, after every N-th step. resume: go on from that file if it exists; the final parameters are
      then bit for bit those of a run that was never interrupted.
    progress: True or False shows or hides bar and epoch lines; None shows them outside of notebooks.
    log: CSV file with a line per epoch. picture: file for the curves. callbacks: see Callback.

    After fit, `history` has a dictionary per epoch: epoch, train_loss, val_…, seconds, examples_per_second. Losses and
    metrics are means over samples. Raises FloatingPointError, naming the layer, when the loss, a gradient or a
    parameter becomes NaN or infinite.
    """

    # Defaults of ours at class level, because readers replace __init__ by one that knows the book's three arguments.
    max_epochs: int
    num_gpus: int = 0
    gradient_clip_val: float = 0
    device: Any = None
    seed: int | None = None
    checkpoint: str | None = None
    checkpoint_every: int | None = None
    resume: bool = False
    progress: bool | None = None
    log: str | None = None
    picture: str | None = None
    callbacks: Sequence[Callback] = ()
    capture: bool = True
    captured_plots: list | None = None  # what Module.plot was given while a step is captured
    gpus: Sequence[Any] = ()
    should_stop = False
    _batch_size = 1
    _meter: dict[str, list] | None = None
    _interrupt: DelayedInterrupt
    _captured: CapturedSteps | None = None

    def __init__(
        self,
        max_epochs: int,
        num_gpus: int = 0,
        gradient_clip_val: float = 0,
        *,
        device: Any = None,
        seed: int | None = None,
        checkpoint: str | None = None,
        checkpoint_every: int | None = None,
        resume: bool = False,
        progress: bool | None = None,
        log: str | None = None,
        picture: str | None = None,
        callbacks: Sequence[Callback] = (),
        capture: bool = True,
    ) -> None:
        if isinstance(max_epochs, bool) or not isinstance(max_epochs, int) or max_epochs < 0:
            raise ValueError(f"Trainer: max_epochs must be an integer ≥ 0, got {max_epochs!r}")
        if not 0 <= gradient_clip_val < float("inf"):
            raise ValueError(f"Trainer: gradient_clip_val must be ≥ 0 and finite, got {gradient_clip_val}")
        if checkpoint_every is not None and checkpoint_every < 1:
            raise ValueError(f"Trainer: checkpoint_every must be at least one step, got {checkpoint_every}")
        if checkpoint is None and (resume or checkpoint_every is not None):
            raise ValueError("Trainer: resume and checkpoint_every need checkpoint=<file>")
        self.save_hyperparameters()
        self.gpus = _devices(device, num_gpus)

    # -- the book's methods ---------------------------------------------------------------------------------------

    def prepare_data(self, data: DataModule) -> None:
        """Fetch the loaders and count their batches."""
        self.train_dataloader: Any = data.train_dataloader()
        self.val_dataloader: Any = data.val_dataloader()
        self.num_train_batches = _length(self.train_dataloader, "training")
        self.num_val_batches = _length(self.val_dataloader, "validation") if self.val_dataloader is not None else 0

    def prepare_model(self, model: Module) -> None:
        """Tell the model its trainer, and move it to the device."""
        model.trainer = self
        model.board.xlim = [0, self.max_epochs]
        if self.gpus:
            model.to(self.gpus[0])
        self.model = model

    def prepare_batch(self, batch: Sequence[Any]) -> Sequence[Any]:
        """Move a minibatch to the device."""
        return [a.to(self.gpus[0]) for a in batch] if self.gpus else batch

    def fit(self, model: Module, data: DataModule) -> None:
        """Train `model` on `data` for max_epochs, or until a callback asks to stop."""
        _check_fit(model, data)
        if self.seed is not None:
            fd.manual_seed(self.seed)
        self.prepare_data(data)
        self.prepare_model(model)
        self.optim = model.configure_optimizers()
        self.epoch = self.train_batch_idx = self.val_batch_idx = 0
        self.history: list[dict[str, Any]] = []
        self._meter, self.should_stop = {}, False
        self._captured = CapturedSteps(self) if self.gpus and self.capture else None
        self._display = Progress(self.progress, self.max_epochs)
        self._actions = [*_file_callbacks(self.log, self.picture), *self.callbacks]
        if self.resume:
            self._resume()
        for action in self._actions:
            action.on_fit_start(self)
        try:
            self._fit_epochs()
        finally:
            self._display.close()
            self._captured = None
            self.model.board.finish()
        for action in self._actions:
            action.on_fit_end(self)

    def fit_epoch(self) -> None:
        """One pass over the training batches, then one over the validation batches."""
        self.model.train()
        take_step = self._captured.take_step if self._captured is not None else self._take_step
        for batch in self.train_dataloader:
            self._batch_size = len(batch[-1])
            loss = take_step(batch)
            self.train_batch_idx += 1
            self._display.step(self._batch_size, loss)
            if self._interrupt.pending or self._checkpoint_due():
                self._save(self._state(mid_epoch=True))
                self._interrupt.deliver()
        if self.val_dataloader is None:
            return
        before = self._state(mid_epoch=True)
        self.model.eval()
        for batch in self.val_dataloader:
            with fd.no_grad():
                batch = self.prepare_batch(batch)
                self._batch_size = len(batch[-1])
                self.model.validation_step(batch)
            self.val_batch_idx += 1
            if self._interrupt.pending:
                self._save(before)
                self._interrupt.deliver()

    def _take_step(self, batch: Sequence[Any]) -> fd.Tensor:
        """Forward, loss, backward and update of a minibatch; its loss."""
        return self._run_step(self.prepare_batch(batch))

    def _run_step(self, batch: Sequence[Any]) -> fd.Tensor:
        loss = self.model.training_step(batch)
        if self._loss_check_due():
            self._check_loss(loss, batch)
        self._learn_from(loss)
        return loss

    def _learn_from(self, loss: fd.Tensor) -> None:
        self.optim.zero_grad()
        with fd.no_grad():
            loss.backward()
            if self.gradient_clip_val > 0:
                self.clip_gradients(self.gradient_clip_val, self.model)
            self.optim.step()

    def clip_gradients(self, grad_clip_val: float, model: Module) -> None:
        """Scale all gradients so that their common norm is at most grad_clip_val."""
        parameters = {id(p): p for p in [*model.parameters(), *checkpoints.loose_parameters(model, self.optim)]}
        gradients = [p.grad for p in parameters.values() if p.grad is not None]
        if not gradients:
            return
        if gradients[0].is_cuda:
            clip_on_device(gradients, grad_clip_val)
            return
        norm = float(sum((g * g).sum() for g in gradients)) ** 0.5
        if norm - norm != 0:
            raise FloatingPointError(f"{self._where()}: {explain_parameters(model) or 'the gradient norm overflowed'}")
        if norm > grad_clip_val:
            for g in gradients:
                g *= grad_clip_val / norm

    def record(self, label: str, value: Any) -> None:
        """Take a value of this batch into the epoch's mean of `label`; it stays on its device until the epoch ends."""
        if self._meter is not None:
            self._meter.setdefault(label, []).append((value, self._batch_size))

    # -- epochs ---------------------------------------------------------------------------------------------------

    def _fit_epochs(self) -> None:
        for epoch in range(self.epoch, self.max_epochs):
            self.epoch = epoch
            done = self.train_batch_idx - self.epoch * self.num_train_batches
            self._display.start_epoch(self.epoch, self.num_train_batches, max(0, done))
            started = perf_counter()
            # A reader's own fit_epoch does not look for a pending Ctrl-C, so there it takes effect at once.
            with DelayedInterrupt(active=type(self).fit_epoch is OWN_FIT_EPOCH) as self._interrupt:
                self.fit_epoch()
                self._end_epoch(perf_counter() - started)
            if self.should_stop:
                break

    def _end_epoch(self, seconds: float) -> None:
        wrong = explain_parameters(self.model)
        if wrong is not None:
            raise FloatingPointError(f"{self._where()}: {wrong}")
        row: dict[str, Any] = {"epoch": self.epoch + 1}
        for label, values in (self._meter or {}).items():
            weights = [n for _, n in values]
            row[label] = sum(v * n for v, n in zip(_numbers([v for v, _ in values]), weights, strict=True)) / sum(
                weights
            )
        row["seconds"] = seconds
        row["examples_per_second"] = self._display.examples / seconds if seconds else 0.0
        self._meter = {}
        self.history.append(row)
        self._display.end_epoch(row)
        for action in self._actions:
            action.on_epoch_end(self, row)
        self._save(self._state(mid_epoch=False))

    def _loss_check_due(self) -> bool:
        return not self.gpus or self.train_batch_idx % DEVICE_STEPS_BETWEEN_CHECKS == 0

    def _check_loss(self, loss: fd.Tensor, batch: Sequence[Any]) -> None:
        value = float(loss.detach())
        if value - value != 0:
            raise FloatingPointError(f"{self._where()}: loss is {value}: {explain_loss(self.model, batch, value)}")

    def _where(self) -> str:
        return f"training stopped in epoch {self.epoch + 1}, step {self.train_batch_idx + 1}"

    # -- checkpoints ----------------------------------------------------------------------------------------------

    def _checkpoint_due(self) -> bool:
        return self.checkpoint_every is not None and self.train_batch_idx % self.checkpoint_every == 0

    def _state(self, mid_epoch: bool) -> dict[str, Any] | None:
        """All that a resumed run needs; None without a checkpoint file, or amid an epoch whose loader cannot resume."""
        position = getattr(self.train_dataloader, "state_dict", None)
        if self.checkpoint is None or (mid_epoch and position is None):
            return None
        optim_state = getattr(self.optim, "state_dict", None)
        loader = position() if position is not None else None
        if loader is not None and mid_epoch:
            loader["finished"] = False
        return {
            "version": fd.__version__,
            "model_class": type(self.model).__name__,
            "epoch": self.epoch + (not mid_epoch),
            "train_batch_idx": self.train_batch_idx,
            "val_batch_idx": self.val_batch_idx,
            "stopped": self.should_stop,
            "model": dict(self.model.state_dict()),
            "loose": checkpoints.loose_parameters(self.model, self.optim),
            "optim": optim_state() if optim_state is not None else None,
            "loader": loader,
            "random": checkpoints.random_state(),
            "meter": {label: _on_host(values) for label, values in (self._meter or {}).items()},
            "history": list(self.history),
            "board": self.model.board.state_dict(),
        }

    def _save(self, state: dict[str, Any] | None) -> None:
        if state is not None and self.checkpoint is not None:
            checkpoints.save(self.checkpoint, state)

    def _resume(self) -> None:
        path = os.fspath(self.checkpoint or "")
        if not os.path.exists(path):
            return
        state = checkpoints.load(path)
        kind = state.get("model_class") if isinstance(state, dict) else None
        if kind != type(self.model).__name__:
            raise checkpoints.CheckpointError(
                f"{path}: holds {kind or 'no model'}, but the model to go on with is {type(self.model).__name__}"
            )
        self._materialise()
        self.model.load_state_dict(state["model"])
        with fd.no_grad():
            for mine, saved in zip(checkpoints.loose_parameters(self.model, self.optim), state["loose"], strict=True):
                mine.copy_(saved)
        if state["optim"] is not None:
            self.optim.load_state_dict(state["optim"])
        if state["loader"] is not None:
            self.train_dataloader.load_state_dict(state["loader"])
        self.epoch, self.should_stop = state["epoch"], False
        self.train_batch_idx, self.val_batch_idx = state["train_batch_idx"], state["val_batch_idx"]
        self._meter, self.history = state["meter"], state["history"]
        self.model.board.load_state_dict(state["board"])
        if state["stopped"]:
            self.epoch = self.max_epochs
        checkpoints.set_random_state(state["random"])

    def _materialise(self) -> None:
        """Give lazy layers their shapes, so that the saved parameters have somewhere to go."""
        if any(is_lazy(p) for p in self.model.parameters()):
            self.model.eval()
            with fd.no_grad():
                self.model(*self.prepare_batch(next(iter(self.train_dataloader)))[:-1])


def _devices(device: Any, num_gpus: int) -> list[Any]:
    if device is None:
        return [fd.device(f"cuda:{i}") for i in range(min(num_gpus, fd.cuda.device_count()))]
    device = fd.device(device)
    if device.type == "cpu":
        return []
    if not fd.cuda.is_available():
        raise fd.DeviceError(f"Trainer: device {device} was asked for, but no CUDA device is available")
    return [device]


def clip_on_device(gradients: Sequence[fd.Tensor], limit: float) -> None:
    """Clips without asking for the norm's value, so that the device goes on and the step can be captured.

    A norm that is not finite makes NaN of every gradient: the next look at the loss finds it.
    """
    norm = fd.stack([(g * g).sum() for g in gradients]).sum().sqrt()
    scale = limit / norm.clamp(min=limit)
    for g in gradients:
        g *= scale


def _check_fit(model: Any, data: Any) -> None:
    """What a Trainer cannot do without, before anything is touched."""
    if not hasattr(model, "training_step"):
        raise TypeError(f"Trainer: model must be a freedive.training.Module, got {type(model).__name__}")
    if not hasattr(data, "train_dataloader"):
        raise TypeError(f"Trainer: data must be a freedive.training.DataModule, got {type(data).__name__}")


def _file_callbacks(log: str | None, picture: str | None) -> list[Callback]:
    return ([CSVLog(log)] if log is not None else []) + ([Picture(picture)] if picture is not None else [])


def _on_host(values: list) -> list:
    return list(zip(_numbers([v for v, _ in values]), [n for _, n in values], strict=True))


def _numbers(values: list) -> list[float]:
    """Python numbers of values of which some may be on a GPU: those come over in one transfer."""
    if values and all(isinstance(v, fd.Tensor) and v.device.type != "cpu" for v in values):
        return fd.stack([v.reshape(()) for v in values]).cpu().tolist()
    return [float(v) for v in values]


def _length(loader: Any, what: str) -> int:
    if not hasattr(loader, "__len__"):
        raise TypeError(f"Trainer: the {what} loader is a {type(loader).__name__} without len(); return a DataLoader")
    n = len(loader)
    if n == 0:
        raise ValueError(f"Trainer: the {what} loader has no batches")
    return n


OWN_FIT_EPOCH = Trainer.fit_epoch
