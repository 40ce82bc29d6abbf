"""What the programs of this machine have recorded and no server has taken yet, as lines of `/metrics`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from agentops.journal.losses import REASONS
from agentops.journal.meter import Meter

_DROPPED: Final = "agentops_journal_dropped_records_total"


class Backlog:
    """The journal of one home, measured when it is asked for.

    Args:
        home: The folder of everything local; programs of another home are not seen.
    """

    def __init__(self, home: Path) -> None:
        self._meter = Meter(home / "journal")

    def lines(self) -> list[str]:
        """Return its metrics in Prometheus text form, every reason of a loss included, at zero too."""
        stats = self._meter.stats()
        gauges = (
            (
                "agentops_journal_backlog_bytes",
                "Bytes recorded and not yet acknowledged.",
                stats.backlog_bytes,
            ),
            ("agentops_journal_backlog_records", "Records not yet acknowledged.", stats.backlog_records or 0),
            (
                "agentops_journal_oldest_seconds",
                "Age of the oldest segment that holds unacknowledged records; 0 without one.",
                round(stats.oldest_age_s or 0.0, 3),
            ),
            ("agentops_journal_segments", "Segment files, those being written included.", stats.segments),
            ("agentops_journal_rejected_bytes", "Bytes of records kept aside.", stats.rejected_bytes),
        )
        lines: list[str] = []
        for name, text, value in gauges:
            lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge", f"{name} {value}"]
        lines += [f"# HELP {_DROPPED} Records that were lost, by reason.", f"# TYPE {_DROPPED} counter"]
        reasons = dict.fromkeys((*REASONS, *stats.lost))
        return lines + [f'{_DROPPED}{{reason="{reason}"}} {stats.lost.get(reason, 0)}' for reason in reasons]
