"""Run a library's program, and read what it recorded, from the server or from its journal."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.integrations.libraries import Used
from tests.serving import Server

ROOT = Path(__file__).resolve().parent.parent.parent
TIMEOUT_S = 100
_CONTENT_KINDS = ("llm", "tool", "agent", "embedding", "retrieval")
_MOVING = re.compile(
    r"0x[0-9a-f]{6,}|[0-9]{10}\.[0-9]+|(?<=duration=)[0-9.]+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
)


def run(used: Used, python: Path, models_url: str, server_url: str, home: Path) -> str:
    """Run a program to its end; return what it printed."""
    given = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AGENTOPS_", "OTEL_", "OPENAI_", "ANTHROPIC_", "AWS_", "PYTHON"))
    }
    done = subprocess.run(
        [python, used.program],
        env={
            **given,
            "HOME": str(home),
            "AGENTOPS_HOME": str(home),
            "AGENTOPS_API_ENDPOINT": server_url,
            "MODELS_URL": models_url,
            "OPENAI_BASE_URL": f"{models_url}/v1",
            "OPENAI_API_BASE": f"{models_url}/v1",
            "OPENAI_API_KEY": "none",
            "ANTHROPIC_BASE_URL": models_url,
            "ANTHROPIC_API_BASE": models_url,
            "ANTHROPIC_API_KEY": "none",
            # What these libraries would otherwise fetch from, or tell, their makers' servers.
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "CREWAI_DISABLE_TELEMETRY": "true",
            "CREWAI_TRACING_ENABLED": "false",
            "AGNO_TELEMETRY": "false",
            "HAYSTACK_TELEMETRY_ENABLED": "False",
            "HF_HUB_OFFLINE": "1",
        },
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        cwd=home,
    )
    assert done.returncode == 0, f"{used.program.name}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def recorded(server: Server, name: str) -> dict[str, Any]:
    """Return the session that a program recorded, as far as it is the same each time."""
    path = "/api/sessions"
    shown = server.wait(
        path,
        lambda answer: [each for each in answer["sessions"] if each["state"] != "running"],
        timeout_s=30,
        q=f"use_{name}",
    )
    session = next(each for each in shown["sessions"] if each["name"] == f"use_{name}")
    here = f"{path}/{session['session_id']}"
    session = server.wait(here, lambda found: found["ledger"]["sent"] == found["ledger"]["stored"], 30)
    events = server.get(f"{here}/events", limit=1000)["events"]
    shapes: dict[str, dict[str, Any]] = {}
    roots: list[dict[str, Any]] = []
    for event in events:
        whole = server.get(f"{here}/events/{event['event_id']}")
        shapes[event["event_id"]] = _shape(event, whole)
    for event in events:
        above = shapes.get(event["parent_id"])
        (roots if above is None else above.setdefault("events", [])).append(shapes[event["event_id"]])
    return {
        "state": session["state"],
        "counts": {kind: number for kind, number in session["event_counts"].items() if number},
        "tokens": _known(session["tokens"]),
        "cost_usd": round(session["cost_usd"] or 0, 10),
        "agents": session["agents"],
        "tools": session["tools"],
        "events": roots,
    }


def _known(tokens: dict[str, int | None]) -> dict[str, int]:
    return {kind: number for kind, number in tokens.items() if number}


def _shape(event: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    shape: dict[str, Any] = {"kind": event["kind"], "name": event["name"], "agent": event["agent"]}
    if event["status"] != "ok":
        shape["status"] = event["status"]
        shape["error_type"] = event["error_type"]
        shape["error"] = event["error_message"]
    if event["kind"] in ("llm", "embedding"):
        shape["model"] = event["model"]
        shape["provider"] = event["provider"]
        shape["tokens"] = _known(event["tokens"])
        shape["cost_usd"] = event["cost_usd"] and round(event["cost_usd"], 10)
        shape["finish_reason"] = whole["finish_reason"]
        shape["response_id"] = bool(whole["response_id"])
        shape["first_token"] = whole["first_token_ms"] is not None
    if event["kind"] in _CONTENT_KINDS:
        shape["input"] = _still(event["input_preview"])
        shape["output"] = _still(event["output_preview"])
    return {key: value for key, value in shape.items() if value not in (None, {}, False)}


def _still(preview: str | None) -> str | None:
    """Return a preview without what is another each time."""
    return None if preview is None else _MOVING.sub("…", preview)[:100]


def shown(found: dict[str, Any]) -> str:
    """Return what was recorded as the text that is kept."""
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"
