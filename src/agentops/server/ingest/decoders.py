"""Decoders: processes that make rows of large bodies beside this one.

Making rows is Python's work, and in one process one thread runs Python at a time: where many large bodies
come together, that is what bounds a server, whatever the machine. The first time that they do, decoders are
started. Until they are ready, and for whatever they cannot do, bodies are read here, so that nothing depends
on them; a server whose agents send what agents send never has one.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from agentops.otlp.refusal import MalformedBody, Rejected
from agentops.server import prices
from agentops.server.ingest.rows import rows
from agentops.server.pricelist import PriceList
from agentops.server.store.write import Batch

if TYPE_CHECKING:
    from agentops.otlp.decode import Encoding

_log: Final = logging.getLogger("agentops.server")
_LARGE_BYTES: Final = 128 * 1024
"""What is worth a way to another process and back."""
MOST_AT_ONCE: Final = max(2, min(4, os.cpu_count() or 1))
"""Bodies that are read at once: more would only take turns."""
_MOST: Final = min(MOST_AT_ONCE, os.cpu_count() or 1) - 1
"""Decoders: one body is read here, and on a machine with one core all are."""


class Decoders:
    """The decoders of a server. May be used from any thread."""

    def __init__(self, most: int = _MOST) -> None:
        """Start none yet, and never more than `most` at a time."""
        self._most = most
        self._lock = threading.Lock()
        self._idle: list[_Decoder] = []
        self._reading = 0
        self._closed = False
        self.alive = 0
        """Decoders that run, or are being started."""

    @property
    def ready(self) -> int:
        """Decoders that wait for a body."""
        return len(self._idle)

    def rows(
        self,
        body: bytes,
        encoding: Encoding,
        project: str,
        sent_at: int | None,
        clock: Callable[[], int] = time.time_ns,
    ) -> tuple[Batch, list[Rejected]]:
        """Return the rows of a decompressed ExportTraceServiceRequest, and what was refused.

        Args:
            body: The request.
            encoding: What it is written in.
            project: Whose spans these are.
            sent_at: When it was sent, by the sender's clock, unix nanoseconds; None when it did not say.
            clock: Tells when its spans were received, unix nanoseconds; it is asked when they are decoded, so
                that little time is between that and their commit. Decoders ask the machine's.

        Raises:
            MalformedBody: the body as a whole cannot be read.
        """
        if len(body) < _LARGE_BYTES:
            return _made_here(body, encoding, project, sent_at, clock)
        with self._lock:
            self._reading += 1
            decoder = self._idle.pop() if self._idle else None
            if decoder is None and self._reading > 1 and self.alive < self._most and not self._closed:
                self.alive += 1
                threading.Thread(target=self._start, name="agentops-decoder", daemon=True).start()
        try:
            made = decoder and self._made_there(decoder, body, encoding, project, sent_at)
            return made or _made_here(body, encoding, project, sent_at, clock)
        finally:
            with self._lock:
                self._reading -= 1

    def close(self) -> None:
        """End the decoders; what is still to be read is read here."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for decoder in idle:
            self._end(decoder)

    def _made_there(
        self, decoder: _Decoder, body: bytes, encoding: Encoding, project: str, sent_at: int | None
    ) -> tuple[Batch, list[Rejected]] | None:
        try:
            made = decoder.made(body, encoding, project, sent_at)
        except MalformedBody:
            self._give_back(decoder)
            raise
        except Exception as error:
            # It had nothing to do for long and left, or was killed. The body is still here.
            if not isinstance(error, (EOFError, BrokenPipeError)):
                _log.warning("A decoder failed; the body is decoded here: %s", error)
            self._end(decoder)
            return None
        self._give_back(decoder)
        return made

    def _start(self) -> None:
        try:
            decoder = _Decoder()
        except (EOFError, OSError) as error:
            _log.warning("No decoder could be started; bodies are decoded in the server: %s", error)
            self._most = self.alive = 0
            return
        self._give_back(decoder)

    def _give_back(self, decoder: _Decoder) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(decoder)
                return
        self._end(decoder)

    def _end(self, decoder: _Decoder) -> None:
        decoder.end()
        with self._lock:
            self.alive -= 1


class _Decoder:
    """One process, given one body at a time."""

    def __init__(self) -> None:
        """Start it and wait until it is ready.

        Raises:
            OSError: it cannot be started.
            EOFError: it ended at once.
        """
        from agentops.server.ingest import decoder

        self._room = decoder
        self._read = msgspec.msgpack.Decoder(decoder.Rows).decode
        self._told: PriceList | None = None
        self._process = subprocess.Popen(  # noqa: S603 -- our own
            [sys.executable, "-P", "-m", decoder.__name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        try:
            decoder.receive(self._out.fileno())
        except EOFError:
            self.end()
            raise

    def made(
        self, body: bytes, encoding: Encoding, project: str, sent_at: int | None
    ) -> tuple[Batch, list[Rejected]]:
        own = prices.in_use()
        news = b"" if own is self._told else pickle.dumps(own)
        task = self._room.Task(body, encoding, project, sent_at, news)
        self._room.send(self._in.fileno(), msgspec.msgpack.encode(task))
        found = self._read(self._room.receive(self._out.fileno()))
        self._told = own
        if found.malformed:
            raise MalformedBody(found.malformed)
        return self._room.batch_of(found, task), found.rejected

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self._in.close()
        self._out.close()
        self._process.wait()


def _made_here(
    body: bytes, encoding: Encoding, project: str, sent_at: int | None, clock: Callable[[], int]
) -> tuple[Batch, list[Rejected]]:
    # Here and not above: protobuf's classes take 0.15 s to load, which a server that starts need not wait
    # for.
    from agentops.otlp.decode import decode_traces

    decoded = decode_traces(body, encoding)
    return rows(decoded.spans, project, clock(), sent_at), decoded.rejected
