"""What stands around a program: spans of a framework, a provider in the environment, other processes."""

from __future__ import annotations

import asyncio
import http.server
import os
import threading
from collections.abc import Callable
from uuid import UUID

import pytest
from opentelemetry import trace
from opentelemetry.context import attach, detach
from opentelemetry.propagate import extract

import agentops
from agentops.sdk.client import client
from agentops.sdk.decorators import operation
from tests.recorded import Journal

Read = Callable[[], Journal]


@operation
def work(label: str) -> str:
    return label


def test_a_block_binds_though_a_span_around_its_entry_was_left(home: object, journal: Read) -> None:
    """As web frameworks trace the making of a resource: entered inside a span, used after it, then left."""
    agentops.init(auto_start_session=False, instrument_llm_calls=False)
    other = agentops.start_session()

    async def request(label: str) -> str:
        with trace.get_tracer("framework").start_as_current_span("dependencies"):
            mine = agentops.start_session()
            mine.__enter__()
        await asyncio.sleep(0)
        work(label)
        with trace.get_tracer("framework").start_as_current_span("endpoint"):
            work(label + " inside")
        agentops.add_tags(label)
        mine.__exit__(None, None, None)
        work(label + " left")
        return str(mine.session_id)

    async def both() -> tuple[str, str]:
        return await asyncio.gather(request("a"), request("b"))

    a, b = asyncio.run(both())
    other.end_session()
    found = {span.output: span.session for span in journal().events if span.name == "work"}
    assert found == {"a": a, "a inside": a, "b": b, "b inside": b, "b left": str(other.session_id)}


def test_a_provider_that_the_environment_names_and_that_is_not_there_keeps_nothing_from_being_recorded(
    home: object, journal: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_PYTHON_TRACER_PROVIDER", "not_installed")
    agentops.init(instrument_llm_calls=False)
    with trace.get_tracer("theirs").start_as_current_span("inside"):
        agentops.record(agentops.ActionEvent("act"))
    assert [event.name for event in journal().events] == ["inside", "act"]


def test_what_opentelemetry_cannot_use_of_the_environment_stops_no_program(
    home: object, journal: Read, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from opentelemetry.metrics import _internal as metrics
    from opentelemetry.util._once import Once

    monkeypatch.setattr(metrics, "_METER_PROVIDER", None)
    monkeypatch.setattr(metrics, "_METER_PROVIDER_SET_ONCE", Once())
    monkeypatch.setenv("OTEL_PYTHON_METER_PROVIDER", "not_installed")
    monkeypatch.setenv("OTEL_SPAN_LINK_COUNT_LIMIT", "many")
    monkeypatch.setenv("OTEL_SPAN_EVENT_COUNT_LIMIT", "-1")
    monkeypatch.setenv("OTEL_ATTRIBUTE_COUNT_LIMIT", " 100 ")
    agentops.init(instrument_llm_calls=False)
    with trace.get_tracer("theirs").start_as_current_span("inside"):
        agentops.record(agentops.ActionEvent("act"))
    assert [event.name for event in journal().events] == ["inside", "act"]
    assert os.environ["OTEL_SPAN_LINK_COUNT_LIMIT"] == "many"  # Left as the program has it.
    said = [record.getMessage() for record in caplog.records if record.name == "agentops"]
    fix = "cannot be used: use a whole number from 0 up, or unset it. OpenTelemetry's default is used."
    assert {f"OTEL_SPAN_LINK_COUNT_LIMIT='many' {fix}", f"OTEL_SPAN_EVENT_COUNT_LIMIT='-1' {fix}"} < set(said)
    assert sum("OTEL_" in text for text in said) == 3


def test_a_ctrl_c_in_the_middle_of_a_record_leaves_no_gap(session: agentops.Session, journal: Read) -> None:
    write = client.recorder.append

    def interrupted(line: bytes) -> None:
        client.recorder.append = write
        raise KeyboardInterrupt

    client.recorder.append = interrupted
    with pytest.raises(KeyboardInterrupt):
        agentops.record(agentops.ActionEvent("interrupted"))
    agentops.record(agentops.ActionEvent("next"))
    assert [event.seq for event in journal().events] == [1, 2]


def test_a_session_that_is_joined_again_counts_on(home: object, journal: Read) -> None:
    """A pool's worker does so with each task; two events of one number are one in the session's ledger."""
    wanted = "0190f5fe-2222-7222-8222-222222222222"
    remote = {"traceparent": f"00-{UUID(wanted).hex}-00000000000000ab-01"}
    remote["tracestate"] = f"agentops={UUID(wanted).hex}"
    agentops.init(auto_start_session=False, instrument_llm_calls=False)
    for _ in range(2):
        with agentops.start_session(inherited_session_id=wanted):
            agentops.record(agentops.ActionEvent("given"))
        token = attach(extract(remote))
        agentops.record(agentops.ActionEvent("by request"))
        detach(token)
    numbers = [event.attributes["agentops.record.seq"] for event in journal().events]
    assert sorted(numbers) == [1, 2, 3, 4]
    assert journal().sessions[-1].attributes["agentops.session.records_sent"] == 3


class Strange(http.server.BaseHTTPRequestHandler):
    """What stands at the server's address takes everything, and answers what nobody can read."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"deep":' + b"[" * 100_000)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name it overrides
        pass


def test_an_answer_nested_without_end_is_no_figure(home: object) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Strange) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            endpoint = f"http://127.0.0.1:{server.server_port}"
            session = agentops.init(endpoint=endpoint, instrument_llm_calls=False)
            assert session is not None
            agentops.record(agentops.ActionEvent("x"))
            figures = session.get_analytics()
            session.end_session("Success")
        finally:
            server.shutdown()
            thread.join()
    assert (figures["Actions"], figures.source) == (1, "local")
