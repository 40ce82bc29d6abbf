"""The OpenAPI document: complete, and true of what the server answers."""

from __future__ import annotations

import json
import random
from typing import Any

import jsonschema_rs
import pytest

from agentops.server.api import models
from tests.serving import Server
from tests.spans import body, span

EMBEDDED_ONLY = True


@pytest.fixture(scope="module")
def document(module_server: Server) -> dict[str, Any]:
    return module_server.get("/openapi.json")


def test_every_route_is_named_described_and_says_how_it_fails(document: dict[str, Any]) -> None:
    names: list[str] = []
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            names.append(route["operationId"])
            assert route["description"], (path, method)
            success = [status for status in route["responses"] if status.startswith("2")]
            assert success, (path, method)
            for status, answer in route["responses"].items():
                if status.startswith(("4", "5")):
                    schema = answer["content"]["application/json"]["schema"]
                    assert schema == {"$ref": "#/components/schemas/Error"}, (path, method, status)
    assert len(names) == len(set(names))
    assert "HTTPValidationError" not in json.dumps(document)


def test_every_answer_body_error_and_parameter_has_an_example_that_its_schema_allows(
    document: dict[str, Any],
) -> None:
    wrong: list[Any] = []
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            shown = [
                content
                for part in (route.get("requestBody", {}), *route["responses"].values())
                for content in part.get("content", {}).values()
            ]
            for one in (*shown, *route.get("parameters", [])):
                schema = one["schema"]
                # A parameter that may be repeated is shown given once.
                lists = [form for form in schema.get("anyOf", [schema]) if form.get("type") == "array"]
                if "in" in one and lists:
                    schema = lists[0]["items"]
                checked = jsonschema_rs.validator_for({**schema, "components": document["components"]})
                examples = [example["value"] for example in one.get("examples", {}).values()]
                if not examples or not all(map(checked.is_valid, examples)):
                    wrong.append((method, path, one))
    assert wrong == []


def test_bodies_of_the_published_clients_are_taken_as_the_document_shows_them(
    module_server: Server, document: dict[str, Any]
) -> None:
    sent = 0
    for path, methods in document["paths"].items():
        route = methods.get("post", {})
        if not path.startswith(("/v1/", "/v2/", "/v3/", "/v4/", "/public/")) or not route:
            continue
        named = [one for one in route.get("parameters", []) if one["in"] == "header"]
        headers = {one["name"]: one["examples"]["one"]["value"] for one in named}
        shown = route["requestBody"]["content"]["application/json"]["examples"]["one"]["value"]
        answer = module_server.http.post(path, json=shown, headers=headers)
        assert answer.status_code == 200, (path, answer.text)
        sent += 1
    assert sent == 13


def test_figures_are_named_as_the_document_shows_them(
    module_server: Server, document: dict[str, Any]
) -> None:
    (shown,) = document["paths"]["/metrics"]["get"]["responses"]["200"]["content"].values()
    said = module_server.http.get("/metrics").text
    assert shown["examples"]["one"]["value"].splitlines()[0] in said.splitlines()


def test_answers_are_what_the_document_says(module_server: Server) -> None:
    trace = random.getrandbits(120)
    session = f"shape-{trace}"
    failed = span(trace, 3, 1, name="fails", error="bad", agentops__span__kind="tool")
    failed["events"] = [
        {"name": "exception", "attributes": [{"key": "exception.type", "value": {"stringValue": "E"}}]}
    ]
    spans = [
        span(trace, 1, name="root", session__id=session, agentops__span__kind="session", ms=None),
        span(
            trace,
            2,
            1,
            name="chat",
            gen_ai__operation__name="chat",
            gen_ai__request__model="gpt-4o",
            gen_ai__usage__input_tokens=5,
            gen_ai__usage__output_tokens=5,
            agentops__entity__input="hello",
        ),
        failed,
        span(trace, 4, 1, name="open", ms=None),
    ]
    assert module_server.post("/v1/traces", body(*spans)).status_code == 200
    log = {
        "traceId": f"{trace:032x}",
        "spanId": f"{2:016x}",
        "timeUnixNano": "1790000000000000000",
        "body": {"stringValue": "a line"},
    }
    module_server.post("/v1/logs", {"resourceLogs": [{"scopeLogs": [{"logRecords": [log]}]}]})
    here = f"/api/sessions/{session}"
    checks: list[tuple[Any, str]] = [
        (models.SessionPage, "/api/sessions"),
        (models.SessionDetail, here),
        (models.Facets, "/api/sessions/facets"),
        (models.EventPage, f"{here}/events"),
        (models.Timeline, f"{here}/timeline"),
        (models.EventDetail, f"{here}/events/{2:016x}"),
        (models.EventDetail, f"{here}/events/{3:016x}"),
        (models.EventDetail, f"{here}/events/{4:016x}"),
        (models.LogPage, f"{here}/logs"),
        (models.Analytics, "/api/analytics?group_by=model"),
        (models.Analytics, "/api/analytics?group_by=tag&interval=hour"),
        (models.SessionStats, f"/v2{here[4:]}/stats"),
        (models.SessionByType, f"/v2{here[4:]}/export"),
        (models.Health, "/healthz"),
    ]
    for model, path in checks:
        answer = module_server.http.get(path)
        assert answer.status_code == 200, (path, answer.text)
        model.model_validate_json(answer.content, strict=True)
    assert len(module_server.get(f"{here}/logs")["logs"]) == 1
    error = module_server.http.get("/api/sessions/none")
    models.Error.model_validate_json(error.content, strict=True)
