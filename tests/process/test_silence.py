"""Silence: a program that cannot say that it lives is not taken for dead, one that was stopped is."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from typing import Any

import pytest

from tests.serving import Server
from tests.waiting import eventually

_SILENCE_S = 6.0
# PyDLL keeps Python's lock during the call: no thread of this process runs.
_PROGRAM = f"""
import ctypes, os, sys, time
import agentops

session = agentops.init(instrument_llm_calls=False)
print(session.session_id, flush=True)
sys.stdin.readline()
ctypes.PyDLL(None).usleep({int(2.5 * _SILENCE_S * 1e6)})
print("back", flush=True)
sys.stdin.readline()
agentops.end_session("Success")
"""


def _start(server: Server) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        env={
            **os.environ,
            "AGENTOPS_HOME": str(server.home),
            "AGENTOPS_API_ENDPOINT": server.url,
            "AGENTOPS_HEARTBEAT": "0.5",
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("store_engine", ["embedded", "cluster"], indirect=True)
def test_a_program_that_cannot_report_lives_on_and_one_that_was_stopped_does_not(start_server: Any) -> None:
    server: Server = start_server(environment={"AGENTOPS_SESSION_SILENCE": str(_SILENCE_S)})
    with _start(server) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        at = f"/api/sessions/{program.stdout.readline().strip()}"

        def state() -> str:
            return server.get(at)["state"]

        eventually(lambda: server.get("/api/sessions")["total"] == 1)
        print(file=program.stdin, flush=True)
        seen: set[str] = set()
        while not select.select([program.stdout], [], [], 0.3)[0]:
            seen.add(state())
        assert seen == {"running"}
        program.send_signal(signal.SIGSTOP)
        eventually(lambda: state() == "indeterminate", within_s=20)
        program.send_signal(signal.SIGCONT)
        eventually(lambda: state() == "running", within_s=20)
        print(file=program.stdin, flush=True)
        assert program.wait(20) == 0
        assert state() == "success"
