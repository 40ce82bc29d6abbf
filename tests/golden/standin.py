"""The two model APIs that the golden cases call: fixed answers over real HTTP on loopback.

Needs the standard library only, as it runs in the environments of other people's instrumentation. A request
chooses its answer: `stream` streams it, `tools` calls the first tool, the model "missing-model" fails with
404, "cached" in a message reports cached tokens, "think" reasoning, and the model "flaky-N" fails N times
before it answers.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

CREATED = 1700000000
ANSWER = "Paris is the capital of France."


def openai_usage(cached: bool, reasoning: bool) -> dict[str, Any]:
    return {
        "prompt_tokens": 1200 if cached else 21,
        "completion_tokens": 48 if reasoning else 8,
        "total_tokens": (1200 if cached else 21) + (48 if reasoning else 8),
        "prompt_tokens_details": {"cached_tokens": 1024 if cached else 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 40 if reasoning else 0, "audio_tokens": 0},
    }


def chat_answer(request: dict[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": ANSWER, "refusal": None, "annotations": []}
    finish = "stop"
    if (request.get("response_format") or {}).get("type") == "json_schema":
        message["content"] = '{"city": "Paris"}'
    if request.get("tools") and request["messages"][-1]["role"] == "user":
        finish = "tool_calls"
        message["content"] = None
        message["tool_calls"] = [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'},
            }
        ]
    return {
        "id": "chatcmpl-golden1",
        "object": "chat.completion",
        "created": CREATED,
        "model": request["model"] + "-2024-08-06",
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
        "usage": openai_usage(
            "cached" in json.dumps(request["messages"]), "think" in json.dumps(request["messages"])
        ),
        "system_fingerprint": "fp_golden",
    }


def response_events(request: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """A response as it is streamed: text by words between its announcement and its whole."""
    whole = response_answer(request)
    whole["id"] = "resp_golden2"
    begun: dict[str, Any] = {**whole, "status": "in_progress", "output": [], "usage": None}
    message = whole["output"][1]
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": {**message, "content": []}},
        {
            "type": "response.content_part.added",
            "item_id": "msg_1",
            "output_index": 0,
            "content_index": 0,
            "part": {"type": "output_text", "text": "", "annotations": []},
        },
    ]
    events += [
        {
            "type": "response.output_text.delta",
            "item_id": "msg_1",
            "output_index": 0,
            "content_index": 0,
            "delta": word + " ",
            "logprobs": [],
        }
        for word in ANSWER.split()
    ]
    events.append({"type": "response.output_item.done", "output_index": 0, "item": message})
    events.append({"type": "response.completed", "response": whole})
    return [(event["type"], {"sequence_number": at, **event}) for at, event in enumerate(events)]


def transcription_answer() -> dict[str, Any]:
    return {
        "text": ANSWER,
        "usage": {"type": "tokens", "input_tokens": 14, "output_tokens": 9, "total_tokens": 23},
    }


def batch_answer() -> dict[str, Any]:
    moment = "2026-01-01T00:00:00Z"
    return {
        "id": "msgbatch_1",
        "type": "message_batch",
        "processing_status": "in_progress",
        "request_counts": {"processing": 2, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0},
        "created_at": moment,
        "expires_at": moment,
        "ended_at": None,
        "archived_at": None,
        "cancel_initiated_at": None,
        "results_url": None,
    }


def batch_results(url: str) -> list[dict[str, Any]]:
    """The results of a batch: one that succeeded, one that failed."""
    del url
    message = message_answer(
        {"model": "claude-sonnet-4-20250514", "messages": [{"role": "user", "content": "cached?"}]}
    )
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": "max_tokens: too many"}}
    return [
        {"custom_id": "first", "result": {"type": "succeeded", "message": {**message, "id": "msg_batched"}}},
        {"custom_id": "second", "result": {"type": "errored", "error": error}},
    ]


def chat_chunks(request: dict[str, Any]) -> list[dict[str, Any]]:
    base = {
        "id": "chatcmpl-golden2",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": request["model"] + "-2024-08-06",
    }
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    finish = "stop"
    if request.get("tools"):
        finish = "tool_calls"
        called: dict[str, Any] = {"index": 0, "id": "call_1", "type": "function"}
        deltas.append({"tool_calls": [{**called, "function": {"name": "get_weather", "arguments": ""}}]})
        deltas += [
            {"tool_calls": [{"index": 0, "function": {"arguments": part}}]}
            for part in ('{"city": ', '"Paris"}')
        ]
    elif (request.get("response_format") or {}).get("type") == "json_schema":
        deltas += [{"content": part} for part in ('{"city": ', '"Paris"}')]
    else:
        deltas += [{"content": word + " "} for word in ANSWER.split()]
    chunks = [{**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append({**base, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    if (request.get("stream_options") or {}).get("include_usage"):
        chunks.append({**base, "choices": [], "usage": openai_usage(False, False)})
    return chunks


def response_answer(request: dict[str, Any]) -> dict[str, Any]:
    answer = _response(request)
    if request.get("background"):
        answer.update(background=True, status="queued", output=[], usage=None)
    return answer


def _response(request: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "resp_golden1",
        "object": "response",
        "created_at": CREATED,
        "status": "completed",
        "model": request["model"] + "-2024-08-06",
        "output": [
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "The user asks for a capital."}],
            },
            {
                "type": "message",
                "id": "msg_1",
                "status": "completed",
                "role": "assistant",
                "content": [{"type": "output_text", "text": ANSWER, "annotations": []}],
            },
        ],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 30,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 48,
            "output_tokens_details": {"reasoning_tokens": 40},
            "total_tokens": 78,
        },
    }


def embedding_answer(request: dict[str, Any]) -> dict[str, Any]:
    return {
        "object": "list",
        "model": request["model"],
        "data": [{"object": "embedding", "index": 0, "embedding": [0.1, -0.2, 0.3]}],
        "usage": {"prompt_tokens": 5, "total_tokens": 5},
    }


def anthropic_usage(cached: bool) -> dict[str, Any]:
    return {
        "input_tokens": 21,
        "output_tokens": 8,
        "cache_read_input_tokens": 1024 if cached else 0,
        "cache_creation_input_tokens": 256 if cached else 0,
    }


def message_answer(request: dict[str, Any]) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"type": "text", "text": ANSWER}]
    stop = "end_turn"
    if (request.get("thinking") or {}).get("type") == "enabled":
        content.insert(0, {"type": "thinking", "thinking": "A capital is asked for.", "signature": "c2ln"})
    if request.get("tools") and isinstance(request["messages"][-1]["content"], str):
        stop = "tool_use"
        content = [
            {"type": "text", "text": "Let me look."},
            {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Paris"}},
        ]
    return {
        "id": "msg_golden1",
        "type": "message",
        "role": "assistant",
        "model": request["model"],
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": anthropic_usage("cached" in json.dumps(request.get("messages"))),
    }


def message_events(request: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """A message as it is streamed: its blocks in pieces, between its announcement and its usage."""
    whole = message_answer(request)
    begun: dict[str, Any] = {
        **whole,
        "content": [],
        "stop_reason": None,
        "usage": {**whole["usage"], "output_tokens": 1},
    }
    events: list[dict[str, Any]] = [{"type": "message_start", "message": begun}]
    for index, block in enumerate(whole["content"]):
        empty, deltas = _block(block)
        events.append({"type": "content_block_start", "index": index, "content_block": empty})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    ended = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    events.append({"type": "message_delta", "delta": ended, "usage": {"output_tokens": 8}})
    events.append({"type": "message_stop"})
    return [(event["type"], event) for event in events]


def _block(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return how a block of a message begins, and the pieces that follow."""
    if block["type"] == "thinking":
        thought = {"type": "thinking_delta", "thinking": block["thinking"]}
        signed = {"type": "signature_delta", "signature": block["signature"]}
        return {"type": "thinking", "thinking": "", "signature": ""}, [thought, signed]
    if block["type"] == "tool_use":
        written = json.dumps(block["input"])
        parts = [written[:6], written[6:]]
        return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": part} for part in parts]
    words = [{"type": "text_delta", "text": word + " "} for word in block["text"].split()]
    return {"type": "text", "text": ""}, words


ANSWERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "/chat/completions": chat_answer,
    "/responses": response_answer,
    "/embeddings": embedding_answer,
    "/messages": message_answer,
    "/audio/transcriptions": lambda _: transcription_answer(),
    "/audio/translations": lambda _: transcription_answer(),
    "/messages/batches": lambda _: batch_answer(),
    "/messages/count_tokens": lambda _: {"input_tokens": 21},
}
"""What answers a request that is not streamed, by the end of its path."""


class Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    failures: ClassVar[Counter[str]] = Counter()
    """How often each "flaky" model has failed."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name it overrides
        pass

    def asked(self) -> dict[str, Any]:
        """Return the body: JSON, or the fields of a form; nothing of what is neither."""
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if "multipart/" in self.headers.get("content-type", ""):
            found = re.findall(rb'name="(\w+)"\r\n\r\n(.*?)\r\n--', body, re.DOTALL)
            return {name.decode(): value.decode() for name, value in found}
        try:
            return json.loads(body)
        except ValueError:
            return {}

    def do_GET(self) -> None:
        if self.path.endswith("/results"):
            lines = "".join(json.dumps(each) + "\n" for each in batch_results(self.path))
            self.body(200, lines.encode(), "application/x-jsonl")
        elif "/batches/" in self.path:
            url = f"http://{self.headers['host']}{self.path.partition('?')[0]}/results"
            self.send(200, {**batch_answer(), "processing_status": "ended", "results_url": url})
        elif "/responses/" in self.path:
            made = {**_response({"model": "gpt-4o"}), "background": True, "id": self.path.rpartition("/")[2]}
            self.body(200, json.dumps(made).encode(), "application/json")
        else:
            self.send(200, {"object": "list", "data": [], "has_more": False})

    def do_POST(self) -> None:
        request = self.asked()
        path = self.path.partition("?")[0]
        model = str(request.get("model"))
        if self.answer(path, request):
            return
        if model == "missing-model":
            self.refuse(404, path)
        elif model.startswith("flaky-") and self.failures[model] < int(model[6:]):
            self.failures[model] += 1
            self.refuse(429, path)
        elif path.endswith(("/chat/completions", "/responses", "/messages")) and request.get("stream"):
            if path.endswith("/chat/completions"):
                self.stream([(None, chunk) for chunk in chat_chunks(request)], done=True)
            else:
                events = response_events if path.endswith("/responses") else message_events
                self.stream(events(request), done=False)
        elif path.endswith("/audio/speech"):
            self.body(200, b"ID3" + bytes(64), "audio/mpeg")
        else:
            for end, answer in ANSWERS.items():
                if path.endswith(end):
                    self.send(200, answer(request))
                    return
            self.send(404, {"error": {"message": f"no such path: {path}"}})

    def answer(self, path: str, request: dict[str, Any]) -> bool:
        """Answer what another stand-in made of this one answers itself; say whether it was answered."""
        del path, request
        return False

    def refuse(self, status: int, path: str) -> None:
        """Answer as the provider of a path does when the model is missing, or too many asked."""
        missing = status == 404
        said = "The model `missing-model` does not exist" if missing else "Rate limit reached"
        if path.endswith("/messages"):
            kind, said = (
                ("not_found_error", "model: missing-model") if missing else ("rate_limit_error", said)
            )
            self.send(status, {"type": "error", "error": {"type": kind, "message": said}})
            return
        kind = "invalid_request_error" if missing else "requests"
        code = "model_not_found" if missing else "rate_limit_exceeded"
        self.send(status, {"error": {"message": said, "type": kind, "param": None, "code": code}})

    def send(self, status: int, answer: dict[str, Any]) -> None:
        self.body(status, json.dumps(answer).encode(), "application/json")

    def body(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.send_header("x-request-id", "req_golden")
        self.send_header("request-id", "req_golden")
        if status == 429:
            self.send_header("retry-after-ms", "1")
        self.end_headers()
        self.wfile.write(body)

    def stream(self, events: list[Any], *, done: bool) -> None:
        text = "".join(
            (f"event: {name}\n" if name else "") + f"data: {json.dumps(event)}\n\n" for name, event in events
        )
        body = (text + ("data: [DONE]\n\n" if done else "")).encode()
        self.body(200, body, "text/event-stream")


def start() -> tuple[ThreadingHTTPServer, str]:
    """Start the API on a free port of loopback; returns the server and its base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_address[1]}"
