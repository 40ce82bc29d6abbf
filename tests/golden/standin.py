"""The two model APIs that the golden cases call: fixed answers over real HTTP on loopback.

Needs the standard library only, as it runs in the environments of other people's instrumentation. A request
chooses its answer: `stream` streams it, `tools` calls the first tool, the model "missing-model" fails with
404, and the model name "cached" in a message reports cached tokens.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

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


def chat_chunks(request: dict[str, Any]) -> list[dict[str, Any]]:
    base = {
        "id": "chatcmpl-golden2",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": request["model"] + "-2024-08-06",
    }
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": word + " "} for word in ANSWER.split()]
    chunks = [{**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append({**base, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    if (request.get("stream_options") or {}).get("include_usage"):
        chunks.append({**base, "choices": [], "usage": openai_usage(False, False)})
    return chunks


def response_answer(request: dict[str, Any]) -> dict[str, Any]:
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
    start: dict[str, Any] = {**message_answer(request), "content": [], "stop_reason": None}
    start["usage"]["output_tokens"] = 1
    events: list[tuple[str, dict[str, Any]]] = [
        ("message_start", {"type": "message_start", "message": start}),
        (
            "content_block_start",
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        ),
    ]
    events += [
        (
            "content_block_delta",
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word + " "}},
        )
        for word in ANSWER.split()
    ]
    events += [
        ("content_block_stop", {"type": "content_block_stop", "index": 0}),
        (
            "message_delta",
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                "usage": {"output_tokens": 8},
            },
        ),
        ("message_stop", {"type": "message_stop"}),
    ]
    return events


class Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name it overrides
        pass

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        path = self.path.partition("?")[0]
        if request.get("model") == "missing-model":
            error: dict[str, Any] = {
                "message": "The model `missing-model` does not exist",
                "type": "invalid_request_error",
                "param": None,
                "code": "model_not_found",
            }
            if path.endswith("/messages"):
                error = {"type": "not_found_error", "message": "model: missing-model"}
                self.send(404, {"type": "error", "error": error})
            else:
                self.send(404, {"error": error})
        elif path.endswith("/chat/completions"):
            if request.get("stream"):
                self.stream([(None, chunk) for chunk in chat_chunks(request)], done=True)
            else:
                self.send(200, chat_answer(request))
        elif path.endswith("/responses"):
            self.send(200, response_answer(request))
        elif path.endswith("/embeddings"):
            self.send(200, embedding_answer(request))
        elif path.endswith("/messages"):
            if request.get("stream"):
                self.stream(message_events(request), done=False)
            else:
                self.send(200, message_answer(request))
        else:
            self.send(404, {"error": {"message": f"no such path: {path}"}})

    def send(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, events: list[Any], *, done: bool) -> None:
        text = "".join(
            (f"event: {name}\n" if name else "") + f"data: {json.dumps(event)}\n\n" for name, event in events
        )
        body = (text + ("data: [DONE]\n\n" if done else "")).encode()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def start() -> tuple[ThreadingHTTPServer, str]:
    """Start the API on a free port of loopback; returns the server and its base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_address[1]}"
