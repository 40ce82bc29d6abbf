"""The guard: however the program ends, its sessions end with the right state, and in bounded time.

    normal exit, sys.exit(n)   Indeterminate
    uncaught exception         Fail, with the exception as the reason
    SIGINT that ends it        Fail, "Signal SIGINT detected": it arrives here as an uncaught
                               KeyboardInterrupt, so that a Ctrl-C which the program catches ends nothing;
                               or the program's own way of taking it raises SystemExit (see signals.py)
    SIGTERM                    Fail, "Signal SIGTERM detected"
    SIGKILL, power loss        nothing runs; the server notices the silence

Hooks that were there before run as before, and the exit code is theirs. A multiprocessing child leaves past
all of these, through os._exit: it runs its finalizers instead, while its exception is still in flight.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from agentops.sdk import state
from agentops.sdk.signals import Signals, die

if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from agentops.sdk.client import Client

logger: Final = logging.getLogger("agentops")


class Guard:
    """Watches over the end of the process."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._pid = os.getpid()
        self._reason: str | None = None
        """Why the program is ending, when it fails."""
        self._error_type = ""
        self._done = False
        self._ending_in = 0
        """The process that is in the middle of `at_exit`."""
        self._dying = False
        """Whether a signal that ends the process has come."""
        self._previous_hook: Any = None
        self.signals = Signals(self._on_signal, self._on_death)

    def install(self) -> None:
        """Hook into uncaught exceptions and signals."""
        self._previous_hook = sys.excepthook
        sys.excepthook = self._on_uncaught
        self.signals.install()
        process: Any = sys.modules.get("multiprocessing.process")
        if process is not None and process.parent_process() is not None:
            _finalize(self)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._in_child)

    def uninstall(self) -> None:
        """Take the hooks back where they are still ours."""
        if sys.excepthook == self._on_uncaught:
            sys.excepthook = self._previous_hook
        self.signals.uninstall()

    def _in_child(self) -> None:
        """Let a multiprocessing child end its sessions: it leaves through os._exit, past atexit.

        It runs its finalizers first, and forgets its parent's before it runs what was registered for a fork.
        """
        util: Any = sys.modules.get("multiprocessing.util")
        if util is not None and self._client.guard is self:
            util.register_after_fork(self, _finalize)

    def _on_uncaught(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        try:
            # An interactive interpreter comes here after every error, and goes on.
            if not hasattr(sys, "ps1"):
                self._note(error)
        finally:
            self._previous_hook(kind, error, trace)

    def _note_unseen(self) -> None:
        """Note an uncaught exception that a hook set after ours was told of, and did not pass on."""
        error: Any = getattr(sys, "last_value", None)
        ours = getattr(sys.excepthook, "__self__", None) is self
        if self._reason is None and not ours and isinstance(error, BaseException) and not hasattr(sys, "ps1"):
            self._note(error)

    def _note(self, error: BaseException) -> None:
        if isinstance(error, KeyboardInterrupt):
            self._reason, self._error_type = "Signal SIGINT detected", "SIGINT"
        elif not isinstance(error, SystemExit):
            self._reason, self._error_type = state.reason(error), type(error).__name__

    def _on_signal(self, name: str) -> None:
        self._reason, self._error_type = f"Signal {name} detected", name

    def signal_behind(self, error: BaseException) -> str | None:
        """Say which signal it is that ends the program with this exception; None when it is none."""
        if isinstance(error, SystemExit):
            return self._reason if self._error_type.startswith("SIG") else None
        if type(error).__name__ == "CancelledError" and self.signals.interrupting():
            return "Signal SIGINT detected"
        return None

    def _on_death(self) -> bool:
        """End what is to be ended before a signal ends the process; say whether it may do so now.

        A first signal lets an end that has begun come to its end: a pool sends it to workers that leave.
        """
        is_in_the_middle = self._ending_in == os.getpid()
        was_dying, self._dying = self._dying, True
        if is_in_the_middle:
            return was_dying
        if os.getpid() == self._pid:
            self.at_exit()
        else:
            self._leave_child()
        return True

    def _leave_child(self) -> None:
        self._end_all()
        self._client.stop(self._client.settings.exit_timeout)

    def at_exit_of_child(self) -> None:
        """Do the same in a multiprocessing child, which is in the middle of its exception, if it has one."""
        error = sys.exc_info()[1]
        if error is not None:
            self._note(error)
        self.at_exit()

    def at_exit(self) -> None:
        """End every active session and ship what can be shipped in time. Never raises."""
        if self._done and os.getpid() == self._pid:
            return
        self._done = True
        self._ending_in = os.getpid()
        try:
            self._note_unseen()
            self._end_all()
            self._client.stop(float(self._client.settings.exit_timeout))
        except KeyboardInterrupt:
            # Ctrl-C once more, while this waits for the server: what is left is in the journal.
            with suppress(Exception):
                self._end_all()
        except Exception:
            logger.debug("The end of the process could not be recorded", exc_info=True)
        finally:
            self._ending_in = 0
            if self._dying:
                die()

    def _end_all(self) -> None:
        client = self._client
        if client.settings.skip_auto_end_session:
            return
        for core in client.registry.all():
            if core.concluded:
                continue
            if core.inherited and self._reason is not None and not self._dismissed():
                client.lifecycle.leave(core, self._error_type, self._reason)
            if self._reason is not None:
                client.lifecycle.conclude(core, state.FAIL, self._reason)
            else:
                client.lifecycle.conclude(core, state.INDETERMINATE, "The process ended without end_session")

    def _dismissed(self) -> bool:
        """Say whether this is a worker that its pool sends home: that is how pools end, and no failure."""
        return self._error_type == "SIGTERM" and _is_pool_worker()


def _is_pool_worker() -> bool:
    """Say whether multiprocessing ends this process with SIGTERM when it needs it no more.

    A worker is so from its fork on, and learns its own name some hundred microseconds later: until then only
    the frame that forked it knows.
    """
    process: Any = sys.modules.get("multiprocessing.process")
    if process is None:
        return False
    if process.current_process().daemon:
        return True
    frame: FrameType | None = sys._getframe()  # pyright: ignore[reportPrivateUsage] -- the documented way
    while frame is not None:
        if (
            frame.f_globals.get("__name__") == "multiprocessing.popen_fork"
            and "process_obj" in frame.f_locals
        ):
            return bool(frame.f_locals["process_obj"].daemon)
        frame = frame.f_back
    return False


def _finalize(guard: Guard) -> None:
    from multiprocessing import util

    found: Any = util
    found.Finalize(guard, guard.at_exit_of_child, exitpriority=-100)
