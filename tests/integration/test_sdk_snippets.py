"""Every snippet of the guide to sessions, run as printed in a process of its own against a real server.

`...` stands for a value, and a name that a snippet leaves to the reader is defined before it. What a snippet
promises is read back from the server's API.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.serving import Server
from tests.standin import Models

ROOT = Path(__file__).parents[2]


class Program:
    """Runs programs that record to a server, and reads back what the server has."""

    def __init__(self, server: Server, folder: Path, models: Models) -> None:
        self.server = server
        self.folder = folder
        self.service = f"program-{uuid.uuid4()}"
        """What the program is called, so that its sessions are told from other tests'."""
        self.models = models

    def environment(self, **more: str) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPS_", "OTEL_"))
        }
        return {
            **kept,
            "OTEL_SERVICE_NAME": self.service,
            "AGENTOPS_HOME": str(self.server.home),
            "AGENTOPS_API_ENDPOINT": self.server.url,
            "OPENAI_BASE_URL": f"{self.models.url}/v1",
            "OPENAI_API_KEY": "none",
            **more,
        }

    def run(self, *parts: str, fails: bool = False, **more: str) -> str:
        """Run a program made of snippets; return what it printed to both outputs."""
        source = "\n".join(textwrap.dedent(part) for part in parts)
        done = subprocess.run(
            [sys.executable, "-c", source],
            env=self.environment(**more),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    def sessions(self, count: int) -> list[dict[str, Any]]:
        """Return the program's sessions, oldest first, once there are as many and none runs."""

        def own(answer: Any) -> list[dict[str, Any]]:
            return [one for one in answer["sessions"] if one["service"] == self.service]

        found = self.server.wait(
            "/api/sessions",
            lambda got: len(own(got)) == count and all(one["state"] != "running" for one in own(got)),
            order="asc",
            limit=500,
        )
        return own(found)

    def events(self, session: dict[str, Any]) -> list[dict[str, Any]]:
        return self.server.get(f"/api/sessions/{session['session_id']}/events", limit=1000)["events"]


@pytest.fixture
def program(module_server: Server, tmp_path: Path) -> Any:
    folder = tmp_path / "program"
    folder.mkdir()
    with Models() as models:
        yield Program(module_server, folder, models)


WORK = "agentops.record(agentops.ActionEvent(action_type='step'))"


def test_automatic_session_management(program: Program) -> None:
    program.run(
        """
        import agentops

        # Initialize with automatic session creation (default)
        agentops.init(api_key="YOUR_API_KEY", tags=["production"])
        """,
        WORK,
    )
    (session,) = program.sessions(1)
    assert (session["tags"], session["state"]) == (["production"], "indeterminate")
    assert [event["name"] for event in program.events(session)] == ["step"]


def test_a_session_can_be_started_by_hand(program: Program) -> None:
    program.run(
        """
        import agentops

        # Initialize without auto-starting a session
        agentops.init(api_key="YOUR_API_KEY", auto_start_session=False)

        # Later, manually start a session when needed
        agentops.start_session(tags=["customer-query", "high-priority"])
        """,
        WORK,
    )
    (session,) = program.sessions(1)
    assert session["tags"] == ["customer-query", "high-priority"]
    assert session["event_counts"]["action"] == 1


def test_a_call_of_a_session_function_is_a_session(program: Program) -> None:
    program.run(
        """
        def analyze_data(customer_id):
            import agentops
            agentops.record(agentops.ActionEvent(action_type="step"))
            return customer_id
        """,
        """
        from agentops.sdk.decorators import session

        @session
        def process_customer_data(customer_id):
            # This entire function execution will be tracked as a session
            return analyze_data(customer_id)
        """,
        "assert process_customer_data('c-1') == 'c-1'",
    )
    (session,) = program.sessions(1)
    assert (session["name"], session["state"]) == ("process_customer_data", "success")
    assert [event["name"] for event in program.events(session)] == ["step"]


def test_session_state_is_on_the_server_at_once(program: Program) -> None:
    said = program.run(
        """
        import agentops, json, time, urllib.request
        session = agentops.init(tags=["a"])
        agentops.record(agentops.ActionEvent(action_type="step"))
        url = f"{agentops.sdk.client.client.settings.server}/api/sessions/{session.session_id}"
        for _ in range(200):
            try:
                found = json.load(urllib.request.urlopen(url))
                if found["event_counts"]["total"]: break
            except OSError: pass
            time.sleep(0.02)
        print(found["state"], found["tags"], found["event_counts"]["total"])
        """
    )
    assert "running ['a'] 1" in said


@pytest.mark.parametrize(
    "snippet",
    [
        """
        agentops.init()
        agentops.add_tags(["more"])
        agentops.end_session(end_state="Success")
        """,
        """
        agentops.init(auto_start_session=False)
        session = agentops.start_session()
        session.add_tags(["more"])
        session.end_session(end_state="Success")
        """,
    ],
)
def test_examples_with_one_session_run_as_printed(program: Program, snippet: str) -> None:
    program.run("import agentops", snippet)
    (session,) = program.sessions(1)
    assert (session["state"], session["tags"]) == ("success", ["more"])


@pytest.mark.parametrize(
    "snippet",
    [
        """
        session_1 = agentops.init()
        session_2 = agentops.start_session()
        """,
        """
        agentops.init(auto_start_session=False)
        session_1 = agentops.start_session()
        session_2 = agentops.start_session()
        """,
    ],
)
def test_entering_and_leaving_multi_session_mode(program: Program, snippet: str) -> None:
    program.run(
        "import agentops\nfrom agentops import Event, MultiSessionException",
        snippet,
        """
        try:
            agentops.add_tags(["x"])
        except MultiSessionException as error:
            assert "If multiple sessions exist, you must use session.function()." in str(error)
            assert "Example: session.add_tags(...) instead of agentops.add_tags(...)." in str(error)
        else:
            raise AssertionError("no exception")
        session_1.add_tags(["one"])
        session_2.record(Event(...))
        session_2.end_session("Success")
        agentops.record(Event("single again"))
        agentops.end_session("Fail", end_state_reason="because")
        """,
    )
    first, second = program.sessions(2)
    assert (first["tags"], first["state"], first["state_reason"]) == (["one"], "fail", "because")
    assert [event["name"] for event in program.events(first)] == ["single again"]
    assert second["event_counts"]["action"] == 1


def test_an_action_without_a_session_raises(program: Program) -> None:
    said = program.run(
        "import agentops; agentops.init(auto_start_session=False); agentops.add_tags(['x'])", fails=True
    )
    assert "A session action was attempted while no session existed on the client." in said


def test_llm_calls_belong_to_the_session_they_are_patched_to(program: Program) -> None:
    program.run(
        "import agentops; agentops.init()",
        """
        import agentops
        import openai

        session = agentops.start_session()
        messages = [{"role": "user", "content": "Hello"}]
        response = session.patch(openai.chat.completions.create)(
          model="gpt-3.5-turbo",
          messages=messages,
          temperature=0.5,
        )
        """,
        """
        observed_create = session.patch(openai.chat.completions.create)
        obs_response = observed_create(
          model="gpt-3.5-turbo",
          messages=messages,
          temperature=0.5,
        )
        """,
        """
        assert obs_response.choices[0].message.content
        try:
            openai.chat.completions.create(model="gpt-3.5-turbo", messages=messages)
        except agentops.MultiSessionException:
            pass
        else:
            raise AssertionError("no exception")
        cost = session.end_session("Success")
        assert cost > 0, cost
        print("cost", cost, session.cost_source)
        """,
    )
    _, session = program.sessions(2)
    assert len(program.models.requests) == 2
    assert session["event_counts"]["llm"] == 2
    assert session["tokens"]["input"] == 42
    assert session["cost_usd"] > 0


def test_a_lost_session_is_indeterminate(program: Program) -> None:
    program.run(
        """
        import agentops, gc, time
        agentops.init()
        session = agentops.start_session()
        del session
        deadline = time.monotonic() + 15
        while len(agentops.sdk.client.client.registry.active) > 1 and time.monotonic() < deadline:
            time.sleep(0.1)
        agentops.end_session("Success")
        """
    )
    first, lost = program.sessions(2)
    assert (first["state"], lost["state"]) == ("success", "indeterminate")
    assert "lost" in lost["state_reason"]


def test_the_cost_and_the_analytics_are_the_servers(program: Program) -> None:
    said = program.run(
        """
        import agentops
        session = agentops.init()
        agentops.record(agentops.LLMEvent(
            model="gpt-4o", prompt="a", completion="b", prompt_tokens=1000, completion_tokens=100
        ))
        agentops.record(agentops.ToolEvent(name="t"))
        agentops.record(agentops.ActionEvent(action_type="a"))
        try: 1 / 0
        except ZeroDivisionError as error: agentops.record(agentops.ErrorEvent(exception=error))
        figures = session.get_analytics()
        print({key: value for key, value in figures.items() if key != "Duration"}, figures.source)
        print(session.end_session("Success"), session.cost_source)
        """
    )
    (session,) = program.sessions(1)
    assert "{'LLM calls': 1, 'Tool calls': 1, 'Actions': 1, 'Errors': 1, 'Cost': '0.003500'} server" in said
    assert "0.0035 server" in said
    assert session["cost_usd"] == 0.0035
    assert session["ledger"] == {"sent": 4, "stored": 4}


@pytest.mark.parametrize(("example", "events"), [("two_sessions.py", 3), ("fastapi_server.py", 4)])
def test_the_examples_run(program: Program, example: str, events: int) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / example)],
        env=program.environment(),
        cwd=program.folder,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert (done.returncode, done.stderr) == (0, "")
    sessions = program.sessions(2)
    assert {session["state"] for session in sessions} == {"success"}
    assert sum(session["event_counts"]["total"] for session in sessions) == events
    assert all(session["event_counts"]["llm"] == 1 for session in sessions)
    assert len({session["session_id"] for session in sessions}) == 2
