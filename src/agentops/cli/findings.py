"""A finding: one thing that `agentops doctor` looked at, what it found, and how to fix it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    Args:
        level: `wrong` makes the command fail; a `note` is worth knowing and may be meant so.
        topic: What was looked at, in a word.
        text: What was found.
        fix: What to do; empty where there is nothing to mend.
    """

    level: Level
    topic: str
    text: str
    fix: str = ""

    def __str__(self) -> str:
        """Return it as the terminal shows it."""
        shown = f"{self.level:<6} {self.topic:<9} {self.text}"
        return f"{shown}\n{'':<17}-> {self.fix}" if self.fix else shown


def size(count: float) -> str:
    """Return a number of bytes as people say it."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def age(seconds: float) -> str:
    """Return a duration as people say it, in its largest unit."""
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"
