"""What went into a span and what came out, in the most telling form that the span has."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from agentops.server.normalise import messages as chat
from agentops.server.normalise.escapes import plain
from agentops.server.normalise.event import PREVIEW_CHARACTERS
from agentops.server.normalise.values import decoded, encoded, is_list, is_object


class Body(Struct, frozen=True, gc=False):
    """One side of a span.

    Attributes:
        text: As Event.input.
        format: As Event.input_format.
        preview: As Event.input_preview.
        verbatim: The attribute's value that `text` is but for escaped letters (`escapes.plain`), or None.
        finish: Finish reason of the last message that says one, or "".
        messages: The messages that `text` holds, when it is a conversation.
    """

    text: str
    format: str
    preview: str
    verbatim: str | None = None
    finish: str = ""
    messages: list[chat.Message] | None = None


NONE: Final = Body("", "", "")


def preview(text: str) -> str:
    """Return the first characters of a text."""
    return text[:PREVIEW_CHARACTERS]


def conversation(messages: list[chat.Message], direction: str, verbatim: str | None = None) -> Body:
    """Return a conversation as a body.

    Its preview is the last thing the user said going in, and the last message coming out.
    """
    shown = messages[-1]
    if direction == "input":
        for message in reversed(messages):
            if message["role"] == "user" and chat.says(message):
                shown = message
                break
    finish = ""
    if direction == "output":
        for message in reversed(messages):
            reason = message.get("finish_reason")
            if type(reason) is str and reason:
                finish = reason
                break
    text = plain(verbatim) if verbatim is not None else encoded(messages)
    return Body(text, "messages", chat.readable(shown)[:PREVIEW_CHARACTERS], verbatim, finish, messages)


def messages_body(value: Any, direction: str, before: list[chat.Message] | None = None) -> Body | None:
    """Return an attribute that holds messages (or JSON of them) as a body, or None when it holds none."""
    verbatim: str | None = None
    meaning = value
    if type(value) is str:
        meaning = decoded(value)
        verbatim = value
    if chat.canonical(meaning):
        told = chat.instructed(before, meaning) if before else meaning
        return conversation(told, direction, verbatim if told is meaning else None)
    found = chat.messages(meaning, "user" if direction == "input" else "assistant")
    if found:
        return conversation(chat.instructed(before or [], found), direction)
    return None


def value_body(value: Any, direction: str, *, chatty: bool = False, json_text: bool = False) -> Body:
    """Return any attribute's value as a body.

    Args:
        value: The attribute's value.
        direction: "input" or "output".
        chatty: Whether a list of messages is shown as a conversation (for model calls).
        json_text: Whether the attribute is JSON by contract, so that `"a"` means the text a.
    """
    if value is None or value == "":
        return NONE
    if type(value) is not str:
        if chatty and (is_list(value) or is_object(value)):
            found = messages_body(value, direction)
            if found is not None:
                return found
        text = encoded(value)
        return Body(text, "json", preview(text))
    first = value[:1]
    if first in ("{", "[") or (json_text and first == '"'):
        meaning = decoded(value)
        if type(meaning) is str:
            return Body(meaning, "text", preview(meaning))
        if meaning is not None:
            if chatty:
                found = messages_body(value, direction)
                if found is not None:
                    return found
            text = plain(value)
            shown = text if len(text) <= PREVIEW_CHARACTERS else _compact(meaning)
            return Body(text, "json", preview(shown), value)
    elif json_text and value == "null":
        return NONE
    return Body(value, "text", preview(value.lstrip()), value)


_MOST_ITEMS: Final = 40


def _compact(meaning: Any) -> str:
    """Return the start of compact JSON without encoding all of a large list."""
    if is_list(meaning) and len(meaning) > _MOST_ITEMS:
        return encoded(meaning[:_MOST_ITEMS])
    return encoded(meaning)
