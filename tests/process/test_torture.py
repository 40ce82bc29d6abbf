"""A few rounds of the torture, in every run of the tests; `make torture` goes on for a quarter of an hour."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.process import torture
from tests.process.torture_parts import Figures

SEED = 20_261

CASES = [
    (torture.processes_killed, 3),
    (torture.servers_killed, 2),
    (torture.both_killed, 1),
    (torture.server_late, 2),
    (torture.network_faults, 1),
    (torture.clock_steps, 1),
    (torture.disk_full, 700),
    (torture.forked_children, 20),
]


@pytest.mark.parametrize(("scenario", "size"), CASES, ids=[scenario.__name__ for scenario, _ in CASES])
def test_what_was_recorded_is_stored_exactly_once(
    tmp_path: Path, scenario: Callable[[Path, int, int], Figures], size: int
) -> None:
    figures = scenario(tmp_path, SEED, size)
    assert figures.events > 0
    assert figures.holds, figures
