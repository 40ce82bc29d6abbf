"""The store over time: upgraded in place, costs computed anew, old sessions gone, disk given back."""

from __future__ import annotations

import contextlib
import json
import random
import time
from pathlib import Path
from typing import Any

from agentops.server import prices
from agentops.server.pricelist import PriceList, read_prices
from agentops.server.query.breakdown import breakdown
from agentops.server.query.events import events
from agentops.server.query.filters import Filters
from agentops.server.query.scope import scope
from agentops.server.query.timeline import timeline
from agentops.server.query.waste import waste
from agentops.server.store import migrate
from agentops.server.store.client import Store
from agentops.server.store.facts import stored_fact
from agentops.server.store.measures import PRICED
from agentops.server.store.reprice import Repriced, reprice
from agentops.server.store.session import Silence
from agentops.server.store.summarise import Summariser
from agentops.server.store.upkeep import Tidy, compact, sizes
from agentops.server.store.url import StoreUrl
from tests.rooms import Rooms, call, count, rooms_of
from tests.spans import SECOND, body, span
from tests.waiting import eventually

DAY = 86_400 * SECOND
Rows = list[dict[str, Any]]


def test_a_store_of_the_first_schema_is_upgraded_in_place_and_keeps_its_rows(tmp_path: Path) -> None:
    url = StoreUrl.parse(f"chdb://{tmp_path}/store")
    store = Store(url)
    first = tmp_path / "schema"
    first.mkdir()
    for name in ("0001_foundation.sql", "0002_agents.sql"):
        (first / name).write_text((migrate.FOLDER / name).read_text())
    migrate.migrate(store, first)
    now = time.time_ns()
    old = {
        "project": "default",
        "version": now + (1 << 62),
        "received_at": now,
        "seen_at": now,
        "trace_id": f"{7:032x}",
        "span_id": f"{1:016x}",
        "kind": "llm",
        "name": "chat",
        "started_at": now - SECOND,
        "ended": True,
        "duration_ns": 5,
        "status": "ok",
        "model": "gpt-4o",
        "provider": "openai",
        "tokens_input": 480,
        "tokens_output": 108,
        "input": "the question",
        "input_format": "text",
        "attributes": "{}",
    }
    store.insert("spans", [json.dumps(old).encode()])
    applied = [migration.number for migration in migrate.migrate(store)]
    assert applied == [one.number for one in migrate.migrations() if one.number > 2]
    assert not migrate.migrate(store)
    listed = f"00000000-0000-0000-0000-{7:012x}"
    with contextlib.contextmanager(rooms_of)(store) as rooms:
        # The start summarises what it finds without a session.
        eventually(lambda: rooms.session(listed))
        rooms.send(call(7, 2))
        row = rooms.session(listed)
        assert row is not None
        assert (row["llm"], row["tokens_input"]) == (2, 960)
        kept: Rows = rooms.store.rows(
            "SELECT input, source_name, usage_more FROM spans FINAL WHERE span_id = {s:String}",
            {"s": f"{1:016x}"},
            dict[str, Any],
        )
        assert kept == [{"input": "the question", "source_name": "", "usage_more": ""}]


def test_costs_are_computed_anew_with_ones_own_prices_and_reported_ones_stay(
    opened: Rooms, tmp_path: Path
) -> None:
    opened.send(call(1, 1), call(1, 2, gen_ai__usage__cost=0.5))
    opened.send(call(2, 1, gen_ai__request__model="house-model"), project="other")
    # 480 x 2.50 + 108 x 10.00 = 2280 millionths
    session = f"00000000-0000-0000-0000-{1:012x}"
    other = f"00000000-0000-0000-0000-{2:012x}"
    row = opened.session(session)
    assert row is not None
    assert row["cost_usd"] == 0.50228
    assert reprice(opened.store, opened.summariser) == Repriced(calls=2, changed=0)
    (tmp_path / "prices.toml").write_text(
        '[[price]]\nmodel = "gpt-4o"\ninput = 1\noutput = 10\n'
        '[[price]]\nmodel = "house-*"\ninput = 1\noutput = 0\n'
    )
    prices.use(read_prices(tmp_path / "prices.toml"))
    # 480 x 1 + 108 x 10 = 1560
    assert reprice(opened.store, opened.summariser, project="default") == Repriced(calls=1, changed=1)
    row = opened.session(session)
    assert row is not None
    assert row["cost_usd"] == 0.50156
    foreign = opened.session(other, "other")
    assert foreign is not None
    assert foreign["cost_usd"] is None
    assert reprice(opened.store, opened.summariser, since_ns=time.time_ns()) == Repriced(calls=0, changed=0)
    assert reprice(opened.store, opened.summariser) == Repriced(calls=2, changed=1)
    foreign = opened.session(other, "other")
    assert foreign is not None
    assert foreign["cost_usd"] == 0.00048
    prices.use(PriceList())
    assert reprice(opened.store, opened.summariser).changed == 2
    row = opened.session(session)
    assert row is not None
    assert row["cost_usd"] == 0.50228


def test_a_trace_that_cannot_be_summarised_keeps_no_other_up(opened: Rooms) -> None:
    opened.send(span(1, 1, session__id="odd"), call(1, 2, 1), call(1, 3, 1))
    rows = opened.store.rows("SELECT * FROM spans FINAL", None, dict[str, Any])
    # As a version stored it that took any number for dollars: their sum is none.
    odd = {"cost_usd": 1.7e308, "cost_source": "reported"}
    rows = [{**row, **odd, "version": row["version"] + 1} for row in rows]
    opened.store.insert("spans", [json.dumps(row).encode() for row in rows])
    opened.summariser.submit({("default", f"{1:032x}"): [stored_fact(row) for row in rows]})
    opened.send(span(2, 1, session__id="after"), span(3, 1, session__id="later"))
    assert opened.session("after")
    assert opened.session("later")
    assert opened.summariser.failures


def test_a_call_recorded_in_two_traces_of_a_session_counts_once(opened: Rooms) -> None:
    first = call(1, 1, session__id="one", gen_ai__response__id="resp-1")
    second = call(
        2, 1, session__id="one", gen_ai__response__id="resp-1", gen_ai__usage__cache_read__input_tokens=80
    )
    other = call(3, 1, session__id="one", gen_ai__response__id="resp-2")
    elsewhere = call(4, 1, session__id="two", gen_ai__response__id="resp-1")
    for order in ((first, second, other, elsewhere), (second, first), (first,)):
        for one in order:
            opened.send(one)
        row = opened.session("one")
        assert row is not None
        assert (row["llm"], row["tokens_input"], row["tokens_cache_read"]) == (2, 960, 80)
        # 400 x 2.50 + 80 x 1.25 + 108 x 10.00 = 2180, and 2280
        assert row["cost_usd"] == 0.00446
    apart = opened.session("two")
    assert apart is not None
    assert apart["tokens_input"] == 480
    repeated: Rows = opened.store.rows(
        "SELECT trace_id FROM repeats FINAL WHERE repeated", None, dict[str, Any]
    )
    assert repeated == [{"trace_id": f"{1:032x}"}]


def test_rows_of_before_models_stood_first_are_measured_and_compared_as_they_were(opened: Rooms) -> None:
    chance = random.Random(5)
    for _ in range(6):
        opened.send(*story(chance))
    twice: dict[str, Any] = {"agentops__entity__input": "again", "agentops__span__kind": "tool"}
    opened.send(*(call(900, number, **twice) for number in (1, 2)))
    filters = Filters("default", time.time_ns())

    def figures() -> list[Any]:
        found = [
            breakdown(opened.store, filters, by=by, interval="day")
            for by in ("model", "agent", "tool", "kind", "name")
        ]
        return [*found, waste(opened.store, filters)]

    now = figures()
    assert now[0]["groups"]
    assert now[-1]["headings"]
    longer = ", ".join(f"{name} = arrayResize({name}, length(event_kind))" for name in PRICED)
    opened.store.command(f"ALTER TABLE sessions UPDATE {longer} WHERE 1 SETTINGS mutations_sync = 2")
    assert figures() == now
    opened.store.command(
        "ALTER TABLE sessions UPDATE calls_differ = false, prompts_differ = false WHERE 1 "
        "SETTINGS mutations_sync = 2"
    )
    assert figures() == now


def test_compacting_leaves_one_part_of_each_table_and_no_replaced_rows(opened: Rooms) -> None:
    for _ in range(3):
        opened.send(span(1, 1), span(1, 2, 1))
    assert sizes(opened.store).spans > 2
    compact(opened.store)
    after = sizes(opened.store)
    assert (after.spans, after.sessions) == (2, 1)
    assert {table.parts for table in after.tables if table.table in ("spans", "sessions")} == {1}
    assert after.bytes > sum(table.bytes for table in after.tables) > 0
    assert after.migrations[0] == "0001_foundation"


def test_of_a_span_in_several_parts_the_newest_is_shown_whether_they_were_merged_or_not(
    opened: Rooms,
) -> None:
    """A merged part says which traces it holds, one that just arrived does not."""
    of_trace = f"00000000-0000-0000-0000-{1:012x}"

    def shown() -> list[tuple[str, str, str]]:
        where = scope(opened.store, "default", of_trace, time.time_ns())
        assert where is not None
        page = events(opened.store, where, limit=10, cursor=None, kinds=[], q="", status=[])
        drawn = json.loads(timeline(opened.store, where))
        assert drawn["status"] == [one["status"] for one in page.events]
        return [(one["name"], one["status"], one["output_preview"]) for one in page.events]

    began = time.time_ns()
    opened.send(*(span(number, 1, start_ns=began) for number in range(2, 9)))
    opened.send(span(1, 1, name="first", start_ns=began, ms=None))
    opened.store.command("OPTIMIZE TABLE spans FINAL")
    assert shown() == [("first", "running", None)]
    opened.send(span(1, 1, name="first", start_ns=began, output__value="done"))
    opened.send(span(1, 2, 1, name="second", start_ns=began + 1, ms=None))
    assert shown() == [("first", "ok", "done"), ("second", "interrupted", None)]
    opened.store.command("OPTIMIZE TABLE spans FINAL")
    opened.send(span(1, 2, 1, name="second", start_ns=began + 1, output__value="too"))
    assert shown() == [("first", "ok", "done"), ("second", "ok", "too")]


def test_what_a_clean_stop_left_is_not_summarised_again_and_what_a_crash_left_is(opened: Rooms) -> None:
    first, second = (f"00000000-0000-0000-0000-{number:012x}" for number in (1, 2))

    def start_again(*, end: bool) -> None:
        one = Summariser(opened.store, Silence(30 * SECOND, 300 * SECOND), lambda project, sessions: None)
        one.start()
        # What it takes up at its start is taken up with or before what it is given.
        one.submit({("default", f"{9:032x}"): []})
        assert one.caught_up(60)
        if end:
            one.stop(30)

    def version() -> int:
        row = opened.session(first)
        assert row is not None
        return int(row["version"])

    opened.send(span(1, 1))
    written = version()
    opened.summariser.stop(30)
    start_again(end=True)
    assert version() == written
    # Committed, and nobody was left to summarise it.
    done, _ = opened.ingest.traces(json.dumps(body(span(2, 1))).encode(), "json", "default", None)
    assert done is not None
    done.result(60)
    assert opened.session(second) is None
    start_again(end=False)
    assert opened.session(second)
    assert version() > written


def story(chance: random.Random) -> list[dict[str, Any]]:
    """Return what two programs send: starts, ends, two sessions in a trace, calls recorded twice."""
    began = 1_790_000_000 * SECOND
    sent: list[dict[str, Any]] = []
    for trace in (1, 2, 3):
        declaring = chance.choice(["", "chat", "own"])
        said: dict[str, Any] = {"session__id": declaring} if declaring else {}
        sent.append(span(trace, 1, name="root", start_ns=began, ms=900, **said))
        sent.append(span(trace, 1, name="root", start_ns=began, ms=None, **said))
        for number in range(2, 7):
            parent = chance.randrange(1, number)
            given: dict[str, Any] = {"start_ns": began + number * SECOND}
            if chance.random() < 0.3:
                given["session__id"] = chance.choice(["chat", "other"])
            if chance.random() < 0.6:
                given["gen_ai__response__id"] = f"resp-{chance.randrange(4)}"
                one = call(trace, number, parent, gen_ai__usage__input_tokens=100 * trace, **given)
            else:
                one = span(trace, number, parent, error=chance.choice([None, "broke"]), **given)
            sent.append(one)
    return sent


def settled(rooms: Rooms, project: str) -> dict[str, Rows]:
    """Return everything that is derived from a project's spans."""
    found: dict[str, Rows] = {}
    for table, columns, where in (
        ("sessions", "* EXCEPT (project, version, last_seen_at, lapses_at)", "NOT deleted"),
        ("session_traces", "session_id, trace_id, whole", "NOT deleted"),
        ("repeats", "trace_id, span_id", "repeated"),
        ("span_sessions", "trace_id, span_id, session_id", "1"),
        ("span_agents", "trace_id, span_id, agent", "agent != ''"),
    ):
        found[table] = rooms.store.rows(
            f"SELECT {columns} FROM {table} FINAL WHERE project = {{p:String}} AND {where} ORDER BY ALL",
            {"p": project},
            dict[str, Any],
        )
    return found


def test_tables_of_a_store_that_is_quiet_are_merged_once_and_those_of_a_busy_one_are_left(
    opened: Rooms,
) -> None:
    def parts() -> int:
        return sum(one.parts for one in sizes(opened.store).tables if one.table == "sessions")

    tidy = Tidy(opened.store, lambda: opened.writer.commits)
    for number in range(1, 4):
        opened.send(span(number, 1))
        tidy.look()
    assert parts() == 3
    tidy.look()
    assert parts() == 1
    assert count(opened.store, "sessions FINAL") == 3
    opened.send(span(3, 2))
    assert parts() == 2
    tidy.look()
    assert parts() == 2


def test_whatever_the_order_the_batches_and_the_repetitions_the_sessions_are_the_same(opened: Rooms) -> None:
    for seed in range(4):
        chance = random.Random(seed)
        sent = story(chance)
        opened.send(*sent, project=f"{seed}-at-once")
        expected = settled(opened, f"{seed}-at-once")
        assert expected["sessions"]
        for round_ in range(3):
            project = f"{seed}-{round_}"
            order = [*sent, *chance.choices(sent, k=5)]
            chance.shuffle(order)
            while order:
                size = chance.randrange(1, 6)
                opened.send(*order[:size], project=project)
                order = order[size:]
            assert settled(opened, project) == expected, (seed, round_)


def test_the_engine_begins_no_merge_on_an_almost_full_disk(tmp_path: Path) -> None:
    """A merge that meets a full disk leaves a damaged part, and removes the whole ones minutes later."""
    store = Store(StoreUrl.parse(f"chdb://{tmp_path}/store"))
    try:
        (disk,) = store.rows("SELECT name, keep_free_space FROM system.disks", None, dict[str, Any])
    finally:
        store.close()
    assert disk == {"name": "default", "keep_free_space": 32_000_000}
