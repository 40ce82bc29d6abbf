"""A real `agentops serve` in a process of its own, on a free port, with a home of its own."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.forked import Forked

Process = Forked | subprocess.Popen[str]
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
_MAKE = """
import sys
from agentops.server.store.opening import open_store
from agentops.server.store.url import StoreUrl
open_store(StoreUrl.parse(f"chdb://{sys.argv[1]}")).close()
"""


@functools.cache
def new_store() -> Path:
    """Return a store of this version without any row: making one anew is half of a server's first start."""
    folder = tempfile.mkdtemp(prefix="agentops-new-store-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    store = Path(folder) / "store"
    subprocess.run([sys.executable, "-c", _MAKE, str(store)], check=True)
    return store


def _started(arguments: Sequence[str], environment: Mapping[str, str], *, forked: bool) -> Process:
    if forked:
        return Forked(arguments, environment)
    return subprocess.Popen(
        [sys.executable, "-m", "agentops.cli", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


class Server:
    """A running server. Tests talk to it over HTTP only.

    Args:
        home: its home. A new one gets a new store, copied; without `copied` the server makes it.
        arguments: of `agentops serve`.
        environment: settings.
        copied: whether a new home gets a store that was made before, and the process what others imported.
    """

    def __init__(
        self,
        home: Path,
        *,
        arguments: tuple[str, ...] = ("--port", "0"),
        environment: Mapping[str, str] | None = None,
        copied: bool = True,
    ) -> None:
        self.home = home
        is_new = not home.exists() or not any(home.iterdir())
        if copied and is_new and "AGENTOPS_STORE" not in (environment or {}):
            home.mkdir(mode=0o700, exist_ok=True)
            shutil.copytree(new_store(), home / "store", symlinks=True)
        self.log: list[str] = []
        given = {
            name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPS_", "OTEL_"))
        }
        self.process = _started(
            ["serve", *arguments],
            {
                **given,
                "AGENTOPS_HOME": str(home),
                "PYTHONUNBUFFERED": "1",
                "AGENTOPS_GRPC_PORT": "off",
                **(environment or {}),
            },
            forked=copied,
        )
        self._ready = threading.Event()
        self.url = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._ready.wait(START_TIMEOUT_S)
        if not self.url:
            self.process.kill()
            self.process.wait()
            self._reader.join()
            assert self.process.stdout is not None
            self.process.stdout.close()
            raise RuntimeError("the server did not start:\n" + "".join(self.log))
        self.http = httpx.Client(base_url=self.url, timeout=30)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.log.append(line)
            if not self.url and "ready at http" in line:
                self.url = line.split("ready at ")[1].split()[0]
                self._ready.set()
        self._ready.set()

    @property
    def pid(self) -> int:
        """The server's process."""
        return self.process.pid

    def get(self, path: str, **parameters: Any) -> Any:
        """Return the JSON of a GET that must succeed."""
        answer = self.http.get(path, params=parameters)
        assert answer.status_code == 200, f"GET {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """Post a JSON value (or bytes, with a content-type among the headers) and return the answer."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, bytes):
            return self.http.post(path, content=body, headers=names)
        return self.http.post(path, json=body, headers=names)

    def wait(
        self, path: str, condition: Callable[[Any], Any], timeout_s: float = 10.0, **parameters: Any
    ) -> Any:
        """Return the JSON of a GET as soon as it succeeds and meets the condition."""
        deadline = time.monotonic() + timeout_s
        pause = 0.01
        while True:
            answer = self.http.get(path, params=parameters)
            value = answer.json() if answer.status_code == 200 else None
            if value is not None and condition(value):
                return value
            assert time.monotonic() < deadline, (
                f"GET {path} did not become what was waited for: {answer.text[:2000]}"
            )
            time.sleep(pause)
            pause = min(pause * 1.5, 0.2)

    def stop(self) -> int:
        """End it as Ctrl-C does; return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            code = self.process.wait(STOP_TIMEOUT_S)
        finally:
            self.close()
        return code

    def kill(self) -> None:
        """End it without a chance to tidy up."""
        self.process.kill()
        self.process.wait()
        self.close()

    def close(self) -> None:
        """Free what the test holds of it; end it if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join(10)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.http.close()


def error_of(answer: httpx.Response) -> dict[str, str]:
    """Return what an answer's error says; fail unless it has the one shape of errors."""
    found = answer.json()
    assert set(found) == {"error"}
    assert set(found["error"]) == {"code", "message", "hint"}
    assert all(isinstance(one, str) for one in found["error"].values())
    assert found["error"]["message"]
    return found["error"]
