"""Records of the `logging` module, recorded with the session and linked to the event around them.

Captured where a logger hands a record to its handlers, not by a handler of ours: a handler on the root
logger would make a later `logging.basicConfig()` do nothing, and would silence the warnings that an
unconfigured program prints.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, Final

from agentops.ambient import OWN, SPAN, get_current
from agentops.sdk.capture import to_json
from agentops.sdk.settings import word
from agentops.sdk.spans import RecordedSpan, exception_attributes

if TYPE_CHECKING:
    from agentops.sdk.client import Client

_OURS: Final = ("agentops", "opentelemetry")
_SEVERITY: Final = ((50, 21), (40, 17), (30, 13), (20, 9), (10, 5), (0, 1))
"""From levels of `logging` to OTLP's severity numbers."""


def level_number(word: str) -> int | None:
    """Return the level that the `capture_logs` setting names, as `agentops.config` reads it; None for off."""
    return None if word == "off" else int(word) if word.isdecimal() else logging.getLevelNamesMapping()[word]


class LogCapture:
    """Records log records of one process."""

    def __init__(self, client: Client, level: str) -> None:
        self._client = client
        self._level = level_number(level)
        self._inside = threading.local()
        self._original: Any = None

    def install(self) -> None:
        """Begin to see every record that a logger hands on."""
        if self._level is None:
            return
        original = logging.Logger.callHandlers
        capture = self

        def handed_on(self: logging.Logger, record: logging.LogRecord) -> None:
            original(self, record)
            capture.see(record)

        self._original = original
        self._ours = handed_on
        logging.Logger.callHandlers = handed_on

    def set_level(self, level: str) -> None:
        """Keep records from another level on, or none."""
        self._level = level_number(level)
        if self._original is None:
            self.install()

    def uninstall(self) -> None:
        """Stop, unless somebody else wrapped the same method since."""
        if self._original is not None and logging.Logger.callHandlers is self._ours:
            logging.Logger.callHandlers = self._original

    def see(self, record: logging.LogRecord) -> None:
        """Record one log record, when it is inside a session. Never raises."""
        if self._level is None or record.levelno < self._level or record.name.split(".", 1)[0] in _OURS:
            return
        if getattr(self._inside, "busy", False):
            return
        self._inside.busy = True
        try:
            self._record(record)
        except Exception as error:
            self._client.recorder.failed(error)
        finally:
            self._inside.busy = False

    def _record(self, record: logging.LogRecord) -> None:
        where = get_current()
        core = self._client.belonging.find(where)
        if core is None:
            return
        span_id = core.root.get_span_context().span_id if core.root is not None else 0
        trace_id = core.trace_id
        own = where.get(OWN)
        current = where.get(SPAN)
        if isinstance(current, RecordedSpan) and current.itself.core is core:
            span_id = current.get_span_context().span_id
            trace_id = current.get_span_context().trace_id
        elif isinstance(own, RecordedSpan) and own.core is core:
            span_id = own.get_span_context().span_id
        recorder = self._client.recorder
        attributes: dict[str, Any] = {
            "session.id": core.text,
            "logger.name": record.name,
            "code.file.path": record.pathname,
            "code.line.number": record.lineno,
            "code.function.name": record.funcName,
            "thread.name": record.threadName or "",
        }
        if record.exc_info and record.exc_info[1] is not None:
            attributes.update(exception_attributes(record.exc_info[1]))
        severity = next(number for level, number in _SEVERITY if record.levelno >= level)
        recorder.log(
            trace_id,
            span_id,
            int(record.created * 1e9),
            severity,
            record.levelname,
            recorder.cutting.cut(_message(record), recorder.limit),
            attributes,
        )


def _message(record: logging.LogRecord) -> str:
    """Return what a record says; where its arguments do not fit its text, both as they are."""
    try:
        return record.getMessage()
    except Exception:
        return f"{word(record.msg)} {to_json(record.args, 4096)}"
