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


def complete(store: Store, client: Any, project: str, trace_ids: list[str]) -> dict[TraceKey, list[Fact]]:
    """Complete the spans of these traces that say nothing themselves; return the facts of those that were."""
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
        "AND span_id IN {spans:Array(String)} AND (input_format = '' OR output_format = '')",
        {
            "project": project,
            "ids": sorted({one.trace_id for one in found}),
            "spans": sorted({one.span_id for one in found}),
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
            if form and form != row[f"{side}_format"]:
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
