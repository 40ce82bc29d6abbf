"""What real instrumentation sends becomes the rows that a person has read and kept.

`capture.py` made the bodies from real clients, `expect.py` the rows.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agentops.otlp.decode import decode_traces
from agentops.server.normalise import normalise, restored
from tests.golden.capture import SETS
from tests.golden.expect import CASES, rows

BODIES = sorted(CASES.glob("*.otlp.json"))


@pytest.mark.parametrize("case", BODIES, ids=lambda case: case.name.removesuffix(".otlp.json"))
def test_a_captured_body_becomes_the_rows_beside_it(case: Path) -> None:
    expected = json.loads(case.with_name(case.name.replace(".otlp.json", ".rows.json")).read_text())
    assert rows(case) == expected


@pytest.mark.parametrize("case", BODIES, ids=lambda case: case.name.removesuffix(".otlp.json"))
def test_attributes_come_back_as_they_came(case: Path) -> None:
    for span in decode_traces(case.read_bytes(), "json").spans:
        event = normalise(span)
        assert restored(event.attributes, event.input, event.output) == span.attributes


@pytest.mark.parametrize("chosen", sorted(SETS))
def test_every_set_has_cases_and_every_case_a_set(chosen: str) -> None:
    assert any(case.name.startswith(chosen) for case in BODIES)
    # Those of the libraries are made by tests/integrations/record.py.
    assert all(case.name.startswith((*SETS, "library")) for case in BODIES)
