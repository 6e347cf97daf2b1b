"""Making the next minibatch while the current one is used: the one place that decides how."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any


def gathered(gather: Callable[[Any], Any], rows: Iterable[Any]) -> Iterator[Any]:
    """Minibatches of a dataset that gathers whole ones in compiled code, in the order of `rows`.

    Each is gathered when it is asked for, by all threads: a thread of its own beside the step was slower
    (docs/kernels/index.md).
    """
    return map(gather, rows)


def threaded(batches: Iterator[Any], depth: int) -> Iterator[Any]:
    """The items of `batches`, made by one background thread that runs at most `depth` items ahead.

    One thread keeps the order, and with it every random draw, the same as without. An exception raised there is raised
    here, in the place of its item. Leaving the loop early stops the thread.
    """
    import queue
    import threading

    ready: queue.Queue = queue.Queue(maxsize=depth)
    stopped = threading.Event()

    def offer(item: tuple) -> bool:
        while not stopped.is_set():
            try:
                ready.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for batch in batches:
                if not offer((batch, None)):
                    return
            offer((None, StopIteration()))
        except BaseException as error:
            offer((None, error))

    worker = threading.Thread(target=work, name="freedive-prefetch", daemon=True)
    worker.start()
    try:
        while True:
            batch, error = ready.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield batch
    finally:
        stopped.set()
        worker.join()
