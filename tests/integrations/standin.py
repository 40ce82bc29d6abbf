"""The stand-in for the providers that the libraries' own clients call: one server for all of them.

To the answers of the golden cases it adds those of Google, Bedrock and Mistral, and the little mind that an
agent needs: asked about the weather it calls the tool, told the result it answers, or calls `final_answer`
where that is a tool.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import struct
import zlib
from collections.abc import Sequence
from typing import Any

from tests.golden import standin
from tests.standin import Models

_SAID = "It is 21 degrees in Paris."


def chat_answer(request: dict[str, Any]) -> dict[str, Any]:
    """Answer a chat as an agent's model does."""
    answer = standin.chat_answer({**request, "tools": None})
    choice = answer["choices"][0]
    named = [_name(tool) for tool in request.get("tools") or ()]
    told = "21 degrees" in json.dumps(request["messages"])
    if "final_answer" in named and told:
        _call(choice, "final_answer", {"answer": _SAID})
    elif named and not told:
        name = next((name for name in named if "weather" in name), named[0])
        leads = name.startswith("delegate")
        _call(choice, name, {"member_id": "forecaster", "task": "Weather?"} if leads else {"city": "Paris"})
    elif told:
        choice["message"]["content"] = _SAID
    elif str(request.get("model")).startswith("magistral"):
        choice["message"]["content"] = thought_parts(standin.ANSWER)
    elif "[[ ## answer ## ]]" in json.dumps(request["messages"]):
        choice["message"]["content"] = "[[ ## answer ## ]]\nParis\n\n[[ ## completed ## ]]"
    return answer


def thought_parts(text: str) -> list[dict[str, Any]]:
    """Return a thought and a text as Mistral's models that think tell them."""
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "France, then."}]}
    return [thought, {"type": "text", "text": text}]


def _name(tool: dict[str, Any]) -> str:
    return str((tool.get("function") or tool).get("name"))


def _call(choice: dict[str, Any], name: str, arguments: dict[str, Any]) -> None:
    function = {"name": name, "arguments": json.dumps(arguments)}
    choice["message"]["content"] = None
    choice["message"]["tool_calls"] = [{"id": f"call_{name}", "type": "function", "function": function}]
    choice["finish_reason"] = "tool_calls"


def chat_chunks(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Stream such an answer, in as few pieces as there can be."""
    answer = chat_answer(request)
    choice = answer["choices"][0]
    base = {**answer, "id": "chatcmpl-golden2", "object": "chat.completion.chunk", "usage": None}
    del base["choices"]
    message = choice["message"]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    if message.get("tool_calls"):
        deltas.append({"tool_calls": [{"index": 0, **call} for call in message["tool_calls"]]})
    elif isinstance(message["content"], list):
        deltas += [{"content": [part]} for part in message["content"]]
    else:
        deltas += [{"content": word + " "} for word in message["content"].split()]
    chunks = [{**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append({**base, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
    if (request.get("stream_options") or {}).get("include_usage"):
        chunks.append({**base, "choices": [], "usage": answer["usage"]})
    return chunks


def response_answer(request: dict[str, Any]) -> dict[str, Any]:
    """Answer a request of the Responses API as an agent's model does."""
    answer = standin.response_answer(request)
    told = "21 degrees" in json.dumps(request["input"])
    if request.get("tools") and not told:
        name = _name(request["tools"][0])
        answer["output"] = [{"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": name,
                             "arguments": '{"city": "Paris"}', "status": "completed"}]  # fmt: skip
    elif told:
        answer["output"][-1]["content"][0]["text"] = _SAID
    return answer


def google_answer(words: Sequence[str] | None = None) -> dict[str, Any]:
    """Answer as Gemini does; of a streamed answer, some of its words."""
    text = standin.ANSWER if words is None else " ".join(words) + " "
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP", "index": 0}
    usage = {
        "promptTokenCount": 21,
        "candidatesTokenCount": 8,
        "totalTokenCount": 69,
        "thoughtsTokenCount": 40,
    }
    return {
        "candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-2.5-flash",
    }  # fmt: skip


def google_called(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer that calls the tool instead."""
    call = {"functionCall": {"name": "get_weather", "args": {"city": "Paris"}}}
    answer["candidates"][0]["content"]["parts"] = [call]
    return answer


def converse_answer() -> dict[str, Any]:
    """Answer as Bedrock's converse does."""
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": standin.ANSWER}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 21, "outputTokens": 8, "totalTokens": 29},
        "metrics": {"latencyMs": 5},
    }


def converse_events() -> list[tuple[str, dict[str, Any]]]:
    """Stream such an answer, by words."""
    deltas = [{"delta": {"text": word + " "}, "contentBlockIndex": 0} for word in standin.ANSWER.split()]
    ended = converse_answer()
    return [
        ("messageStart", {"role": "assistant"}),
        *(("contentBlockDelta", delta) for delta in deltas),
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": "end_turn"}),
        ("metadata", {"usage": ended["usage"], "metrics": ended["metrics"]}),
    ]


def in_base64(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event of a model's own stream as Bedrock sends it."""
    return {"bytes": base64.b64encode(json.dumps(event).encode()).decode()}


def event_frame(kind: str, payload: dict[str, Any]) -> bytes:
    """Return one message of AWS's event stream encoding."""
    headers = b""
    for name, value in (
        (":event-type", kind),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ):
        headers += struct.pack("!B", len(name)) + name.encode() + b"\x07"
        headers += struct.pack("!H", len(value)) + value.encode()
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", 16 + len(headers) + len(body), len(headers))
    prelude += struct.pack("!I", zlib.crc32(prelude))
    whole = prelude + headers + body
    return whole + struct.pack("!I", zlib.crc32(whole))


def conversation_events() -> list[tuple[str, dict[str, Any]]]:
    """Stream the answer of a conversation of Mistral's: a tool of its own, then words."""
    moment = {"created_at": "2026-01-01T00:00:00Z"}
    said = {"id": "msg_1", "model": "mistral-large-latest", "role": "assistant", "output_index": 1}
    tool = {"id": "tool_1", "name": "web_search", "arguments": '{"query": "France"}', "output_index": 0}
    events: list[dict[str, Any]] = [
        {"type": "conversation.response.started", "conversation_id": "conv_1"},
        {"type": "tool.execution.started", **tool},
        *({"type": "message.output.delta", **said, "content": f"{word} "} for word in standin.ANSWER.split()),
        {"type": "conversation.response.done", "usage": mistral_usage()},
    ]
    return [(event["type"], {**event, **moment}) for event in events]


def conversation_answer() -> dict[str, Any]:
    """Answer a conversation of Mistral's with the call of a function."""
    call = {"object": "entry", "type": "function.call", "id": "fc_1", "tool_call_id": "call_1",
            "name": "get_weather", "arguments": '{"city": "Paris"}'}  # fmt: skip
    return {"object": "conversation.response", "conversation_id": "conv_1", "outputs": [call],
            "usage": mistral_usage()}  # fmt: skip


def transcription_events() -> list[tuple[str, dict[str, Any]]]:
    """Stream what Mistral's model heard."""
    ended: dict[str, Any] = {"model": "voxtral-mini-latest", "text": standin.ANSWER, "language": "en",
                             "segments": [], "usage": mistral_usage()}  # fmt: skip
    events: list[dict[str, Any]] = [
        *({"type": "transcription.text.delta", "text": f"{word} "} for word in standin.ANSWER.split()),
        {"type": "transcription.done", **ended},
    ]
    return [(event["type"], event) for event in events]


def mistral_usage() -> dict[str, int]:
    """Return what an answer of Mistral's cost."""
    return {"prompt_tokens": 21, "completion_tokens": 8, "total_tokens": 29}


def live_messages(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """Say in a live session of Gemini's what follows a message: that it begins, a call, or the answer."""
    usage = {"promptTokenCount": 21, "responseTokenCount": 8, "totalTokenCount": 29}
    if "setup" in asked:
        return [{"setupComplete": {}}]
    if "weather" in json.dumps(asked).lower() and "tool_response" not in asked:
        call = {"id": "call_1", "name": "get_weather", "args": {"city": "Paris"}}
        return [{"toolCall": {"functionCalls": [call]}, "usageMetadata": usage}]
    turns = [{"modelTurn": {"role": "model", "parts": [{"text": f"{word} "}]}} for word in _SAID.split()]
    return [*({"serverContent": each} for each in turns),
            {"serverContent": {"turnComplete": True}, "usageMetadata": usage}]  # fmt: skip


def live_session(api: standin.Api) -> None:
    """Hold such a session over a web socket, in text frames, until its client leaves."""
    key = api.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    api.send_response(101)
    for name, value in (
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()),
    ):
        api.send_header(name, value)
    api.end_headers()
    api.close_connection = True
    while (asked := _read_frame(api)) is not None:
        for message in live_messages(asked):
            body = json.dumps(message).encode()
            length = bytes([len(body)]) if len(body) < 126 else struct.pack("!BH", 126, len(body))
            api.wfile.write(b"\x81" + length + body)


def _read_frame(api: standin.Api) -> dict[str, Any] | None:
    """Read what a client says in one frame, which it masks; None when it leaves."""
    head = api.rfile.read(2)
    if len(head) < 2 or head[0] & 15 == 8:
        return None
    length = head[1] & 127
    if length == 126:
        (length,) = struct.unpack("!H", api.rfile.read(2))
    mask = api.rfile.read(4)
    body = api.rfile.read(length)
    return json.loads(bytes(byte ^ mask[at % 4] for at, byte in enumerate(body)))


def titan_answer() -> dict[str, Any]:
    """Answer as Titan does that makes embeddings."""
    return {"embedding": [0.1, -0.2, 0.3], "inputTextTokenCount": 5}


def llama_frames() -> bytes:
    """Stream an answer of Llama's through Bedrock, which counts its tokens."""
    chunks: list[dict[str, Any]] = [
        {"generation": f"{word} ", "stop_reason": None} for word in standin.ANSWER.split()
    ]
    counted = {"inputTokenCount": 21, "outputTokenCount": 8}
    chunks.append({"generation": "", "stop_reason": "stop", "amazon-bedrock-invocationMetrics": counted})
    return b"".join(event_frame("chunk", in_base64(chunk)) for chunk in chunks)


class Providers(Models):
    """A running stand-in for every provider."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count(1)

    def next_id(self) -> str:
        """Return an id that no other of Google's answers has."""
        return f"gem-{next(self._numbers)}"

    def get(self, api: standin.Api) -> bool:
        """Hold a live session, where one is asked for."""
        if api.headers.get("upgrade") != "websocket":
            return False
        live_session(api)
        return True

    def answer(self, api: standin.Api, path: str, request: dict[str, Any]) -> bool:
        """Answer what the golden cases do not."""
        if request.get("model") == "missing-model":
            return False
        if request.get("model") == "mistral-embed":
            made = {"id": "emb", **standin.embedding_answer(request)}
            api.body(200, json.dumps(made).encode(), "application/json")
        elif path.endswith("/fim/completions"):
            asked = [{"role": "user", "content": request["prompt"]}]
            if request.get("stream"):
                chunks = chat_chunks({**request, "messages": asked})
                api.stream([(None, chunk) for chunk in chunks], done=True)
            else:
                api.send(200, chat_answer({**request, "messages": asked}))
        elif path.endswith("/conversations"):
            if request.get("stream"):
                api.stream(conversation_events(), done=False)
            else:
                api.send(200, conversation_answer())
        elif path.endswith("/audio/transcriptions") and "event-stream" in api.headers.get("accept", ""):
            api.stream(transcription_events(), done=False)
        elif path.endswith("/chat/completions"):
            if request.get("stream"):
                api.stream([(None, chunk) for chunk in chat_chunks(request)], done=True)
            else:
                api.send(200, chat_answer(request))
        elif path.endswith("/responses") and not request.get("stream"):
            api.send(200, response_answer(request))
        elif path.endswith(":generateContent"):
            answer = google_answer()
            if request.get("tools") and len(request["contents"]) == 1:
                answer = google_called(answer)
            api.send(200, {**answer, "responseId": self.next_id()})
        elif path.endswith(":streamGenerateContent"):
            words = standin.ANSWER.split()
            pieces = [google_answer(words[:3]), google_answer(words[3:])]
            if request.get("tools") and len(request["contents"]) == 1:
                pieces = [google_called(google_answer())]
            api.stream([(None, {**each, "responseId": self.next_id()}) for each in pieces], done=False)
        elif path.endswith(":batchEmbedContents"):
            made = [{"values": [0.1, -0.2]} for _ in request["requests"]]
            api.send(200, {"embeddings": made, "usageMetadata": {"promptTokenCount": 5}})
        elif path.endswith(":predict"):
            painted = {"mimeType": "image/png", "bytesBase64Encoded": "UE5H"}
            api.body(200, json.dumps({"predictions": [painted]}).encode(), "application/json")
        elif path.endswith(":predictLongRunning"):
            api.body(200, b'{"name": "operations/film"}', "application/json")
        elif path.endswith("/rerank"):
            made = {"id": "rank", "results": [{"index": 0, "relevance_score": 0.9}]}
            api.body(200, json.dumps(made).encode(), "application/json")
        elif path.endswith("/moderations"):
            made = b'{"id": "modr", "model": "omni-moderation-2024-09-26", "results": []}'
            api.body(200, made, "application/json")
        elif path.endswith("/converse"):
            api.send(200, converse_answer())
        elif path.endswith("/converse-stream"):
            frames = b"".join(event_frame(kind, payload) for kind, payload in converse_events())
            api.body(200, frames, "application/vnd.amazon.eventstream")
        elif "meta.llama" in path:
            api.body(200, llama_frames(), "application/vnd.amazon.eventstream")
        elif "titan-embed" in path:
            api.send(200, titan_answer())
        elif path.endswith("/invoke-with-response-stream"):
            events = standin.message_events({**request, "model": "claude-sonnet-4-20250514"})
            frames = b"".join(event_frame("chunk", in_base64(event)) for _, event in events)
            api.body(200, frames, "application/vnd.amazon.eventstream")
        elif path.endswith("/invoke") and not request:
            api.send(400, {"message": "Malformed input request, please reformat your input and try again."})
        elif path.endswith("/invoke"):
            api.send(200, standin.message_answer({**request, "model": "claude-sonnet-4-20250514"}))
        else:
            return False
        return True
