"""The rooms of a server over a store, open in the test's own process."""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from agentops.server import prices
from agentops.server.ingest import Ingest
from agentops.server.pricelist import PriceList
from agentops.server.store import edits
from agentops.server.store.client import Store
from agentops.server.store.session import Silence
from agentops.server.store.summarise import Summariser
from agentops.server.store.write import Writer
from tests.spans import SECOND, body, span


@dataclass(frozen=True)
class Rooms:
    """The rooms of a server that write, without its HTTP."""

    store: Store
    summariser: Summariser
    writer: Writer
    ingest: Ingest

    def send(self, *spans: dict[str, Any], project: str = "default") -> None:
        done, rejected = self.ingest.traces(json.dumps(body(*spans)).encode(), "json", project, None)
        assert done is not None
        assert not rejected
        done.result(60)
        assert self.summariser.caught_up(60)

    def session(self, session_id: str, project: str = "default") -> dict[str, Any] | None:
        rows: list[dict[str, Any]] = self.store.rows(
            "SELECT * FROM sessions FINAL WHERE project = {p:String} AND session_id = {s:String} "
            "AND NOT deleted",
            {"p": project, "s": session_id},
            dict[str, Any],
        )
        return rows[0] if rows else None

    def delete(self, session_id: str, project: str = "default") -> bool:
        return bool(edits.delete(self.store, self.summariser, project, [session_id], time.time_ns()))


class Count(Struct):
    n: int


def count(store: Store, sql: str) -> int:
    return store.rows(f"SELECT count() AS n FROM {sql}", None, Count)[0].n


def rooms_of(store: Store) -> Generator[Rooms]:
    summariser = Summariser(store, Silence(30 * SECOND, 300 * SECOND), lambda project, sessions: None)
    writer = Writer(store, summariser)
    summariser.start()
    writer.start()
    try:
        yield Rooms(store, summariser, writer, Ingest(writer))
    finally:
        writer.stop(30)
        summariser.stop(30)
        store.close()
        prices.use(PriceList())


def call(trace: int, number: int, parent: int = 0, **given: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "gen_ai__operation__name": "chat",
        "gen_ai__provider__name": "openai",
        "gen_ai__request__model": "gpt-4o",
        "gen_ai__usage__input_tokens": 480,
        "gen_ai__usage__output_tokens": 108,
    }
    return span(trace, number, parent, **{**said, **given})
