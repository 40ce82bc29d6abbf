"""What was recorded, as the server stores it: the journal's records decoded, normalised and priced."""

from __future__ import annotations

import json
from pathlib import Path

from agentops.otlp.decode import decode_traces
from agentops.server.normalise import normalise
from agentops.server.normalise.event import Event
from agentops.server.prices import priced


def stored(home: Path) -> list[Event]:
    """Return the events of all sessions of a home, ended ones, in the order of their end; no roots."""
    return [event for event in events(home) if event.ended and event.kind != "session"]


def events(home: Path) -> list[Event]:
    """Return what each record of a home says, starts and roots too."""
    found: list[Event] = []
    for path in sorted((home / "journal").glob("*.jsonl")):
        if path.name == "losses.jsonl":
            continue
        header, *lines = [line for line in path.read_text().split("\n") if line]
        spans = [line for line in lines if line.startswith('{"spans"')]
        body = {"resourceSpans": [{"resource": json.loads(header)["resource"],
                                   "scopeSpans": [json.loads(line) for line in spans]}]}  # fmt: skip
        decoded = decode_traces(json.dumps(body).encode(), "json")
        assert decoded.rejected == []
        found += [priced(normalise(span)) for span in decoded.spans]
    return found


def only(home: Path) -> Event:
    """Return the one event that was recorded."""
    found = stored(home)
    assert len(found) == 1, [(event.kind, event.name) for event in found]
    return found[0]
