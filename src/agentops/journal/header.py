"""The first line of a segment: whose records these are, and which server they are for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

FORMAT: Final = 1
EMPTY_RESOURCE: Final = b'{"attributes":[]}'


@dataclass(frozen=True, slots=True)
class Header:
    """What a segment's first line says.

    Args:
        resource: OTLP/JSON Resource object of the process that writes it.
        endpoint: Server that its records are for.
        owner: What else must match before another process may ship it: a fingerprint of the API key (never
            the key itself); empty when nothing must.
        pid: Process that wrote it; filled in when the segment is created.
        created_ns: Unix nanoseconds; filled in when the segment is created.
    """

    resource: bytes
    endpoint: str
    owner: str = ""
    pid: int = 0
    created_ns: int = 0


class _HeaderLine(msgspec.Struct):
    agentops_journal: int
    created_ns: int
    pid: int
    endpoint: str
    owner: str
    resource: msgspec.Raw


class NotASegment(Exception):
    """The first line is no header that this version reads: `damaged`, or of another version."""

    def __init__(self, damaged: bool) -> None:
        super().__init__("damaged header" if damaged else "written by another version")
        self.damaged = damaged


def encode_header(header: Header) -> bytes:
    """Return the header's line, with its newline; a resource that is not JSON is left out."""
    resource = header.resource.replace(b"\n", b" ")
    try:
        msgspec.json.decode(resource, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        resource = EMPTY_RESOURCE
    line = _HeaderLine(
        FORMAT, header.created_ns, header.pid, header.endpoint, header.owner, msgspec.Raw(resource)
    )
    return msgspec.json.encode(line) + b"\n"


def decode_header(line: bytes) -> Header:
    """Return the header that `line` holds.

    Raises:
        NotASegment: it holds none that this version reads.
    """
    try:
        read = msgspec.json.decode(line, type=_HeaderLine)
    except msgspec.DecodeError:
        raise NotASegment(damaged=True) from None
    if read.agentops_journal != FORMAT:
        raise NotASegment(damaged=False)
    return Header(bytes(read.resource), read.endpoint, read.owner, read.pid, read.created_ns)
