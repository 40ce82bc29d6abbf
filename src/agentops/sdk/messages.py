"""Prompts and completions of any shape, as messages of the OpenTelemetry GenAI conventions.

    [{"role": "user", "parts": [{"type": "text", "content": "Hello"}]}, ...]

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import msgspec

Message = dict[str, Any]

_THOUGHTS: Final = ("reasoning_content", "reasoning", "thinking")
_BESIDE: Final = (*_THOUGHTS, "refusal")


def messages(value: Any, role: str) -> list[Message] | None:
    """Return a prompt or completion as messages, or None when it is not one.

    Args:
        value: text, a chat message, or a list of those; messages may be objects with the same fields.
        role: of a text, which does not say.
    """
    try:
        return _messages(value, role)
    except Exception:
        return None  # An object of the program's that cannot even be looked at.


def _messages(value: Any, role: str) -> list[Message] | None:
    if value is None:
        return None
    if isinstance(value, str):
        return [{"role": role, "parts": [{"type": "text", "content": value}]}]
    found = _message(value, role)
    if found is not None:
        return [found]
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        out = [_message(item, role) for item in cast("Sequence[Any]", value)]
        if out and all(out):
            return [message for message in out if message is not None]
    return None


def _fields(value: Any) -> Mapping[str, Any] | None:
    if isinstance(value, Mapping):
        return cast("Mapping[str, Any]", value)
    dump = getattr(cast("type[Any]", type(value)), "model_dump", None)
    if dump is not None:
        try:
            return dump(value, warnings=False)
        except Exception:  # The program's own models raise what they like.
            return None
    if hasattr(value, "role") and hasattr(value, "content"):
        return {
            name: getattr(value, name, None)
            for name in ("role", "content", "tool_calls", "tool_call_id", "name", *_BESIDE)
        }
    return None


def _message(value: Any, role: str) -> Message | None:
    if isinstance(value, str):
        return {"role": role, "parts": [{"type": "text", "content": value}]}
    fields = _fields(value)
    if fields is None or not ({"role", "content", "tool_calls", "parts"} & set(fields)):
        return None
    said = str(fields.get("role") or role)
    if isinstance(fields.get("parts"), list):
        return {"role": said, "parts": list(fields["parts"])}
    parts = [*_aside(fields), *_parts(fields.get("content"))]
    call_id = fields.get("tool_call_id")
    if call_id is not None:
        parts = [{"type": "tool_call_response", "id": call_id, "response": fields.get("content")}]
    calls: Any = fields.get("tool_calls") or ()
    parts.extend(_tool_call(call) for call in calls)
    message: Message = {"role": said, "parts": parts}
    if fields.get("name"):
        message["name"] = fields["name"]
    return message


def _aside(fields: Mapping[str, Any]) -> list[Message]:
    """Return what a message says beside its content: why, and that it will not."""
    thought: Any = next((fields[name] for name in _THOUGHTS if fields.get(name)), None)
    refused: Any = fields.get("refusal")
    found = (("reasoning", thought), ("refusal", refused))
    return [{"type": kind, "content": text} for kind, text in found if isinstance(text, str) and text]


def _block(item: Any) -> Mapping[str, Any]:
    """Return the fields of a part, whatever object it is."""
    known = _fields(item)
    if known is not None or not isinstance(getattr(item, "type", getattr(item, "text", None)), str):
        return known or {}
    held = cast("dict[str, Any]", vars(item))
    return {name: value for name, value in held.items() if not name.startswith("_")}


def _parts(content: Any) -> list[Message]:
    if content is None:
        return []
    if isinstance(content, str):
        return [{"type": "text", "content": content}]
    if not isinstance(content, Sequence):
        return [{"type": "text", "content": str(content)}]
    parts: list[Message] = []
    for item in cast("Sequence[Any]", content):
        if isinstance(item, str):
            parts.append({"type": "text", "content": item})
            continue
        fields = _block(item)
        kind = fields.get("type")
        if kind in ("text", "input_text", "output_text") or (kind is None and set(fields) == {"text"}):
            parts.append({"type": "text", "content": fields.get("text", "")})
        elif kind == "thinking":
            parts.append({"type": "reasoning", "content": fields.get("thinking", "")})
        elif kind == "tool_use":
            parts.append({"type": "tool_call", "id": fields.get("id"), "name": fields.get("name"),
                          "arguments": fields.get("input")})  # fmt: skip
        elif kind is None and isinstance(used := fields.get("toolUse"), Mapping):
            call = cast("Mapping[str, Any]", used)
            parts.append({"type": "tool_call", "id": call.get("toolUseId"), "name": call.get("name"),
                          "arguments": call.get("input")})  # fmt: skip
        elif kind == "refusal":
            parts.append({"type": "refusal", "content": fields.get("refusal", "")})
        elif kind == "tool_result":
            parts.append(
                {
                    "type": "tool_call_response",
                    "id": fields.get("tool_use_id"),
                    "response": fields.get("content"),
                }
            )
        elif kind == "image_url":
            url: Any = fields.get("image_url")
            parts.append(
                {
                    "type": "uri",
                    "modality": "image",
                    "uri": url.get("url") if isinstance(url, Mapping) else url,
                }
            )
        else:
            parts.append(dict(fields) or {"type": "text", "content": repr(item)})
    return parts


def _tool_call(call: Any) -> Message:
    fields = _fields(call) or {}
    function: Any = fields.get("function") or fields
    found: Mapping[str, Any] = _fields(function) or {
        "name": getattr(function, "name", None),
        "arguments": getattr(function, "arguments", None),
    }
    arguments: Any = found.get("arguments")
    if isinstance(arguments, str):
        try:
            arguments = msgspec.json.decode(arguments)
        except msgspec.DecodeError:
            pass
    return {"type": "tool_call", "id": fields.get("id"), "name": found.get("name"), "arguments": arguments}
