"""Several processes, one session: what each adds to it is on its page, and its cost is exact."""

from __future__ import annotations

from pathlib import Path

from tests.integration.test_sdk_snippets import Program
from tests.serving import Server
from tests.standin import Models


def test_tags_that_contributing_processes_add_are_the_sessions(module_server: Server, tmp_path: Path) -> None:
    with Models() as models:
        program = Program(module_server, tmp_path, models)
        session_id = program.run(
            """
            import os, subprocess, sys, agentops
            session = agentops.init(tags=["mine"])
            other = "import agentops; agentops.init(); agentops.add_tags('by its id')"
            subprocess.run(
                [sys.executable, "-c", other],
                env={**os.environ, "AGENTOPS_INHERITED_SESSION_ID": str(session.session_id)},
                check=True,
            )
            child = os.fork()
            if not child:
                agentops.add_tags("by fork")
                sys.exit(0)
            os.waitpid(child, 0)
            agentops.end_session("Success")
            print(session.session_id)
            """
        ).split()[-1]
    found = module_server.wait(
        f"/api/sessions/{session_id}", lambda session: len(session["tags"]) == 3 and session["ended_at"]
    )
    assert sorted(found["tags"]) == ["by fork", "by its id", "mine"]
    assert (found["state"], found["event_counts"]["total"]) == ("success", 0)


def test_the_cost_of_a_session_is_exact_in_its_decimals(module_server: Server, tmp_path: Path) -> None:
    with Models() as models:
        out = Program(module_server, tmp_path, models).run(
            """
            import agentops
            session = agentops.init()
            agentops.record(agentops.LLMEvent(model="mine", cost=0.1))
            agentops.record(agentops.LLMEvent(model="mine", cost=0.2))
            print(repr(session.end_session("Success")), session.cost_source)
            """
        )
    assert out.strip() == "Decimal('0.3') server"


def test_a_pickled_session_takes_along_where_it_is_recorded_and_what_is_masked(
    module_server: Server, tmp_path: Path
) -> None:
    with Models() as models:
        session_id = (
            Program(module_server, tmp_path, models)
            .run(
                """
            import os, pickle, subprocess, sys, agentops
            session = agentops.init(endpoint=os.environ["SERVER"], redact=[r"sk-\\w+"], api_key="key-of-mine")
            given = pickle.dumps(session)
            assert b"key-of-mine" not in given
            other = '''
            import pickle, sys, agentops
            session = pickle.load(sys.stdin.buffer)
            session.record(agentops.ActionEvent("there", params={"key": "sk-secret"}))
            '''
            import textwrap
            subprocess.run([sys.executable, "-c", textwrap.dedent(other)], input=given, check=True)
            session.end_session("Success")
            print(session.session_id)
            """,
                AGENTOPS_API_ENDPOINT="http://127.0.0.1:9",
                SERVER=module_server.url,
            )
            .split()[-1]
        )
    module_server.wait(
        f"/api/sessions/{session_id}", lambda one: one["ended_at"] and one["event_counts"]["total"]
    )
    [event] = module_server.get(f"/api/sessions/{session_id}/events")["events"]
    assert (event["name"], event["input_preview"]) == ("there", '{"key":"[redacted]"}')
