"""The guard: however the program ends, its sessions end with the right state, and in bounded time.

    normal exit, sys.exit(n)   Indeterminate uncaught exception         Fail, with the exception as the
    reason SIGINT that ends it        Fail, "Signal SIGINT detected": it arrives here as an uncaught
    KeyboardInterrupt, so
                               that a Ctrl-C which the program catches ends nothing
    SIGTERM                    Fail, "Signal SIGTERM detected"
    SIGKILL, power loss        nothing runs; the server notices the silence

Hooks that were there before run as before, and the exit code is theirs.
"""

from __future__ import annotations

import atexit
import logging
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

from agentops.sdk import state

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
        self._previous_hook: Any = None
        self._previous_term: Any = None

    def install(self) -> None:
        """Hook into exit, uncaught exceptions and SIGTERM."""
        atexit.register(self.at_exit)
        self._previous_hook = sys.excepthook
        sys.excepthook = self._on_uncaught
        if threading.current_thread() is threading.main_thread():
            previous = signal.getsignal(signal.SIGTERM)
            # None: somebody set it from C. SIG_IGN: the program does not end by it.
            if previous is not None and previous is not signal.SIG_IGN:
                try:
                    signal.signal(signal.SIGTERM, self._on_term)
                    self._previous_term = previous
                except (ValueError, OSError):
                    pass
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._in_child)

    def uninstall(self) -> None:
        """Take the hooks back where they are still ours."""
        atexit.unregister(self.at_exit)
        if sys.excepthook == self._on_uncaught:
            sys.excepthook = self._previous_hook
        if self._previous_term is not None and signal.getsignal(signal.SIGTERM) == self._on_term:
            signal.signal(signal.SIGTERM, self._previous_term)

    def _in_child(self) -> None:
        """Let a multiprocessing child end its sessions: it leaves through os._exit, past atexit.

        It runs its finalizers first, and forgets its parent's before it runs what was registered for a fork.
        """
        util: Any = sys.modules.get("multiprocessing.util")
        if util is not None and self._client.guard is self:
            util.register_after_fork(self, _finalize_at_exit)

    def _on_uncaught(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        try:
            # An interactive interpreter comes here after every error, and goes on.
            if not hasattr(sys, "ps1"):
                self._note(error)
        finally:
            self._previous_hook(kind, error, trace)

    def _note(self, error: BaseException) -> None:
        if isinstance(error, KeyboardInterrupt):
            self._reason, self._error_type = "Signal SIGINT detected", "SIGINT"
        elif not isinstance(error, SystemExit):
            self._reason, self._error_type = state.reason(error), type(error).__name__

    def _on_term(self, number: int, frame: FrameType | None) -> Any:
        previous = self._previous_term
        self._reason, self._error_type = "Signal SIGTERM detected", "SIGTERM"
        if callable(previous):
            # The program's own handler decides whether the program ends; if it does, at_exit knows why.
            return previous(number, frame)
        if os.getpid() == self._pid:
            self.at_exit()
        else:
            self._leave_child()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        return None

    def _leave_child(self) -> None:
        self._end_all()
        self._client.stop(self._client.settings.exit_timeout)

    def at_exit(self) -> None:
        """End every active session and ship what can be shipped in time. Never raises."""
        if self._done and os.getpid() == self._pid:
            return
        self._done = True
        try:
            self._end_all()
            self._client.stop(float(self._client.settings.exit_timeout))
        except Exception:
            logger.debug("The end of the process could not be recorded", exc_info=True)

    def _end_all(self) -> None:
        client = self._client
        if client.settings.skip_auto_end_session:
            return
        for core in client.registry.all():
            if core.inherited and self._reason is not None:
                client.lifecycle.leave(core, self._error_type, self._reason)
            if self._reason is not None:
                client.lifecycle.finish(core, state.FAIL, self._reason)
            else:
                client.lifecycle.finish(core, state.INDETERMINATE, "The process ended without end_session")


def _finalize_at_exit(guard: Guard) -> None:
    util: Any = sys.modules["multiprocessing.util"]
    util.Finalize(guard, guard.at_exit, exitpriority=-100)
