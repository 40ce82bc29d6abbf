"""Write docs/integrations.md: a row for each library, from what its program's events are.

Usage: python -m tests.integrations.page
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.integrations.libraries import USED, Used
from tests.integrations.running import ROOT

PAGE = ROOT / "docs" / "integrations.md"
_BEGIN = "<!-- The tables are written by `make test-integrations`. -->"
_KINDS = ("agent", "llm", "embedding", "retrieval", "tool", "operation", "guardrail")
_YES, _NO = "yes", "–"


def version_of(used: Used) -> str:
    """Return the version that a library is tested with, from its environment's lock."""
    lock = (ROOT / "requirements" / f"integrations-{used.environment}.txt").read_text()
    found = re.search(rf"^{re.escape(used.package)}==(\S+)", lock, re.MULTILINE)
    assert found is not None, used.package
    return found[1]


def events_of(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return every event of a session, those below others too."""
    for event in found.get("events", ()):
        yield event
        yield from events_of(event)


def row(used: Used) -> str:
    """Return a library's row."""
    events = list(events_of(json.loads(used.expected.read_text())))
    models = [event for event in events if event["kind"] == "llm"]
    counted = {kind: sum(event["kind"] == kind for event in events) for kind in _KINDS}
    extra = f"`agentops[{used.extra}]`" if used.extra else "the base install"
    cells = [
        used.title,
        version_of(used),
        extra,
        used.by,
        ", ".join(kind for kind in _KINDS if counted[kind]),
        _says(models, "tokens"),
        _says(models, "cost_usd"),
        _says(models, "finish_reason"),
        _says(models, "first_token"),
        _says(models, "response_id"),
        _says([event for event in events if event["kind"] != "operation"], "agent"),
    ]
    return f"| {' | '.join(cells)} |"


def _says(events: list[dict[str, Any]], field: str) -> str:
    return _YES if any(event.get(field) for event in events) else _NO


def table() -> str:
    """Return the table."""
    head = (
        "| library | tested | installed by | recorded by | events | tokens | cost | finish reason "
        "| first token | response id | agents |"
    )
    return "\n".join([head, "|" + "---|" * 11, *(row(used) for used in USED)])


def main() -> None:
    """Write the page's table anew."""
    before, _, _ = PAGE.read_text().partition(_BEGIN)
    PAGE.write_text(f"{before}{_BEGIN}\n\n{table()}\n")


if __name__ == "__main__":
    main()
