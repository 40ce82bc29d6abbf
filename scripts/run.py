"""What `make run` does once the environment stands: dashboard, server, example, and wait for Ctrl-C.

The server and this process stay in one process group, the example runs in another: a Ctrl-C is answered here,
in order (example first, so that its session says why it ended), and a kill of the group leaves no server.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Generator
from types import FrameType

import foreground
import frontend
import steps

EXAMPLE = steps.ROOT / "examples" / "support_agent.py"
_READY_WITHIN_S = 60
_DRAINED_WITHIN_S = 20


class _Stopped(BaseException):
    """Somebody asked for the end, with Ctrl-C or a signal."""


def main() -> int:
    """Start everything, wait for the end, and return the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    given = os.environ.get("AGENTOPS_PORT") or "8420"
    if not given.isdigit() or not 0 < int(given) < 65536:
        steps.say(f"The port must be a number from 1 to 65535, not {given!r}: make run PORT=8421")
        return 2
    port = int(given)
    url = f"http://127.0.0.1:{port}"
    server: subprocess.Popen[bytes] | None = None
    try:
        # A taken port is for `agentops serve` to explain, at once: the build would only be in the way.
        if _is_free(port):
            frontend.build()
        began = time.monotonic()
        server = _start_server(port)
        if not _wait_ready(server, url):
            if not _is_free(port):
                steps.say(f"\n  To run it beside that, on another port: make run PORT={port + 1}")
            return server.returncode or 1
        steps.say(f"✓ The server is ready (after {steps.duration(time.monotonic() - began)})")
        steps.say(f"\n    Dashboard: {url}\n")
        _run_example(url)
        steps.say(f"\n    Dashboard: {url}      Ctrl-C stops the server; what was recorded stays.\n")
        code = server.wait()
        steps.say(f"✗ The server ended by itself, with code {code}.")
        return code or 1
    except _Stopped:
        return _end(server)
    except steps.StepFailed as failure:
        steps.say(f"\n{failure}")
        return 1
    finally:
        if server is not None and server.poll() is None:
            server.terminate()


def _stop(_number: int, _frame: FrameType | None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise _Stopped


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _start_server(port: int) -> subprocess.Popen[bytes]:
    command = [steps.VENV / "bin" / "agentops", "serve", "--port", str(port)]
    # It is born ignoring Ctrl-C: one that comes before its handlers stand would end it with a traceback.
    # `_end` stops it in any case.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL)
    finally:
        signal.signal(signal.SIGINT, _stop)


def _wait_ready(server: subprocess.Popen[bytes], url: str) -> bool:
    """Return True when the server answers, False when it ended (it has said why).

    Another server may answer at the port that this one is about to find taken.
    """
    deadline = time.monotonic() + _READY_WITHIN_S
    while server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=2) as answer:
                if json.load(answer)["pid"] == server.pid:
                    return True
        except (OSError, ValueError, LookupError, TypeError):
            pass
        time.sleep(0.05)
        if time.monotonic() > deadline:
            raise steps.StepFailed(f"The server did not answer at {url}/healthz within {_READY_WITHIN_S} s.")
    return False


def _run_example(url: str) -> None:
    env = {**os.environ, "AGENTOPS_API_ENDPOINT": url, "PYTHONUNBUFFERED": "1"}
    steps.say(f"  Running {EXAMPLE.relative_to(steps.ROOT)}")
    began = time.monotonic()
    example = subprocess.Popen(
        [steps.VENV_PYTHON, EXAMPLE],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )
    try:
        assert example.stdout is not None
        for line in example.stdout:
            steps.say(f"  │ {line.rstrip()}")
        code = example.wait()
    except _Stopped:
        with _hard_end_after(example, 5):
            os.killpg(example.pid, signal.SIGTERM)
            example.wait()
        raise
    took = steps.duration(time.monotonic() - began)
    if code == 0:
        steps.say(f"✓ The example recorded three sessions ({took})")
    else:
        steps.say(f"✗ The example ended with code {code} ({took}); the server goes on.")


def _end(server: subprocess.Popen[bytes] | None) -> int:
    """Stop the server as it wishes to be stopped: it answers what it was asked and commits what it has."""
    if server is None:
        return 130
    steps.say("\n  Stopping the server")
    if server.poll() is None:
        server.send_signal(signal.SIGTERM)
    with _hard_end_after(server, _DRAINED_WITHIN_S):
        code = server.wait()
    code = code if code >= 0 else 128 - code
    before_ready = code == 128 + signal.SIGTERM
    steps.say("✓ Stopped" if code == 0 or before_ready else f"✗ The server ended with code {code}")
    return code


@contextlib.contextmanager
def _hard_end_after(
    child: subprocess.Popen[str] | subprocess.Popen[bytes], seconds: float
) -> Generator[None]:
    timer = threading.Timer(seconds, child.kill)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


if __name__ == "__main__":
    if foreground.owns_terminal() and "--in-front" not in sys.argv:
        sys.exit(foreground.run([sys.executable, __file__, "--in-front"]))
    sys.exit(main())
