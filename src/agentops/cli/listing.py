"""What the commands that show sessions share: the filters, how figures are written, where tables go."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from agentops.cli import storeway
from agentops.cli.export import FILTERS, REPEATABLE

STATE_STYLES: Final = {"success": "green", "fail": "red", "running": "blue", "indeterminate": "yellow"}


def define(command: Any, *, filters: bool = True) -> None:
    """Add the filters, `--json`, and the options that say which store."""
    if filters:
        group = command.add_argument_group("filters, as in the API")
        for name, text in FILTERS.items():
            group.add_argument(
                f"--{name}", help=text, action="append" if name in REPEATABLE else "store", metavar="VALUE"
            )
    command.add_argument("--json", action="store_true", help="print JSON")
    storeway.define(command)


def chosen_filters(chosen: argparse.Namespace) -> dict[str, Any]:
    """Return the filters that were given, by the names of the API."""
    given = {name.replace("-", "_"): getattr(chosen, name.replace("-", "_")) for name in FILTERS}
    return {name: value for name, value in given.items() if value}


def usd(value: float | None) -> str:
    """Return a cost as people read it; unknown is a dash, never zero."""
    if value is None:
        return "-"
    return (
        f"${value:,.2f}"
        if value >= 1 or value == 0
        else f"${value:.4f}"
        if value >= 0.001
        else f"${value:.6f}"
    )


def duration(ms: float | None) -> str:
    """Return a duration as people read it: 184 ms, 2.31 s, 7m 27s, 2h 05m."""
    if ms is None:
        return "-"
    if ms < 1000:
        return f"{ms:.0f} ms" if ms >= 10 else f"{ms:.1f} ms"
    seconds = ms / 1000
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m {rest:02d}s" if minutes < 60 else f"{minutes // 60}h {minutes % 60:02d}m"


def number(value: int | None) -> str:
    """Return a count with its thousands apart."""
    return "-" if value is None else f"{value:,}"


def plain(text: str) -> str:
    """Return recorded text that cannot steer a terminal: control characters and line ends become blanks."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def print_table(
    columns: Sequence[tuple[str, str]],
    rows: Iterable[Sequence[str]],
    *,
    style: Callable[[Sequence[str]], str] | None = None,
) -> None:
    """Print a table: drawn for a terminal; fields with tabs between them, no head, when it goes elsewhere.

    Args:
        columns: each a title and `left`, `right`, or `text` for what may be cut.
        rows: texts, one for each column.
        style: the style of a row's first field.
    """
    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(plain(field) for field in row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="dim", pad_edge=False)
    for title, justify in columns:
        table.add_column(
            title, justify="right" if justify == "right" else "left", no_wrap=justify != "text",
            overflow="ellipsis", min_width=8 if justify == "text" else None,
        )  # fmt: skip
    for row in rows:
        # Where there is little room, texts give way and figures stay whole.
        fields = [Text(plain(field), overflow="ellipsis", no_wrap=True) for field in row]
        if style is not None:
            fields[0].stylize(style(row))
        table.add_row(*fields)
    Console().print(table)
