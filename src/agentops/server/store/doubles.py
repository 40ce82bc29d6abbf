"""Doubles: which records are of one and the same call, beside those that hang from one another.

Two instrumentations name the provider's id of the answer. One and the same instrumentation names it for two
records only when it is there twice, and then both run at the same time: a provider that gives all answers one
id (local ones do) does not make all calls one. A call that failed has no id: there it is another
instrumentation's record of the same model, begun within milliseconds, one inside the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

from agentops.server.store.facts import Fact

Record = TypeVar("Record")

_READ_AGAIN: Final = ("agentops.instrument.claude", "agentops.instrument.gpt")
"""Results of a batch, and answers made in the background, which a program may read as often as it likes."""
_LOOKED_BACK: Final = 8
"""Calls with one id that may run at the same time."""
_BEGUN_WITHIN_NS: Final = 20_000_000


def doubles(records: Sequence[Record], of: Callable[[Record], Fact]) -> list[list[Record]]:
    """Return the records in groups, one for each call, each in start order.

    Args:
        records: of calls; all of one session.
        of: the fact of a record.
    """
    ids = [one.response_id for one in map(of, records) if one.response_id]
    failed = sum(one.status == "error" and not one.response_id for one in map(of, records))
    if len(set(ids)) == len(ids) and failed < 2:
        return [[record] for record in records]
    found: list[list[Record]] = []
    same_id: dict[str, list[list[Record]]] = {}
    failures: list[list[Record]] = []
    for record in sorted(records, key=lambda one: (of(one).started_at, of(one).span_id)):
        one = of(record)
        if one.response_id:
            near, fits = same_id.setdefault(one.response_id, []), _same_answer
        elif one.status == "error":
            near, fits = failures, _same_failure
        else:
            found.append([record])
            continue
        group = next((each for each in near[-_LOOKED_BACK:][::-1] if fits(map(of, each), one)), None)
        if group is None:
            found.append(group := [])
            near.append(group)
        group.append(record)
    return found


def _same_answer(group: Iterable[Fact], one: Fact) -> bool:
    mine = [each for each in group if each.scope_name == one.scope_name]
    if not mine or one.scope_name in _READ_AGAIN:
        return True
    return any(not each.ended or one.started_at <= _end(each) for each in mine)


def _same_failure(group: Iterable[Fact], one: Fact) -> bool:
    return all(
        each.scope_name != one.scope_name
        and each.model == one.model
        and one.started_at - each.started_at <= _BEGUN_WITHIN_NS
        and (_end(one) <= _end(each) or one.started_at == each.started_at)
        for each in group
    )


def _end(one: Fact) -> int:
    return one.started_at + one.duration_ns
