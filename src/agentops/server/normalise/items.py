"""Items of OpenAI's responses that are messages without saying a role: calls, their results, reasoning.

A tool of the provider's own is called, and answers, in one item; it is told as a call and a result.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agentops.server.normalise.parts import CANONICAL, Part, part, tool_call, tool_call_response

_TOLD: Final = frozenset(
    ("function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output", "reasoning")
)
"""Items that are one part, which is read as it is in a message."""
_BARE: Final = frozenset(
    ("item_reference", "mcp_list_tools", "mcp_approval_request", "mcp_approval_response", "compaction")
)
"""Items that are kept as they came."""
_ABOUT: Final = frozenset(("type", "id", "call_id", "name", "arguments", "status"))
_ANSWERED: Final = ("output", "outputs", "results", "error")


def is_one(kind: str) -> bool:
    """Tell whether something of this type is such an item."""
    if kind in CANONICAL:
        return kind == "reasoning"  # The others are parts, by our own names.
    return kind in _TOLD or kind in _BARE or kind.endswith(("_call", "_call_output"))


def parts(item: Mapping[str, Any]) -> list[Part]:
    """Return the parts that an item is."""
    kind: str = item["type"]
    if kind in _TOLD or kind in _BARE:
        return [part(item)]
    identity = item.get("call_id") or item.get("id")
    if kind.endswith("_output"):
        return [tool_call_response(identity, item.get("output"))]
    said = {name: value for name, value in item.items() if name not in _ABOUT and value is not None}
    picture = said.pop("result", None) if kind == "image_generation_call" else None
    answers = [answer for name in _ANSWERED if (answer := said.pop(name, None))]
    call = tool_call(identity, item.get("name") or kind.removesuffix("_call"), item.get("arguments", said))
    if "call_id" not in item:
        call["type"] = "server_tool_call"  # The provider runs it, and says at once what came of it.
    found = [call, *(tool_call_response(identity, answer) for answer in answers)]
    if isinstance(picture, str) and picture:
        mime_type = f"image/{item.get('output_format') or 'png'}"
        found.append({"type": "blob", "modality": "image", "mime_type": mime_type, "content": picture})
    return found
