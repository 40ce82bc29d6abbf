"""Content that arrives beside its span: GenAI content events, sent as logs, complete the spans they name.

A completed span is stored again, one version later; so a search, a preview and a page of events find it like
any other.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Struct

from agentops.server.normalise.bodies import messages_body
from agentops.server.normalise.logs import completed
from agentops.server.store.client import Store
from agentops.server.store.facts import Fact, TraceKey, stored_fact

MADE_AT: Final = "if(at_ns = 0, version, at_ns)"
"""SQL for when a log record was made; for one that says no time, when it came (and where in its request)."""


class _Content(Struct):
    trace_id: str
    span_id: str
    inputs: list[str]
    outputs: list[str]


def any_content(store: Store) -> bool:
    """Return whether any content event is stored: most stores have none, and need not look for it again."""
    return bool(store.answer("SELECT 1 FROM logs WHERE content LIMIT 1"))


def _lacks(side: str) -> str:
    """Return SQL for whether a span says less on a side than its content events might."""
    wanted = f"transform(span_id, {{spans:Array(String)}}, {{{side}s:Array(UInt64)}}, toUInt64(0))"
    return f"({side}_format = '' OR ({side}_format = 'messages' AND length({side}) < {wanted}))"


def _length(texts: list[str]) -> int:
    """Return how many bytes the messages of content events take, as they are stored together."""
    said = [len(text.encode()) - len("[]") for text in texts if text]
    return len("[]") + sum(said) + len(said) - 1 if said else 0


def complete(store: Store, client: Any, project: str, trace_ids: list[str]) -> dict[TraceKey, list[Fact]]:
    """Complete the spans of these traces that say nothing themselves; return the facts of those that were.

    What a span says already may be from those of its records that came first: it is completed anew by more.
    """
    found = store.rows(
        "SELECT trace_id, span_id, groupArray(input) AS inputs, groupArray(output) AS outputs FROM "
        "(SELECT trace_id, span_id, input, output FROM logs FINAL WHERE project = {project:String} "
        f"AND trace_id IN {{ids:Array(String)}} AND content ORDER BY {MADE_AT}, log_id) "
        "GROUP BY trace_id, span_id",
        {"project": project, "ids": trace_ids},
        _Content,
    )
    if not found:
        return {}
    contents = {(one.trace_id, one.span_id): one for one in found}
    rows = store.rows(
        "SELECT * FROM spans FINAL WHERE project = {project:String} AND trace_id IN {ids:Array(String)} "
        f"AND span_id IN {{spans:Array(String)}} AND ({_lacks('input')} OR {_lacks('output')})",
        {
            "project": project,
            "ids": sorted({one.trace_id for one in found}),
            "spans": [one.span_id for one in found],
            "inputs": [_length(one.inputs) for one in found],
            "outputs": [_length(one.outputs) for one in found],
        },
        dict[str, Any],
    )
    lines: list[bytes] = []
    facts: dict[TraceKey, list[Fact]] = {}
    for row in rows:
        content = contents.get((row["trace_id"], row["span_id"]))
        if content is None:
            continue
        changed = False
        for side, texts in (("input", content.inputs), ("output", content.outputs)):
            body, form = completed(row[side], row[f"{side}_format"], texts)
            if form and (form, body) != (row[f"{side}_format"], row[side]):
                row[side], row[f"{side}_format"] = body, form
                shown = messages_body(body, side)
                row[f"{side}_preview"] = shown.preview if shown else ""
                changed = True
        if changed:
            row["version"] += 1
            lines.append(msgspec.json.encode(row))
            facts.setdefault((project, row["trace_id"]), []).append(stored_fact(row))
    store.insert("spans", lines, client)
    return facts
