"""Make the expected events and the golden capture of libraries.

Usage: python -m tests.integrations.record [NAME ...]

Read what has changed before you keep it. The capture is what the program sends, made the same each time, in
tests/golden/cases; `python -m tests.golden.expect` makes its rows.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.environments import integration_python
from tests.golden.capture import CASES, fixed
from tests.integrations import running
from tests.integrations.libraries import USED, Used
from tests.integrations.standin import Providers
from tests.serving import Server

_NOWHERE = "http://127.0.0.1:9"
_STEADY = ("service.name", "telemetry.distro.name", "telemetry.distro.version", "telemetry.sdk.language")


def capture(used: Used, python: Path, models_url: str) -> dict[str, Any]:
    """Return what a program sends, from the journal that it leaves when no server answers."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        running.run(used, python, models_url, _NOWHERE, home)
        spans: list[dict[str, Any]] = []
        for path in sorted((home / "journal").glob("*.jsonl")):
            lines = [json.loads(line) for line in path.read_text().splitlines() if line]
            for line in lines[1:]:
                spans += [
                    {"spans": [span], "scope": line["scope"]}
                    for span in line.get("spans", ())
                    if int(span.get("endTimeUnixNano") or 0)
                ]
    resource = {"attributes": [{"key": "telemetry.distro.name", "value": {"stringValue": "agentops"}}]}
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": spans}]}
    return steady(body, models_url.rpartition(":")[2])


def steady(body: dict[str, Any], port: str) -> dict[str, Any]:
    """Return a body without what is another each time, and without the machine that it was made on."""
    for scope in body["resourceSpans"][0]["scopeSpans"]:
        for span in scope["spans"]:
            span.pop("traceState", None)
            span["attributes"] = [
                pair for pair in span["attributes"] if pair["key"] not in ("agentops.session.host_env",)
            ]
            for pair in span["attributes"]:
                if pair["key"] == "agentops.llm.first_token_ns":
                    pair["value"] = {"intValue": "5000000"}
    made = fixed(body, port)
    text = json.dumps(made, ensure_ascii=False)
    text = running._MOVING.sub("00000000-0000-4000-8000-000000000000", text)  # pyright: ignore[reportPrivateUsage] -- one room
    text = text.replace(str(running.ROOT), "/src")
    return json.loads(text)


def main(names: list[str]) -> None:
    """Make those of the libraries named, or of all."""
    chosen = [used for used in USED if not names or used.name in names]
    with Providers() as providers, tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        try:
            for used in chosen:
                python = integration_python(used.environment)
                running.run(used, python, providers.url, server.url, Path(folder))
                used.expected.write_text(running.shown(running.recorded(server, used.name)))
                case = CASES / f"library-{used.name}.otlp.json"
                made = capture(used, python, providers.url)
                case.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")
                print(f"{used.name}: {used.expected.relative_to(running.ROOT)}", flush=True)
        finally:
            server.close()


if __name__ == "__main__":
    main(sys.argv[1:])
