"""How processes leave that are not the main one, or not in the plain way."""

from __future__ import annotations

import signal
import socket
import textwrap
import time
from pathlib import Path

import pytest

from tests.process.test_sdk_ending import ends, run, signalled, started
from tests.recorded import read
from tests.unit.shipper.sink import Answer, Request, black_hole, sink_server


def test_the_programs_own_way_of_taking_sigint_runs_and_the_session_fails(tmp_path: Path) -> None:
    process = started(
        tmp_path,
        """
        import signal, sys, time
        def leave(number, frame):
            print("mine", flush=True)
            sys.exit(7)
        signal.signal(signal.SIGINT, leave)
        agentops.init()
        print("ready", flush=True)
        time.sleep(60)
        """,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=30)
    assert (process.returncode, out, error.count("Traceback")) == (7, "mine\n", 0)
    assert ends(read(tmp_path)) == [("Fail", "Signal SIGINT detected")]


def test_a_sigint_that_the_programs_own_way_lets_pass_ends_nothing(tmp_path: Path) -> None:
    code, out, _, journal = run(
        tmp_path,
        """
        import os, signal
        signal.signal(signal.SIGINT, lambda number, frame: print("mine"))
        session = agentops.init()
        os.kill(os.getpid(), signal.SIGINT)
        print(session.is_running)
        """,
    )
    assert (code, out) == (0, "mine\nTrue\n")
    assert ends(journal) == [("Indeterminate", "The process ended without end_session")]


def test_what_the_program_does_at_its_exit_still_finds_the_session(tmp_path: Path) -> None:
    _, _, error, journal = run(
        tmp_path,
        """
        import atexit
        atexit.register(lambda: agentops.end_session("Success", "at exit"))
        agentops.init()
        """,
    )
    assert "Traceback" not in error
    assert ends(journal) == [("Success", "at exit")]


def test_a_multiprocessing_child_ends_the_session_it_started_as_any_process(tmp_path: Path) -> None:
    _, _, _, journal = run(
        tmp_path,
        """
        import multiprocessing
        def leave():
            agentops.init(trace_name="leaves")
        def fail():
            agentops.init(trace_name="fails")
            raise ValueError("boom")
        for target in (leave, fail):
            child = multiprocessing.get_context("fork").Process(target=target)
            child.start()
            child.join()
        """,
    )
    assert {root.name: root.attributes["agentops.session.end_state"] for root in journal.sessions} == {
        "leaves": "Indeterminate",
        "fails": "Fail",
    }


def test_a_multiprocessing_child_that_fails_says_so_in_the_session_it_joined(tmp_path: Path) -> None:
    _, _, _, journal = run(
        tmp_path,
        """
        import multiprocessing
        agentops.init()
        def fail():
            raise ValueError("boom")
        child = multiprocessing.get_context("fork").Process(target=fail)
        child.start()
        child.join()
        agentops.end_session("Success")
        """,
    )
    (event,) = journal.events
    assert (event.kind, event.name, event.message) == ("error", "ValueError", "ValueError: boom")
    assert [end for end, _ in ends(journal)] == ["Success"]


def test_a_pool_that_sends_its_workers_home_is_no_failure(tmp_path: Path) -> None:
    _, _, _, journal = run(
        tmp_path,
        """
        import multiprocessing
        agentops.init()
        def work(number):
            agentops.record(agentops.ActionEvent(f"action {number}"))
        with multiprocessing.get_context("fork").Pool(2) as pool:
            pool.map(work, range(4))
            workers = multiprocessing.active_children()
        for worker in workers:
            worker.join()
        agentops.end_session("Success")
        """,
    )
    assert sorted(event.name for event in journal.events) == [f"action {number}" for number in range(4)]


def test_a_pools_worker_that_is_sent_home_before_it_began_is_no_failure(tmp_path: Path) -> None:
    _, _, error, journal = run(
        tmp_path,
        """
        import multiprocessing, os, time
        os.register_at_fork(after_in_child=lambda: wait())
        def wait():
            os.write(writing, b"1")
            if forks == 2:
                time.sleep(60)
        forks = 1
        reading, writing = os.pipe()
        agentops.init()
        def work(number):
            agentops.record(agentops.ActionEvent(f"action {number}"))
        pool = multiprocessing.get_context("fork").Pool(1)
        pool.map(work, range(2))
        forks = 2
        other = multiprocessing.get_context("fork").Process(target=work, args=(9,), daemon=True)
        os.read(reading, 1)
        other.start()
        os.read(reading, 1)
        other.terminate()
        other.join()
        pool.terminate()
        agentops.end_session("Success")
        """,
    )
    assert sorted(event.name for event in journal.events) == ["action 0", "action 1"], error


def test_tags_that_a_forked_child_adds_are_on_record(tmp_path: Path) -> None:
    _, _, _, journal = run(
        tmp_path,
        """
        import os
        agentops.init(tags=["mine"])
        child = os.fork()
        if not child:
            agentops.add_tags("child's")
            os._exit(0)
        os.waitpid(child, 0)
        agentops.end_session("Success")
        """,
    )
    own, childs = sorted(journal.sessions, key=lambda root: len(root.attributes["agentops.tags"]))
    assert own.attributes["agentops.tags"] == ["mine"]
    assert childs.attributes["agentops.tags"] == ["mine", "child's"]
    assert childs.attributes["agentops.session.inherited"] is True
    assert (childs.trace_id, childs.seq) == (own.trace_id, 0)


def test_a_server_that_does_not_answer_is_waited_for_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        code, out, error, _ = run(
            tmp_path,
            'import time; agentops.init(); print(time.time()); agentops.end_session("Success")',
            AGENTOPS_API_ENDPOINT=f"http://127.0.0.1:{silent.getsockname()[1]}",
        )
        took = time.time() - float(out)
    assert code == 0, error
    # Two seconds for the answer to end_session, and not as much again at the exit.
    assert took < 3.8


TERM_AFTER_INIT = """
    import asyncio, signal, sys, time
    agentops.init(auto_start_session=False)
    first = agentops.start_session()
    def bye(number, frame):
        print("my own", flush=True)
        sys.exit(7)
    before = signal.signal(signal.SIGTERM, bye)
    def ready():
        print("ready", flush=True)
        time.sleep(60)
"""


@pytest.mark.parametrize(
    ("waits", "code"),
    [
        ("ready()", 7),
        ("with agentops.start_session(): ready()", 7),
        # As servers do it: their own handler for a while, then what was there before, and the signal again.
        ("signal.signal(signal.SIGTERM, before); ready()", -signal.SIGTERM),
    ],
)
def test_a_handler_that_the_program_sets_after_init_runs_and_the_sessions_fail(
    tmp_path: Path, waits: str, code: int
) -> None:
    program = textwrap.dedent(TERM_AFTER_INIT) + waits
    found, out, _, journal = signalled(tmp_path, program, signal.SIGTERM)
    assert (found, out) == (code, "my own\n" if code > 0 else "")
    assert set(ends(journal)) == {("Fail", "Signal SIGTERM detected")}


def test_asyncio_keeps_its_way_with_signals(tmp_path: Path) -> None:
    program = """
    import asyncio, signal
    agentops.init()
    async def main():
        asked = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)
        print("ready", flush=True)
        await asked.wait()
        print("graceful", flush=True)
    asyncio.run(main())
    print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
    """
    code, out, _, journal = signalled(tmp_path, program, signal.SIGTERM)
    assert (code, out) == (0, "graceful\nTrue\n")
    assert ends(journal) == [("Fail", "Signal SIGTERM detected")]


def test_sessions_that_asyncio_cancels_because_of_a_sigint_say_so(tmp_path: Path) -> None:
    program = """
    import asyncio
    @agentops.session
    async def one():
        await asyncio.sleep(60)
    async def main():
        cancelled = asyncio.create_task(one())
        cancelled.add_done_callback(lambda task: print("ready"))
        asyncio.get_running_loop().call_later(0.05, cancelled.cancel)
        await asyncio.gather(one(), cancelled, return_exceptions=True)
    import sys; sys.stdout.reconfigure(line_buffering=True)
    agentops.init(auto_start_session=False)
    asyncio.run(main())
    """
    code, _, _, journal = signalled(tmp_path, program, signal.SIGINT)
    assert code == -signal.SIGINT
    assert sorted(ends(journal)) == [("Fail", "CancelledError"), ("Fail", "Signal SIGINT detected")]


def test_a_signal_that_the_program_chooses_to_ignore_after_init_ends_nothing(tmp_path: Path) -> None:
    program = """
    import os, signal
    agentops.init()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.kill(os.getpid(), signal.SIGTERM)
    agentops.end_session("Success")
    """
    code, _, _, journal = run(tmp_path, program)
    assert code == 0
    assert ends(journal) == [("Success", None)]


def test_an_uncaught_exception_fails_the_session_also_where_the_program_takes_it_itself(
    tmp_path: Path,
) -> None:
    code, out, _, journal = run(
        tmp_path,
        """
        import sys
        agentops.init()
        sys.excepthook = lambda kind, error, trace: print("mine", error)
        raise ValueError("no more tea")
        """,
    )
    assert (code, out) == (1, "mine no more tea\n")
    assert ends(journal) == [("Fail", "ValueError: no more tea")]


def test_a_caught_exception_and_an_exit_after_it_are_no_failure(tmp_path: Path) -> None:
    code, _, _, journal = run(
        tmp_path,
        """
        import sys
        agentops.init()
        sys.excepthook = lambda *found: None
        try:
            raise ValueError("caught")
        except ValueError:
            sys.exit(3)
        """,
    )
    assert code == 3
    assert ends(journal)[0][0] == "Indeterminate"


def test_who_records_while_python_ends_is_told_of_no_session(tmp_path: Path) -> None:
    code, out, error, journal = run(
        tmp_path,
        """
        import builtins, os
        class Last:
            def __del__(self, write=os.write, told=agentops.NoSessionException):
                try:
                    agentops.record(agentops.ActionEvent("late"))
                except told:
                    write(1, b"told\\n")
        agentops.init()
        builtins.last = Last()
        """,
    )
    assert (code, out, error.count("Traceback")) == (0, "told\n", 0)
    assert ends(journal) == [("Indeterminate", "The process ended without end_session")]


def test_a_second_ctrl_c_ends_the_wait_for_the_server_quietly(tmp_path: Path) -> None:
    with black_hole() as url:
        code, _, error, journal = run(
            tmp_path,
            f"""
            import os, signal, threading, time
            session = agentops.init(endpoint={url!r}, exit_timeout=30)
            def press():
                while session.is_running:
                    time.sleep(0.01)
                os.kill(os.getpid(), signal.SIGINT)
            threading.Thread(target=press, daemon=True).start()
            """,
        )
    assert (code, error) == (0, "")
    assert ends(journal) == [("Indeterminate", "The process ended without end_session")]


@pytest.mark.parametrize("signals", [1, 2])
def test_a_signal_lets_an_end_that_has_begun_come_to_its_end_and_a_second_does_not(
    tmp_path: Path, signals: int
) -> None:
    with sink_server() as sink:
        process = started(
            tmp_path,
            "agentops.init()",
            AGENTOPS_API_ENDPOINT=sink.url,
            AGENTOPS_EXIT_TIMEOUT="20",
        )

        def answer(request: Request) -> Answer:
            if b"end_state" not in request.body:
                return Answer()
            for _ in range(signals):
                # Pools do so with workers that leave, and orchestrators with programs.
                process.send_signal(signal.SIGTERM)
                time.sleep(0.2)  # Two that come together are one.
            return Answer()

        sink.otherwise = answer
        _, error = process.communicate(timeout=30)
        assert (process.returncode, error) == (-signal.SIGTERM, "")
        assert len(list((tmp_path / "journal").glob("*.jsonl"))) == signals - 1
