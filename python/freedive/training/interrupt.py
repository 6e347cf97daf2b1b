"""Ctrl-C that waits for the end of a step."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class DelayedInterrupt:
    """While active, a first Ctrl-C only sets `pending`; `deliver()` then raises KeyboardInterrupt. A second Ctrl-C
    raises at once. Does nothing outside of the main thread, or where the program has a handler of its own.
    """

    def __init__(self, active: bool = True) -> None:
        self.pending = False
        self._wanted, self._active = active, False

    def __enter__(self) -> DelayedInterrupt:
        import signal
        import threading

        if self._wanted and threading.current_thread() is threading.main_thread():
            self._active = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self._active:
            signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._active:
            import signal

            signal.signal(signal.SIGINT, signal.default_int_handler)
        if exc[0] is None:
            self.deliver()

    def deliver(self) -> None:
        """Raise KeyboardInterrupt if Ctrl-C was pressed."""
        if self.pending:
            self.pending = False
            raise KeyboardInterrupt

    def _handle(self, signum: int, frame: Any) -> None:
        if self.pending:
            raise KeyboardInterrupt
        self.pending = True
