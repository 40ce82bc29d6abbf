"""A store of known content: two ended sessions to compare by value, and one whose every text is hostile."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any, Final

from tests.serving import Server
from tests.spans import MS, SECOND, attributes, ours, span

REFUND: Final = 0xA1
DIGEST: Final = 0xA2
HOSTILE: Final = 0xA3
HISTORY: Final = 0xA4

ROOT, WORK, AGENT, CALL, LOOKUP, REFUNDING, ANSWER = range(1, 8)

STACK: Final = 'Traceback (most recent call last):\n  File "/app/refund.py", line 41, in refund\nTimeoutError'
ATTACK: Final = (
    "<script>window.owned=1</script><img src=x onerror='window.owned=1'><b>bold?</b> \u202edrowssap\u202c "
    "\x1b[31mred\x1b[0m ![pixel](https://example.com/pixel.png) [link](javascript:window.owned=1)"
)


def session_id(trace: int) -> str:
    """Return the id under which the API knows a session."""
    return str(uuid.UUID(int=trace))


def event_id(number: int) -> str:
    """Return the id of an event by its number."""
    return f"{number:016x}"


def messages(*said: tuple[str, str]) -> str:
    """Return a conversation as instrumentors write it."""
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]} for role, text in said])


def with_attributes(made: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return the span with these attributes."""
    return {**made, "attributes": attributes(given)}


def event(
    trace: int, number: int, parent: int, kind: str, name: str, at_ns: int, ms: float, **more: Any
) -> dict[str, Any]:
    """Return an event of our recorder, numbered by its place."""
    failed: tuple[str, str, str] | None = more.pop("failed", None)
    made = with_attributes(
        span(trace, number, parent, name=name, start_ns=at_ns, ms=ms, error=failed[1] if failed else None),
        {
            "session.id": session_id(trace),
            "agentops.span.kind": kind,
            "agentops.record.seq": number - 1,
            **more,
        },
    )
    if failed:
        names = ("exception.type", "exception.message", "exception.stacktrace")
        carried = attributes(dict(zip(names, failed, strict=True)))
        made["events"] = [{"name": "exception", "timeUnixNano": str(at_ns), "attributes": carried}]
    return made


def root(
    trace: int, name: str, tags: list[str], at_ns: int, ms: float, events: int, **more: Any
) -> dict[str, Any]:
    """Return a session's own span."""
    state: str = more.pop("state", "Success")
    return with_attributes(
        span(trace, ROOT, name=name, start_ns=at_ns, ms=ms),
        {
            "session.id": session_id(trace),
            "agentops.span.kind": "session",
            "agentops.session.name": name,
            "agentops.tags": tags,
            "agentops.session.end_state": state,
            "agentops.session.records_sent": events,
            **more,
        },
    )


def call(model: str, tokens: tuple[int, int], said: str, answered: str) -> dict[str, Any]:
    """Return the attributes of a call to a model, priced as its program says."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.response.model": model,
        "gen_ai.usage.input_tokens": tokens[0],
        "gen_ai.usage.output_tokens": tokens[1],
        "gen_ai.input.messages": messages(("system", "You answer for a shop."), ("user", said)),
        "gen_ai.output.messages": messages(("assistant", answered)),
    }


def refund(start: int) -> list[dict[str, Any]]:
    """Return the session that failed: an agent, two calls, two tools, one of them in error."""
    at = start
    mini = "gpt-4.1-mini-2025-04-14"
    return [
        root(
            REFUND,
            "Refund of order 48190",
            ["production", "refunds", "a long tag that takes room", "vip"],
            at,
            2000,
            6,
            state="Fail",
            **{"agentops.session.end_state_reason": "TimeoutError: the bank is slow", "user.id": "mira"},
        ),
        event(REFUND, WORK, ROOT, "operation", "answer_mail", at, 1900),
        event(REFUND, AGENT, WORK, "agent", "planner", at + 10 * MS, 1800),
        event(
            REFUND,
            CALL,
            AGENT,
            "llm",
            "ChatCompletion",
            at + 20 * MS,
            600,
            **call(mini, (1000, 100), "Refund my order.", "I will look it up."),
        ),
        event(
            REFUND,
            LOOKUP,
            AGENT,
            "tool",
            "lookup_order",
            at + 650 * MS,
            50,
            **{"agentops.entity.input": '{"order": 48190}', "agentops.entity.output": '{"state": "lost"}'},
        ),
        event(
            REFUND,
            REFUNDING,
            AGENT,
            "tool",
            "refund",
            at + 750 * MS,
            400,
            failed=("TimeoutError", "the bank is slow", STACK),
        ),
        event(
            REFUND,
            ANSWER,
            AGENT,
            "llm",
            "ChatCompletion",
            at + 1200 * MS,
            500,
            **call(mini, (2000, 200), "Refund my order.", "It did **not** work."),
        ),
    ]


def digest(start: int) -> list[dict[str, Any]]:
    """Return the session that went well: one call to a larger model."""
    return [
        root(DIGEST, "Nightly digest", ["cron"], start, 60_000, 1, **{"user.id": "jonas"}),
        event(
            DIGEST,
            2,
            ROOT,
            "llm",
            "chat gpt-4o",
            start,
            59_000,
            **call("gpt-4o-2024-08-06", (10_000, 1_000), "What happened today?", "Nothing."),
        ),
    ]


def hostile(start: int) -> list[dict[str, Any]]:
    """Return the session that attacks whoever looks at it, one of its lines 5 MB long."""
    said = call(
        "<script>window.owned=1</script>", (1, 1), ATTACK, "**bold** <svg onload=window.owned=1> " + ATTACK
    )
    said["gen_ai.input.messages"] = messages(("user", ATTACK), ("<b>role</b>", "x" * 5_000_000))
    return [
        root(HOSTILE, ATTACK, ["<i>tag</i>", "\u202egat"], start, 3000, 2, state="Fail",
             **{"agentops.session.end_state_reason": ATTACK, "user.id": ATTACK}),
        event(HOSTILE, 2, ROOT, "llm", ATTACK, start, 1000, failed=("<script>", ATTACK, ATTACK),
              **{"<script>key</script>": ATTACK, **said}),
        event(HOSTILE, 3, ROOT, "tool", ATTACK, start + SECOND, 1000,
              **{"agentops.entity.input": json.dumps({ATTACK: [ATTACK]}), "agentops.entity.output": ATTACK}),
    ]  # fmt: skip


def fill(server: Server) -> None:
    """Send all of it."""
    now = time.time_ns()
    sent = [
        *refund(now - 600 * SECOND),
        *digest(now - 7200 * SECOND),
        *hostile(now - 900 * SECOND),
        root(HISTORY, "An empty run", [], now - 86_400 * 2 * SECOND, 5, 0),
    ]
    answer = server.post("/v1/traces", ours(*sent))
    assert answer.status_code == 200, answer.text
    server.wait("/api/sessions", lambda page: page["total"] == 4)
