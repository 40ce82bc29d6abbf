"""What `make fuzz` does: a million hostile OTLP requests in process, and one in 2,000 of them to a server.

    make fuzz                       a million inputs, half an hour on a quiet machine
    make fuzz INPUTS=50000 SEED=7

The exit code is 1 when an input was neither taken nor refused, took seconds, or left memory behind.
docs/security.md holds one run's figures.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil
from tests.fuzz.otlp import Encoding, run
from tests.fuzz.routes import attack
from tests.serving import Server

_MOST_GROWTH_MB = 64


def main() -> int:
    """Fuzz, and print what was seen."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32)
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "home")
        statuses: dict[int, int] = {}
        resident: list[int] = []

        def post(signal: str, encoding: Encoding, body: bytes) -> None:
            media = "application/json" if encoding == "json" else "application/x-protobuf"
            answer = server.http.post(f"/v1/{signal}", content=body, headers={"Content-Type": media})
            statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
            assert answer.status_code < 500, (answer.status_code, body)
            resident.append(psutil.Process(server.pid).memory_info().rss // 2**20)

        print("Schemathesis on every route:", flush=True)
        print(attack(server.url, None, phases="examples,coverage,fuzzing", examples=20), flush=True)
        began = time.monotonic()
        try:
            outcome = run(chosen.inputs, chosen.seed, post, each=2_000)
        finally:
            server.close()
    took = time.monotonic() - began
    # The first rounds fill caches that are bounded.
    held = outcome.resident_mb
    warm, end = held[min(9, len(held) - 1)], held[-1]
    print(
        f"{outcome.inputs:,} inputs in {took:.0f} s: {outcome.taken:,} taken, {outcome.refused:,} refused as "
        f"malformed, none failed; the slowest took {outcome.slowest_s * 1000:.0f} ms of processor time.\n"
        f"Resident memory {warm} MB after the first {min(10, len(held))} rounds, {end} MB at the end.\n"
        f"Posted to a server: {statuses}; it held {resident[0] if resident else 0} MB at first, "
        f"{resident[-1] if resident else 0} MB at the end."
    )
    return int(end - warm > _MOST_GROWTH_MB)


if __name__ == "__main__":
    sys.exit(main())
