"""What a program recorded, read back from its journal: spans by first record, the latest record of each."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


def plain(value: dict[str, Any]) -> Any:
    """Return an OTLP/JSON value as a Python value."""
    for kind, item in value.items():
        if kind == "intValue":
            return int(item)
        if kind == "arrayValue":
            return [plain(one) for one in item["values"]]
        if kind == "kvlistValue":
            return {one["key"]: plain(one["value"]) for one in item["values"]}
        return item
    return None


def attributes(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    return {pair["key"]: plain(pair["value"]) for pair in pairs}


@dataclass
class Recorded:
    """One span: its latest record, and how many records it had before its end."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    started_at: int
    ended_at: int
    attributes: dict[str, Any]
    events: list[dict[str, Any]]
    status: int
    message: str
    scope: str
    starts: int = 0
    ends: int = 0

    @property
    def kind(self) -> str:
        return self.attributes.get("agentops.span.kind", "")

    @property
    def session(self) -> str:
        return self.attributes.get("session.id", "")

    @property
    def seq(self) -> int:
        return self.attributes.get("agentops.record.seq", 0)

    @property
    def input(self) -> Any:
        return json.loads(self.attributes["agentops.entity.input"])

    @property
    def output(self) -> Any:
        return json.loads(self.attributes["agentops.entity.output"])


@dataclass
class Journal:
    """All that the processes of one home recorded."""

    spans: list[Recorded] = field(default_factory=list[Recorded])
    logs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    resources: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    text: str = ""

    @property
    def sessions(self) -> list[Recorded]:
        return [span for span in self.spans if span.kind == "session"]

    @property
    def events(self) -> list[Recorded]:
        return [span for span in self.spans if span.kind != "session"]

    def named(self, name: str) -> Recorded:
        found = [span for span in self.spans if span.name == name]
        assert len(found) == 1, (
            f"{len(found)} spans named {name!r} among {[span.name for span in self.spans]}"
        )
        return found[0]

    def parent(self, span: Recorded) -> Recorded | None:
        return next((one for one in self.spans if one.span_id == span.parent_id), None)


def read(home: Path) -> Journal:
    """Read every segment of a home."""
    journal = Journal()
    known: dict[tuple[str, str], Recorded] = {}
    for path in sorted((home / "journal").glob("*.jsonl")):
        if path.name == "losses.jsonl":
            continue
        lines = path.read_text().splitlines()
        journal.text += "\n".join(lines)
        journal.resources.append(attributes(json.loads(lines[0])["resource"]["attributes"]))
        for line in lines[1:]:
            if not line:
                continue
            record = json.loads(line)
            journal.logs.extend(record.get("logRecords", ()))
            for span in record.get("spans", ()):
                _add(journal, known, span, record["scope"]["name"])
    return journal


def _add(journal: Journal, known: dict[tuple[str, str], Recorded], span: dict[str, Any], scope: str) -> None:
    key = (span["traceId"], span["spanId"])
    made = Recorded(
        name=span["name"],
        trace_id=span["traceId"],
        span_id=span["spanId"],
        parent_id=span.get("parentSpanId", ""),
        started_at=int(span["startTimeUnixNano"]),
        ended_at=int(span.get("endTimeUnixNano") or 0),
        attributes=attributes(span["attributes"]),
        events=span.get("events", []),
        status=span.get("status", {}).get("code", 0),
        message=span.get("status", {}).get("message", ""),
        scope=scope,
    )
    before = known.get(key)
    if before is None:
        before = known[key] = made
        journal.spans.append(made)
    starts, ends = before.starts + (made.ended_at == 0), before.ends + (made.ended_at != 0)
    if made.ended_at or not before.ended_at:
        before.__dict__.update(made.__dict__)
    before.starts, before.ends = starts, ends
