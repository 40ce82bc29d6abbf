"""A thread that does one piece of work again and again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

_log: Final = logging.getLogger("agentops.server")
_END_S: Final = 5.0


class Again:
    """Does some work every so often; what it raises is logged, and it is tried again the next time.

    Args:
        name: of the thread.
        work: what is done.
        every_s: seconds between two times.
        first_s: seconds until the first; without it as between two.
        failed: what the log says when it raised.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], object],
        *,
        every_s: float,
        failed: str,
        first_s: float | None = None,
    ) -> None:
        self._work = work
        self._every_s = every_s
        self._first_s = every_s if first_s is None else first_s
        self._failed = failed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, when its work at hand is done or takes longer than seconds."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_END_S)

    def _run(self) -> None:
        pause_s = self._first_s
        while not self._stop.wait(pause_s):
            pause_s = self._every_s
            try:
                self._work()
            except Exception as error:
                _log.warning("%s: %s", self._failed, error)
