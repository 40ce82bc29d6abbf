"""What did each process send of a session, what is stored, and what is missing?

A process numbers its events of a session from 1 (`agentops.record.seq`), and its root records say how far it
has come; so what is missing can be named. Which numbers are missing is exact; why, the process says itself,
for all of its sessions together (`agentops.session.records_lost`).
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Struct

from agentops import semconv
from agentops.server.query.scope import Scope
from agentops.server.query.sessions import parsed
from agentops.server.query.times import iso
from agentops.server.store.client import Store

MOST_GAPS: Final = 1_000
"""Ranges that are listed of one session."""
_LOST: Final = msgspec.json.Decoder(dict[str, int])


class _Process(Struct):
    instance: str
    service: str
    resource_id: int
    sent: int
    stored: int
    highest: int
    lost: str
    first_at: int
    last_at: int


class _Gap(Struct):
    instance: str
    first: int
    last: int


class _Resource(Struct):
    resource_id: int
    json: str


def ledger(store: Store, where: Scope) -> dict[str, Any]:
    """Return what was sent and stored of a session, by process, with the gaps as ranges of numbers."""
    lost = f"JSONExtractString(attributes, '{semconv.RECORDS_LOST}')"
    processes = store.rows(
        "SELECT instance, any(service) AS service, any(resource_id) AS resource_id, "
        "greatest(max(seq), max(records_sent)) AS sent, uniqExactIf(seq, seq > 0) AS stored, "
        "max(seq) AS highest, "
        f"argMaxIf({lost}, version, kind = 'session' AND {lost} != '') AS lost, "
        "min(started_at) AS first_at, max(started_at + duration_ns) AS last_at "
        f"FROM spans FINAL WHERE {where.where} GROUP BY instance "
        "HAVING sent > 0 OR lost != '' ORDER BY first_at, instance",
        where.values,
        _Process,
    )
    gaps: dict[str, list[list[int]]] = {}
    if any(one.stored < one.highest for one in processes):
        rows = store.rows(
            "SELECT instance, before + 1 AS first, seq - 1 AS last FROM ("
            "SELECT instance, seq, lagInFrame(seq, 1, toUInt64(0)) OVER (PARTITION BY instance ORDER BY seq "
            "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before FROM ("
            f"SELECT DISTINCT instance, seq FROM spans FINAL WHERE {where.where} AND seq > 0)) "
            f"WHERE seq > before + 1 ORDER BY instance, first LIMIT {MOST_GAPS}",
            where.values,
            _Gap,
        )
        for row in rows:
            gaps.setdefault(row.instance, []).append([row.first, row.last])
    listed = sum(map(len, gaps.values()))
    for one in processes:
        if one.sent > one.highest and listed < MOST_GAPS:
            gaps.setdefault(one.instance, []).append([one.highest + 1, one.sent])
            listed += 1
    resources = _resources(store, where.project, [one.resource_id for one in processes])
    shown = [_shown(one, gaps.get(one.instance, []), resources.get(one.resource_id, {})) for one in processes]
    lost_in_all: dict[str, int] = {}
    for one in shown:
        for reason, records in one["lost"].items():
            lost_in_all[reason] = lost_in_all.get(reason, 0) + records
    return {
        "sent": sum(one.sent for one in processes),
        "stored": sum(one.stored for one in processes),
        "lost": lost_in_all,
        "processes": shown,
    }


def _shown(one: _Process, gaps: list[list[int]], resource: dict[str, Any]) -> dict[str, Any]:
    pid = resource.get("process.pid")
    return {
        "instance": one.instance,
        "service": one.service or None,
        "pid": pid if isinstance(pid, int) else None,
        "sent": one.sent,
        "stored": one.stored,
        "gaps": gaps,
        "gaps_left_out": max(0, one.sent - one.stored - sum(last - first + 1 for first, last in gaps)),
        "lost": _lost(one.lost),
        "first_at": iso(one.first_at),
        "last_at": iso(one.last_at),
    }


def _lost(text: str) -> dict[str, int]:
    try:
        return _LOST.decode(text) if text else {}
    except msgspec.DecodeError:
        return {}  # Anybody can send anything.


def _resources(store: Store, project: str, ids: list[int]) -> dict[int, dict[str, Any]]:
    rows = store.rows(
        "SELECT resource_id, json FROM resources FINAL WHERE project = {project:String} "
        "AND resource_id IN {ids:Array(UInt64)}",
        {"project": project, "ids": ids},
        _Resource,
    )
    found = {row.resource_id: parsed(row.json) for row in rows}
    return {number: one for number, one in found.items() if isinstance(one, dict)}
