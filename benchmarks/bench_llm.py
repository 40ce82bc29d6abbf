"""What recording adds to a call of a model: the real openai client against a stand-in that answers at once.

    make bench-llm
    python -m benchmarks.bench_llm [CALLS] [ROUNDS]

The same client calls with and without us, in turn, a block of each after a block of the other, in one
process: a noisy machine is noisy to both. Printed are medians of a plain call, of the first chunk of a
streamed one, and the memory that an open stream holds beside its text.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import sys
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CALLS = 40
"""Calls of one block."""
ROUNDS = 25
WARM_UP = 50
CHUNKS = 20_000
"""Chunks of the stream whose memory is measured."""

MESSAGES = [{"role": "user", "content": "Capital of France? " * 20}]
PLAIN = json.dumps(
    {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o",
        "choices": [{"index": 0, "finish_reason": "stop",
                     "message": {"role": "assistant", "content": "Paris is the capital of France. " * 10}}],
        "usage": {"prompt_tokens": 90, "completion_tokens": 80, "total_tokens": 170},
    }
).encode()  # fmt: skip


def chunk(text: str) -> bytes:
    """Return one server-sent chunk."""
    body = {"id": "chatcmpl-2", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o",
            "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}  # fmt: skip
    return f"data: {json.dumps(body)}\n\n".encode()


CPU: list[float] = []
"""What the calling thread's processor time was, call by call, in milliseconds."""
STREAM = chunk("Paris ") * 20 + b"data: [DONE]\n\n"


class Model(BaseHTTPRequestHandler):
    """Answers at once, with bytes that were made before."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        """Answer a call, or take what the recorder sends."""
        asked = self.rfile.read(int(self.headers["content-length"]))
        if not self.path.endswith("/completions"):
            self._answer(b"{}", "application/json")
        elif b'"stream":true' not in asked:
            self._answer(PLAIN, "application/json")
        elif b'"max_tokens"' in asked:
            self._answer(chunk("Paris ") * CHUNKS + b"data: [DONE]\n\n", "text/event-stream")
        else:
            self._answer(STREAM, "text/event-stream")

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name it overrides
        """Say nothing."""


def timed(call: Callable[[], None], calls: int) -> list[float]:
    """Return how long each of some calls took, in milliseconds."""
    took: list[float] = []
    for _ in range(calls):
        began = time.perf_counter_ns()
        busy = time.thread_time_ns()
        call()
        CPU.append((time.thread_time_ns() - busy) / 1e6)
        took.append((time.perf_counter_ns() - began) / 1e6)
    return took


def main(calls: int, rounds: int) -> None:
    """Measure and print."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    os.environ["AGENTOPS_HOME"] = tempfile.mkdtemp(prefix="agentops-bench-")
    os.environ["AGENTOPS_API_ENDPOINT"] = url
    import openai

    import agentops
    from agentops.sdk.client import client as sdk

    model: Any = openai.OpenAI(api_key="none", base_url=f"{url}/v1")

    def plain() -> None:
        model.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    firsts: list[float] = []

    def streamed() -> None:
        began = time.perf_counter_ns()
        stream = model.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
        for at, _ in enumerate(stream):
            if at == 0:
                firsts.append((time.perf_counter_ns() - began) / 1e6)

    agentops.init()
    recording: Any = sdk.instrumentation
    figures: dict[str, list[float]] = {
        "plain": [],
        "plain+": [],
        "first": [],
        "first+": [],
        "cpu": [],
        "cpu+": [],
    }
    timed(plain, WARM_UP)
    timed(streamed, WARM_UP)
    for _ in range(rounds):
        for name, on in (("+", True), ("", False)):
            if on:
                recording.resume()
            else:
                recording.uninstall()
            timed(plain, 3)
            CPU.clear()
            figures[f"plain{name}"] += timed(plain, calls)
            figures[f"cpu{name}"] += CPU
            firsts.clear()
            timed(streamed, calls)
            figures[f"first{name}"] += firsts
    recording.resume()
    titles = (
        ("plain", "a call"),
        ("cpu", "processor time of a call"),
        ("first", "the first chunk of a streamed call"),
    )
    for name, title in titles:
        without, with_us = (statistics.median(figures[each]) for each in (name, f"{name}+"))
        print(f"{title}: {without:.3f} ms without, {with_us:.3f} ms with, {with_us - without:+.3f} ms (p50)")
    kept, text = held(model) / 1024, CHUNKS * 6 / 1024
    print(f"an open stream of {CHUNKS:,} chunks: {kept:.0f} KiB for {text:.0f} KiB of text")
    agentops.end_session("Success")
    server.shutdown()


def held(model: Any) -> int:
    """Return the bytes that an open stream holds after its last chunk but one."""
    gc.collect()
    tracemalloc.start()
    stream = model.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True, max_tokens=1)
    next(stream)
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(CHUNKS - 2):
        next(stream)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    stream.close()
    return after - before


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(given[0] if given else CALLS, given[1] if len(given) > 1 else ROUNDS)
