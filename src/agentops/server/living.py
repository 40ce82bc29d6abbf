"""Living: the programs of this machine that hold a segment of their journal, though nothing comes from them.

A call into C that keeps Python's lock also keeps the SDK's thread from giving a sign of life. The lock on the
segment is one: it dies with its process, and with nothing else. A process that was stopped (SIGSTOP) holds
its lock too, but is not at work: it has stopped reporting.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import msgspec
import psutil

from agentops.journal import held
from agentops.semconv import SERVICE_INSTANCE

_AT_REST = (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP, psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)


class _Attribute(msgspec.Struct):
    key: str
    value: dict[str, Any]


class _Resource(msgspec.Struct):
    attributes: list[_Attribute]


class Living:
    """Asks the journal of one home.

    Args:
        home: The folder of everything local; programs of another home, or another machine, are not seen.
    """

    def __init__(self, home: Path) -> None:
        self._folder = home / "journal"

    def instances(self) -> set[str]:
        """Return the `service.instance.id` of each process that lives and is at work."""
        found: set[str] = set()
        for header in held(self._folder):
            # What a dead process left is held too, for a moment, by who ships it.
            if _works(header.pid):
                with contextlib.suppress(msgspec.DecodeError):
                    described = msgspec.json.decode(header.resource, type=_Resource)
                    found |= {
                        str(one.value.get("stringValue"))
                        for one in described.attributes
                        if one.key == SERVICE_INSTANCE
                    }
        return found


def _works(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() not in _AT_REST
    except psutil.Error:
        return False
