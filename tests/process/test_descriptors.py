"""Programs that close descriptors which they did not open, as daemons do: nothing is lost or spoilt."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

_PROGRAM = """
import logging, os, sys, threading
import agentops

tried = threading.Event()
noting = logging.Handler()
noting.emit = lambda said: tried.set()
logging.getLogger("agentops").addHandler(noting)
session = agentops.init(endpoint="http://127.0.0.1:1")
agentops.record(agentops.ActionEvent("before"))
tried.wait(30)  # Until then modules are being read, in descriptors that nobody can put out of the way.
os.closerange(3, int(sys.argv[1]))
own = [open(f"{sys.argv[2]}/own-{number}", "w+") for number in range(20)]
for number in range(3):
    agentops.record(agentops.ActionEvent(f"after-{number}"))
session.end_session("Success")
for file in own:
    file.write("mine")
    file.close()
"""

_SHIPPING = """
import os, sys
import agentops

session = agentops.init(endpoint=sys.argv[1])
agentops.record(agentops.ActionEvent("before"))
sys.stdin.readline()
os.closerange(3, 256)
own = [open(f"{sys.argv[2]}/own-{number}", "w+") for number in range(20)]
agentops.record(agentops.ActionEvent("after"))
session.end_session("Success")
for file in own:
    file.write("mine")
    file.close()
"""


class _Taking(BaseHTTPRequestHandler):
    """Takes what is sent and keeps the connection."""

    protocol_version = "HTTP/1.1"
    taken = threading.Event()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
        self.taken.set()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name it overrides
        pass


def test_the_connection_that_is_kept_is_none_of_the_programs_files(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Taking) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        env = {**os.environ, "AGENTOPS_HOME": str(tmp_path / "home")}
        program = subprocess.Popen(
            [sys.executable, "-c", _SHIPPING, url, str(tmp_path)],
            env=env, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert _Taking.taken.wait(30)
        _, said = program.communicate("\n", timeout=60)
        server.shutdown()
    assert program.returncode == 0, said
    assert {path.read_text() for path in tmp_path.glob("own-*")} == {"mine"}


@pytest.mark.parametrize("highest", [256, 4096])
def test_a_program_that_closes_every_descriptor_loses_nothing_and_keeps_its_files(
    tmp_path: Path, highest: int
) -> None:
    env = {**os.environ, "AGENTOPS_HOME": str(tmp_path / "home")}
    program = [sys.executable, "-c", _PROGRAM, str(highest), str(tmp_path)]
    done = subprocess.run(program, env=env, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert {path.read_text() for path in tmp_path.glob("own-*")} == {"mine"}
    recorded = "".join(path.read_text() for path in (tmp_path / "home" / "journal").glob("*.jsonl"))
    for name in ("before", "after-0", "after-1", "after-2"):
        assert f'"{name}"' in recorded, done.stderr
