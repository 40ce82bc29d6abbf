"""A server of its own for a benchmark: started on a free port, ended at the end."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType

import psutil


class Serving:
    """`agentops serve` as a process with its home in a folder.

    `ready_s` is the time from its start until /healthz answered.
    """

    def __init__(self, home: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.home = home
        self.url = f"http://127.0.0.1:{self.port}"
        command = [Path(sys.executable).parent / "agentops", "serve", "--port", str(self.port)]
        began = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            env={**os.environ, "AGENTOPS_HOME": str(home), "AGENTOPS_GRPC_PORT": "off"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        while not self._answers():
            if self._process.poll() is not None:
                raise SystemExit(f"agentops serve ended with code {self._process.returncode}")
            time.sleep(0.01)
        self.ready_s = time.perf_counter() - began

    def __enter__(self) -> Serving:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()

    def resident_bytes(self) -> int:
        """Return what the server and its decoders hold in memory now."""
        return sum(int(one.memory_info().rss) for one in self._processes())

    def cpu_s(self) -> float:
        """Return the processor time the server and its decoders have used."""
        times = [one.cpu_times() for one in self._processes()]
        return sum(used.user + used.system for used in times)

    def _processes(self) -> list[psutil.Process]:
        server = psutil.Process(self._process.pid)
        return [server, *server.children()]

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=1):
                return True
        except OSError:
            return False
