"""Time decoding and normalising against bare protobuf on the same bodies, in the same run.

    python -m benchmarks.bench_decode [SPANS]

The bodies are those of agent_sessions.py. Printed: microseconds of processor
time per span, the best of several interleaved rounds, and each as a multiple of parsing and walking the
bodies with protobuf alone.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agentops.otlp.decode import decode_traces
from agentops.server import prices
from agentops.server.ingest import receive
from agentops.server.normalise import normalise
from benchmarks.agent_sessions import bodies

_RECEIVED_AT = 1_790_000_000_000_000_000


def bare(sent: list[bytes]) -> None:
    """Parse the bodies and walk their spans and attributes with protobuf alone."""
    for body in sent:
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scoped in group.scope_spans:
                for span in scoped.spans:
                    found: dict[str, Any] = {}
                    for pair in span.attributes:
                        which = pair.value.WhichOneof("value")
                        found[pair.key] = getattr(pair.value, which) if which else None


def decoded(sent: list[bytes]) -> None:
    """Decode the bodies."""
    for body in sent:
        decode_traces(body, "protobuf")


def normalised(sent: list[bytes]) -> None:
    """Decode and normalise the bodies."""
    for body in sent:
        for span in decode_traces(body, "protobuf").spans:
            normalise(span)


def rows(sent: list[bytes]) -> None:
    """Decode, normalise, price and encode the bodies as rows of the store, with the facts of their spans."""
    for body in sent:
        receive.rows(decode_traces(body, "protobuf").spans, "default", _RECEIVED_AT, None)


def main(spans: int, rounds: int = 7) -> None:
    """Print the table."""
    sent = bodies(spans)
    prices.warm()
    steps: dict[str, Callable[[list[bytes]], None]] = {
        "protobuf alone: parse and walk": bare,
        "decode": decoded,
        "decode and normalise": normalised,
        "decode, normalise, price, encode rows": rows,
    }
    best = dict.fromkeys(steps, float("inf"))
    for _ in range(rounds):
        for name, step in steps.items():
            started = time.process_time()
            step(sent)
            best[name] = min(best[name], time.process_time() - started)
    print(f"{spans} spans, {sum(map(len, sent)) / spans:.0f} bytes each")
    base = best["protobuf alone: parse and walk"]
    for name, seconds in best.items():
        print(f"{name:40} {seconds / spans * 1e6:7.1f} us/span {seconds / base:6.2f}x")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
