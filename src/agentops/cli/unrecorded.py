"""What programs of this home could not record as they meant it, as they told it themselves, and the fix."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from agentops.cli.findings import Finding, age
from agentops.sdk.account import FOLDER, Account, accounts

_SHOWN: Final = 5
"""Names shown of each kind; the others are counted."""
_WHY: Final = {
    "off": (
        "the SDK had not been set up",
        "call agentops.init() before, or put @session on the function that is one run of your agent",
    ),
    "none": (
        "no session was active",
        "start one with agentops.init() or agentops.start_session(), or put @session around it",
    ),
    "several": (
        "several sessions were active and none was bound",
        "make the call inside `with session:` or a @session function, or through session.patch(function)",
    ),
}


def unrecorded_findings(home: Path) -> Iterator[Finding]:
    """Name the calls of the last week that found no session and why, double records, and cut values."""
    told = accounts(home)
    for program in dict.fromkeys(account.program for account in told):
        of_program = [account for account in told if account.program == program]
        yield from _of(program, of_program)
    if told:
        yield Finding("ok", "calls", f"seen and noted: delete {home / FOLDER}")
    else:
        yield Finding("ok", "calls", "no program told of calls without a session in the last week")


def _of(program: str, told: list[Account]) -> Iterator[Finding]:
    who = f"{program} (process {told[0].pid}, {age(max(time.time() - told[0].written_at, 0))} ago"
    who += f", and {len(told) - 1} before it)" if len(told) > 1 else ")"
    for why, (reason, fix) in _WHY.items():
        names = _sum(account.unplaced.get(why, {}) for account in told)
        if names:
            yield Finding(
                "note",
                "calls",
                f"{who}: {_counted(names, 'call')} found no session, {reason}: {_listed(names)}",
                fix,
            )
    repeated = _sum(account.repeated for account in told)
    if repeated:
        yield Finding(
            "note",
            "calls",
            f"{who}: {_counted(repeated, 'second record')} of a call left out: {_listed(repeated)}",
            "nothing: the library traces itself beside the instrumentor",
        )
    failed = _sum(account.failed for account in told)
    if failed:
        yield Finding(
            "wrong",
            "calls",
            f"{who}: {_counted(failed, 'record')} could not be made: {_listed(failed)}",
            "please report it; the program's log of that time has the message",
        )
    for module, why in {name: text for account in told for name, text in account.unrecorded.items()}.items():
        yield Finding("note", "calls", f"{who}: calls of {module} were not recorded", why)
    cut = sum(account.cut for account in told)
    if cut:
        yield Finding(
            "note",
            "calls",
            f"{who}: {cut} recorded {'value was' if cut == 1 else 'values were'} cut, and marked",
            "set AGENTOPS_MAX_VALUE_BYTES higher, or record less",
        )


def _sum(counts: Iterable[dict[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return total


def _counted(names: Counter[str], word: str) -> str:
    count = names.total()
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _listed(names: Counter[str]) -> str:
    shown = [f"{name} ×{count}" for name, count in names.most_common(_SHOWN)]
    more = len(names) - len(shown)
    return ", ".join([*shown, f"and {more} more"] if more > 0 else shown)
