"""Notices of what changed: how long after the commit they reach every one of many listeners.

    python -m benchmarks.bench_live [LISTENERS] [NOTICES]

A server of its own, LISTENERS connections to /api/live, and sessions posted one after the other. Measured
from the answer to the post, which follows the commit, until the notice has been read from the last one. One
more listener takes nothing at all: it must cost the others nothing.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from uuid import UUID

import httpx
from tests.spans import body, span

from benchmarks.serving import Serving

_PATIENCE_S = 10.0
_BETWEEN_S = 0.2


class _Listener:
    """One connection, and when each session was first named on it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self.heard: dict[str, float] = {}

    async def listen(self) -> None:
        async for line in self._reader:
            if line.startswith(b"data: "):
                at = time.perf_counter()
                for session in line.split(b'"'):
                    if len(session) == 36:
                        self.heard.setdefault(session.decode(), at)


async def _connected(port: int) -> _Listener:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /api/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    await reader.readuntil(b": listening")
    return _Listener(reader, writer)


async def _measure(server: Serving, listeners: int, notices: int) -> None:
    began = time.perf_counter()
    open_listeners = [await _connected(server.port) for _ in range(listeners)]
    stuck = await _connected(server.port)
    print(f"{listeners} listeners connected in {time.perf_counter() - began:.2f} s")
    tasks = [asyncio.create_task(one.listen()) for one in open_listeners]
    firsts: list[float] = []
    lasts: list[float] = []
    lost = 0
    before_s = server.cpu_s()
    async with httpx.AsyncClient(base_url=server.url) as http:
        for number in range(1, notices + 1):
            session = str(UUID(int=number))
            answer = await http.post("/v1/traces", json=body(span(number, 1)))
            answer.raise_for_status()
            committed = time.perf_counter()
            while time.perf_counter() - committed < _PATIENCE_S:
                if all(session in one.heard for one in open_listeners):
                    break
                await asyncio.sleep(0.005)
            heard = [(one.heard[session] - committed) * 1e3 for one in open_listeners if session in one.heard]
            lost += len(open_listeners) - len(heard)
            firsts.append(min(heard, default=float("nan")))
            lasts.append(max(heard, default=float("nan")))
            await asyncio.sleep(_BETWEEN_S)
    used_s = server.cpu_s() - before_s
    for name, values in (("first listener", firsts), ("last listener", lasts)):
        ordered = sorted(values)
        p95 = ordered[int(len(ordered) * 0.95)]
        print(f"{name} told after the commit: p50 {statistics.median(values):.0f} ms, p95 {p95:.0f} ms")
    print(f"notices that did not arrive: {lost} of {listeners * notices}")
    print(f"server CPU: {used_s / notices * 1e3:.0f} ms a notice to {listeners} listeners, the post included")
    for task in tasks:
        task.cancel()
    for one in (*open_listeners, stuck):
        one.writer.close()


def main(listeners: int, notices: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, Serving(Path(folder)) as server:
        asyncio.run(_measure(server, listeners, notices))


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 500,
        int(sys.argv[2]) if len(sys.argv) > 2 else 30,
    )
