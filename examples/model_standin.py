"""A stand-in for a model: a server on this machine that speaks the chat completions protocol.

It lets the example run without a key and without a network. It is not clever: it knows the conversations
of `support_agent.py` and looks up what comes next by the customer's last words and by how many tool results
it has been given since. What it answers with is real: tool calls, streams with usage at the end, token
counts that grow with the prompt, and a pause before the first token.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

Call = tuple[str, Mapping[str, Any]]
Message = Mapping[str, Any]


@dataclass(frozen=True)
class Turn:
    """What the model says to one question: a plan, rounds of tool calls, and the answer."""

    words: str
    plan: Sequence[str]
    rounds: Sequence[Sequence[Call]]
    answer: str


TURNS = (
    Turn(
        "cracked frame",
        ["Find order 1042", "Read what the shop owes for damaged goods", "Pay back what the frame cost"],
        [
            [("find_order", {"order_id": "1042"}), ("search_policy", {"words": "damaged goods"})],
            [("refund", {"order_id": "1042", "amount": 189.0, "to": "card"})],
            [("refund", {"order_id": "1042", "amount": 189.0, "to": "credit"})],
        ],
        "I am sorry that the frame arrived cracked. The shop pays back damaged goods in full. Your card "
        "has expired, so the bank refused the payment; the 189.00 EUR are now credit on your account, ready "
        "to use today. You may keep or recycle the frame.",
    ),
    Turn(
        "rest of it",
        ["Find the parcel of order 1042", "Ask the carrier where it is"],
        [[("track_parcel", {"parcel_id": "NB-88231"})]],
        "The lamp travels in parcel NB-88231. It left Utrecht this morning and should be with you on "
        "Thursday before noon.",
    ),
    Turn(
        "in writing",
        ["Write down the refund and the delivery", "Send it to the customer's address"],
        [
            [
                (
                    "send_mail",
                    {
                        "to": "mara@example.com",
                        "subject": "Order 1042",
                        "text": "189.00 EUR credited for the frame. Parcel NB-88231 arrives on Thursday.",
                    },
                )
            ]
        ],
        "Done: the mail is on its way to mara@example.com, with the credit and the day of delivery in it.",
    ),
    Turn(
        "new address",
        ["Find order 2077", "See whether it has left", "Change the address"],
        [
            [("find_order", {"order_id": "2077"})],
            [("change_address", {"order_id": "2077", "address": "12 Harbour Street, Cork"})],
        ],
        "Order 2077 has not left yet, so I could change it: it now goes to 12 Harbour Street, Cork.",
    ),
    Turn(
        "before friday",
        ["Ask the carrier for the day of delivery"],
        [[("track_parcel", {"parcel_id": "NB-90417"})]],
        "Yes. The carrier has it already and delivers on Thursday, a day before you need it.",
    ),
    Turn(
        "iceland",
        ["Read where the shop delivers", "Read what customs ask for"],
        [[("search_policy", {"words": "delivery abroad"}), ("search_policy", {"words": "customs"})]],
        "Yes, we deliver to Iceland in six working days for 24.00 EUR. There are no customs below 400 EUR.",
    ),
)
UNKNOWN = Turn("", ["Answer from what is known"], [], "I can help with orders, refunds and deliveries.")


@dataclass
class Answer:
    """One completion: text or tool calls, and what it counts as."""

    model: str
    text: str
    calls: Sequence[Call]
    prompt_tokens: int
    cached_tokens: int
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex[:24]}")
    created: int = field(default_factory=lambda: int(time.time()))

    def tool_calls(self) -> list[dict[str, Any]]:
        """Return the calls in the protocol's form."""
        return [
            {
                "id": f"call_{self.id[-12:]}_{index}",
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(arguments)},
            }
            for index, (name, arguments) in enumerate(self.calls)
        ]

    def finish_reason(self) -> str:
        """Return why the model stopped."""
        return "tool_calls" if self.calls else "stop"

    def usage(self) -> dict[str, Any]:
        """Return the counts as the protocol names them."""
        spoken = self.text + (json.dumps(self.tool_calls()) if self.calls else "")
        completion = _tokens(spoken)
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": self.prompt_tokens + completion,
            "prompt_tokens_details": {"cached_tokens": self.cached_tokens, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        }

    def whole(self) -> dict[str, Any]:
        """Return the completion as one object."""
        message: dict[str, Any] = {"role": "assistant", "content": self.text or None, "refusal": None}
        if self.calls:
            message["tool_calls"] = self.tool_calls()
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self.finish_reason()}
        return self._object("chat.completion", choices=[choice], usage=self.usage())

    def chunks(self) -> Iterator[dict[str, Any]]:
        """Yield the completion as a stream does: a few words at a time, then why it ended, then its usage."""
        yield self._chunk({"role": "assistant", "content": ""})
        words = self.text.split(" ")
        for index, word in enumerate(words):
            yield self._chunk({"content": word if index == 0 else f" {word}"})
        yield self._chunk({}, finish_reason=self.finish_reason())
        yield self._object("chat.completion.chunk", choices=[], usage=self.usage())

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return self._object("chat.completion.chunk", choices=[choice])

    def _object(self, kind: str, **more: Any) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model, **more}


def _tokens(text: str) -> int:
    return max(1, len(text) // 4)


def _shared_start(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))


class StandIn:
    """The server, on a free port of the loopback interface, for the length of a `with` block."""

    def __init__(self, *, first_token_s: float = 0.15, token_s: float = 0.004) -> None:
        self.first_token_s = first_token_s
        self.token_s = token_s
        self._prompts: list[str] = []
        self._server = _Server(("127.0.0.1", 0), _Protocol)
        self._server.stand_in = self

    @property
    def url(self) -> str:
        """Return the address to give to a client as `base_url`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: Mapping[str, Any]) -> Answer:
        """Return what the model says to a request."""
        messages: list[Message] = request["messages"]
        prompt = json.dumps([request.get("tools"), messages])
        # Real caches start at 1,024 tokens; this one at 128, so that a short conversation shows one.
        cached = max((_shared_start(prompt, earlier) for earlier in self._prompts), default=0) // 512 * 128
        self._prompts.append(prompt)
        text, calls = _say(
            messages, wants_json="response_format" in request, has_tools=bool(request.get("tools"))
        )
        return Answer(f"{request['model']}-2025-04-14", text, calls, _tokens(prompt), cached)


def _say(messages: Sequence[Message], *, wants_json: bool, has_tools: bool) -> tuple[str, Sequence[Call]]:
    asked = max(index for index, message in enumerate(messages) if message["role"] == "user")
    question = str(messages[asked]["content"]).lower()
    turn = next((turn for turn in TURNS if turn.words in question), UNKNOWN)
    if wants_json:
        return json.dumps({"steps": turn.plan}), ()
    if not has_tools:
        return turn.answer, ()
    done = sum(1 for message in messages[asked:] if message["role"] == "assistant")
    if done < len(turn.rounds):
        return "", turn.rounds[done]
    return "All steps are done.", ()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    stand_in: StandIn

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what went wrong, but for a client that hangs up, as those do that stop at `[DONE]`."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Protocol(BaseHTTPRequestHandler):
    """POST /v1/chat/completions, whole or streamed."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/v1/chat/completions":
            self._send(
                404, {"error": {"message": f"Unknown path {self.path}", "type": "invalid_request_error"}}
            )
            return
        request = json.loads(body)
        assert isinstance(self.server, _Server)
        stand_in = self.server.stand_in
        answer = stand_in.answer(request)
        time.sleep(stand_in.first_token_s)
        if request.get("stream"):
            self._stream(answer, stand_in.token_s)
        else:
            time.sleep(stand_in.token_s * answer.usage()["completion_tokens"])
            self._send(200, answer.whole())

    def _send(self, status: int, value: Mapping[str, Any]) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, answer: Answer, token_s: float) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for text in (*(json.dumps(chunk) for chunk in answer.chunks()), "[DONE]"):
            line = f"data: {text}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            time.sleep(token_s)
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class names it so
        """Stay quiet."""
