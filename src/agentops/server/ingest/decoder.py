"""A decoder: a process that turns request bodies into rows for the server that started it.

It reads tasks from its standard input and answers on its standard output, one after the other, each a frame:
four bytes of length, then MessagePack. It ends when its input does, so that it never outlives its server, and
when nothing came for a while.
"""

from __future__ import annotations

import gc
import os
import pickle
import select
import signal
import sys
import time
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import astuple

from agentops.otlp.decode import Encoding, MalformedBody, decode_traces
from agentops.otlp.refusal import Rejected
from agentops.server import prices
from agentops.server.ingest.rows import rows
from agentops.server.store.facts import Fact
from agentops.server.store.write import Batch

IDLE_S: Final = 60.0
"""After which a decoder that is given nothing ends."""
_LENGTH_BYTES: Final = 4


class Task(Struct, frozen=True, array_like=True, gc=False):
    """A body and how to read it.

    Attributes:
        body: A decompressed ExportTraceServiceRequest.
        encoding: What it is written in.
        project: Whose spans these are.
        sent_at: When it was sent, by the sender's clock, unix nanoseconds.
        own_prices: The prices of one's own, pickled, where they changed since the task before; else empty.
    """

    body: bytes
    encoding: Encoding
    project: str
    sent_at: int | None
    own_prices: bytes


class _SentFact(Fact, frozen=True, array_like=True, gc=False):
    """A fact as it travels: without the names of its fields."""


class Rows(Struct, frozen=True, array_like=True, gc=False):
    """A batch as it travels.

    Attributes:
        malformed: Why the body as a whole cannot be read; "" when it can.
        rejected: What was refused, by reason.
        received_at: What its rows say of that, unix nanoseconds.
        spans: The rows.
        resources: (id, JSON) of each.
        facts: By trace id.
    """

    malformed: str
    rejected: list[Rejected]
    received_at: int
    spans: list[bytes]
    resources: list[tuple[int, str]]
    facts: dict[str, list[_SentFact]]


def done(task: Task) -> bytes:
    """Return the rows of a task's body, as they travel."""
    try:
        decoded = decode_traces(task.body, task.encoding)
    except MalformedBody as error:
        return msgspec.msgpack.encode((str(error) or "it cannot be read", [], 0, [], [], {}))
    batch = rows(decoded.spans, task.project, time.time_ns(), task.sent_at)
    # Plain tuples are written as structs without names are: in the order of Rows and of _SentFact.
    return msgspec.msgpack.encode(
        (
            "",
            decoded.rejected,
            batch.received_at,
            batch.spans,
            [(number, text) for (_, number), text in batch.resources.items()],
            {trace_id: [astuple(one) for one in facts] for (_, trace_id), facts in batch.facts.items()},
        )
    )


def batch_of(found: Rows, task: Task) -> Batch:
    """Return the batch that a decoder made of a task."""
    facts: dict[tuple[str, str], list[Fact]] = {}
    for trace_id, some in found.facts.items():
        facts[task.project, trace_id] = list[Fact](some)
    return Batch(
        spans=found.spans,
        resources={(task.project, number): text for number, text in found.resources},
        facts=facts,
        received_at=found.received_at,
    )


def send(to: int, frame: bytes) -> None:
    """Write a frame to a file descriptor.

    Raises:
        OSError: nobody reads it.
    """
    view = memoryview(len(frame).to_bytes(_LENGTH_BYTES, "big") + frame)
    while view:
        view = view[os.write(to, view) :]


def receive(source: int) -> bytearray:
    """Read a frame from a file descriptor.

    Raises:
        EOFError: there is no whole one.
    """
    return _read(source, int.from_bytes(_read(source, _LENGTH_BYTES), "big"))


def _read(source: int, size: int) -> bytearray:
    found = bytearray(size)
    view = memoryview(found)
    while view:
        count = os.readv(source, [view])
        if not count:
            raise EOFError
        view = view[count:]
    return found


def main() -> None:
    """Answer tasks until none come."""
    # Its server finishes what it was given before it leaves, and closes the input then.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    source, to = sys.stdin.fileno(), os.dup(sys.stdout.fileno())
    # What anything prints must not get between the answers.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    read = msgspec.msgpack.Decoder(Task).decode
    prices.warm()
    # What is loaded by now stays, and what a task leaves has no cycles.
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    try:
        send(to, b"")
        while select.select([source], [], [], IDLE_S)[0]:
            task = read(receive(source))
            if task.own_prices:
                prices.use(pickle.loads(task.own_prices))  # noqa: S301 -- from the server that started this
            send(to, done(task))
    except (EOFError, BrokenPipeError):
        pass


if __name__ == "__main__":
    main()
