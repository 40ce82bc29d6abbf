"""How sessions end when the program does: real programs, read back from their journal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from tests.recorded import Journal, Recorded, read
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPS_", "OTEL_"))}
    # Nothing listens on port 9: everything stays in the journal, where the test reads it.
    return {**kept, "AGENTOPS_HOME": str(home), "AGENTOPS_API_ENDPOINT": "http://127.0.0.1:9", **more}


def started(home: Path, program: str, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", "import agentops\n" + textwrap.dedent(program)],
        env=environment(home, **more),
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(home: Path, program: str, **more: str) -> tuple[int, str, str, Journal]:
    process = started(home, program, **more)
    out, error = process.communicate(timeout=60)
    return process.returncode, out, error, read(home)


def ends(journal: Journal) -> list[tuple[Any, Any]]:
    return [
        (
            root.attributes.get("agentops.session.end_state"),
            root.attributes.get("agentops.session.end_state_reason"),
        )
        for root in journal.sessions
    ]


def test_exit_without_end_session_is_indeterminate_and_leaves_no_file_behind(tmp_path: Path) -> None:
    code, out, error, journal = run(tmp_path, "agentops.init(); print('hello')")
    assert (code, out) == (0, "hello\n")
    assert "Traceback" not in error
    assert ends(journal) == [("Indeterminate", "The process ended without end_session")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["journal"]


def test_sys_exit_keeps_its_code_and_is_indeterminate(tmp_path: Path) -> None:
    code, _, _, journal = run(tmp_path, "import sys; agentops.init(); sys.exit(3)")
    assert code == 3
    assert ends(journal)[0][0] == "Indeterminate"


def test_sys_exit_in_a_thread_ends_nothing(tmp_path: Path) -> None:
    _, out, _, journal = run(
        tmp_path,
        """
        import sys, threading
        session = agentops.init()
        thread = threading.Thread(target=lambda: sys.exit(1)); thread.start(); thread.join()
        print(session.is_running)
        agentops.end_session("Success")
        """,
    )
    assert out == "True\n"
    assert ends(journal) == [("Success", None)]


def test_an_uncaught_exception_fails_every_active_session_with_the_exception_as_reason(
    tmp_path: Path,
) -> None:
    code, _, error, journal = run(
        tmp_path,
        """
        import sys
        before = sys.excepthook
        sys.excepthook = lambda *found: (print("mine", file=sys.stderr), before(*found))
        first, second = agentops.init(), agentops.start_session()
        raise ValueError("no more tea")
        """,
    )
    assert code == 1
    assert error.count("mine\n") == 1
    assert "ValueError: no more tea" in error
    assert ends(journal) == [("Fail", "ValueError: no more tea")] * 2


WAIT = """
    import time
    print("ready", flush=True)
    time.sleep(60)
"""


def signalled(home: Path, program: str, number: int) -> tuple[int, str, str, Journal]:
    process = started(home, program)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    out, error = process.communicate(timeout=30)
    return process.returncode, out, error, read(home)


def test_sigterm_fails_the_sessions_and_kills_as_before(tmp_path: Path) -> None:
    code, _, _, journal = signalled(
        tmp_path,
        "agentops.init(); other = agentops.start_session()\n" + textwrap.dedent(WAIT),
        signal.SIGTERM,
    )
    assert code == -signal.SIGTERM
    assert ends(journal) == [("Fail", "Signal SIGTERM detected")] * 2


def test_sigint_that_ends_the_program_fails_the_session(tmp_path: Path) -> None:
    code, _, error, journal = signalled(tmp_path, "agentops.init()\n" + textwrap.dedent(WAIT), signal.SIGINT)
    assert code in (-signal.SIGINT, 130)
    assert "KeyboardInterrupt" in error
    assert ends(journal) == [("Fail", "Signal SIGINT detected")]


def test_a_ctrl_c_that_the_program_catches_ends_nothing(tmp_path: Path) -> None:
    program = """
    import time
    session = agentops.init()
    try:
        print("ready", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print(session.is_running, flush=True)
    agentops.end_session("Success")
    """
    code, out, _, journal = signalled(tmp_path, program, signal.SIGINT)
    assert (code, out) == (0, "True\n")
    assert ends(journal) == [("Success", None)]


def test_the_programs_own_sigterm_handler_runs_and_its_exit_code_stands(tmp_path: Path) -> None:
    program = """
    import signal, sys, time
    def bye(number, frame):
        print("my own", flush=True)
        sys.exit(7)
    signal.signal(signal.SIGTERM, bye)
    agentops.init()
    print("ready", flush=True)
    time.sleep(60)
    """
    code, out, _, journal = signalled(tmp_path, program, signal.SIGTERM)
    assert (code, out) == (7, "my own\n")
    assert ends(journal) == [("Fail", "Signal SIGTERM detected")]


def test_what_runs_after_the_end_of_the_process_was_recorded_goes_on_in_its_session(tmp_path: Path) -> None:
    """An exit handler registered before ours runs after it, and daemon threads run on meanwhile."""
    program = """
    import atexit, threading
    from agentops.sdk.client import client

    atexit.unregister(client.at_exit)
    over, failed = threading.Event(), []

    @atexit.register
    def early():
        agentops.record(agentops.ActionEvent("late"))
        agentops.add_tags("late")
        work()
        print(agentops.current_session() == session, session.is_running, failed)
        if %r: agentops.end_session("Success")

    atexit.register(client.at_exit)

    @agentops.operation
    def work(): pass

    def loop():
        while True:
            try: agentops.record(agentops.ActionEvent("thread"))
            except Exception as error: failed.append(error); return
            over.wait(0.001)

    session = agentops.init(tags=["first"])
    threading.Thread(target=loop, daemon=True).start()
    """
    for ended, end in (
        (False, ("Indeterminate", "The process ended without end_session")),
        (True, ("Success", None)),
    ):
        home = tmp_path / str(ended)
        home.mkdir()
        _, out, error, journal = run(home, program % ended)
        assert out == "True True []\n", error
        assert ends(journal) == [end]
        assert {"late", "work"} <= {event.name for event in journal.events}
        (root,) = journal.sessions
        assert root.attributes["agentops.tags"] == ["first", "late"]
        assert root.ended_at


def test_skip_auto_end_session_leaves_the_session_open(tmp_path: Path) -> None:
    _, _, _, journal = run(tmp_path, "agentops.init(skip_auto_end_session=True)")
    (root,) = journal.sessions
    assert root.ends == 0


def test_sigkill_keeps_what_was_recorded_and_the_start_of_what_was_running(tmp_path: Path) -> None:
    program = """
    import time
    agentops.init()
    @agentops.operation
    def done(): return "done"
    @agentops.task
    def forever():
        print("ready", flush=True)
        time.sleep(60)
    @agentops.tool
    def look(): forever()
    @agentops.workflow
    def work(): look()
    done()
    work()
    """
    code, _, _, journal = signalled(tmp_path, program, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert journal.named("done").ended_at
    for name in ("work", "look", "forever"):
        assert (journal.named(name).starts, journal.named(name).ended_at) == (1, 0)
    assert journal.sessions[0].ended_at == 0


def test_calls_open_when_the_session_ends_are_on_record(tmp_path: Path) -> None:
    _, _, _, journal = run(
        tmp_path,
        """
        import threading
        agentops.init()
        inside, go = threading.Event(), threading.Event()
        @agentops.operation
        def slow():
            inside.set(); go.wait()
        thread = threading.Thread(target=slow, daemon=True); thread.start(); inside.wait()
        agentops.end_session("Success")
        """,
    )
    assert (journal.named("slow").starts, journal.named("slow").ended_at) == (1, 0)


FORK = """
    import os
    session = agentops.init()
    @agentops.operation
    def work(label): return label
    work("before")
    pid = os.fork()
    work("child" if pid == 0 else "parent")
    if pid:
        assert os.waitpid(pid, 0)[1] == 0
        assert session.is_running
        agentops.end_session("Success")
"""


def test_a_forked_child_contributes_and_leaving_it_ends_nothing(tmp_path: Path) -> None:
    # Not -W error: Python warns of forking with threads, and the recorder has one.
    code, _, error, journal = run(
        tmp_path, "import warnings; warnings.simplefilter('ignore')\n" + textwrap.dedent(FORK)
    )
    assert code == 0, error
    assert ends(journal) == [("Success", None)]
    assert journal.sessions[0].ends == 1
    labels = {span.output: span for span in journal.events}
    assert set(labels) == {"before", "child", "parent"}
    assert len({span.session for span in labels.values()}) == 1
    # Each process numbers its own events from 1.
    assert (labels["before"].seq, labels["parent"].seq, labels["child"].seq) == (1, 2, 1)
    assert len({resource["service.instance.id"] for resource in journal.resources}) == 2


def test_a_call_that_is_open_at_a_fork_is_ended_by_the_parent_only(tmp_path: Path) -> None:
    _, _, error, journal = run(
        tmp_path,
        """
        import os, warnings
        warnings.simplefilter("ignore")
        agentops.init()
        @agentops.operation
        def forks():
            pid = os.fork()
            if pid:
                os.waitpid(pid, 0)
            return "parent" if pid else "child"
        if forks() == "child":
            os._exit(0)
        """,
    )
    assert error.count("Traceback") == 0
    assert (journal.named("forks").ends, journal.named("forks").output) == (1, "parent")


def test_multiprocessing_children_join_the_session_by_fork_and_by_its_id(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(
            """
            import multiprocessing, sys, warnings
            import agentops
            warnings.simplefilter("ignore")

            @agentops.operation
            def work(label): return label

            def forked(label):
                work(label)
                agentops.start_session(name="of the child")
                work("own")

            def spawned(session_id, label):
                agentops.init(inherited_session_id=session_id)
                work(label)

            if __name__ == "__main__":
                session = agentops.init()
                jobs = [
                    multiprocessing.get_context("fork").Process(target=forked, args=("fork",)),
                    multiprocessing.get_context("spawn").Process(target=spawned,
                    args=(str(session.session_id), "spawn")),
                ]
                for job in jobs: job.start()
                for job in jobs: job.join()
                assert [job.exitcode for job in jobs] == [0, 0]
                agentops.end_session("Success")
            """
        )
    )
    done = subprocess.run(
        [sys.executable, str(program)], env=environment(tmp_path), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    journal = read(tmp_path)
    own = journal.named("of the child")
    assert own.attributes["agentops.session.end_state"] == "Indeterminate"
    assert {span.output for span in journal.events} == {"fork", "spawn"}
    assert len({span.session for span in journal.spans}) == 2
    inherited = [root for root in journal.sessions if root.attributes.get("agentops.session.inherited")]
    assert len(inherited) == 1
    assert "agentops.session.end_state" not in inherited[0].attributes
    assert inherited[0].ended_at


def test_a_process_that_fails_while_contributing_records_an_error_and_ends_nothing(tmp_path: Path) -> None:
    session_id = "0190f5fe-1111-7111-8111-111111111111"
    code, _, _, journal = run(
        tmp_path, f"agentops.init(inherited_session_id='{session_id}'); raise OSError('disk')"
    )
    assert code == 1
    (root,) = journal.sessions
    assert root.session == session_id
    assert root.trace_id == session_id.replace("-", "")
    assert "agentops.session.end_state" not in root.attributes
    (error,) = journal.events
    assert (error.kind, error.name, error.message) == ("error", "OSError", "OSError: disk")


def test_a_call_that_takes_long_is_shown_while_it_runs(tmp_path: Path) -> None:
    program = """
    agentops.init()
    @agentops.operation
    def slow():
        import time
        time.sleep(60)
    slow()
    """
    process = started(tmp_path, program, AGENTOPS_HEARTBEAT="0.2")
    try:

        def running() -> list[Recorded]:
            events = read(tmp_path).events if (tmp_path / "journal").exists() else []
            return [span for span in events if span.name == "slow" and not span.ended_at]

        eventually(running)
    finally:
        process.kill()
        process.communicate()


def test_a_server_that_is_away_delays_exit_by_nothing(tmp_path: Path) -> None:
    began = time.monotonic()
    code, _, _, _ = run(tmp_path, "agentops.init(); agentops.end_session('Success')")
    assert code == 0
    assert time.monotonic() - began < 5


def test_signs_of_life_are_written_while_a_session_waits(tmp_path: Path) -> None:
    process = started(tmp_path, "agentops.init()\n" + textwrap.dedent(WAIT), AGENTOPS_HEARTBEAT="0.1")
    try:

        def alive() -> Recorded | None:
            roots = read(tmp_path).sessions if (tmp_path / "journal").exists() else []
            return next((root for root in roots if "agentops.session.heartbeat_ns" in root.attributes), None)

        root = eventually(alive)
        assert root is not None
        assert root.ended_at == 0
        first = root.attributes["agentops.session.heartbeat_ns"]
        eventually(
            lambda: (
                (found := alive()) is not None and found.attributes["agentops.session.heartbeat_ns"] > first
            )
        )
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_tracer_provider_of_the_programs_own_is_joined_not_replaced(tmp_path: Path, when: str) -> None:
    own = """
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    exporter = InMemorySpanExporter()
    mine = TracerProvider()
    mine.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(mine)
    """
    init = "session = agentops.init(instrument_llm_calls=False)"
    first, second = (own, init) if when == "before" else (init, own)
    rest = """
    assert trace.get_tracer_provider() is mine
    @agentops.operation
    def work():
        with trace.get_tracer("lib").start_as_current_span("inner"):
            pass
    work()
    agentops.end_session("Success")
    with trace.get_tracer("lib").start_as_current_span("outside"):
        pass
    with trace.get_tracer("lib").start_as_current_span("asked", attributes={"gen_ai.operation.name": "chat"}):
        pass
    print(sorted(span.name for span in exporter.get_finished_spans()))
    """
    code, out, error, journal = run(
        tmp_path, "\n".join(textwrap.dedent(part) for part in (first, second, rest))
    )
    assert code == 0, error
    assert "Overriding" not in error
    inner, work = journal.named("inner"), journal.named("work")
    assert (inner.parent_id, inner.session) == (work.span_id, work.session)
    assert not {"outside", "asked"} & {span.name for span in journal.spans}
    # One of them would have been an event; the other is nobody's business.
    assert "'asked' is not recorded: no session is active" in error
    assert "'outside'" not in error
    # The program's own exporter sees the whole trace, ours included.
    shown = eval(out)
    root = {journal.sessions[0].name} if when == "before" else set[str]()
    assert set(shown) == {"inner", "outside", "asked", "work", *root}
