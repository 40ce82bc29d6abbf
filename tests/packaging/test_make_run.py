"""`make run`, as somebody runs it who has just cloned the project: in a terminal, ended with Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.packaging.environments import ROOT, user_env
from tests.packaging.terminal import Terminal
from tests.serving import Server
from tests.waiting import eventually


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def read(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


@pytest.mark.timeout(240)
def test_make_run_records_the_example_and_ends_cleanly_with_ctrl_c(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    env = {name: value for name, value in user_env(tmp_path).items() if name != "OPENAI_API_KEY"}
    with Terminal(["make", "run", f"PORT={port}"], env=env, cwd=ROOT) as terminal:
        terminal.shows(f"Dashboard: {url}", within_s=120)
        terminal.shows("Ctrl-C stops the server", within_s=60)

        sessions = read(f"{url}/api/sessions?sort=started&order=asc")["sessions"]
        assert [(each["name"], each["state"], each["tags"]) for each in sessions] == [
            ("Refund for order 1042", "success", ["support", "refund"]),
            ("Move order 2077", "success", ["support", "customer-query", "delivery"]),
            ("Question about delivery", "success", ["support", "question"]),
        ]
        counts = [each["event_counts"] for each in sessions]
        # Three turns: three plans, three answers, and eight calls of the executor.
        assert [each["llm"] for each in counts] == [14, 9, 4]
        assert [each["tool"] for each in counts] == [6, 3, 2]
        assert [each["agent"] for each in counts] == [9, 6, 3]
        # The refused payment, which the agent recovered from.
        assert [each["error"] for each in counts] == [1, 0, 0]
        assert all(each["ledger"]["sent"] == each["ledger"]["stored"] > 0 for each in sessions)
        assert all(each["cost_usd"] > 0 and each["tokens"]["total"] > 0 for each in sessions)

        terminal.type(b"\x03")
        assert terminal.program.wait(25) == 0, terminal.text
    assert "Stopped" in terminal.text
    assert "Traceback" not in terminal.text
    assert "***" not in terminal.text, "make reported an error"
    assert refuses(port)


def run_without_terminal(port: int, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "run", f"PORT={port}"],
        cwd=ROOT,
        env=user_env(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
    )


@pytest.mark.timeout(120)
def test_what_make_run_started_ends_when_make_is_told_to(tmp_path: Path) -> None:
    program, told = tmp_path / "program", tmp_path / "told"
    program.write_text(f"#!/bin/sh\necho $$ > {told}.part && mv {told}.part {told}\nexec sleep 600\n")
    program.chmod(0o755)
    make = subprocess.Popen(["make", "-o", "env-run", "run", f"IN={program}"], cwd=ROOT)
    try:
        eventually(told.exists, within_s=30)
    finally:
        make.terminate()
        make.wait(20)
    started = int(told.read_text())
    try:
        eventually(lambda: not Path(f"/proc/{started}").exists())
    except BaseException:
        os.kill(started, signal.SIGKILL)
        raise


def test_make_run_says_who_has_the_port(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = run_without_terminal(port, tmp_path)
    said = run.stdout + run.stderr
    assert run.returncode != 0
    assert f"Port {port}" in said
    assert f"process {os.getpid()}" in said
    assert "make run PORT=" in said
    assert "Traceback" not in said


@pytest.mark.timeout(120)
def test_make_run_beside_a_server_of_ours_names_it_and_records_nothing(
    server: Server, tmp_path: Path
) -> None:
    run = run_without_terminal(int(server.url.rsplit(":", 1)[1]), tmp_path)
    said = run.stdout + run.stderr
    assert run.returncode != 0
    assert server.url in said
    assert f"process {server.pid}" in said
    assert "is ready" not in said
    assert "Traceback" not in said
    assert server.get("/api/sessions")["total"] == 0


def refuses(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
