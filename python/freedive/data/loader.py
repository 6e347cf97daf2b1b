"""DataLoader: minibatches of a dataset in a reproducible order that can be left and taken up again."""

from __future__ import annotations

import freedive as fd

from .collate import default_collate, default_convert
from .dataset import IterableDataset, gather_of
from .prefetch import gathered, threaded
from .randomness import mix, seeded_samples

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any


class DataLoader:
    """Iterates over minibatches of `dataset`; each `iter()` is a new epoch.

    The arguments up to `pin_memory_device` are PyTorch's. Differences: `num_workers > 0` means one background thread
    that prepares batches ahead (never processes; datasets that gather whole minibatches do without), and so
    `timeout`, `multiprocessing_context`, `persistent_workers` and pinning have nothing to act on.

    seed: makes the shuffle of epoch e a function of (seed, e) alone. Without it each epoch draws its order from
      `generator`, or from the default generator that `manual_seed` sets.
    last: what to do with a last batch that is smaller: "keep" it, "drop" it (the same as drop_last=True), or "fill" it
      with the first samples of the next epoch's order, which that epoch then skips: every batch is full, every sample
      is used equally often, and `len()` counts the batches of the current epoch.

    `state_dict()` names the epoch and the number of batches handed out; a loader given it by `load_state_dict` goes on
    with the very next batch. A sampler of the user's own is run again from its start, and must then repeat itself.

    Raises ValueError for arguments that contradict each other or are out of range.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable | None = None,
        batch_sampler: Iterable | None = None,
        num_workers: int = 0,
        collate_fn: Callable | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable | None = None,
        multiprocessing_context: Any = None,
        generator: fd.Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        seed: int | None = None,
        last: str | None = None,
    ) -> None:
        self.dataset, self.shuffle = dataset, bool(shuffle)
        self.sampler, self.batch_sampler = sampler, batch_sampler
        self.num_workers, self.collate_fn = num_workers, collate_fn
        self.pin_memory, self.worker_init_fn = pin_memory, worker_init_fn
        self.generator, self.seed = generator, seed
        self.prefetch_factor = 2 if prefetch_factor is None else prefetch_factor
        self.last = last or ("drop" if drop_last else "keep")
        self.drop_last = self.last == "drop"
        self.batch_size = None if batch_sampler is not None else batch_size
        self._check(batch_size, drop_last, last)
        # Where we are: one record per iterator, so that an abandoned one cannot move its successor's position.
        self._now: dict[str, Any] = {
            "epoch": 0,
            "position": 0,
            "order_seed": None,
            "next_seed": None,
            "offset": 0,
            "finished": False,
        }
        self._resuming = False
        self._fresh = True

    def __len__(self) -> int:
        if self.batch_sampler is not None:
            return len(self.batch_sampler)  # type: ignore[arg-type]
        if self.last == "fill":
            return _ceil(len(self.dataset) - self._next_offset(), self.batch_size or 1)
        source = self.dataset if self.sampler is None else self.sampler
        n = len(source)  # type: ignore[arg-type]
        if self.batch_size is None:
            return n
        return n // self.batch_size if self.drop_last else _ceil(n, self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        now = self._start_epoch()
        batches = self._batches(now)
        if isinstance(batches, map) or not self.num_workers:
            return self._counted(batches, now)
        return self._counted(threaded(batches, self.prefetch_factor * self.num_workers), now)

    def state_dict(self) -> dict:
        """What `load_state_dict` needs to go on after the last batch handed out.

        A state with "finished" set starts the next epoch; set it to False to have an epoch of no more batches first.
        """
        state = {**self._now, "started": not self._fresh, "shape": self._shape()}
        if self.generator is not None:
            state["generator"] = self.generator.get_state()
        return state

    def load_state_dict(self, state: dict) -> None:
        """Go on from `state`; ValueError names what differs if it came from a loader of another shape."""
        mine, theirs = self._shape(), dict(state["shape"])
        if mine != theirs:
            different = [f"{k} {theirs.get(k)} then, {mine[k]} now" for k in mine if mine[k] != theirs.get(k)]
            raise ValueError(f"DataLoader: this state belongs to another loader: {'; '.join(different)}")
        self._now = {k: state[k] for k in self._now}
        self._fresh = not state["started"]
        self._resuming = state["started"] and not state["finished"]
        if self.generator is not None and "generator" in state:
            self.generator.set_state(state["generator"])

    # -- epochs ---------------------------------------------------------------------------------------------------

    def _start_epoch(self) -> dict:
        if self._resuming:
            self._resuming = False
            self._now = dict(self._now)
            return self._now
        now = dict(self._now) if self._fresh else self._following(self._now)
        self._fresh = False
        if now["order_seed"] is None:
            now["order_seed"] = self._draw_seed(now["epoch"])
        if self.last == "fill" and now["next_seed"] is None:
            now["next_seed"] = self._draw_seed(now["epoch"] + 1)
        self._now = now
        return now

    def _following(self, now: dict) -> dict:
        offset = self._offset_after(now["offset"]) if self.last == "fill" else 0
        return {
            "epoch": now["epoch"] + 1,
            "position": 0,
            "order_seed": now["next_seed"],
            "next_seed": None,
            "offset": offset,
            "finished": False,
        }

    def _next_offset(self) -> int:
        """Samples of the epoch under way, or about to start, that an earlier epoch's last batch took."""
        return self._following(self._now)["offset"] if self._now["finished"] else self._now["offset"]

    def _offset_after(self, offset: int) -> int:
        return -(len(self.dataset) - offset) % (self.batch_size or 1)

    def _draw_seed(self, epoch: int) -> int:
        if self.seed is not None:
            return mix(self.seed, epoch)
        return int(fd.randint(0, 2**62, (1,), generator=self.generator))

    def _order(self, now: dict) -> fd.Tensor:
        order = self._permutation(now["order_seed"])
        if self.last != "fill":
            return order
        borrowed = self._permutation(now["next_seed"])[: self._offset_after(now["offset"])]
        return fd.cat([order[now["offset"] :], borrowed])

    def _permutation(self, seed: int) -> fd.Tensor:
        n = len(self.dataset)
        if not self.shuffle:
            return fd.arange(n)
        generator = fd.Generator()
        generator.manual_seed(seed)
        return fd.randperm(n, generator=generator)

    # -- batches --------------------------------------------------------------------------------------------------

    def _batches(self, now: dict) -> Iterator[Any]:
        gather = gather_of(self.dataset) if self.collate_fn is None and self.batch_size is not None else None
        if gather is not None and self.sampler is None and self.batch_sampler is None:
            return gathered(_seeded(gather, now), self._row_tensors(now))
        return self._collated(now)

    def _row_tensors(self, now: dict) -> Iterator[fd.Tensor]:
        order, size = self._order(now), self.batch_size or 1
        stop = len(order) - len(order) % size if self.drop_last else len(order)
        for start in range(now["position"] * size, stop, size):
            yield order[start : start + size]

    def _collated(self, now: dict) -> Iterator[Any]:
        if self.worker_init_fn is not None and self.num_workers:
            self.worker_init_fn(0)
        make = self.collate_fn or (default_convert if self._single() else default_collate)
        position = now["position"]
        for indices in _skip(self._index_batches(now), position):
            with seeded_samples(mix(now["order_seed"], position)):
                batch = make(self._samples(indices))
            position += 1
            yield batch

    def _samples(self, indices: Any) -> Any:
        if isinstance(self.dataset, IterableDataset):
            return indices
        if self._single():
            return self.dataset[indices]
        fetch = getattr(self.dataset, "__getitems__", None)
        return fetch(indices) if fetch is not None else [self.dataset[i] for i in indices]

    def _index_batches(self, now: dict) -> Iterable:
        """Lists of indices; for an IterableDataset, the samples themselves."""
        if self.batch_sampler is not None:
            return self.batch_sampler
        source: Iterable
        if isinstance(self.dataset, IterableDataset):
            source = self.dataset
        elif self.sampler is not None:
            source = self.sampler
        else:
            source = self._order(now).tolist()
        return source if self.batch_size is None else _chunks(source, self.batch_size, self.drop_last)

    def _single(self) -> bool:
        return self.batch_size is None and self.batch_sampler is None

    def _counted(self, batches: Iterator[Any], now: dict) -> Iterator[Any]:
        for batch in batches:
            now["position"] += 1
            yield batch
        now["finished"] = True

    # -- checks ---------------------------------------------------------------------------------------------------

    def _shape(self) -> dict:
        length = None if isinstance(self.dataset, IterableDataset) else len(self.dataset)
        return {"samples": length, "batch_size": self.batch_size, "shuffle": self.shuffle, "last": self.last}

    def _check(self, batch_size: Any, drop_last: bool, last: str | None) -> None:
        if batch_size is not None and (isinstance(batch_size, bool) or not isinstance(batch_size, int)):
            raise TypeError(f"DataLoader: batch_size must be an integer, got {batch_size!r}")
        if batch_size is not None and batch_size <= 0:
            raise ValueError(f"DataLoader: batch_size must be positive, got {batch_size}")
        if self.num_workers < 0:
            raise ValueError(f"DataLoader: num_workers must not be negative, got {self.num_workers}")
        if self.last not in ("keep", "drop", "fill"):
            raise ValueError(f'DataLoader: last must be "keep", "drop" or "fill", got {last!r}')
        if drop_last and self.last != "drop":
            raise ValueError(f'DataLoader: drop_last=True contradicts last="{last}"')
        if self.sampler is not None and self.shuffle:
            raise ValueError("DataLoader: give either shuffle=True or a sampler, not both")
        if self.batch_sampler is not None and (batch_size != 1 or self.shuffle or self.sampler or drop_last):
            raise ValueError("DataLoader: batch_sampler excludes batch_size, shuffle, sampler and drop_last")
        if isinstance(self.dataset, IterableDataset) and (self.shuffle or self.sampler or self.batch_sampler):
            raise ValueError("DataLoader: an IterableDataset sets its own order; shuffle and samplers do not apply")
        if self.last == "fill":
            self._check_fill()

    def _check_fill(self) -> None:
        if self.batch_size is None or self.sampler is not None or isinstance(self.dataset, IterableDataset):
            raise ValueError('DataLoader: last="fill" needs a batch_size, and the order to be the loader\'s own')
        if self.batch_size > len(self.dataset):
            raise ValueError(
                f'DataLoader: last="fill" cannot make batches of {self.batch_size} from {len(self.dataset)} samples'
            )


def _seeded(gather: Callable, now: dict) -> Callable:
    """`gather`, with random transforms drawing from a generator that belongs to the minibatch."""
    position = now["position"]

    def fetch(rows: fd.Tensor) -> Any:
        nonlocal position
        with seeded_samples(mix(now["order_seed"], position)):
            batch = gather(rows)
        position += 1
        return batch

    return fetch


def _skip(items: Iterable, count: int) -> Iterator:
    for position, item in enumerate(items):
        if position >= count:
            yield item


def _chunks(items: Iterable, size: int, drop_last: bool) -> Iterator[list]:
    chunk: list = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk and not drop_last:
        yield chunk


def _ceil(a: int, b: int) -> int:
    return -(-a // b)
