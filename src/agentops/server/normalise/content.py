"""Where a span keeps its content: which attributes and events are its input, its output, its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from agentops import semconv
from agentops.model import Attributes, SpanEvent
from agentops.server.normalise import bodies as body
from agentops.server.normalise import messages as chat
from agentops.server.normalise import parts as part
from agentops.server.normalise.bodies import Body
from agentops.server.normalise.dialects import AGENTOPS_04, OPENLLMETRY, OWN
from agentops.server.normalise.flattened import trees
from agentops.server.normalise.values import decoded, encoded, is_list, is_object

END_STATES: Final[Mapping[str, str]] = {
    "success": "Success",
    "ok": "Success",
    "fail": "Fail",
    "failed": "Fail",
    "failure": "Fail",
    "error": "Fail",
    "indeterminate": "Indeterminate",
    "unset": "Indeterminate",
    # What 0.4 clients say of a trace that nobody ended.
    "shutdown": "Indeterminate",
    "unknown": "Indeterminate",
}
"""End states in every spelling that clients use, in lower case."""

_CONVERSATIONS: Final = frozenset(("llm", "agent", "session"))
_JSON_TEXT: Final = frozenset(
    name
    for table in (OWN, OPENLLMETRY, AGENTOPS_04)
    for field in ("input", "output")
    for name in table[field]
)
"""Attributes that are JSON by contract."""

_MESSAGE_EVENTS: Final[Mapping[str, str]] = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    "gen_ai.content.prompt": "user",
}
_CHOICE_EVENTS: Final = frozenset(("gen_ai.choice", "gen_ai.content.completion"))
DETAILS_EVENT: Final = "gen_ai.client.inference.operation.details"
CONTENT_EVENTS: Final = frozenset((*_MESSAGE_EVENTS, *_CHOICE_EVENTS, DETAILS_EVENT))
"""Events that carry the messages of a call."""

_FLAT_INPUT: Final = ("llm.input_messages.", "gen_ai.prompt.", "llm.prompts.", "embedding.embeddings.")
_FLAT_OUTPUT: Final = (
    "llm.output_messages.",
    "gen_ai.completion.",
    "llm.choices.",
    "retrieval.documents.",
    "reranker.output_documents.",
)


def bodies(
    given: Attributes,
    found: Mapping[str, Any],
    sources: Mapping[str, str],
    events: list[SpanEvent],
    kind: str,
    flat: bool,
) -> tuple[Body, Body]:
    """Return a span's input and output.

    Most telling first: messages as JSON, messages in events, flattened messages, then the one value of the
    span.
    """
    if kind == "tool":
        return _tool_bodies(found, sources, events)
    before = chat.instructions(found["system"]) if "system" in found else []
    entered = _messages(found, "input", before)
    left = _messages(found, "output")
    if events and (entered is None or left is None):
        going_in, coming_out = _told(events)
        if entered is None and going_in:
            entered = body.conversation(chat.instructed(before, going_in), "input")
        if left is None and coming_out:
            left = body.conversation(coming_out, "output")
    if entered is None and before and "input" not in found:
        entered = body.conversation(before, "input")
    if flat and left is not None and left.messages and not _spoken(left.messages):
        left = None  # LiteLLM's: who spoke, and beside it what was called.
    if flat and (entered is None or left is None):
        spread = trees(given, (*_FLAT_INPUT, *_FLAT_OUTPUT))
        if spread:
            entered = entered or _flattened(spread, _FLAT_INPUT, "input", found.get("input"))
            left = left or _flattened(spread, _FLAT_OUTPUT, "output", found.get("output"))
    return entered or _value(found, sources, "input", kind), left or _value(found, sources, "output", kind)


def _messages(
    found: Mapping[str, Any], direction: str, before: list[chat.Message] | None = None
) -> Body | None:
    value = found.get("input_messages" if direction == "input" else "output_messages")
    if value is None:
        return None
    return body.messages_body(value, direction, before) or body.value_body(value, direction)


def _value(found: Mapping[str, Any], sources: Mapping[str, str], field: str, kind: str) -> Body:
    value = found.get(field)
    if value is None:
        return body.NONE
    return body.value_body(
        value, field, chatty=kind in _CONVERSATIONS, json_text=sources[field] in _JSON_TEXT
    )


def _tool_bodies(
    found: Mapping[str, Any], sources: Mapping[str, str], events: list[SpanEvent]
) -> tuple[Body, Body]:
    """Return a tool's arguments and result."""
    going_in, coming_out = _told(events) if events else ([], [])
    if "tool_input" in found:
        entered = body.value_body(found["tool_input"], "input")
    elif "input" in found:
        entered = _called_with(found["input"]) or _value(found, sources, "input", "tool")
    elif going_in:
        entered = _handed(going_in, "input")
    else:
        parameters = found.get("tool_parameters")
        entered = body.NONE if _is_schema(parameters) else body.value_body(parameters, "input")
    if "tool_output" in found:
        left = body.value_body(found["tool_output"], "output")
    elif coming_out and "output" not in found:
        left = _handed(coming_out, "output")
    else:
        left = _answered(found.get("output")) or _value(found, sources, "output", "tool")
    return entered, left


def _handed(conversation: list[chat.Message], direction: str) -> Body:
    """Return what messages hand to a tool, or back from it: arguments, a result, a text."""
    pieces = [piece for one in conversation for piece in one["parts"]]
    if len(pieces) != 1:
        return body.value_body(pieces or None, direction)
    only = pieces[0]
    fields = ("arguments", "response", "result", "content")
    return body.value_body(next((only[name] for name in fields if name in only), only), direction)


def _answered(value: Any) -> Body | None:
    """Return the result of a tool that was recorded as the message which tells the model of it."""
    if type(value) is not str or not value.startswith('{"type"'):
        return None
    meaning = part.parsed(value)
    if not is_object(meaning) or meaning.get("type") != "tool" or not chat.is_kept(meaning):
        return None
    content = meaning["data"]["content"]
    return body.value_body(content if content else encoded(content), "output")


def _called_with(value: Any) -> Body | None:
    """Return the arguments of a tool that were recorded as those of the Python call around it."""
    if type(value) is not str or '"kwargs"' not in value:
        return None
    meaning = part.parsed(value)
    if not is_object(meaning) or meaning.get("args") or not is_object(meaning.get("kwargs")):
        return None
    if not set(meaning) <= {"args", "kwargs", "sanitize_inputs_outputs"}:
        return None
    return body.value_body(encoded(meaning["kwargs"]), "input", json_text=True)


def _is_schema(parameters: Any) -> bool:
    """Tell whether `tool.parameters` describes the tool instead of holding its arguments."""
    meaning = part.parsed(parameters)
    return is_object(meaning) and (
        (meaning.get("type") == "object" and "properties" in meaning)
        or "$schema" in meaning
        or "parameters" in meaning
    )


def _flattened(
    spread: Mapping[str, Any], prefixes: tuple[str, ...], direction: str, whole: Any
) -> Body | None:
    """Return the body that flattened attributes are; `whole` is the span's one value, which may say more."""
    for prefix in prefixes:
        tree = spread.get(prefix[:-1])
        if not is_list(tree):
            continue
        if prefix.startswith(("retrieval.", "reranker.")):
            documents = [_document(item) for item in tree]
            text = encoded(documents)
            shown = " · ".join(
                str(each.get("content") or each.get("id") or "") for each in documents if is_object(each)
            )
            return Body(text, "json", body.preview(shown or text))
        if prefix.startswith("embedding."):
            texts = [
                item["text"] if is_object(item) and isinstance(item.get("text"), str) else None
                for item in tree
            ]
            if not any(texts):
                continue
            if len(texts) == 1 and texts[0] is not None:
                return Body(texts[0], "text", body.preview(texts[0]))
            text = encoded(texts)
            return Body(text, "json", body.preview(text))
        role = "user" if direction == "input" else "assistant"
        found = [_flat_message(item, role) for item in tree]
        if type(whole) is str and _LEFT_OUT.search(whole):
            found = _completed(found, whole, role)
        if whole and not any(len(each) > 2 or each["parts"] for each in found):
            return None  # It says who speaks, and not what.
        return body.conversation(found, direction) if found else None
    return None


_LEFT_OUT: Final = re.compile(
    r'"(?:refusal|reasoning_content|reasoning|transcript)":\s?"[^"]|'
    r'"(?:executable_?[cC]ode|code_?[eE]xecution_?[rR]esult|inline_?[dD]ata|file_?[dD]ata)":\s?\{|'
    r'"type":\s?"(?:input_audio|input_file|file|document|custom|refusal|item_reference|compaction|'
    r'server_tool_use|mcp_\w+|\w+_tool_result|(?!function_)\w+_call)"'
)
"""In a request or an answer: what flattened messages leave out, or say half of."""


def _completed(flat: list[chat.Message], whole: str, role: str) -> list[chat.Message]:
    """Return messages with the parts that only the whole request or answer has."""
    told = chat.messages(decoded(whole), role)
    if told is None:
        return flat
    if len(told) == len(flat) - 1 and flat[0]["role"] == "system" != told[0]["role"]:
        told.insert(0, flat[0])  # Google's instructions are beside the messages.
    if len(told) != len(flat):
        # An item that is no message to the instrumentation is none of its messages.
        return told if len(told) > len(flat) and _spoken(told) >= _spoken(flat) else flat
    return [
        {**less, "parts": more["parts"]} if len(more["parts"]) >= len(less["parts"]) else less
        for less, more in zip(flat, told, strict=True)
    ]


def _spoken(conversation: list[chat.Message]) -> int:
    return sum(len(one["parts"]) for one in conversation)


def _flat_message(item: Any, role: str) -> chat.Message:
    if not is_object(item):
        return {"role": role, "parts": part.parts(item)}
    flat = dict(item)
    inner: Any = flat.get("prompt") or flat.get("completion")
    if "role" not in flat and is_object(inner) and "text" in inner:
        flat = {"content": inner["text"]}
    contents = flat.get("contents")
    if is_list(contents):
        flat["contents"] = [_flat_part(each) for each in contents]
    elif flat.get("") is not None and "content" not in flat:
        flat["content"] = flat.pop("")
    return chat.message(flat, role)


def _flat_part(item: Any) -> Any:
    """Take OpenInference's wrappers off a content part: {"image": {"image": {"url": ...}}} means a URL."""
    if not is_object(item):
        return item
    flat = dict(item)
    for name in ("image", "audio", "video", "document"):
        inner: Any = flat.get(name)
        if is_object(inner):
            flat[name] = inner.get(name, inner)
            flat.setdefault("type", name)
            if name == "audio" and is_object(flat[name]) and "url" in flat[name]:
                return part.media(flat[name]["url"], "audio", flat[name].get("mime_type"))
    return flat


def _document(item: Any) -> Any:
    if not is_object(item):
        return item
    return {key: part.parsed(value) if key == "metadata" else value for key, value in item.items()}


def _told(events: list[SpanEvent]) -> tuple[list[chat.Message], list[chat.Message]]:
    """Return the conversation that a span's events tell."""
    entered: list[chat.Message] = []
    left: list[chat.Message] = []
    for event in events:
        if event.name in CONTENT_EVENTS:
            going_in, coming_out = event_messages(event.name, event.attributes, None)
            entered.extend(going_in)
            left.extend(coming_out)
    return entered, left


def event_messages(
    name: str, said: Mapping[str, Any], payload: Any
) -> tuple[list[chat.Message], list[chat.Message]]:
    """Return the messages, going in and coming out, that one content event tells.

    Args:
        name: The event's name, one of CONTENT_EVENTS.
        said: Its attributes.
        payload: The body of a log record, or None.
    """
    content: dict[str, Any] = dict(said)
    payload = part.parsed(payload)
    if is_object(payload):
        content.update(payload)
    elif payload is not None:
        content["content"] = payload
    nested = part.parsed(content.pop("gen_ai.event.content", None))
    if is_object(nested):
        content = {**content, **nested}
    if name == DETAILS_EVENT:
        before = (
            chat.instructions(content["gen_ai.system_instructions"])
            if "gen_ai.system_instructions" in content
            else []
        )
        going_in = chat.messages(part.parsed(content.get("gen_ai.input.messages")), "user") or []
        coming_out = chat.messages(part.parsed(content.get("gen_ai.output.messages")), "assistant") or []
        return chat.instructed(before, going_in), coming_out
    for whole in ("gen_ai.prompt", "gen_ai.completion"):
        if whole in content:
            content.setdefault("content", part.parsed(content.pop(whole)))
    inner = part.parsed(content.get("message"))
    if is_object(inner):
        content = {**{key: value for key, value in content.items() if key != "message"}, **inner}
    elif isinstance(inner, str) or is_list(inner):
        content.setdefault("content", inner)
    role = _MESSAGE_EVENTS.get(name, "assistant")
    listed = chat.messages(content.get("content"), role)
    found = listed if listed else [chat.message(content, role)]
    reason = content.get("finish_reason")
    if listed and isinstance(
        reason, str
    ):  # It stands beside the message, as Google's instrumentation has it.
        found = [*found[:-1], {**found[-1], "finish_reason": found[-1].get("finish_reason") or reason}]
    found = [each for each in found if each["parts"] or each.get("finish_reason")]
    return ([], found) if name in _CHOICE_EVENTS else (found, [])


def model_in_parameters(found: Mapping[str, Any]) -> str:
    """Return the model that a failed call names only in its parameters or its input."""
    for field in ("parameters", "input"):
        meaning = part.parsed(found.get(field))
        if is_object(meaning):
            for name in ("model", "model_name", "model_id"):
                value = meaning.get(name)
                if isinstance(value, str) and value:
                    return value
    return ""


class _Answer(Struct):
    """The part of a provider's answer that is wanted from its JSON."""

    id: str = ""
    response_id: Any = None
    object: Any = None
    status: Any = None
    incomplete_details: Any = None


_ANSWER: Final = msgspec.json.Decoder(_Answer)


def answer(found: Mapping[str, Any], left: Body) -> tuple[str, str]:
    """Return the id and the finish reason of an answer that are kept only in the answer's own JSON."""
    text = found.get("output")
    if type(text) is not str or not text.startswith("{"):
        return "", ""
    try:
        said = _ANSWER.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return "", ""
    reason = ""
    if said.object == "response":
        if said.status == "completed":
            called = any(
                piece.get("type") == "tool_call" for one in left.messages or () for piece in one["parts"]
            )
            reason = "tool_calls" if called else "stop"
        elif is_object(said.incomplete_details):
            reason = str(said.incomplete_details.get("reason") or "")
    return said.id or (said.response_id if type(said.response_id) is str else ""), reason


_SUFFIXING: Final = frozenset((semconv.SPAN_KIND, "traceloop.span.kind"))
"""Kind attributes of instrumentation that ends its span names in ".<kind>"."""


def shown_name(
    name: str, kind: str, found: Mapping[str, Any], sources: Mapping[str, str], given: Attributes, agent: str
) -> tuple[str, str]:
    """Return the name that a reader sees of another program's span, and the agent it belongs to."""
    source = sources.get("kind")
    if source in _SUFFIXING:
        bare = name.removesuffix(f".{str(given[source]).rpartition('.')[2].lower()}")
        name = bare or name
    if kind == "tool":
        tool: str = found.get("tool") or found.get("entity", "")
        return tool or name.removeprefix("tool_call.").removeprefix("execute_tool ") or name, agent
    if kind == "agent":
        shown = (
            agent or found.get("entity") or name.removeprefix("invoke_agent ").removeprefix("create_agent ")
        )
        return shown or name, agent or shown
    return name, agent
