"""Conversations in one form: a list of {"role", "name"?, "parts", "finish_reason"?}.

Read here: the OpenTelemetry GenAI JSON, chat lists of OpenAI, Anthropic, Google, LangChain, and what
`flattened` made of dotted attributes. JSON that is in our form already is kept word for word, so that it need
not be stored twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agentops.server.normalise import entries, items
from agentops.server.normalise import parts as part
from agentops.server.normalise.values import decoded, encoded, is_list, is_object

Message = dict[str, Any]

_ROLES: Final[Mapping[str, str]] = {
    "human": "user",
    "humanmessage": "user",
    "ai": "assistant",
    "aimessage": "assistant",
    "aimessagechunk": "assistant",
    "model": "assistant",
    "systemmessage": "system",
    "toolmessage": "tool",
    "function": "tool",
    "chatbot": "assistant",
}


def canonical(items: Any) -> bool:
    """Tell whether decoded JSON is a non-empty conversation in our form already."""
    if not is_list(items) or not items:
        return False
    # Asked once for every message there is: types are compared here, not by calls.
    for message in items:
        if type(message) is not dict:
            return False
        said: Message = message  # pyright: ignore[reportUnknownVariableType] -- JSON
        content: Any = said.get("parts")
        if type(said.get("role")) is not str or type(content) is not list or "content" in said:
            return False
        pieces: list[Any] = content  # pyright: ignore[reportUnknownVariableType] -- JSON
        for piece in pieces:
            if type(piece) is not dict:
                return False
            each: part.Part = piece  # pyright: ignore[reportUnknownVariableType] -- JSON
            kind = each.get("type")
            if kind == "text" or kind == "reasoning" or kind == "refusal":
                if type(each.get("content")) is not str:
                    return False
            elif (
                (kind == "tool_call" and type(each.get("arguments")) is str)
                or (kind == "tool_call_response" and ("response" not in each or "result" in each))
                or not isinstance(kind, str)
                or kind not in part.CANONICAL
            ):
                return False
    return True


def messages(value: Any, role: str) -> list[Message] | None:
    """Return the conversation that a decoded value is, or None when it is none.

    Args:
        value: A list of messages, one message, or an object that holds a list under "messages".
        role: Whose message it is when a message does not say.
    """
    if is_object(value):
        holder: dict[str, Any] = value
        entered = holder.get("outputs" if role == "assistant" else "inputs")
        if entered is not None and (conversed := entries.items(entered)) is not None:
            return messages(conversed, role)
        if role == "user" and (prompt := _prompt(holder)) is not None:
            before = instructions(_instructions_in(holder))
            return [*before, {"role": role, "parts": part.parts(prompt)}]
        for name in _ANSWERS if role == "assistant" else _HOLDERS:
            held = holder.get(name)
            if not is_list(held):
                continue
            read = _READ.get(name)
            listed = read(held) if read is not None else messages(held, role)
            # An answer repeats the instructions of its request.
            before = role != "assistant" and _instructions_in(holder)
            if listed and before and isinstance(before, str | list):
                listed.insert(0, {"role": "system", "parts": part.parts(before)})
            return listed
        if not _message_like(holder):
            said = holder.get("content")  # Of Google's answers, as its agents keep them.
            return [message(said, role)] if is_object(said) and "parts" in said else None
        return [message(holder, role)]
    if not is_list(value) or not value:
        return None
    items: list[Any] = value
    if len(items) == 1 and (is_list(items[0]) or _is_response(items[0])):
        return messages(items[0], role)
    found: list[Message] = []
    for item in items:
        if isinstance(item, str):
            found.append({"role": role, "parts": part.parts(item)})
        elif is_object(item) and _message_like(item):
            found.append(message(item, role))
        else:
            return None
    return found if any(is_object(item) for item in items) else None


def _prompt(request: Mapping[str, Any]) -> str | None:
    """Return what is asked as one text, of a request that has no messages."""
    for name in _PROMPTS:
        asked = request.get(name)
        if type(asked) is str and (name == "inputs" or len(request) == 1 or "model" in request):
            return asked
    return None


_PROMPTS: Final = ("inputs", "input", "prompt")
"""Fields of a request that may hold one text; but for the first, also of what is no request."""
_HOLDERS: Final = ("messages", "contents", "input")
_ANSWERS: Final = ("choices", "candidates", "output", *_HOLDERS)
"""Fields of a request or an answer that hold its messages."""


def _instructions_in(request: Mapping[str, Any]) -> Any:
    """Return the instructions that stand beside the messages of a request."""
    config = request.get("config")
    found = request.get("system") or request.get("instructions")
    return found or (config.get("system_instruction") if is_object(config) else None)


def _is_response(item: Any) -> bool:
    """Tell whether an item is a whole answer of the Responses API."""
    return is_object(item) and item.get("object") == "response" and is_list(item.get("output"))


def _choices(items: list[Any]) -> list[Message] | None:
    """Return the messages of a chat answer's choices, each with its finish reason."""
    found: list[Message] = []
    for item in items:
        if not is_object(item) or not is_object(item.get("message")):
            return None
        said: dict[str, Any] = item["message"]
        found.append(message({"finish_reason": item.get("finish_reason"), **said}, "assistant"))
    return found or None


def _candidates(items: list[Any]) -> list[Message] | None:
    """Return the messages of Google's candidates, each with its finish reason."""
    found: list[Message] = []
    for item in items:
        said = item.get("content") if is_object(item) else None
        if not is_object(said) or "parts" not in said:
            return None
        finish = item.get("finish_reason") or item.get("finishReason")
        found.append(message({"finish_reason": finish, **said}, "assistant"))
    return found or None


_READ: Final = {"choices": _choices, "candidates": _candidates}
"""What reads fields that hold messages, but not at once."""


def _message_like(item: Mapping[str, Any]) -> bool:
    kind = _type(item)
    return (
        "role" in item
        or "parts" in item
        or (kind is not None and (items.is_one(kind) or (kind.lower() in _ROLES and "content" in item)))
        or ("kwargs" in item and "id" in item)
        or is_kept(item)
        or "tool_calls" in item
    )


def is_kept(item: Mapping[str, Any]) -> bool:
    """Tell whether an object is a message in the form in which LangChain keeps them."""
    kept = item.get("data")
    return is_object(kept) and "content" in kept and _type(item) in _KEPT


_KEPT: Final = frozenset(("human", "ai", "system", "tool", "function", "chat", "AIMessageChunk"))


def _type(item: Mapping[str, Any]) -> str | None:
    kind = item.get("type")
    return kind if isinstance(kind, str) else None


def message(item: Mapping[str, Any], role: str) -> Message:
    """Return one message in our form."""
    if is_object(item.get("kwargs")) and is_list(item.get("id")) and item["id"]:
        item = {"role": str(item["id"][-1]), **item["kwargs"]}
    elif is_object(item.get("data")) and "role" not in item:
        item = {"role": item.get("type"), **item["data"]}
    kind = _type(item)
    if kind is not None and "role" not in item and items.is_one(kind):
        speaker = "tool" if kind.endswith("_output") else "assistant"
        return {"role": speaker, "parts": items.parts(item)}
    given = item.get("role") or (kind if kind is not None and kind.lower() in _ROLES else None)
    speaker = _ROLES.get(str(given).lower(), str(given).lower()) if given else role
    found: Message = {"role": speaker}
    if isinstance(item.get("name"), str) and item["name"]:
        found["name"] = item["name"]
    found["parts"] = _content(item, speaker)
    finish = item.get("finish_reason") or item.get("stop_reason")
    if isinstance(finish, str):
        found["finish_reason"] = finish
    return found


def _content(item: Mapping[str, Any], role: str) -> list[part.Part]:
    found: list[part.Part] = []
    for name in ("reasoning_content", "reasoning", "thinking"):
        if isinstance(item.get(name), str) and item[name]:
            found.append({"type": "reasoning", "content": item[name]})
            break
    content = next(
        (item[key] for key in ("parts", "contents", "content") if item.get(key) not in (None, "", [])), None
    )
    if isinstance(content, str):
        content = _listed(content)
    call_id = item.get("tool_call_id") or (item.get("id") if role == "tool" else None)
    body = part.parts(content)
    if call_id and not any(each["type"] == "tool_call_response" for each in body):
        plain = body[0]["content"] if len(body) == 1 and body[0]["type"] == "text" else body or content
        found.append(part.tool_call_response(call_id, plain))
    else:
        found.extend(body)
    spoken = item.get("audio")
    if is_object(spoken):
        found.extend(_spoken(spoken))
    refusal = item.get("refusal")
    if isinstance(refusal, str) and refusal:
        found.append({"type": "refusal", "content": refusal})
    known = [each.get("id") for each in found if each["type"] == "tool_call"]
    calls = part.parsed(item.get("tool_calls"))
    for call in calls if is_list(calls) else ():
        if is_object(call):
            read = part.part({"type": "tool_call", **{k: v for k, v in call.items() if k != "type"}})
            if read["id"] is None or read["id"] not in known:
                found.append(read)
    legacy: Any = item.get("function_call")
    if legacy is None and item.get("function_call_name"):
        legacy = {"name": item["function_call_name"], "arguments": item.get("function_call_arguments_json")}
    if is_object(legacy):
        call_of: dict[str, Any] = legacy
        found.append(part.tool_call(None, call_of.get("name"), call_of.get("arguments")))
    return found


def _spoken(audio: Mapping[str, Any]) -> list[part.Part]:
    """Return what a model said aloud: its words, and their sound."""
    found: list[part.Part] = []
    if isinstance(audio.get("transcript"), str) and audio["transcript"]:
        found.append(part.text_part(audio["transcript"]))
    if isinstance(audio.get("data"), str):
        mime_type = part.sound_type(audio.get("format"), audio["data"])
        found.append({"type": "blob", "modality": "audio", "mime_type": mime_type, "content": audio["data"]})
    return found


def _listed(content: str) -> Any:
    """Return a content list that was sent as its JSON text; any other text as it is."""
    if content.startswith("[{"):
        items = decoded(content)
        if is_list(items) and all(is_object(item) and part.is_one(item) for item in items):
            return items
    return content


def instructions(value: Any) -> list[Message]:
    """Return `gen_ai.system_instructions` (parts, JSON of them, a text) as a system message, if any."""
    meaning = part.parsed(value)
    if is_list(meaning) and meaning and is_object(meaning[0]) and "role" in meaning[0]:
        return messages(meaning, "system") or []
    found = part.parts(meaning)
    return [{"role": "system", "parts": found}] if found else []


def instructed(before: list[Message], said: list[Message]) -> list[Message]:
    """Return a conversation with its instructions before it, unless it begins with the same ones."""
    known = said and before and said[0]["role"] == "system" and readable(said[0]) == readable(before[0])
    return said if known else [*before, *said]


def readable(message_: Mapping[str, Any]) -> str:
    """Return what a message says in one text: its text parts, else what it calls, answers or shows."""
    pieces: list[Mapping[str, Any]] = message_["parts"]
    said = [piece["content"] for piece in pieces if piece.get("type") in _SAID and piece.get("content")]
    if said:
        return said[0] if len(said) == 1 else "\n".join(said)
    for piece in pieces:
        kind = piece.get("type")
        if kind in ("tool_call", "server_tool_call"):
            arguments = piece.get("arguments")
            return (
                f"{piece.get('name') or 'tool'}({'' if arguments in (None, {}, '') else _shown(arguments)})"
            )
        if kind == "tool_call_response":
            return _shown(piece.get("response"))
    for piece in pieces:
        if piece.get("type") == "reasoning":
            return _shown(piece.get("content") or "")
        if piece.get("modality") or piece.get("type"):
            return f"[{piece.get('modality') or piece.get('type')}]"
    return ""


_SAID: Final = frozenset(("text", "refusal"))


def says(message_: Mapping[str, Any]) -> bool:
    """Tell whether a message has text of its own."""
    for piece in message_["parts"]:  # noqa: SIM110 -- once for every message there is: a generator costs more
        if piece.get("type") == "text":
            return True
    return False


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else encoded(value)
