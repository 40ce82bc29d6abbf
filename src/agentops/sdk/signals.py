"""SIGTERM and SIGINT: which of them ended the program, whoever takes them.

SIGTERM is taken by an object of ours that calls what was there before. When the program sets a handler of
its own later, `signal.signal` looks at what it replaces, which is our object, and that look is the moment at
which the new handler is taken in: the program's handler runs exactly as it would, and we know of the signal.
A handler that is put back, as servers do it, is whatever it was when it was taken away.

Python's own way with SIGINT stays, because asyncio asks for it by identity: a KeyboardInterrupt that nobody
catches tells as much. A handler of the program's own is taken in when it is there at `init`, or seen later at
the start of a recorded agent, tool or model call.
"""

from __future__ import annotations

import _signal  # pyright: ignore[reportMissingImports] -- `signal` itself looks at handlers, and would ask ours again
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Final, cast

Told = Callable[[str], None]
"""Told the name of a signal that ends the program, or may."""
Last = Callable[[], bool]
"""What is left to do before a signal ends the process at once; says whether it may, or will be done later."""

_ASYNCIO: Final = "asyncio.runners"
_raw: Final = cast("Any", _signal)


class Signals:
    """The signals of one process. Only its main thread may set handlers; in any other nothing is done."""

    def __init__(self, told: Told, last: Last) -> None:
        self.told = told
        self.last = last
        self.active = False
        self.pid = os.getpid()

    def install(self) -> None:
        """Take SIGTERM, and SIGINT where the program takes it itself."""
        self.active = True
        self.look(signal.SIGTERM)
        self.look(signal.SIGINT)

    def uninstall(self) -> None:
        """Put back what was there, where it is still ours."""
        self.active = False
        for number in (signal.SIGTERM, signal.SIGINT):
            current = _raw.getsignal(number)
            if type(current) is _Taken and _main():
                _raw.signal(number, current.previous)

    def look_again(self) -> None:
        """Take in what the program, or another thread, left since; cheap when there is nothing."""
        if type(_raw.getsignal(signal.SIGTERM)) is not _Taken:
            self.look(signal.SIGTERM)
        if _raw.getsignal(signal.SIGINT) is not signal.default_int_handler:
            self.look(signal.SIGINT)

    def interrupting(self) -> bool:
        """Say whether asyncio.run is cancelling its program because of a SIGINT: it tells tasks no more."""
        behind = getattr(_raw.getsignal(signal.SIGINT), "func", None)
        return getattr(getattr(behind, "__self__", None), "_interrupt_count", 0) > 0

    def look(self, number: int) -> None:
        """Take a signal in, unless it is, or should be left alone. Never raises."""
        if not self.active or not _main():
            return
        try:
            current: Any = _raw.getsignal(number)
            if type(current) is _Taken or current is None or current == _raw.SIG_IGN:
                return  # Ours already; set from C; or the program does not end by it.
            if number == signal.SIGINT and (not callable(current) or _is_pythons(current)):
                return
            if current == _raw.SIG_DFL and os.getpid() != self.pid:
                return  # A forked child that wants to die at once.
            _raw.signal(number, _Taken(self, number, current))
        except (ValueError, OSError, RuntimeError):
            pass


def die() -> None:
    """End the process by SIGTERM, as if nobody had taken it."""
    _raw.signal(signal.SIGTERM, _raw.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)


def _main() -> bool:
    return threading.current_thread() is threading.main_thread()


def _is_pythons(handler: Any) -> bool:
    """Say whether a SIGINT handler is Python's own, or the one that asyncio.run sets and takes back."""
    behind = getattr(getattr(handler, "func", handler), "__func__", handler)
    return handler is signal.default_int_handler or getattr(behind, "__module__", "") == _ASYNCIO


class _Taken:
    """A handler around another one."""

    def __init__(self, signals: Signals, number: int, previous: Any) -> None:
        self.signals = signals
        self.number = number
        self.previous = previous

    # `signal.signal` looks whether what it replaced is one of its own constants: by its class, and until
    # Python 3.11 by its hash. tests/process/test_sdk_leaving.py fails when it no longer does.

    @property
    def __class__(self) -> type:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride] -- asked for, never set
        """This class; being asked is the moment to look."""
        self._replaced()
        return _Taken

    def __hash__(self) -> int:
        self._replaced()
        return object.__hash__(self)

    def _replaced(self) -> None:
        if self.signals.active and type(_raw.getsignal(self.number)) is not _Taken:
            self.signals.look(self.number)

    def __call__(self, number: int, frame: FrameType | None) -> Any:
        signals = self.signals
        name = signal.Signals(number).name
        if callable(self.previous):
            if number == signal.SIGTERM:
                # The program's own handler decides whether it ends; if it does, why is known.
                signals.told(name)
                return self.previous(number, frame)
            try:
                return self.previous(number, frame)
            except SystemExit:
                signals.told(name)
                raise
        signals.told(name)
        if signals.last():
            die()
        return None
