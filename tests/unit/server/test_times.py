"""Times as people and programs write them into an address."""

from __future__ import annotations

import pytest

from agentops.server.query.times import moment


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-30T16:00:00+02:00",
        "2026-11-30T16:00:00 02:00",
        "2026-11-30 16:00:00+02:00",
        "2026-11-30 16:00:00 02:00",
        "2026-11-30 16:00 0200",
        "2026-11-30T14:00:00Z",
        "2026-11-30t14:00:00z",
        "2026-11-30 14:00",
    ],
)
def test_a_time_is_read_with_its_offset_escaped_or_not(text: str) -> None:
    assert moment(text, 0) == 1_796_047_200_000_000_000
