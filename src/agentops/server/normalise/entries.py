"""Entries of Mistral's conversations: what its agents and their tools say, in the form of OpenAI's items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agentops.server.normalise.values import is_list, is_object

_TOLD: Final[Mapping[str, str]] = {
    "function.call": "function_call",
    "function.result": "function_call_output",
}
_MESSAGES: Final = ("message.output", "message.input")


def items(outputs: Any) -> list[dict[str, Any]] | None:
    """Return the entries of a conversation as items; None when a value is none."""
    if not is_list(outputs) or not outputs:
        return None
    found: list[dict[str, Any]] = []
    for entry in outputs:
        kind: Any = entry.get("type") if is_object(entry) else None
        if type(kind) is not str:
            return None
        if kind in _MESSAGES:
            speaker = "assistant" if kind == "message.output" else "user"
            found.append({"role": entry.get("role") or speaker, "content": entry.get("content")})
        elif kind in _TOLD:
            told = {**entry, "type": _TOLD[kind], "call_id": entry.get("tool_call_id")}
            found.append({**told, "output": entry.get("result")} if kind == "function.result" else told)
        elif kind == "tool.execution":
            found.append({**entry, "type": f"{entry.get('name') or 'tool'}_call"})
        elif kind != "agent.handoff":
            return None
    return found or None
