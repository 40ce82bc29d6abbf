"""What the commands that show sessions share: the filters, how figures are written, where tables go."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec

from agentops.cli import storeway
from agentops.cli.export import FILTERS, REPEATABLE

_LEAST_TEXT: Final = 8
"""Letters of a text that are always shown."""
_LEAST_ID: Final = 13
"""Letters of an id that are always shown: those of its millisecond, which commands take for the whole."""
_JOINERS: Final = "\u200c\u200d"
_GAP: Final = 2
"""Between two columns."""
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
        if value >= 0.000001
        else "<$0.000001"
    )


def duration(ms: float | None) -> str:
    """Return a duration as people read it: 37 µs, 184 ms, 2.31 s, 7m 27s, 2h 05m."""
    if ms is None:
        return "-"
    if 0 < ms < 0.0995:
        return f"{ms * 1000:.0f} µs"
    if ms < 999.5:
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
    """Return recorded text that cannot steer a terminal: control characters and line ends become blanks.

    Joiners stay: they make one emoji of several, and write Persian and Hindi.
    """
    return "".join(letter if letter.isprintable() or letter in _JOINERS else " " for letter in text)


def print_json(value: Any) -> None:
    """Print a value as a line of JSON, in UTF-8 whatever the terminal writes texts in."""
    sys.stdout.flush()
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.buffer.flush()


def console() -> Any:
    """Return what draws on standard output; lines that are too long for a terminal are left to it."""
    from rich.console import Console

    class Drawing(Console):
        def on_broken_pipe(self) -> None:
            # Rich would end the program with an exit code of its own.
            raise BrokenPipeError

    # Recorded text is no markup of ours. Who wants no colours wants nothing bold or faint in their place.
    system = None if os.environ.get("NO_COLOR") else "auto"
    return Drawing(soft_wrap=True, highlight=False, markup=False, emoji=False, color_system=system)


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """Return what reads a whole number of an option, for argparse; others are refused with the range."""

    def read(text: str) -> int:
        if re.fullmatch(r"\d{1,9}", text) and least <= int(text) <= (int(text) if most is None else most):
            return int(text)
        bounds = f"from {least}" + ("" if most is None else f" to {most}")
        raise argparse.ArgumentTypeError(f"{text!r} cannot be used. Use a whole number {bounds}.")

    return read


def print_table(
    columns: Sequence[tuple[str, str]],
    rows: Iterable[Sequence[str]],
    *,
    style: Callable[[Sequence[str]], str] | None = None,
    drop: Sequence[str] = (),
) -> None:
    """Print a table: drawn for a terminal; fields with tabs between them, no head, when it goes elsewhere.

    Args:
        columns: each a title and `left`, `right`, `text` for what may be cut, or `id` for what may be
            shortened to its beginning.
        rows: texts, one for each column.
        style: the style of a row's first field.
        drop: titles of columns that a narrow terminal can do without, the first to go first.
    """
    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(plain(field) for field in row))
        return
    from rich.table import Table
    from rich.text import Text

    drawn = console()
    lines = [[plain(field) for field in row] for row in rows]
    kept = _fitting(columns, lines, drop, drawn.width)
    table = Table(box=None, header_style="dim", pad_edge=False)
    for title, justify in (columns[place] for place in kept):
        table.add_column(
            title, justify="right" if justify == "right" else "left", no_wrap=justify != "text",
            overflow="ellipsis", min_width=_LEAST_TEXT if justify == "text" else None,
        )  # fmt: skip
    for line in lines:
        # Where there is little room, texts give way and figures stay whole.
        fields = [
            Text(line[place][:letters], overflow="ellipsis", no_wrap=True) for place, letters in kept.items()
        ]
        if style is not None:
            fields[0].stylize(style(line))
        table.add_row(*fields)
    drawn.print(table, soft_wrap=False)


def _fitting(
    columns: Sequence[tuple[str, str]], lines: Sequence[Sequence[str]], drop: Sequence[str], room: int
) -> dict[int, int | None]:
    """Return the places of the columns that fit into so many letters, and how many of each: None is all.

    Figures are whole, and ids where they fit beside the beginnings of texts.
    """
    from rich.cells import cell_len

    longest = [
        max([cell_len(title), *(cell_len(line[place]) for line in lines)])
        for place, (title, _) in enumerate(columns)
    ]
    needs = [
        _LEAST_TEXT if justify == "text" else min(most, _LEAST_ID) if justify == "id" else most
        for (_, justify), most in zip(columns, longest, strict=True)
    ]
    kept = list(range(len(columns)))

    def spare() -> int:
        return room - sum(needs[place] for place in kept) - _GAP * (len(kept) - 1)

    for title in drop:
        if spare() >= 0:
            break
        kept = [place for place in kept if columns[place][0] != title]
    return {
        place: needs[place] if columns[place][1] == "id" and longest[place] - needs[place] > spare() else None
        for place in kept
    }
