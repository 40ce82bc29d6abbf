"""Fill a running server with invented sessions, for looking at the dashboard.

    python dashboard/dev/seed.py http://127.0.0.1:8420 --sessions 60 --hostile --live 2 --big 50000

Everything goes through the front door (POST /v1/traces, OTLP/JSON). The same arguments give the same sessions,
placed in time before now.
"""

from __future__ import annotations

import argparse
import json
import random
import time
import urllib.request
import uuid
from typing import Any

SECOND = 1_000_000_000
TASKS = [
    ("Refund request: order {n}", ["production", "refunds"], "support"),
    ("Weekly market digest", ["production", "cron"], "research"),
    ("Triage inbox", ["production"], "support"),
    ("Fix flaky test in payments", ["production", "ci"], "coding"),
    ("Plan trip: Lisbon, 4 days", ["beta"], "travel"),
    ("Summarise board minutes", ["production"], "research"),
    ("Lead research: Helvetia AG", ["production", "sales"], "research"),
    ("Generate release notes", ["production", "ci"], "coding"),
    ("SQL question: churn by plan", ["production", "analytics"], "research"),
    ("Translate handbook to German", ["production"], "research"),
    ("Invoice dispute {n}", ["production", "refunds"], "support"),
    ("Nightly data quality sweep", ["cron"], "coding"),
]
TOOLS = {
    "support": ["lookup_order", "search_policy", "carrier_status", "refund"],
    "research": ["web_search", "read_page", "extract_table", "cite"],
    "coding": ["read_file", "run_tests", "git_diff", "apply_patch"],
    "travel": ["search_flights", "search_hotels", "weather", "book"],
}
MODELS = [("openai", "gpt-4o"), ("openai", "gpt-4o-mini"), ("anthropic", "claude-sonnet-4-5"), ("openai", "gpt-4.1")]
AGENTS = ["planner", "executor", "reviewer"]
STACK = (
    "Traceback (most recent call last):\n"
    '  File "/app/agent/executor.py", line 88, in call_tool\n    return tool(**arguments)\n'
    '  File "/app/tools/orders.py", line 41, in {tool}\n    response.raise_for_status()\n'
    "{type}: {message}"
)
ANSWER = (
    "The carrier **lost** the parcel, so the policy allows a full refund:\n\n"
    "1. The order was paid on 12 November.\n2. Tracking ended in Basel.\n3. No earlier refund exists.\n\n"
    "I am refunding `€84.20` now; it reaches the card in three days."
)


def value(thing: Any) -> dict[str, Any]:
    """Return a value as OTLP/JSON's AnyValue."""
    if isinstance(thing, bool):
        return {"boolValue": thing}
    if isinstance(thing, int):
        return {"intValue": str(thing)}
    if isinstance(thing, float):
        return {"doubleValue": thing}
    if isinstance(thing, list):
        return {"arrayValue": {"values": [value(one) for one in thing]}}
    return {"stringValue": str(thing)}


def attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return attributes as OTLP/JSON's KeyValues, without those that are None."""
    return [{"key": key, "value": value(one)} for key, one in values.items() if one is not None]


class Session:
    """A session being written: a root span and its events, numbered as the SDK numbers them."""

    def __init__(self, rng: random.Random, name: str, tags: list[str], start_ns: int) -> None:
        self.rng = rng
        self.trace = f"{rng.getrandbits(128):032x}"
        self.id = str(uuid.UUID(self.trace))
        self.root = self.span_id()
        self.name, self.tags, self.start = name, tags, start_ns
        self.spans: list[dict[str, Any]] = []
        self.seq = 0

    def span_id(self) -> str:
        """Return a fresh span id."""
        return f"{self.rng.getrandbits(64):016x}"

    def event(
        self, kind: str, name: str, parent: str, start: int, end: int, values: dict[str, Any] | None = None,
        error: tuple[str, str, str] | None = None, span_id: str | None = None,
    ) -> str:
        """Add an event (`end` 0: it has not ended) and return its span id."""
        self.seq += 1
        span_id = span_id or self.span_id()
        span: dict[str, Any] = {
            "traceId": self.trace, "spanId": span_id, "parentSpanId": parent, "name": name, "kind": 1,
            "startTimeUnixNano": str(start), "endTimeUnixNano": str(end),
            "attributes": attributes(
                {"session.id": self.id, "agentops.span.kind": kind, "agentops.record.seq": self.seq, **(values or {})}
            ),
        }
        if error:
            kind_of, message, stack = error
            span["status"] = {"code": 2, "message": message}
            span["events"] = [
                {
                    "name": "exception", "timeUnixNano": str(end or start),
                    "attributes": attributes(
                        {"exception.type": kind_of, "exception.message": message, "exception.stacktrace": stack}
                    ),
                }
            ]
        self.spans.append(span)
        return span_id

    def root_span(self, end: int, state: str | None, reason: str | None) -> None:
        """Add the session's own span, as a start record while `end` is 0."""
        values = {
            "session.id": self.id, "agentops.span.kind": "session", "agentops.session.name": self.name,
            "agentops.tags": self.tags, "agentops.session.end_state": state,
            "agentops.session.end_state_reason": reason, "agentops.session.records_sent": self.seq,
            "agentops.session.heartbeat_ns": None if end else time.time_ns(),
            "agentops.session.host_env": json.dumps({"os": "Linux 6.1", "python": "3.11.7", "cpus": 8, "ram_gb": 31}),
            "user.id": self.rng.choice(["mira", "jonas", "ops", None]),
        }
        self.spans.append(
            {
                "traceId": self.trace, "spanId": self.root, "name": self.name, "kind": 1,
                "startTimeUnixNano": str(self.start), "endTimeUnixNano": str(end), "attributes": attributes(values),
                "status": {"code": 2, "message": reason or ""} if state == "Fail" else {"code": 1},
            }
        )


def text(role: str, content: str) -> dict[str, Any]:
    """Return a message of one text."""
    return {"role": role, "parts": [{"type": "text", "content": content}]}


def llm(session: Session, parent: str, agent: str, at: int, history: list[dict[str, Any]], tool: str | None) -> tuple[int, str]:
    """Add a call to a model that calls `tool` or answers; return when it ended and the call's id."""
    rng = session.rng
    provider, model = rng.choice(MODELS)
    took = int((0.5 + rng.random() * 3.2) * SECOND)
    entered = sum(len(json.dumps(one)) for one in history) // 3 + rng.randint(300, 2400)
    cached = entered * rng.randint(0, 6) // 10
    call = f"call_{session.span_id()[:10]}"
    if tool:
        parts: list[dict[str, Any]] = [
            {"type": "tool_call", "id": call, "name": tool, "arguments": {"id": "48190", "with_history": True}}
        ]
    else:
        parts = [{"type": "text", "content": ANSWER}]
    answer = {"role": "assistant", "parts": parts, "finish_reason": "tool_calls" if tool else "stop"}
    session.event(
        "llm", f"chat {model}", parent, at, at + took,
        {
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": provider, "gen_ai.request.model": model,
            "gen_ai.response.model": model, "gen_ai.usage.input_tokens": entered,
            "gen_ai.usage.output_tokens": rng.randint(40, 620), "gen_ai.usage.cache_read.input_tokens": cached,
            "gen_ai.agent.name": agent, "gen_ai.input.messages": json.dumps(history),
            "gen_ai.output.messages": json.dumps([answer]), "agentops.llm.first_token_ns": took // 5,
            "gen_ai.response.id": f"chatcmpl-{session.span_id()}", "gen_ai.request.temperature": 0.5,
        },
    )
    history.append({key: one for key, one in answer.items() if key != "finish_reason"})
    return at + took, call


def story(rng: random.Random, start: int, outcome: str) -> Session:
    """Return a whole session: a few agents that call models and tools by turns."""
    name, tags, field = rng.choice(TASKS)
    session = Session(rng, name.format(n=rng.randint(48000, 48999)), tags, start)
    at = start + SECOND // 20
    work = session.span_id()
    work_start = at
    failed = ""
    steps = []
    for agent in AGENTS[: rng.randint(1, 3)]:
        agent_id, agent_start = session.span_id(), at
        at += SECOND // 10
        history = [
            text("system", "You decide refunds. Follow the policy. Ask a tool before you promise money."),
            text("user", "My parcel 48190 never came. I want my money back."),
        ]
        for turn in range(rng.randint(2, 6)):
            tool = rng.choice(TOOLS[field]) if turn < 4 else None
            at, call = llm(session, agent_id, agent, at, history, tool)
            at += SECOND // 33
            if tool is None:
                break
            took = int((0.08 + rng.random() * 1.4) * SECOND)
            error = None
            if rng.random() < (0.3 if outcome == "Fail" else 0.03):
                failed, message = rng.choice([("TimeoutError", "upstream timed out after 800 ms"), ("RateLimitError", "429")])
                error = (failed, message, STACK.format(tool=tool, type=failed, message=message))
            result = {"status": "lost", "total": 84.2, "currency": "EUR", "refunds": []}
            session.event(
                "tool", tool, agent_id, at, at + took,
                {
                    "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool, "gen_ai.agent.name": agent,
                    "agentops.entity.input": json.dumps({"id": "48190", "with_history": True}),
                    "agentops.entity.output": None if error else json.dumps(result),
                },
                error,
            )
            history.append(
                {"role": "tool", "parts": [{"type": "tool_call_response", "id": call, "response": result}]}
            )
            at += took + SECOND // 40
        steps.append((agent_id, agent, agent_start, at))
        at += SECOND // 8
    for agent_id, agent, agent_start, agent_end in steps:
        session.event("agent", agent, work, agent_start, agent_end, {"gen_ai.agent.name": agent}, span_id=agent_id)
    session.event("operation", session.name, session.root, work_start, at, {"agentops.entity.input": '"order 48190"'}, span_id=work)
    reason = {"Fail": f"{failed or 'ValueError'}: {'429' if failed == 'RateLimitError' else 'could not finish'}",
              "Indeterminate": "process exited without end_session"}.get(outcome)
    session.root_span(at + SECOND // 10, outcome, reason)
    return session


def running(rng: random.Random, age_s: float) -> Session:
    """Return a session that has not ended, with a call in flight."""
    start = time.time_ns() - int(age_s * SECOND)
    session = story(rng, start, "Success")
    session.spans = [
        span for span in session.spans
        if span["spanId"] != session.root and int(span["endTimeUnixNano"]) < time.time_ns()
    ]
    agent = session.event("agent", "executor", session.root, start + SECOND // 10, 0, {"gen_ai.agent.name": "executor"})
    session.event("llm", "chat gpt-4o", agent, time.time_ns() - 4 * SECOND, 0, {"gen_ai.request.model": "gpt-4o"})
    session.root_span(0, None, None)
    return session


def big(rng: random.Random, count: int, url: str) -> Session:
    """Send a session of `count` events, in parts: a long run of steps, each with agents, calls and tools."""
    start = time.time_ns() - int(count * 0.09 * SECOND)
    session = Session(rng, f"Long run: {count:,} events", ["stress"], start)
    at = start
    while session.seq < count:
        step, step_start = session.span_id(), at
        for agent in AGENTS:
            agent_id, agent_start = session.span_id(), at
            for turn in range(rng.randint(4, 14)):
                took = int(rng.expovariate(8) * SECOND)
                provider, model = rng.choice(MODELS)
                session.event("llm", f"chat {model}", agent_id, at, at + took,
                              {"gen_ai.response.model": model, "gen_ai.provider.name": provider,
                               "gen_ai.usage.input_tokens": rng.randint(100, 4000), "gen_ai.usage.output_tokens": rng.randint(5, 500),
                               "gen_ai.agent.name": agent})
                at += took
                tool = rng.choice(TOOLS["coding"])
                took = int(rng.expovariate(20) * SECOND)
                error = ("ToolError", f"{tool} failed at turn {turn}", "") if rng.random() < 0.006 else None
                session.event("tool", tool, agent_id, at, at + took, {"gen_ai.agent.name": agent}, error)
                at += took
            session.event("agent", agent, step, agent_start, at, {"gen_ai.agent.name": agent}, span_id=agent_id)
        session.event("operation", f"step {session.seq // 60}", session.root, step_start, at, None, span_id=step)
        if len(session.spans) > 5000:
            send(url, session.spans)
            session.spans = []
    session.root_span(at, "Success", None)
    send(url, session.spans)
    return session


def small(rng: random.Random) -> list[Session]:
    """Return a session without events, and one with a single call."""
    start = time.time_ns() - 240 * SECOND
    none = Session(rng, "Nothing to do", ["cron"], start)
    none.root_span(start + 40_000_000, "Success", None)
    one = Session(rng, "A single question", ["beta"], start)
    one.event("llm", "chat gpt-4o", one.root, start, start + SECOND, {
        "gen_ai.response.model": "gpt-4o", "gen_ai.provider.name": "openai",
        "gen_ai.usage.input_tokens": 1904, "gen_ai.usage.output_tokens": 217,
        "gen_ai.input.messages": json.dumps([text("user", "What is the capital of Switzerland?")]),
        "gen_ai.output.messages": json.dumps([text("assistant", "Bern, by law the **federal city**.")]),
    })
    one.root_span(start + SECOND, "Success", None)
    return [none, one]


HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> "
    "\u202edrowssap\u202c \x1b[31mred\x1b[0m \x00\x07 \u200binvisible\u200b <b>bold?</b> "
    "![pixel](https://example.com/pixel.png) [link](javascript:document.title='owned')"
)


def hostile(rng: random.Random) -> Session:
    """Return a session whose every text tries something."""
    start = time.time_ns() - 90 * SECOND
    session = Session(rng, HOSTILE, ["<i>tag</i>", "\u202egat"], start)
    session.event("llm", HOSTILE, session.root, start, start + SECOND, {
        "gen_ai.response.model": "<script>", "gen_ai.provider.name": "openai", "gen_ai.agent.name": HOSTILE,
        "gen_ai.input.messages": json.dumps([text("user", HOSTILE), text("<b>role</b>", "x" * 5_000_000)]),
        "gen_ai.output.messages": json.dumps([text("assistant", "**bold** <svg onload=alert(1)> " + HOSTILE)]),
        "<script>key</script>": HOSTILE,
    }, ("<script>", HOSTILE, HOSTILE))
    session.event("tool", "'; DROP TABLE spans; --", session.root, start + SECOND, start + 2 * SECOND,
                  {"agentops.entity.input": json.dumps({HOSTILE: [HOSTILE] * 3}), "agentops.entity.output": HOSTILE})
    session.root_span(start + 3 * SECOND, "Fail", HOSTILE)
    return session


def send(url: str, spans: list[dict[str, Any]]) -> None:
    """Post spans as one OTLP/JSON request."""
    resource = {"attributes": attributes({
        "service.name": "support-agent", "service.instance.id": "seed", "telemetry.distro.name": "agentops",
        "telemetry.distro.version": "1.0.0", "telemetry.sdk.language": "python", "process.pid": 4211,
    })}
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "agentops", "version": "1.0"}, "spans": spans}]}]}
    request = urllib.request.Request(
        f"{url}/v1/traces", json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=120) as response:
        answer = response.read()
    if b"rejected" in answer:
        print(answer.decode())


def main() -> None:
    """Read the arguments and send what they ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--sessions", type=int, default=0, help="ended sessions over the last week")
    parser.add_argument("--big", type=int, default=0, help="one session of so many events")
    parser.add_argument("--live", type=float, default=0, help="sessions that run")
    parser.add_argument("--feed", type=float, default=0, help="then add events to a running session for so many seconds")
    parser.add_argument("--rate", type=float, default=5, help="events a second of --feed")
    parser.add_argument("--small", action="store_true", help="a session without events, and one with one")
    parser.add_argument("--hostile", action="store_true", help="a session of hostile texts")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    now = time.time_ns()
    batch: list[dict[str, Any]] = []
    for index in range(given.sessions):
        outcome = rng.choices(["Success", "Fail", "Indeterminate"], [80, 13, 7])[0]
        age = (index * 7 + rng.random() * 6 + 2) * 60 if given.sessions <= 200 else rng.random() * 7 * 86_400
        batch += story(rng, now - int(age * SECOND), outcome).spans
        if len(batch) > 3000:
            send(given.url, batch)
            batch = []
    for index in range(int(given.live)):
        batch += running(rng, 57 + 45 * index).spans
    if given.small:
        batch += [span for session in small(rng) for span in session.spans]
    if given.hostile:
        batch += hostile(rng).spans
    if batch:
        send(given.url, batch)
    if given.big:
        print(big(rng, given.big, given.url).id)
    if given.feed:
        feed(given.url, rng, given.feed, given.rate)


def feed(url: str, rng: random.Random, seconds: float, rate: float) -> None:
    """Run a session for a while: each event starts, then ends, and is sent as it does."""
    session = Session(rng, "Live: watching the inbox", ["production", "live"], time.time_ns())
    session.root_span(0, None, None)
    print(session.id, flush=True)
    send(url, session.spans)
    agent = session.span_id()
    until = time.time() + seconds
    while time.time() < until:
        session.spans = []
        started = time.time_ns()
        if session.seq % 20 == 0:
            agent = session.event("agent", rng.choice(AGENTS), session.root, started, 0)
        kind, name = rng.choice([("llm", "chat gpt-4o"), ("tool", "web_search"), ("tool", "read_page")])
        span_id = session.event(kind, name, agent, started, 0)
        send(url, session.spans)
        time.sleep(1 / rate)
        session.spans = []
        session.seq -= 1
        session.event(kind, name, agent, started, time.time_ns(), {
            "gen_ai.response.model": "gpt-4o" if kind == "llm" else None, "gen_ai.provider.name": "openai",
            "gen_ai.usage.input_tokens": 1200 if kind == "llm" else None, "gen_ai.usage.output_tokens": 80 if kind == "llm" else None,
        }, span_id=span_id)
        session.root_span(0, None, None)
        send(url, session.spans)
    session.spans = []
    session.root_span(time.time_ns(), "Success", None)
    send(url, session.spans)


if __name__ == "__main__":
    main()
