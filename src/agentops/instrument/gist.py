"""What the beginning and the end of an answer say that is too long to be kept: whose it is, what it cost.

The middle is missing, so that nothing can be decoded as a whole. Names in an answer's own texts are escaped,
and are not mistaken for its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_FIRST: Final = ("id", "model")
_LAST: Final = ("finish_reason", "stop_reason", "service_tier")
_WRITTEN: Final = {name: re.compile(rf'(?<!\\)"{name}":\s*"([^"\\]{{1,200}})"') for name in (*_FIRST, *_LAST)}
_USAGE: Final = re.compile(r'(?<!\\)"usage":\s*(?=\{)')
_DECODER: Final = json.JSONDecoder()
_AS: Final = {
    "id": "gen_ai.response.id",
    "model": "llm.response.model_name",
    "finish_reason": "llm.finish_reason",
    "stop_reason": "llm.finish_reason",
}


def gist(head: str, tail: str) -> dict[str, Any]:
    """Return what an answer, or its events, says of itself at its beginning and its end."""
    known: dict[str, Any] = {}
    for name in _FIRST:
        if said := _WRITTEN[name].search(head):
            known[name] = said[1]
    for name in _LAST:
        if ends := _WRITTEN[name].findall(tail):
            known[name] = ends[-1]
    counted = [*_usages(head), *_usages(tail)]
    if counted and next(_usages(tail), None) is not None:
        # A stream of Claude's counts what went in at its beginning, and what came out at its end.
        known["usage"] = {
            name: number for each in counted for name, number in each.items() if number is not None
        }
    return known


def _usages(text: str) -> Iterator[dict[str, Any]]:
    for at in _USAGE.finditer(text):
        try:
            yield _DECODER.raw_decode(text, at.end())[0]
        except ValueError:
            return  # It goes on in what is missing.


def attributes(known: Mapping[str, Any], content_type: str, length: int) -> dict[str, Any]:
    """Return as attributes what is known of an answer of which the text is not."""
    said = {"content_type": content_type, "bytes": length, **known}
    usage = {"gen_ai.usage.raw": json.dumps(known["usage"])} if "usage" in known else {}
    return {
        "output.value": json.dumps(said),
        "output.mime_type": "application/json",
        **usage,
        **{_AS[name]: value for name, value in known.items() if name in _AS},
    }
