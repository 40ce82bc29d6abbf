"""A tee in an HTTP response that the program reads by itself, in pieces, when and as far as it likes.

Nothing is read that the program does not read, and nothing is read ahead. What it has read is kept, up to a
limit, and told when the response is over: read to its end, closed, dropped, or broken. Of a text beyond the
limit it keeps the beginning and the end. Bodies that are not text (speech) are only measured.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agentops.instrument.gist import gist

MOST_BYTES: Final = 8_000_000
"""A longer body is not told as a whole."""
_END_BYTES: Final = 256_000
"""How much of a longer body is kept of its beginning, and at least of its end."""
_TEXT: Final = ("application/json", "text/", "application/x-ndjson", "application/jsonl")


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a response: its text, empty when it is none or too long, and its length in bytes.

    `known` is what the beginning and the end say of an answer that is too long.
    """

    text: str
    content_type: str
    length: int
    error: BaseException | None
    known: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Tee:
    """Stands between an httpx response and whoever reads it, sync or async.

    Args:
        response: the response; its reading methods are replaced on this one object.
        first: called when the first piece arrives.
        over: called once, with what was read.
    """

    def __init__(self, response: Any, first: Callable[[], None], over: Callable[[Read], None]) -> None:
        self._kept: list[bytes] = []
        self._last: deque[bytes] = deque()
        self._last_length = 0
        self._length = 0
        self._over: Callable[[Read], None] | None = over
        self._first: Callable[[], None] | None = first
        self._reading = False
        self._content_type = str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()
        self._text = self._content_type.startswith(_TEXT)
        self._iter, self._aiter = response.iter_bytes, response.aiter_bytes
        self._close, self._aclose = response.close, response.aclose
        response.iter_bytes, response.aiter_bytes = self._pieces, self._pieces_async
        response.close, response.aclose = self._closed, self._closed_async

    def _pieces(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        pieces = self._iter(*args, **kwargs)
        error: BaseException | None = None
        try:
            while True:
                self._reading = True
                try:
                    piece = next(pieces, None)
                except BaseException as failure:
                    error = failure
                    raise
                finally:
                    self._reading = False
                if piece is None:
                    return
                self._keep(piece)
                yield piece
        finally:
            self._end(error)

    async def _pieces_async(self, *args: Any, **kwargs: Any) -> AsyncIterator[bytes]:
        pieces = self._aiter(*args, **kwargs)
        error: BaseException | None = None
        try:
            while True:
                self._reading = True
                try:
                    piece = await anext(pieces, None)
                except BaseException as failure:
                    error = failure
                    raise
                finally:
                    self._reading = False
                if piece is None:
                    return
                self._keep(piece)
                yield piece
        finally:
            self._end(error)

    def _closed(self) -> None:
        self._close()
        if not self._reading:  # Else the last piece is still on its way.
            self._end(None)

    async def _closed_async(self) -> None:
        await self._aclose()
        if not self._reading:
            self._end(None)

    def __del__(self) -> None:
        self._end(None)  # Dropped, and never closed.

    def _keep(self, piece: bytes) -> None:
        first, self._first = self._first, None
        if first is not None:
            _quietly(first)
        self._length += len(piece)
        if not self._text:
            return
        if self._length <= MOST_BYTES:
            self._kept.append(piece)
            return
        if not self._last:
            whole = b"".join((*self._kept, piece))
            self._kept = [whole[:_END_BYTES]]
            piece = whole[-_END_BYTES:]
        self._last.append(piece)
        self._last_length += len(piece)
        while self._last_length - len(self._last[0]) >= _END_BYTES:
            self._last_length -= len(self._last.popleft())

    def _end(self, error: BaseException | None) -> None:
        over, self._over = self._over, None
        if over is None:
            return
        text = _decoded(self._kept)
        known = gist(text, _decoded(self._last)) if self._last else {}
        read = Read("" if self._last else text, self._content_type, self._length, error, known)
        self._kept.clear()
        self._last.clear()
        _quietly(lambda: over(read))


def _decoded(pieces: Iterable[bytes]) -> str:
    return b"".join(pieces).decode("utf-8", "replace")


def _quietly(call: Callable[[], None]) -> None:
    try:
        call()
    except Exception:
        pass  # The program's own reading goes on, whatever we make of it.


def server_sent(text: str) -> Iterator[str]:
    """Return the data of each server-sent event in a text."""
    # Not `splitlines`: JSON may hold other ends of lines as they are, such as U+2028.
    for line in text.replace("\r", "\n").split("\n"):
        if line.startswith("data:"):
            found = line[5:].strip()
            if found and found != "[DONE]":
                yield found
