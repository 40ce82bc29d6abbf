"""What recording adds to a call of a model: the real clients of openai and anthropic, answered at once.

    make bench-llm
    python -m benchmarks.bench_llm [CALLS] [ROUNDS]

The same client calls a stand-in, a process beside it, with and without us, in turn, a block of each after a
block of the other: a noisy machine is noisy to both. Printed are medians of a plain call, of the first chunk
of a streamed one, and the memory that an open stream holds beside its text.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_SERVE = "serve"
"""What the process that is the stand-in is started with."""
CALLS = 20
"""Calls of one block."""
ROUNDS = 50
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


def event(kind: str, **more: Any) -> bytes:
    """Return one server-sent event of anthropic's."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **more})}\n\n".encode()


MESSAGE: dict[str, Any] = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-6",
    "content": [{"type": "text", "text": "Paris is the capital of France. " * 10}],
    "stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": 90, "output_tokens": 80},
}  # fmt: skip
MESSAGE_STREAM = b"".join(
    (
        event("message_start", message={**MESSAGE, "content": [], "stop_reason": None}),
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": "Paris "}) * 20,
        event("content_block_stop", index=0),
        event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 80}),
        event("message_stop"),
    )
)
CPU: list[float] = []
"""What the calling thread's processor time was, call by call, in milliseconds."""
STREAM = chunk("Paris ") * 20 + b"data: [DONE]\n\n"
LONG_STREAM = chunk("Paris ") * CHUNKS + b"data: [DONE]\n\n"
ON_ITS_WAY = [
    tracemalloc.Filter(False, f"*/agentops/{room}/*", all_frames=True) for room in ("shipper", "journal")
] + [tracemalloc.Filter(False, tracemalloc.__file__)]


class Model(BaseHTTPRequestHandler):
    """Answers at once, with bytes that were made before."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        """Answer a call, or take what the recorder sends."""
        asked = self.rfile.read(int(self.headers["content-length"]))
        if self.path.endswith("/messages"):
            if b'"stream":true' in asked:
                self._answer(MESSAGE_STREAM, "text/event-stream")
            else:
                self._answer(json.dumps(MESSAGE).encode(), "application/json")
        elif not self.path.endswith("/completions"):
            self._answer(b"{}", "application/json")
        elif b'"stream":true' not in asked:
            self._answer(PLAIN, "application/json")
        elif b'"max_tokens"' in asked:
            self._answer(LONG_STREAM, "text/event-stream")
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


def serve() -> None:
    """Be the stand-in: print the port and answer until ended."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    print(server.server_address[1], flush=True)
    server.serve_forever()


def main(calls: int, rounds: int) -> None:
    """Measure and print."""
    # A process of its own, as a provider is: in this one it would take turns with the client.
    command = [sys.executable, "-m", "benchmarks.bench_llm", _SERVE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            measure(f"http://127.0.0.1:{server.stdout.readline().strip()}", calls, rounds)
        finally:
            server.terminate()


def measure(url: str, calls: int, rounds: int) -> None:
    """Measure calls of a stand-in, and print."""
    os.environ["AGENTOPS_HOME"] = tempfile.mkdtemp(prefix="agentops-bench-")
    os.environ["AGENTOPS_API_ENDPOINT"] = url
    import anthropic
    import openai

    import agentops
    from agentops.sdk.client import client as sdk

    model: Any = openai.OpenAI(api_key="none", base_url=f"{url}/v1")

    claude: Any = anthropic.Anthropic(api_key="none", base_url=url)

    def chat(**more: Any) -> Any:
        return model.chat.completions.create(model="gpt-4o", messages=MESSAGES, **more)

    def message(**more: Any) -> Any:
        return claude.messages.create(model="claude-sonnet-4-6", max_tokens=99, messages=MESSAGES, **more)

    agentops.init()
    assert sdk.libraries is not None
    recording: Any = sdk.libraries.instrumentation
    for who, ask in (("openai", chat), ("anthropic", message)):
        compare(who, ask, recording, calls, rounds)
    kept, text = held(model) / 1024, CHUNKS * 6 / 1024
    print(f"an open stream of {CHUNKS:,} chunks: {kept:.0f} KiB for {text:.0f} KiB of text")
    agentops.end_session("Success")


def compare(who: str, ask: Callable[..., Any], recording: Any, calls: int, rounds: int) -> None:
    """Measure calls of one client with and without us, and print their medians."""
    firsts: list[float] = []

    def streamed() -> None:
        began = time.perf_counter_ns()
        for at, _ in enumerate(ask(stream=True)):
            if at == 0:
                firsts.append((time.perf_counter_ns() - began) / 1e6)

    figures: dict[str, list[float]] = {
        f"{name}{on}": [] for name in ("plain", "cpu", "first") for on in ("", "+")
    }
    timed(ask, WARM_UP)
    timed(streamed, WARM_UP)
    for at in range(rounds):
        for on in (True, False) if at % 2 else (False, True):
            if on:
                recording.resume()
            else:
                recording.uninstall()
            name = "+" if on else ""
            timed(ask, 3)
            CPU.clear()
            figures[f"plain{name}"].append(statistics.median(timed(ask, calls)))
            figures[f"cpu{name}"].append(statistics.median(CPU))
            firsts.clear()
            timed(streamed, calls)
            figures[f"first{name}"].append(statistics.median(firsts))
    recording.resume()
    titles = (
        ("plain", "a call"),
        ("cpu", "processor time of a call"),
        ("first", "the first chunk of a streamed call"),
    )
    for name, title in titles:
        without, with_us = figures[name], figures[f"{name}+"]
        # Of each pair of blocks, whose machine is the same one; from pair to pair it is not.
        added = statistics.median([one - other for one, other in zip(with_us, without, strict=True)])
        print(f"{who}, {title}: {statistics.median(without):.3f} ms without, {added:+.3f} ms with (p50)")


def held(model: Any) -> int:
    """Return the bytes that an open stream holds after its last chunk but one.

    A stream is read before, whole: what is loaded at the first time is not the stream's, nor is what of
    earlier calls is on its way.
    """

    def opened() -> Any:
        return model.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True, max_tokens=1)

    def kept() -> int:
        gc.collect()
        taken = tracemalloc.take_snapshot().filter_traces(ON_ITS_WAY)
        return sum(trace.size for trace in taken.traces)

    for _ in opened():
        pass
    tracemalloc.start(6)
    stream = opened()
    next(stream)
    before = kept()
    for _ in range(CHUNKS - 2):
        next(stream)
    after = kept()
    tracemalloc.stop()
    stream.close()
    return after - before


if __name__ == "__main__":
    if sys.argv[1:] == [_SERVE]:
        serve()
        sys.exit()
    given = [int(argument) for argument in sys.argv[1:]]
    main(given[0] if given else CALLS, given[1] if len(given) > 1 else ROUNDS)
