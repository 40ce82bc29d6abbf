"""The parts of a message, from any provider's or dialect's form to the one we keep.

Kept: text, reasoning, tool_call {id, name, arguments}, tool_call_response {id, response}, server_tool_call,
blob {mime_type, modality, content}, uri {uri, modality}, file. A part of another type is kept as it came.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from agentops.server.normalise.values import decoded, encoded, is_list, is_object

Part = dict[str, Any]

CANONICAL: Final = frozenset(
    (
        "text",
        "reasoning",
        "tool_call",
        "tool_call_response",
        "server_tool_call",
        "blob",
        "uri",
        "file",
        "refusal",
    )
)


def parts(content: Any) -> list[Part]:
    """Return the parts that a message's content means: a text, one part, or a list of either."""
    if content is None or content == "" or content == []:
        return []
    if isinstance(content, str):
        return [text_part(content)]
    if is_object(content):
        return [part(content)]
    if is_list(content):
        found: list[Part] = []
        for item in content:
            found.extend(parts(item))
        return found
    return [text_part(encoded(content))]


def text_part(content: str) -> Part:
    """Return a part of plain text."""
    return {"type": "text", "content": content}


def tool_call(call_id: Any, name: Any, arguments: Any) -> Part:
    """Return a tool call; arguments given as JSON text are parsed."""
    return {"type": "tool_call", "id": call_id, "name": name, "arguments": parsed(arguments)}


def tool_call_response(call_id: Any, response: Any) -> Part:
    """Return a tool's answer, JSON text parsed."""
    return {"type": "tool_call_response", "id": call_id, "response": parsed(response)}


def parsed(value: Any) -> Any:
    """Return what JSON text of an object or array means; any other value as it is."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        meaning = decoded(value)
        return value if meaning is None else meaning
    return value


def part(item: Mapping[str, Any]) -> Part:
    """Return one part in our form."""
    kind = item.get("type")
    reader = _READERS.get(kind) if isinstance(kind, str) else _guess(item)
    if reader is None and isinstance(kind, str) and kind.endswith("_tool_result"):
        reader = _response  # One of Anthropic's own tools.
    if reader is not None:
        return reader(item)
    return dict(item) if isinstance(kind, str) else {"type": "json", "content": dict(item)}


def is_one(item: Mapping[str, Any]) -> bool:
    """Tell whether an object is a part: it says its type, or is one value under a name of a provider."""
    return "type" in item or (len(item) == 1 and _guess(item) is not None)


def _guess(item: Mapping[str, Any]) -> Any:
    """Find the reader of a part that does not say its type (Google's and Bedrock's forms)."""
    for name, reader in _UNTYPED:
        if name in item:
            return reader
    return None


def _googles_text(item: Mapping[str, Any]) -> Part:
    return _reasoning({"text": item["text"]}) if item.get("thought") is True else _text(item)


def _googles_code(item: Mapping[str, Any]) -> Part:
    """Read the code that Google's models run for themselves."""
    code = item.get("executableCode") or item.get("executable_code")
    return {"type": "server_tool_call", "id": None, "name": "code_execution", "arguments": code}


def _googles_result(item: Mapping[str, Any]) -> Part:
    return tool_call_response(None, item.get("codeExecutionResult") or item.get("code_execution_result"))


def _googles_file(item: Mapping[str, Any]) -> Part:
    data = item.get("fileData") or item.get("file_data")
    source: Mapping[str, Any] = data if is_object(data) else {}
    mime_type = source.get("mimeType") or source.get("mime_type")
    return media(source.get("fileUri") or source.get("file_uri"), _modality(mime_type), mime_type)


def _text(item: Mapping[str, Any]) -> Part:
    for name in ("content", "text", "refusal"):
        value = item.get(name)
        if value is not None:
            if is_object(value):
                inner: dict[str, Any] = value
                value = inner.get("value", inner)
            return text_part(value if isinstance(value, str) else encoded(value))
    return text_part("")


def _refusal(item: Mapping[str, Any]) -> Part:
    return {**_text(item), "type": "refusal"}


def _thought(item: Mapping[str, Any]) -> Part:
    """Read Bedrock's reasoning."""
    inner = item["reasoningContent"]
    said = inner.get("reasoningText", inner) if is_object(inner) else inner
    return _reasoning(said if is_object(said) else {"content": said})


def _reasoning(item: Mapping[str, Any]) -> Part:
    for name in ("content", "thinking", "reasoning", "text", "summary", "data"):
        value = item.get(name)
        if value:
            if is_list(value):
                pieces = [each.get("text", "") if is_object(each) else str(each) for each in value]
                value = "\n".join(str(piece) for piece in pieces)
            return {"type": "reasoning", "content": value if isinstance(value, str) else encoded(value)}
    return {"type": "reasoning", "content": ""}


def _call(item: Mapping[str, Any]) -> Part:
    inner = next((item[name] for name in _CALLED if item.get(name)), None)
    source: Mapping[str, Any] = inner if is_object(inner) else item
    arguments = next((source[key] for key in ("arguments", "input", "args") if key in source), None)
    call_id = item.get("call_id") or item.get("id") or source.get("id") or source.get("toolUseId")
    return tool_call(call_id, source.get("name"), arguments)


_CALLED: Final = ("function", "functionCall", "function_call", "toolUse", "custom")
"""Where a call keeps what it calls."""


def _server_call(item: Mapping[str, Any]) -> Part:
    return {**_call(item), "type": "server_tool_call"}


def _response(item: Mapping[str, Any]) -> Part:
    inner = item.get("functionResponse") or item.get("function_response") or item.get("toolResult")
    source: Mapping[str, Any] = inner if is_object(inner) else item
    names = ("response", "result", "output", "content")
    response = next((source[key] for key in names if source.get(key) is not None), None)
    call_ids = (source.get(key) for key in ("id", "tool_use_id", "tool_call_id", "call_id", "toolUseId"))
    return tool_call_response(next((each for each in call_ids if each), None), _plain(response))


def _plain(response: Any) -> Any:
    """Return a tool result's single text part as the text it is."""
    if is_list(response) and len(response) == 1 and is_object(response[0]):
        only: dict[str, Any] = response[0]
        if isinstance(only.get("text"), str) and (only.get("type") == "text" or len(only) == 1):
            return only["text"]
    return response


_DATA_URL: Final = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w=.+-]+)*?;base64,", re.ASCII)


def media(url: Any, modality: str, mime_type: Any = None) -> Part:
    """Return a URL, or the content of a base64 data URL, as a part."""
    if is_object(url):
        inner: dict[str, Any] = url
        url = inner.get("url") or inner.get("uri") or inner
    if not isinstance(url, str):
        return {"type": "uri", "modality": modality, "uri": encoded(url)}
    found = _DATA_URL.match(url)
    if found is None:
        return {
            "type": "uri",
            "modality": modality,
            "uri": url,
            **({"mime_type": mime_type} if mime_type else {}),
        }
    return {
        "type": "blob",
        "modality": modality,
        "mime_type": found[1] or mime_type,
        "content": url[found.end() :],
    }


def _source(item: Mapping[str, Any], modality: str) -> Part | None:
    """Read Anthropic's `source` of an image or document."""
    source = item.get("source")
    if not is_object(source):
        return None
    from_: dict[str, Any] = source
    if from_.get("type") == "url":
        return media(from_.get("url"), modality)
    if from_.get("type") == "file":
        return {"type": "file", "modality": modality, "file_id": from_.get("file_id")}
    if from_.get("type") == "text":
        return text_part(str(from_.get("data", "")))
    mime_type = from_.get("media_type") or from_.get("mime_type")
    return {"type": "blob", "modality": modality, "mime_type": mime_type, "content": from_.get("data")}


def _image(item: Mapping[str, Any]) -> Part:
    found = _source(item, "image")
    if found is not None:
        return found
    url = item.get("image_url") or item.get("image") or item.get("url")
    if url is None and item.get("file_id"):
        return {"type": "file", "modality": "image", "file_id": item["file_id"]}
    return media(url, "image", item.get("mime_type"))


def _audio(item: Mapping[str, Any]) -> Part:
    if isinstance(item.get("transcript"), str) and not is_object(item.get("audio")):
        return text_part(item["transcript"])  # The words of what was spoken in a realtime session.
    if type(item.get("bytes")) is int:
        return {"type": "blob", "modality": "audio", "bytes": item["bytes"]}
    inner = item.get("input_audio") or item.get("audio") or item
    if is_object(inner):
        audio: dict[str, Any] = inner
        if "data" in audio:
            return {
                "type": "blob",
                "modality": "audio",
                "mime_type": sound_type(audio.get("format"), audio["data"]),
                "content": audio["data"],
            }
    return media(inner, "audio")


_SOUNDS: Final = {
    "UklGR": "audio/wav",
    "SUQz": "audio/mp3",
    "//": "audio/mp3",
    "ZkxhQ": "audio/flac",
    "T2dnUw": "audio/opus",
}
"""How sound in base64 begins, by its form."""


def sound_type(said: Any, data: Any) -> str:
    """Return the type of sound in base64: as it is said, else as it begins; samples have no beginning."""
    if isinstance(said, str) and said:
        return f"audio/{'pcm' if said == 'pcm16' else said}"
    begins = str(data)[:8]
    return next((kind for start, kind in _SOUNDS.items() if begins.startswith(start)), "audio/pcm")


def _video(item: Mapping[str, Any]) -> Part:
    return media(
        item.get("video_url") or item.get("video") or item.get("url"), "video", item.get("mime_type")
    )


def _file(item: Mapping[str, Any]) -> Part:
    found = _source(item, "document")
    if found is not None:
        return found
    inner = item.get("file") or item.get("document")
    source: Mapping[str, Any] = inner if is_object(inner) else item
    if isinstance(source.get("file_data"), str):
        return media(source["file_data"], "document", source.get("mime_type"))
    return {**{key: value for key, value in source.items() if key != "type"}, "type": "file"}


def _inline(item: Mapping[str, Any]) -> Part:
    data = item.get("inlineData") or item.get("inline_data")
    source: Mapping[str, Any] = data if is_object(data) else {}
    mime_type = source.get("mimeType") or source.get("mime_type")
    return {
        "type": "blob",
        "modality": _modality(mime_type),
        "mime_type": mime_type,
        "content": source.get("data"),
    }


def _modality(mime_type: Any) -> str:
    kind = str(mime_type).partition("/")[0]
    return kind if kind in ("image", "audio", "video") else "document"


_READERS: Final[Mapping[str, Any]] = {
    "text": _text,
    "input_text": _text,
    "output_text": _text,
    "summary_text": _text,
    "refusal": _refusal,
    "reasoning": _reasoning,
    "thinking": _reasoning,
    "redacted_thinking": _reasoning,
    "tool_call": _call,
    "tool-call": _call,
    "tool_use": _call,
    "function": _call,
    "function_call": _call,
    "custom_tool_call": _call,
    "server_tool_use": _server_call,
    "mcp_tool_use": _server_call,
    "tool_call_response": _response,
    "tool-result": _response,
    "tool_result": _response,
    "function_call_output": _response,
    "custom_tool_call_output": _response,
    "image": _image,
    "image_url": _image,
    "input_image": _image,
    "audio": _audio,
    "input_audio": _audio,
    "output_audio": _audio,
    "video": _video,
    "video_url": _video,
    "file": _file,
    "input_file": _file,
    "document": _file,
}
_UNTYPED: Final[tuple[tuple[str, Any], ...]] = (
    ("functionCall", _call),
    ("function_call", _call),
    ("toolUse", _call),
    ("functionResponse", _response),
    ("function_response", _response),
    ("toolResult", _response),
    ("inlineData", _inline),
    ("inline_data", _inline),
    ("fileData", _googles_file),
    ("file_data", _googles_file),
    ("executableCode", _googles_code),
    ("executable_code", _googles_code),
    ("codeExecutionResult", _googles_result),
    ("code_execution_result", _googles_result),
    ("reasoningContent", _thought),
    ("text", _googles_text),
)
