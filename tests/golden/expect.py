"""Write the expected rows of every golden case beside it, for a person to read before they are kept.

python -m tests.golden.expect
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from agentops.otlp.decode import decode_logs, decode_traces
from agentops.server.normalise import completed, normalise, normalise_log

CASES = Path(__file__).parent / "cases"


def rows(case: Path) -> dict[str, Any]:
    """Return the events and content of a case as plain values, without fields that say nothing.

    Costs are as reported: computed ones change with the price table, and have tests of their own.
    """
    body = case.read_bytes()
    spans = decode_traces(body, "json")
    records = decode_logs(body, "json")
    assert [*spans.rejected, *records.rejected] == []
    logs = [normalise_log(record) for record in records.records]
    events: list[dict[str, Any]] = []
    for span in spans.spans:
        event = normalise(span)
        own = [log for log in logs if log.content and log.span_id == event.span_id]
        input_, input_format = completed(event.input, event.input_format, [log.input for log in own])
        output, output_format = completed(event.output, event.output_format, [log.output for log in own])
        plain: dict[str, Any] = msgspec.to_builtins(event)
        plain["input"] = _shown(input_, input_format)
        plain["output"] = _shown(output, output_format)
        plain["input_format"] = input_format
        plain["output_format"] = output_format
        del plain["attributes"]
        plain["span_events"] = [each["name"] for each in json.loads(event.span_events)]
        del plain["links"]
        events.append({key: value for key, value in plain.items() if value not in ("", None, [], 0, False)})
    other = [msgspec.to_builtins(log) for log in logs if not log.content]
    return {
        "case": case.name.removesuffix(".otlp.json"),
        "events": events,
        **({"logs": other} if other else {}),
    }


def _shown(text: str, form: str) -> Any:
    return json.loads(text) if form in ("messages", "json") else text


def main() -> None:
    for case in sorted(CASES.glob("*.otlp.json")):
        path = case.with_name(case.name.replace(".otlp.json", ".rows.json"))
        path.write_text(json.dumps(rows(case), indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
