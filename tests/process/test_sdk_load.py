"""Sessions never mix: hundreds at once, in tasks and threads, with all that carries or breaks a context.

Three seconds of it here; `make load` runs a minute. The checker reads the journal line by line: a
minute is more than a test should hold.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.recorded import attributes

PROGRAM = """
import asyncio, contextvars, random, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
import agentops
from agentops.sdk.decorators import agent, operation, session, tool

agentops.init(auto_start_session=False, instrument_llm_calls=False, capture_logs="off")
until = time.monotonic() + float(sys.argv[1])
pool = ThreadPoolExecutor(16)

def me():
    found = agentops.current_session()
    assert found is not None
    return str(found.session_id)

@tool
def leaf(owner, above):
    assert me() == owner
    return above

@operation
def step(owner, above):
    assert me() == owner
    return leaf(owner, "step")

@operation
def numbers(owner, above):
    for number in range(3):
        leaf(owner, "numbers")
        yield number

@operation
async def stream(owner, above):
    for number in range(3):
        await asyncio.sleep(0)
        leaf(owner, "stream")
        yield number

@operation
def fails(owner, above):
    leaf(owner, "fails")
    raise ValueError("on purpose")

@operation
async def patient(owner, above):
    leaf(owner, "patient")
    await asyncio.sleep(30)

@agent(name="worker")
async def worker(owner, above):
    step(owner, "worker")
    assert sum(numbers(owner, "worker")) == 3
    assert [number async for number in stream(owner, "worker")] == [0, 1, 2]
    await asyncio.gather(asyncio.to_thread(step, owner, "worker"), asyncio.sleep(random.random() / 100))
    copied = contextvars.copy_context()
    await asyncio.wrap_future(pool.submit(copied.run, step, owner, "worker"))
    asyncio.get_running_loop().call_soon(step, owner, "worker")
    await asyncio.sleep(0)
    try:
        fails(owner, "worker")
    except ValueError:
        pass
    task = asyncio.create_task(patient(owner, "worker"))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return above

@session
async def in_task():
    owner = me()
    await worker(owner, "in_task")
    # A stream that is dropped half read, and read by another task at first.
    half = stream(owner, "in_task")
    await asyncio.create_task(anext(half))
    await half.aclose()

@session
def in_thread():
    owner = me()
    step(owner, "in_thread")
    for _ in numbers(owner, "in_thread"):
        break
    try:
        fails(owner, "in_thread")
    except ValueError:
        pass

async def tasks():
    async def again():
        while time.monotonic() < until:
            await in_task()
    await asyncio.gather(*(again() for _ in range(int(sys.argv[2]))))

problems = []
def threaded():
    try:
        while time.monotonic() < until:
            in_thread()
            if agentops.current_session() is not None:
                # With a single session left it is everybody's; a bound one would be a leak.
                from agentops.sdk.context import BOUND
                from opentelemetry.context import get_current
                assert BOUND not in get_current()
    except BaseException as error:
        problems.append(error)
        raise

threads = [threading.Thread(target=threaded) for _ in range(int(sys.argv[3]))]
for thread in threads: thread.start()
asyncio.run(tasks())
for thread in threads: thread.join()
pool.shutdown()
assert not problems, problems
from agentops.sdk.client import client
assert not client.registry.active, client.registry.active
assert not client.recorder.failures, client.recorder.failures
"""


@dataclass(slots=True)
class Seen:
    """What the checker keeps of one span."""

    name: str
    parent_id: str
    session: str
    said: dict[str, Any]
    root: bool
    ended: bool
    seq: int


def load(folder: Path, seconds: float, tasks: int = 200, threads: int = 32) -> str:
    """Run the program for a while, check every span that it recorded, and say how much that was."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPS_", "OTEL_"))}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, str(seconds), str(tasks), str(threads)],
        env={**kept, "AGENTOPS_HOME": str(folder), "AGENTOPS_API_ENDPOINT": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=seconds * 5 + 100,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert "Traceback" not in done.stderr, done.stderr[:4000]
    assert "different context" not in done.stderr.lower()
    spans = seen(folder)
    roots = [span for span in spans.values() if span.root]
    assert len(roots) >= tasks
    numbers: dict[str, set[int]] = {}
    for (trace_id, _), span in spans.items():
        if span.root:
            continue
        assert span.ended, span
        assert span.session == span.said["owner"], span
        above = spans[trace_id, span.parent_id]
        assert above.session == span.session, (span, above)
        assert above.name == span.said["above"], (span, above)
        known = numbers.setdefault(span.session, set())
        assert span.seq not in known, span
        known.add(span.seq)
    for root in roots:
        assert root.said["agentops.session.end_state"] == "Success", root
        # Callbacks may come after the end of their session; their events are in it all the same.
        sent = root.said["agentops.session.records_sent"]
        assert set(range(1, sent + 1)) <= numbers[root.session], root
    return f"{len(roots):,} sessions, {len(spans) - len(roots):,} events, each in its session and place"


def seen(folder: Path) -> dict[tuple[str, str], Seen]:
    """Read the spans of a home, the latest record of each."""
    spans: dict[tuple[str, str], Seen] = {}
    for path in sorted((folder / "journal").glob("*.jsonl")):
        with path.open("rb") as file:
            next(file)  # The header.
            for line in file:
                for span in json.loads(line).get("spans", ()):
                    key = (span["traceId"], span["spanId"])
                    ended = bool(span.get("endTimeUnixNano"))
                    if not ended and key in spans:
                        continue
                    said = attributes(span["attributes"])
                    root = said["agentops.span.kind"] == "session"
                    spans[key] = Seen(
                        sys.intern(span["name"]),
                        span.get("parentSpanId", ""),
                        sys.intern(said["session.id"]),
                        said if root else json.loads(said["agentops.entity.input"]),
                        root,
                        ended,
                        said.get("agentops.record.seq", 0),
                    )
    return spans


def test_sessions_never_mix_under_load(tmp_path: Path) -> None:
    load(tmp_path, 3)
