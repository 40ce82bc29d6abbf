"""What starting costs: `import agentops`, and `agentops serve` until it answers, with its memory when idle.

Prints a table. Each figure is the median of several runs, each in a process of its own; the server starts
on a store that exists already, as it does every day but the first.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.serving import Serving

_RUNS = 5
_IDLE_AFTER_S = 5


def main() -> None:
    """Measure and print."""
    imports = [_import_s() for _ in range(_RUNS)]
    bare = [_import_s("opentelemetry.sdk.trace") for _ in range(_RUNS)]
    with tempfile.TemporaryDirectory() as home:
        _serve(Path(home))
        starts = [_serve(Path(home)) for _ in range(_RUNS)]
    ready = statistics.median(seconds for seconds, _ in starts)
    resident = statistics.median(memory for _, memory in starts) / 1e6
    _row("import opentelemetry.sdk.trace", f"{statistics.median(bare):.3f} s")
    _row("import agentops", f"{statistics.median(imports):.3f} s")
    _row("agentops serve until /healthz answers", f"{ready:.2f} s")
    _row(f"resident, idle for {_IDLE_AFTER_S} s", f"{resident:.0f} MB")


def _row(name: str, figure: str) -> None:
    print(f"{name:40} {figure:>10}")


def _import_s(module: str = "agentops") -> float:
    code = f"import time; began = time.perf_counter(); import {module}; print(time.perf_counter() - began)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(run.stdout)


def _serve(home: Path) -> tuple[float, int]:
    """Start a server, and return the seconds until it answered and the bytes it then holds."""
    with Serving(home) as server:
        time.sleep(_IDLE_AFTER_S)
        return server.ready_s, server.resident_bytes()


if __name__ == "__main__":
    main()
