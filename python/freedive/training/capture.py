"""Training steps on a GPU, each replayed as one launch where that does what running its code would do."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from warnings import warn

import freedive as fd
from freedive import _core, nn
from freedive._cuda_graph import SEEN, CapturedStep, is_capturable, is_marked

from . import checkpoint as checkpoints

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

KINDS = 16  # shapes and modes captured in one fit; each holds the memory of a step
LOST = 3  # captures of one kind in a row that were never replayed: something changes at every step


class CapturedSteps(CapturedStep):
    """Takes the Trainer's steps: the first of a kind eagerly, the second captured, the others by replay.

    The first replay of a kind is compared with running the same step, bit for bit. What cannot be captured or compares
    unequal runs eagerly for the rest of the fit; `why_not` and one warning say why.
    """

    def __init__(self, trainer: Any) -> None:
        super().__init__(self._whole_step, trainer.model)
        self.trainer = trainer
        self.device = trainer.gpus[0]
        self.why_not: str | None = None
        self._moves_batches = is_capturable(trainer, "prepare_batch")  # else batches come prepared
        self._captures: Counter[Any] = Counter()
        self._epoch = -1

    def take_step(self, batch: Sequence[Any]) -> fd.Tensor:
        """One training step; its loss."""
        inputs = batch if self._moves_batches else self.trainer.prepare_batch(batch)
        if self.why_not is not None or not self._all_tensors(inputs):
            return self._run_eagerly(inputs)
        if self._epoch != self.trainer.epoch:
            self._look_around()
        key = self._key(inputs)
        step = self._steps.get(key)
        if step is None:
            if len(self._steps) < KINDS:
                self._steps[key] = SEEN
            return self._run_eagerly(inputs)
        if step is not SEEN and step.holds() and step.replay(inputs):
            self._captures[key] = 0
            return self._finish(step, inputs)
        return self._begin(key, inputs)

    def _look_around(self):
        """What may have changed between epochs: layers and parameters."""
        self._epoch = self.trainer.epoch
        self._layers = list(self.module.modules())
        loose = checkpoints.loose_parameters(self.module, self.trainer.optim)
        self._parameters = [*self.module.parameters(), *loose]

    def _modules(self):
        return self._layers

    def _key(self, inputs):
        hooked = tuple([layer._hooks is not None for layer in self._layers])
        return hooked, *super()._key(inputs)

    def _all_tensors(self, inputs):
        if all(isinstance(t, fd.Tensor) and not t.requires_grad for t in inputs):
            return True
        return self._give_up("a minibatch holds something other than tensors without gradient")

    def _run_eagerly(self, inputs):
        return self.trainer._run_step(self.trainer.prepare_batch(inputs) if self._moves_batches else inputs)

    def _whole_step(self, *batch):
        trainer = self.trainer
        trainer.captured_plots = plots = []
        try:
            loss = trainer.model.training_step(batch)
            trainer._learn_from(loss)
        finally:
            trainer.captured_plots = None
        return loss, plots

    def _begin(self, key, inputs):
        """Captures a kind, and compares its replay with the step itself, which is what counts."""
        why_not = next(self._reasons(), None)
        self._captures[key] += 1
        if self._captures[key] > LOST:
            why_not = "the seed, an option of the optimiser or the memory of its state is new at every step"
        if why_not is not None:
            self._give_up(why_not)
            return self._run_eagerly(inputs)
        try:
            step = self._capture(inputs)
        except fd.DeviceError as error:
            self._give_up(str(error))
            return self._run_eagerly(inputs)
        replayed, before, random = self._rehearse(step, inputs)
        with fd.no_grad():
            for tensor, value in zip(step.written, before, strict=True):
                tensor.copy_(value)
        fd.set_rng_state(random)
        loss = self._run_eagerly(inputs)
        same = [a.equal(b) for a, b in zip(replayed, [loss.detach(), *step.written], strict=True)]
        if all(same):
            self._steps[key] = step
        else:
            self._give_up("its replay gives other numbers than running it")
        return loss

    def _rehearse(self, step, inputs):
        """What a replay makes of the loss and all it writes, and what was there before."""
        random = fd.get_rng_state()
        before = [tensor.detach().clone() for tensor in step.written]
        step.replay(inputs, counted=False)
        after = [tensor.detach().clone() for tensor in step.written]
        return [step.results()[0], *after], before, random

    def _finish(self, step, inputs):
        loss, plots = step.results()
        for key, value, train in plots:
            self.trainer.model.plot(key, value, train)
        if self.trainer._loss_check_due():
            self.trainer._check_loss(loss, [t.to(self.device) for t in inputs])
        return loss

    def _give_up(self, why):
        self.why_not = why
        self._steps.clear()
        warn(f"Trainer: training steps are not captured, every kernel is launched by itself: {why}", stacklevel=4)
        return False

    def _reasons(self) -> Iterator[str]:
        """Why the code of a step may not be captured, if it may not."""
        trainer, model = self.trainer, self.trainer.model
        kind = type(trainer.optim)
        if not isinstance(trainer.optim, fd.optim.Optimizer) and not is_marked(kind):
            yield f"{kind.__module__}.{kind.__qualname__} is no freedive.optim.Optimizer"
        clipping = ("clip_gradients",) if trainer.gradient_clip_val > 0 else ()
        network = () if isinstance(getattr(model, "net", None), nn.Module) else ("net",)
        owners = [(trainer, clipping), (trainer.optim, ("step", "zero_grad"))]
        owners += [(model, ("training_step", "loss", "plot", *network))]
        for owner, names in chain(owners, ((layer, ("forward", "__call__")) for layer in self._layers)):
            for name in names:
                if not is_capturable(owner, name):
                    yield (
                        f"{type(owner).__name__}.{name} is not freedive's; mark it with freedive.cuda.capturable if "
                        "what it does depends on its inputs, parameters and buffers alone"
                    )
        for layer in self._layers:
            if layer._hooks is not None and not layer._hooks.empty():
                yield f"a {type(layer).__name__} has hooks, which run at every step"
        if any(map(_core._has_hooks, self._parameters)):
            yield "a parameter has hooks, which run at every step"
