"""Programs that fork, daemonise, prefork and replace themselves: each event is stored once, no one hangs."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.process.test_journal_process import numbers_said
from tests.serving import Server
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parent.parent.parent

BEGIN = """
import os, signal, sys, threading, time
import agentops
from agentops import ActionEvent
from agentops.sdk.decorators import operation, session

def act(number):
    agentops.record(ActionEvent(f"n-{number}", returns="x"))
    os.write(1, b"%d\\n" % number)

"""


def start(server: Server, tag: str, program: str) -> subprocess.Popen[bytes]:
    """Start a program whose sessions carry a tag; it says each number once it is recorded."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPS_", "OTEL_"))}
    given = {
        "AGENTOPS_HOME": str(server.home),
        "AGENTOPS_API_ENDPOINT": server.url,
        "AGENTOPS_DEFAULT_TAGS": tag,
        "AGENTOPS_INSTRUMENT_LLM_CALLS": "false",
    }
    return subprocess.Popen(
        [sys.executable, "-c", BEGIN + textwrap.dedent(program)],
        env={**kept, **given},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finished(process: subprocess.Popen[bytes], code: int = 0) -> list[int]:
    """Wait for the end of the program and of all that hold its output; the numbers it said."""
    out, error = process.communicate(timeout=60)
    assert process.returncode == code, error.decode()
    assert b"Traceback" not in error, error.decode()
    return numbers_said(out)


def arrived(server: Server, tag: str, numbers: list[int]) -> list[dict[str, Any]]:
    """Wait until each number is stored exactly once and every ledger is even; the sessions of the tag."""

    def complete() -> list[dict[str, Any]]:
        sessions = server.get("/api/sessions", tag=tag, limit=500)["sessions"]
        found: Counter[int] = Counter()
        for session in sessions:
            assert session["ledger"]["sent"] == session["ledger"]["stored"]
            page = server.get(f"/api/sessions/{session['session_id']}/events", limit=1000)
            found.update(int(one["name"][2:]) for one in page["events"] if one["name"].startswith("n-"))
        assert found == Counter(numbers)
        return sessions

    return eventually(complete, within_s=30, every_s=0.1)


@pytest.fixture
def tag() -> str:
    return f"t{random.getrandbits(60):x}"


def test_workers_of_a_prefork_server_record_their_own_sessions(module_server: Server, tag: str) -> None:
    """The master loads the application, forks workers, and ends them with SIGTERM."""
    program = """
        agentops.init(auto_start_session=False)

        @session
        def request(number):
            act(number)
            act(number + 1)

        request(10_000)  # The master has recorded too, and its shipper runs.
        workers = []
        for worker in range(4):
            pid = os.fork()
            if pid == 0:
                signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
                for number in range(0, 20, 2):
                    request(worker * 100 + number)
                while True:
                    time.sleep(0.05)
            workers.append(pid)
        time.sleep(1)
        for pid in workers:
            os.kill(pid, signal.SIGTERM)
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in workers]
        sys.exit(0 if codes == [0] * 4 else 1)
    """
    numbers = finished(start(module_server, tag, program))
    sessions = arrived(module_server, tag, numbers)
    assert len(numbers) >= 50
    assert {one["state"] for one in sessions} == {"success"}
    assert {one["event_counts"]["action"] for one in sessions} == {2}


def test_forks_from_threads_while_everything_is_busy_hang_nobody(module_server: Server, tag: str) -> None:
    """A fork takes one thread of many along: locks that the others held must be free in the child."""
    program = """
        agentops.init()
        stop = threading.Event()

        def busy(first):
            number = first
            while not stop.is_set():
                act(number)
                number += 1
                time.sleep(0.001)

        threads = [threading.Thread(target=busy, args=(first,)) for first in (100_000, 200_000)]
        for thread in threads:
            thread.start()

        def forking():
            for child in range(1, 16):
                pid = os.fork()
                if pid == 0:
                    act(child * 10)
                    act(child * 10 + 1)
                    sys.stdout.flush()
                    os._exit(0)  # Past every exit function: its journal is all that it leaves.
                assert os.waitpid(pid, 0)[1] == 0

        forker = threading.Thread(target=forking)
        forker.start()
        forker.join(40)
        stop.set()
        for thread in threads:
            thread.join()
        agentops.end_session("Success")
        sys.exit(1 if forker.is_alive() else 0)
    """
    numbers = finished(start(module_server, tag, program))
    (session,) = arrived(module_server, tag, numbers)
    assert session["state"] == "success"
    assert {number for number in numbers if number < 1000} == {
        child * 10 + more for child in range(1, 16) for more in (0, 1)
    }


def test_a_child_that_a_thread_forked_ends_with_that_thread(module_server: Server, tag: str) -> None:
    """The thread is all there is of the child, whose end nothing of ours may put off."""
    program = """
        agentops.init()

        def forking():
            pid = os.fork()
            if pid == 0:
                act(1)
                sys.exit(0)  # Ends the thread; so it does the process, past all exit functions.
            codes.append(os.waitpid(pid, 0)[1])

        codes = []
        forker = threading.Thread(target=forking, daemon=True)
        forker.start()
        forker.join(20)
        act(2)
        agentops.end_session("Success")
        os._exit(0 if codes == [0] else 1)
    """
    numbers = finished(start(module_server, tag, program))
    (session,) = arrived(module_server, tag, numbers)
    assert session["state"] == "success"
    assert sorted(numbers) == [1, 2]


def test_a_daemon_that_forks_twice_goes_on_recording(module_server: Server, tag: str) -> None:
    program = """
        agentops.init()
        act(1)
        if os.fork():
            os._exit(0)
        os.setsid()
        if os.fork():
            os._exit(0)
        act(2)
        with agentops.start_session(name="the daemon's own"):
            act(3)
        sys.exit(0)
    """
    numbers = finished(start(module_server, tag, program))
    assert sorted(numbers) == [1, 2, 3]
    sessions = arrived(module_server, tag, numbers)
    own = [one for one in sessions if one["name"] == "the daemon's own"]
    assert [one["state"] for one in own] == ["success"]


def test_a_program_that_replaces_itself_leaves_its_records(module_server: Server, tag: str) -> None:
    program = """
        agentops.init()
        for number in range(50):
            act(number)
        os.execv(sys.executable, [sys.executable, "-c", "print(1000)"])
    """
    numbers = finished(start(module_server, tag, program))
    assert numbers[-1] == 1000
    arrived(module_server, tag, numbers[:-1])


def test_pool_executors_and_subprocesses_of_multiprocessing_record(module_server: Server, tag: str) -> None:
    """With fork the children are in the parent's session; with spawn and forkserver they join by its id."""
    program = """
        import concurrent.futures, multiprocessing
        from tests.process.forms import act_in_session

        if __name__ == "__main__":
            found = agentops.init()
            for first, method in ((100, "fork"), (200, "spawn"), (300, "forkserver")):
                context = multiprocessing.get_context(method)
                with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
                    work = [(number, str(found.session_id)) for number in range(first, first + 10)]
                    for number in pool.map(act_in_session, work):
                        os.write(1, b"%d\\n" % number)
            agentops.end_session("Success")
    """
    numbers = finished(start(module_server, tag, program))
    (session,) = arrived(module_server, tag, numbers)
    assert len(numbers) == 30
    assert session["state"] == "success"
