"""Connections of openai's: each response that is made on one is an LLM call."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import openai
import pytest
from openai.lib.responses_websocket import ResponsesWebSocketLimits, ResponsesWebSocketSession
from websockets.sync.server import ServerConnection, serve

import agentops
from tests.golden import standin
from tests.unit.instrument.stored import only, stored

# The client opens its connections in the way of older versions of websockets.
pytestmark = pytest.mark.filterwarnings(r"ignore:connect\(\) must be used:DeprecationWarning")

USAGE: dict[str, Any] = {
    "input_tokens": 1000,
    "output_tokens": 100,
    "total_tokens": 1100,
    "input_token_details": {
        "text_tokens": 300,
        "audio_tokens": 700,
        "cached_tokens": 600,
        "cached_tokens_details": {"text_tokens": 100, "audio_tokens": 500},
    },
    "output_token_details": {"text_tokens": 20, "audio_tokens": 80},
}
BUSY = "conversation_already_has_active_response"
SPOKEN: dict[str, Any] = {
    "type": "message",
    "role": "assistant",
    "content": [{"type": "output_audio", "transcript": "It is Paris."}],
}
CALLED: dict[str, Any] = {
    "type": "function_call",
    "call_id": "call_1",
    "name": "get_weather",
    "arguments": '{"city": "Paris"}',
}


def answer(socket: ServerConnection, number: int, asked: dict[str, Any]) -> None:
    """Answer as the request's metadata wants."""
    metadata: dict[str, str] = asked.get("metadata") or {}
    how = metadata.get("how", "spoken")
    head: dict[str, Any] = {"id": f"resp_{number}", "object": "realtime.response", "status": "in_progress"}

    def say(kind: str, **more: Any) -> None:
        socket.send(json.dumps({"type": kind, "event_id": "event_1", **more}))

    if how == "refused":
        say("error", error={"type": "invalid_request_error", "code": BUSY, "message": "One at a time."})
        return
    say("response.created", response=head)
    if how == "left":
        say("response.output_text.delta", response_id=head["id"], delta="It is ")
        return
    say("response.output_audio.delta", response_id=head["id"], delta="UGFyaXM=")
    say("response.output_audio_transcript.delta", response_id=head["id"], delta="It is Paris.")
    ended: dict[str, Any] = {"status": "completed", "usage": USAGE, "output": [SPOKEN]}
    if how == "called":
        ended["output"] = [CALLED]
    elif how == "failed":
        error = {"type": "server_error", "code": "overloaded", "message": "The model broke."}
        ended = {"status": "failed", "status_details": {"type": "failed", "error": error}, "output": []}
    elif how == "cancelled":
        ended |= {"status": "cancelled", "status_details": {"type": "cancelled", "reason": "turn_detected"}}
    say("response.done", response={**head, **ended})


def realtime(socket: ServerConnection) -> None:
    """Be a realtime session, of a model that hears."""
    model = "gpt-realtime-mini"
    session = {"type": "realtime", "model": model, "instructions": "Be brief."}
    socket.send(json.dumps({"type": "session.created", "event_id": "event_0", "session": session}))
    told: dict[str, Any] = {"transcript": "Capital?"}
    for number, message in enumerate(socket):
        event = json.loads(message)
        if event["type"] == "session.update":
            socket.send(json.dumps({"type": "session.updated", "session": {**session, **event["session"]}}))
            told |= json.loads(event["session"]["instructions"])
        elif event["type"] == "response.create":
            answer(socket, number, event.get("response") or {})
        elif event["type"] == "input_audio_buffer.commit":
            heard = {"item_id": "item_1", "event_id": "event_2"}
            socket.send(json.dumps({"type": "input_audio_buffer.committed", **heard}))
            answer(socket, number, {})
            about = "conversation.item.input_audio_transcription."
            socket.send(json.dumps({"type": f"{about}delta", **heard, "delta": "Capi"}))
            how = "failed" if "error" in told else "completed"
            socket.send(json.dumps({"type": about + how, "content_index": 0, **heard, **told}))


def responses(socket: ServerConnection) -> None:
    """Be a connection for responses."""
    for message in socket:
        asked = json.loads(message)
        lane = {"stream_id": asked["stream_id"]} if "stream_id" in asked else {}
        for kind, event in standin.response_events(asked):
            socket.send(json.dumps({"type": kind, **event, **lane}))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    def serve_one(socket: ServerConnection) -> None:
        assert socket.request is not None
        (realtime if "/realtime" in socket.request.path else responses)(socket)

    with serve(serve_one, "127.0.0.1", 0) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}/v1"
        server.shutdown()
        thread.join()


@contextmanager
def connected(address: str) -> Generator[Any]:
    client: Any = openai.OpenAI(base_url=address, api_key="none")
    with client, client.realtime.connect(model="gpt-realtime-mini") as connection:
        yield connection


def until(connection: Any, *kinds: str) -> None:
    for event in connection:
        if event.type in kinds:
            return


def say(connection: Any, text: str) -> None:
    content = [{"type": "input_text", "text": text}]
    connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})


def test_each_response_of_a_realtime_connection_is_an_llm_call(home: Path, address: str) -> None:
    agentops.init()
    with connected(address) as connection:
        say(connection, "Capital of France?")
        connection.response.create()
        until(connection, "response.done")
        say(connection, "Weather?")
        connection.send({"type": "response.create", "response": {"metadata": {"how": "called"}}})
        until(connection, "response.done")
    spoken, called = stored(home)
    assert (spoken.kind, spoken.model, spoken.provider) == ("llm", "gpt-realtime-mini", "openai")
    assert (spoken.status, spoken.finish_reason, spoken.response_id) == ("ok", "stop", "resp_1")
    assert [(one["role"], one["parts"][0]["content"]) for one in json.loads(spoken.input)] == [
        ("system", "Be brief."),
        ("user", "Capital of France?"),
    ]
    assert json.loads(spoken.output)[0]["parts"] == [{"type": "text", "content": "It is Paris."}]
    assert (spoken.tokens_input, spoken.tokens_output, spoken.tokens_cache_read) == (1000, 100, 600)
    assert json.loads(spoken.usage_more) == {
        "input_audio": 700, "output_audio": 80, "cache_read_audio": 500,
    }  # fmt: skip
    assert spoken.cost_usd == pytest.approx(0.0039240)
    assert spoken.first_token_ns is not None
    assert json.loads(called.output)[0]["parts"] == [
        {"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": {"city": "Paris"}}
    ]
    assert called.finish_reason == "tool_calls"
    assert [one["role"] for one in json.loads(called.input)] == ["system", "user"]


def test_what_is_spoken_is_told_in_words(home: Path, address: str) -> None:
    agentops.init()
    with connected(address) as connection:
        connection.input_audio_buffer.append(audio="AAAA" * 100)
        connection.input_audio_buffer.commit()
        until(connection, "conversation.item.input_audio_transcription.completed")
        say(connection, "And Spain?")
        connection.response.create()
        until(connection, "response.done")
    first, second = stored(home)
    assert json.loads(first.input)[1]["parts"] == [{"type": "blob", "modality": "audio", "bytes": 300}]
    assert json.loads(second.input)[1]["parts"] == [{"type": "text", "content": "And Spain?"}]


HEARD = {"type": "tokens", "total_tokens": 1200, "input_tokens": 1000, "output_tokens": 200,
         "input_token_details": {"text_tokens": 0, "audio_tokens": 1000}}  # fmt: skip


@pytest.mark.parametrize(
    ("model", "told", "tokens", "dollars"),
    [
        ("gpt-4o-transcribe", {"usage": HEARD}, (1000, 200), 0.008),
        ("whisper-1", {"usage": {"type": "duration", "seconds": 60}}, (None, None), 0.006),
        (
            "whisper-1",
            {"error": {"code": "audio_unintelligible", "message": "No words."}},
            (None, None),
            None,
        ),
    ],
)
def test_what_puts_speech_into_words_is_a_call_of_its_own(
    home: Path, address: str, model: str, told: dict[str, Any], tokens: Any, dollars: float | None
) -> None:
    agentops.init()
    about = "conversation.item.input_audio_transcription."
    with connected(address) as connection:
        heard = {"input": {"transcription": {"model": model}}}
        connection.session.update(
            session={"type": "realtime", "instructions": json.dumps(told), "audio": heard}
        )
        until(connection, "session.updated")
        connection.input_audio_buffer.append(audio="AAAA" * 100)
        connection.input_audio_buffer.commit()
        until(connection, f"{about}completed", f"{about}failed")
    found = next(event for event in stored(home) if event.name == "Transcription")
    assert (found.kind, found.model, found.provider) == ("llm", model, "openai")
    assert (found.tokens_input, found.tokens_output) == tokens
    assert found.cost_usd == (None if dollars is None else pytest.approx(dollars))
    if dollars is None:
        assert (found.status, found.error_type) == ("error", "audio_unintelligible")
    else:
        assert "Capital?" in found.output


@pytest.mark.parametrize("how", ["failed", "refused", "cancelled", "left", "raised"])
def test_a_response_ends_as_it_did(how: str, home: Path, address: str) -> None:
    agentops.init()
    wanted = {"raised": "left"}.get(how, how)
    try:
        with connected(address) as connection:
            connection.response.create(response={"metadata": {"how": wanted}})
            until(connection, "response.done", "error", "response.output_text.delta")
            if how == "raised":
                raise LookupError("lost")
    except LookupError:
        pass
    event = only(home)
    assert (event.status, event.error_type, event.error_message) == {
        "failed": ("error", "overloaded", "The model broke."),
        "refused": ("error", BUSY, "One at a time."),
        "raised": ("error", "LookupError", "lost"),
    }.get(how, ("ok", "", ""))
    assert event.finish_reason == ("turn_detected" if how == "cancelled" else "")
    if wanted == "left":
        assert json.loads(event.output)[0]["parts"] == [{"type": "text", "content": "It is "}]


def test_what_is_refused_is_not_what_is_being_answered(home: Path, address: str) -> None:
    agentops.init()
    with connected(address) as connection:
        connection.response.create(response={"metadata": {"how": "left"}})
        connection.response.create(response={"metadata": {"how": "refused"}})
        until(connection, "error")
        connection.response.create()
        until(connection, "response.done")
    assert stored(home)[1].input_preview == "Be brief."
    assert [(each.status, each.response_id) for each in stored(home)] == [
        ("error", ""), ("ok", "resp_2"), ("ok", "")
    ]  # fmt: skip


@pytest.mark.parametrize("place", ["realtime", "beta", "responses"])
def test_an_async_connection_is_recorded_alike(place: str, home: Path, address: str) -> None:
    async def main() -> None:
        sockets = address.replace("http", "ws")
        async with openai.AsyncOpenAI(websocket_base_url=sockets, api_key="none") as made:
            client: Any = made
            if place == "responses":
                manager = client.responses.connect()
                event = {"type": "response.create", "model": "gpt-4o-mini", "input": "Capital of France?"}
            else:
                manager = (client.beta if place == "beta" else client).realtime.connect(model="gpt-realtime")
                event = {"type": "response.create"}
            connection = await manager.enter()
            await connection.send(event)
            async for each in connection:
                if each.type in ("response.done", "response.completed"):
                    break
            await connection.close()

    agentops.init()
    asyncio.run(main())
    event = only(home)
    tokens = (30, 48) if place == "responses" else (1000, 100)
    assert (event.status, event.tokens_input, event.tokens_output) == ("ok", *tokens)
    assert event.cost_usd
    assert event.response_id
    if place == "responses":
        assert event.input_preview == "Capital of France?"
        assert standin.ANSWER in event.output_preview


def test_lanes_of_a_connection_are_recorded_alike(home: Path, address: str) -> None:
    agentops.init()
    client: Any = openai.OpenAI(base_url=address, api_key="none")
    limits = ResponsesWebSocketLimits(
        max_lanes=8, max_events_per_lane=128, max_events=512, max_bytes_per_lane=2**20, max_bytes=2**22
    )
    with (
        client,
        client.responses.connect(websocket_connection_options={"max_size": None}) as connection,
        ResponsesWebSocketSession(connection, limits=limits) as session,
    ):
        for name in ("one", "two"):
            lane = session.lane(name)
            lane.send({"type": "response.create", "model": "gpt-4o-mini", "input": f"Say {name}."})
            lane.get_final_response()
    assert [each.input_preview for each in stored(home)] == ["Say one.", "Say two."]


def test_a_response_belongs_to_the_session_that_its_connection_was_made_in(home: Path, address: str) -> None:
    agentops.init(auto_start_session=False)
    first, second = agentops.start_session(), agentops.start_session()
    client: Any = openai.OpenAI(base_url=address, api_key="none")
    with client:
        with second:
            connection = client.realtime.connect(model="gpt-realtime").enter()
        third = agentops.start_session()
        assert first.is_running
        connection.response.create()
        until(connection, "response.done")
        connection.close()
    assert only(home).declared_session == str(second.session_id)
    assert third.is_running
