"""What a program could not record as it was meant reaches `agentops doctor`, another process."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from agentops.sdk import account
from tests.process.test_sdk_ending import environment, run

PROGRAM = """
@agentops.operation
def early(): pass
early()
agentops.init(auto_start_session=False, instrument_llm_calls=False, redact=["hush"], max_value_bytes=1000)
@agentops.tool(name="hush hush")
def lost(x=None): return None
lost(); lost()
first, second = agentops.start_session(), agentops.start_session()
lost()
with first: lost("x" * 5000)
"""


def doctor(home: Path, endpoint: str | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "agentops.cli", "doctor"],
        env=environment(home) | ({"AGENTOPS_API_ENDPOINT": endpoint} if endpoint else {}),
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout


def test_calls_without_a_session_are_named_with_the_reason_and_the_fix(tmp_path: Path) -> None:
    code, _, error, _ = run(tmp_path, PROGRAM)
    assert code == 0, error
    report = doctor(tmp_path)
    lines = report.splitlines()

    def after(text: str) -> str:
        (at,) = [number for number, line in enumerate(lines) if text in line]
        return lines[at + 1]

    assert "agentops.init()" in after("1 call found no session, the SDK had not been set up: early ×1")
    # Masked as everything that is written.
    assert "start_session()" in after(
        "2 calls found no session, no session was active: [redacted] [redacted] ×2"
    )
    assert "with session:" in after(
        "1 call found no session, several sessions were active and none was bound"
    )
    assert "AGENTOPS_MAX_VALUE_BYTES" in after("1 recorded value was cut")
    assert "hush" not in report
    (file,) = (tmp_path / account.FOLDER).iterdir()
    assert file.stat().st_mode & 0o077 == 0


def test_who_answers_in_the_place_of_a_server_is_told_apart(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        threading.Thread(target=_speak, args=(listening,), daemon=True).start()
        report = doctor(tmp_path, f"http://127.0.0.1:{port}")
        assert f"what listens at http://127.0.0.1:{port} does not answer as a server of that" in report
        assert "check the address: its scheme" in doctor(tmp_path, f"https://127.0.0.1:{port}")
        listening.shutdown(socket.SHUT_RDWR)
    assert f"`agentops serve --port {port}`" in doctor(tmp_path, f"127.0.0.1:{port}")
    refused = doctor(tmp_path, "http://127.0.0.1:99999")
    assert "'http://127.0.0.1:99999' is no http(s) address, programs use the default" in refused


def _speak(listening: socket.socket) -> None:
    """Answer whoever comes with what is no HTTP."""
    with contextlib.suppress(OSError):
        while True:
            peer, _ = listening.accept()
            peer.recv(1 << 16)
            peer.sendall(b"welcome\r\n\r\n")
            peer.close()


def test_a_program_with_nothing_to_tell_leaves_nothing(tmp_path: Path) -> None:
    run(tmp_path, "agentops.init(); agentops.record(agentops.ActionEvent('x'))")
    assert not (tmp_path / account.FOLDER).exists()
    assert "no program told of calls without a session" in doctor(tmp_path)


def test_a_program_that_never_sets_the_sdk_up_makes_no_home(tmp_path: Path) -> None:
    home = tmp_path / "none"
    program = "agentops.operation(lambda: 1)()"
    subprocess.run([sys.executable, "-c", f"import agentops; {program}"], env=environment(home), check=True)
    assert not home.exists()
    run(tmp_path, program)
    assert "the SDK had not been set up: <lambda> ×1" in doctor(tmp_path)


def test_it_is_told_while_the_program_runs_and_children_tell_their_own(tmp_path: Path) -> None:
    _, _, error, _ = run(
        tmp_path,
        """
        import os, pathlib, time, warnings
        warnings.simplefilter("ignore")
        agentops.init(instrument_llm_calls=False, heartbeat=0.1)
        other = agentops.start_session()
        lost = agentops.operation(lambda: None)
        lost()
        folder = pathlib.Path(os.environ["AGENTOPS_HOME"], "accounts")
        while not list(folder.glob("[0-9]*.json")):
            time.sleep(0.02)
        pid = os.fork()
        if not pid:
            lost(); lost()
            raise SystemExit
        assert os.waitpid(pid, 0)[1] == 0
        """,
    )
    assert "Traceback" not in error, error
    told = account.accounts(tmp_path)
    assert sorted(one.unplaced["several"]["<lambda>"] for one in told) == [1, 2]


def test_names_are_bounded_and_files_of_long_ago_go(tmp_path: Path) -> None:
    folder = tmp_path / account.FOLDER
    folder.mkdir()
    old, young = folder / "1-1.json", folder / "2-2.json"
    for path in (old, young):
        path.write_text("{}")
    then = time.time() - account.KEEP_S - 60
    os.utime(old, (then, then))
    for number in range(account.KEEP_FILES + 5):
        (folder / f"9{number}-1.json").write_text("no json")
    tally = account.Tally()
    for number in range(1000):
        tally.count_unplaced("none", f"{number}" * 500)
    tally.write(tmp_path, "p" * 5000)
    assert not old.exists()
    files = list(folder.iterdir())
    assert len(files) <= account.KEEP_FILES
    (told,) = account.accounts(tmp_path)
    assert sum(told.unplaced["none"].values()) == 1000
    assert len(json.dumps(told.unplaced)) < 20_000


def test_the_same_is_not_written_twice_and_not_at_once(tmp_path: Path) -> None:
    tally = account.Tally()
    tally.count_unplaced("none", "first")
    tally.write(tmp_path, "program")
    tally.count_unplaced("none", "second")
    tally.write(tmp_path, "program")
    assert [one.unplaced for one in account.accounts(tmp_path)] == [{"none": {"first": 1}}]
    tally.write(tmp_path, "program", last=True)
    (told,) = account.accounts(tmp_path)
    assert told.unplaced == {"none": {"first": 1, "second": 1}}
    tally.write(tmp_path, "program", last=True)
    assert account.accounts(tmp_path) == [told]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"program": 1}'])
def test_a_file_that_cannot_be_read_is_left_out(tmp_path: Path, content: str) -> None:
    (tmp_path / account.FOLDER).mkdir()
    (tmp_path / account.FOLDER / "1-1.json").write_text(content)
    assert account.accounts(tmp_path) == []
