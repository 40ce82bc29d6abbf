"""Several servers on one ClickHouse: they migrate it once, agree, and tell each other's listeners."""

from __future__ import annotations

import itertools
import json
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest

from agentops.errors import AgentOpsError, StoreError
from agentops.server.auth import Auth
from agentops.server.auth.local import LocalAccount
from agentops.server.auth.secret import Secret
from agentops.server.ingest import Ingest
from agentops.server.store import edits
from agentops.server.store.client import Store
from agentops.server.store.migrate import migrations
from agentops.server.store.migration_lock import MigrationLock
from agentops.server.store.opening import open_store
from agentops.server.store.session import Silence
from agentops.server.store.summarise import Summariser
from agentops.server.store.url import StoreUrl
from agentops.server.store.write import Writer
from tests.engines import Bridge
from tests.serving import Server
from tests.spans import body, span
from tests.waiting import eventually

_traces = itertools.count(random.getrandbits(60) << 60)


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    started = Bridge()
    yield started
    started.stop()


@pytest.fixture
def pair(bridge: Bridge, tmp_path: Path, start_server: Any) -> tuple[Server, Server]:
    """Two servers on one database that neither has made before."""
    environment = {
        "AGENTOPS_STORE": bridge.store(f"pair_{next(_traces) & 0xFFFFFFFF:x}{random.randrange(999)}")
    }
    with ThreadPoolExecutor(2) as at_once:
        made = [
            at_once.submit(start_server, tmp_path / name, environment=environment) for name in ("one", "two")
        ]
        return made[0].result(), made[1].result()


def total(server: Server, session: str) -> int:
    answer = server.http.get(f"/api/sessions/{session}")
    return answer.json()["event_counts"]["total"] if answer.status_code == 200 else 0


class Listener:
    """Hears what a server tells, in a thread."""

    def __init__(self, server: Server, **headers: str) -> None:
        self.lines: list[str] = []
        self._headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self._url = server.url + "/api/live"
        self.open = threading.Event()
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()
        assert self.open.wait(20)

    def _listen(self) -> None:
        try:
            with httpx.stream("GET", self._url, headers=self._headers, timeout=60) as stream:
                for line in stream.iter_lines():
                    self.open.set()
                    self.lines.append(line)
        except httpx.TransportError:
            return

    def heard(self, session: str) -> bool:
        return any(session in line for line in self.lines)


def test_what_one_server_takes_is_told_and_shown_by_the_other(pair: tuple[Server, Server]) -> None:
    one, two = pair
    listener = Listener(two)
    trace = next(_traces)
    session = str(UUID(int=trace))
    assert one.post("/v1/traces", body(span(trace, 1), span(trace, 2, 1))).status_code == 200
    eventually(lambda: listener.heard(session), within_s=20)
    assert total(two, session) == 2
    # Numbers of notices are a server's own: with one of another it is told to look at everything.
    number = next(line for line in listener.lines if line.startswith("id: ")).removeprefix("id: ")
    elsewhere = Listener(one, last_event_id=number)
    eventually(lambda: elsewhere.heard("*"), within_s=20)
    # An edit at one is what the other shows, and survives what the other computes.
    assert two.http.patch(f"/api/sessions/{session}", json={"name": "named"}).status_code == 200
    assert one.post("/v1/traces", body(span(trace, 3, 1))).status_code == 200
    eventually(lambda: total(two, session) == 3, within_s=20)
    assert two.get(f"/api/sessions/{session}")["name"] == "named"
    assert two.http.delete(f"/api/sessions/{session}").status_code in (200, 204)
    eventually(lambda: one.http.get(f"/api/sessions/{session}").status_code == 404, within_s=20)
    one.kill()
    trace = next(_traces)
    assert two.post("/v1/traces", body(span(trace, 1))).status_code == 200
    eventually(lambda: listener.heard(str(UUID(int=trace))), within_s=20)


def test_who_returns_to_a_server_where_nobody_listened_hears_what_another_took(
    pair: tuple[Server, Server], bridge: Bridge
) -> None:
    one, two = pair

    def heard(trace: int, sender: Server | None, **headers: str) -> str:
        """Listen at the second server until it tells of a trace's session, or of all; return the number."""
        number = ""
        with httpx.stream("GET", f"{two.url}/api/live", headers=headers, timeout=20) as stream:
            for line in stream.iter_lines():
                if line.startswith(":") and sender is not None:
                    assert sender.post("/v1/traces", body(span(trace, 1))).status_code == 200
                    sender = None
                number = line.removeprefix("id: ") if line.startswith("id: ") else number
                if line.startswith("data: ") and (str(UUID(int=trace)) in line or "*" in line):
                    return number
        raise AssertionError("the stream ended")

    number = heard(next(_traces), two)
    trace = next(_traces)
    assert one.post("/v1/traces", body(span(trace, 1))).status_code == 200
    database = one.get("/readyz")["store"].rpartition("/")[2].partition("?")[0]
    old = f"SELECT now64(3) - max(at) > 6 AND hasAny(groupArrayArray(sessions), ['{UUID(int=trace)}'])"
    eventually(lambda: bridge.ask(f"{old} FROM {database}.changes").strip() == "1", within_s=30)
    assert heard(trace, None, **{"last-event-id": number}) != number


def test_servers_that_write_one_session_at_once_agree_on_all_of_it(pair: tuple[Server, Server]) -> None:
    for _ in range(3):
        trace = next(_traces)
        session = f"shared-{trace}"

        def post(server: Server, base: int, trace: int = trace, session: str = session) -> None:
            for turn in range(4):
                spans = [span(trace, base + turn * 10 + number, session__id=session) for number in range(3)]
                # One trace of both, and one of each.
                spans.append(span(trace + base, turn + 1, session__id=session))
                assert server.post("/v1/traces", body(*spans)).status_code == 200

        writers = [
            threading.Thread(target=post, args=(server, base))
            for server, base in zip(pair, (100, 200), strict=True)
        ]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        for server in pair:
            eventually(lambda server=server, session=session: total(server, session) == 32, within_s=30)
    summed = [server.get("/api/sessions", limit=500)["sessions"] for server in pair]
    assert summed[0] == summed[1]


class _Held(Store):
    """A store whose user is slow to write what it has read for."""

    def __init__(self, url: StoreUrl) -> None:
        super().__init__(url)
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def insert(self, table: str, *given: Any, **named: Any) -> None:
        """Wait before what a trace contributes is stored."""
        if table == "session_traces":
            self.reached.set()
            assert self.go_on.wait(60)
        super().insert(table, *given, **named)


def _unheard(project: str, sessions: list[str]) -> None:
    """Nobody listens."""


class _Overtaken(Store):
    """A store where another server edits the same session between what is read here and what is written."""

    def __init__(self, url: StoreUrl, later_ns: int, tags: list[str]) -> None:
        super().__init__(url)
        self._later_ns: int | None = later_ns
        self._tags = tags

    def insert(self, table: str, lines: Any, *given: Any, **named: Any) -> None:
        """Let the other go first."""
        if table == "edits" and self._later_ns is not None:
            mine = json.loads(lines[0])
            theirs: dict[str, Any] = {
                "name": "named",
                "tags": self._tags,
                "tags_set": bool(self._tags),
                "version": mine["version"] + self._later_ns,
            }
            self._later_ns = None
            super().insert(table, [json.dumps({**mine, **theirs}).encode()])
        super().insert(table, lines, *given, **named)


@pytest.mark.parametrize("later_ns", [-1, 1])
@pytest.mark.parametrize(
    ("change", "theirs", "kept"),
    [
        ({"tags": ["tagged"]}, [], ["tagged"]),
        ({"add_tags": ["tagged"]}, ["theirs"], ["theirs", "tagged"]),
    ],
)
def test_edits_at_two_servers_at_once_keep_each_other(
    bridge: Bridge, later_ns: int, change: dict[str, Any], theirs: list[str], kept: list[str]
) -> None:
    url = StoreUrl.parse(bridge.store("edited"))
    opened = open_store(url)
    store = _Overtaken(url, later_ns, theirs)
    silence = Silence(own_ns=10**12, foreign_ns=10**12)
    summariser = Summariser(store, silence, _unheard)
    summariser.start()
    session = f"edited-{later_ns}-{len(theirs)}"
    try:
        edits.edit(store, summariser, "default", [session], change)
        said = edits.current(opened.store, "default", session)
        assert (said.name, said.shown([])) == ("named", kept)
    finally:
        summariser.stop(10)
        store.close()
        opened.close()


def test_of_two_that_overlap_the_row_that_stands_is_the_complete_one(bridge: Bridge) -> None:
    url = StoreUrl.parse(bridge.store("overlapping"))
    opened = open_store(url)
    slow_store = _Held(url)
    silence = Silence(own_ns=10**12, foreign_ns=10**12)
    rooms: list[tuple[Writer, Summariser]] = []
    for store in (slow_store, opened.store):
        summariser = Summariser(store, silence, _unheard)
        writer = Writer(store, summariser)
        summariser.start()
        writer.start()
        rooms.append((writer, summariser))
    (slow, slow_summariser), (quick, quick_summariser) = rooms

    def take(writer: Writer, trace: int) -> None:
        request = json.dumps(body(span(trace, 1, session__id="both"))).encode()
        done, refused = Ingest(writer).traces(request, "json", "default", None)
        assert done is not None
        assert not refused
        done.result(30)

    def events() -> int:
        found = opened.store.answer("SELECT events FROM sessions FINAL WHERE session_id = 'both'", form="TSV")
        return int(found or b"0")

    try:
        # One has read what the session consists of, without the other's trace; then the other writes its row,
        # a later one, without the first one's.
        take(slow, 1)
        assert slow_store.reached.wait(30)
        take(quick, 2)
        assert quick_summariser.caught_up(30)
        assert events() == 1
        slow_store.go_on.set()
        assert slow_summariser.caught_up(30)
        eventually(lambda: events() == 2, within_s=30)
    finally:
        slow_store.go_on.set()
        for writer, summariser in rooms:
            writer.stop(10)
            summariser.stop(10)
        slow_store.close()
        opened.close()


def test_a_store_that_goes_away_is_told_of_and_comes_back_by_itself(
    start_server: Any, tmp_path: Path
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="agentops-bridge-"))
    bridge = Bridge(folder=folder)
    try:
        server: Server = start_server(environment={"AGENTOPS_STORE": bridge.store("away")})
        kept = next(_traces)
        assert server.post("/v1/traces", body(span(kept, 1))).status_code == 200
        bridge.stop()
        lost = body(span(next(_traces), 1))
        for answer in (
            server.post("/v1/traces", lost),
            server.http.get("/api/sessions"),
            server.http.get("/readyz"),
        ):
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["retry-after"]) > 0
            assert answer.json()["error"]["code"] == "store_unavailable"
        assert server.get("/healthz")["status"] == "ok"
        bridge = Bridge(folder=folder, port=bridge.port)
        eventually(lambda: server.http.get("/readyz").status_code == 200, within_s=30)
        assert server.post("/v1/traces", lost).status_code == 200
        eventually(lambda: server.get("/api/sessions")["total"] == 2, within_s=30)
    finally:
        bridge.stop()
        shutil.rmtree(folder, ignore_errors=True)


def test_a_store_that_cannot_be_opened_is_explained(bridge: Bridge) -> None:
    right = bridge.store("never")
    for wrong, said in (
        (right.replace("word%2F1", "wrong"), "refuses user 'agentops'"),
        (right.replace(f":{bridge.port}/", ":1/"), "nothing answers at 127.0.0.1:1"),
        (right.replace("clickhouse:", "clickhouses:"), "no TLS connection"),
    ):
        with pytest.raises(StoreError, match="cannot be opened") as refused:
            open_store(StoreUrl.parse(wrong))
        assert said in str(refused.value)
        assert "%2F1" not in str(refused.value)


def test_a_key_and_a_sign_in_of_one_server_are_the_others_at_once(
    bridge: Bridge, tmp_path: Path, start_server: Any
) -> None:
    environment = {
        "AGENTOPS_STORE": bridge.store("signed_in"),
        "AGENTOPS_SECRET": "shared by both, and long enough for it",
        "AGENTOPS_AUTH": "true",
    }
    one: Server
    two: Server
    one, two = (start_server(tmp_path / name, environment=environment) for name in ("one", "two"))
    owner = next(line for line in one.log if "first key" in line).rpartition(" ")[2].strip()
    for number in range(3):
        wish = {"name": str(number), "scope": "record,read"}
        asked = one.http.post("/api/keys", json=wish, headers={"X-Agentops-Api-Key": owner})
        key = asked.json()["key"]
        sent = body(span(number << 64 | 0x2E2E, 1))
        headers = {"Authorization": f"Bearer {key}"}
        assert two.http.post("/v1/traces", json=sent, headers=headers).status_code == 200
        cookie = one.http.post("/api/sign-in", json={"key": key}).headers["set-cookie"].partition(";")[0]
        one.http.cookies.clear()
        assert two.http.get("/api/me", headers={"Cookie": cookie}).json()["signed_in"]
        assert two.http.get("/api/sessions", headers={"Cookie": cookie}).status_code == 200
    # Who shows what is none waits for one look, not each for their own.
    wrong = {"Authorization": "Bearer 22222222-2222-4222-8222-222222222222"}
    began = time.monotonic()
    with ThreadPoolExecutor(16) as at_once:
        answers = [at_once.submit(two.http.get, "/api/sessions", headers=wrong) for _ in range(16)]
    assert {answer.result().status_code for answer in answers} == {401}
    assert time.monotonic() - began < 16 * 0.2


def test_what_one_server_ends_has_ended_though_its_clock_is_behind(
    bridge: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_store(StoreUrl.parse(bridge.store("ended")))
    secret = Secret(b"shared by both servers")
    ahead, behind, later = (Auth(opened.store, tmp_path, required=True, secret=secret) for _ in range(3))
    try:
        _, key = ahead.keys.create("default", "", "read")
        project = ahead.projects.create("Ended")
        cookie, signed_in = ahead.sign_ins.open(key)
        behind.load()
        now = time.time_ns()
        monkeypatch.setattr(time, "time_ns", lambda: now - 3600 * 10**9)
        behind.sign_ins.end(signed_in.cookie_hash)
        behind.keys.revoke(key)
        behind.delete_project(project)
        monkeypatch.undo()
        later.load()
        assert later.sign_ins.find(cookie) is None
        assert later.keys.living(key.key_hash) is None
        assert not later.projects.exists(project.project)
        # A command without the servers' secret would make keys that none of them knows.
        stranger = LocalAccount(opened.store, tmp_path, Secret(b"another"))
        ahead.keys.create("default", "", "read")
        with pytest.raises(AgentOpsError, match="AGENTOPS_SECRET"):
            LocalAccount(opened.store, tmp_path, Secret(b"another")).create_key(scope="read")
        assert "key" in LocalAccount(opened.store, tmp_path, secret).create_key(scope="read")
        assert "key" in stranger.create_key(scope="read")  # All that it knew had been revoked.
    finally:
        opened.close()


@pytest.mark.parametrize("cluster", ["", "two_shards"])
def test_servers_that_start_together_migrate_once(bridge: Bridge, cluster: str) -> None:
    both = Bridge(cluster) if cluster else bridge
    try:
        url = StoreUrl.parse(both.store("together"))
        with ThreadPoolExecutor(3) as at_once:
            opened = [one.result() for one in [at_once.submit(open_store, url) for _ in range(3)]]
        applied = opened[0].store.answer("SELECT number FROM migrations ORDER BY number", form="TSV")
        assert [int(line) for line in applied.split()] == [one.number for one in migrations()]
        for one in opened:
            one.close()
    finally:
        if cluster:
            both.stop()


def test_a_migration_that_its_server_did_not_finish_is_taken_over(bridge: Bridge) -> None:
    opened = open_store(StoreUrl.parse(bridge.store("taken_over")))
    try:
        held = MigrationLock(opened.store, held_s=1.5)
        held.__enter__()
        order: list[str] = []

        def wait() -> None:
            with MigrationLock(opened.store, held_s=1.5):
                order.append("second")

        second = threading.Thread(target=wait)
        second.start()
        # It is renewed for as long as its holder lives.
        lapses = held._holder()[1]  # pyright: ignore[reportPrivateUsage]
        eventually(lambda: held._holder()[1] > lapses + 1.5, within_s=20)  # pyright: ignore[reportPrivateUsage]
        assert order == []
        held._done.set()  # pyright: ignore[reportPrivateUsage] -- its holder is killed
        eventually(lambda: order == ["second"], within_s=20)
        second.join()
    finally:
        opened.close()


def test_a_store_of_a_newer_version_is_refused(bridge: Bridge) -> None:
    url = StoreUrl.parse(bridge.store("newer"))
    opened = open_store(url)
    row = b'{"number": 9999, "name": "from_the_future", "applied_at": 1}'
    opened.store.insert("migrations", [row])
    opened.close()
    with pytest.raises(StoreError, match="9999_from_the_future"):
        open_store(url)


def test_values_of_any_length_reach_the_server_as_they_are(bridge: Bridge) -> None:
    store = Store(StoreUrl.parse(bridge.store("values")))
    try:
        hostile = ["a'b", "c\\", "d\n{x:String}\t", "今天", "%s %(a)s", "')"]
        for values in (hostile, [*hostile, *(f"{number:040x}" for number in range(20_000))]):
            found = store.answer(
                "SELECT length({v:Array(String)}), arrayStringConcat({v:Array(String)}, '|') = {all:String}, "
                "cityHash64({v:Array(String)}) = cityHash64(splitByString('|', {all:String}))",
                {"v": values, "all": "|".join(values)},
                form="TSV",
            )
            assert found.split() == [str(len(values)).encode(), b"1", b"1"]
    finally:
        store.close()


def test_prices_that_one_server_read_are_those_of_all(
    pair: tuple[Server, Server], bridge: Bridge, start_server: Any, tmp_path: Path
) -> None:
    one, two = pair

    def price(dollars: int) -> str:
        return f'[[price]]\nmodel = "house-x"\ninput = {dollars}000000\noutput = 0\n'

    def own(server: Server) -> list[float]:
        return [entry["rates"]["input"] for entry in server.get("/api/prices")["own"]]

    def costs(server: Server) -> float | None:
        trace = next(_traces)
        call: dict[str, Any] = {"gen_ai__operation__name": "chat", "gen_ai__request__model": "house-x"}
        call |= {"gen_ai__usage__input_tokens": 1, "gen_ai__usage__output_tokens": 1}
        assert server.post("/v1/traces", body(span(trace, 1, **call))).status_code == 200
        return server.get(f"/api/sessions/{UUID(int=trace)}")["cost_usd"]

    (one.home / "prices.toml").write_text(price(2))
    assert own(one) == []  # Nothing uses it yet.
    assert one.http.post("/api/store/reprice", timeout=60).status_code == 200
    assert costs(two) == costs(one) == 2
    # The one that was changed last counts, wherever costs are computed anew.
    (two.home / "prices.toml").write_text(price(3))
    assert one.http.post("/api/store/reprice").status_code == 200
    assert own(one) == own(two) == [2_000_000]
    assert two.http.post("/api/store/reprice", timeout=60).status_code == 200
    eventually(lambda: own(one) == [3_000_000], within_s=20)
    two.kill()
    name: str = urlsplit(str(one.get("/api/store")["url"])).path.strip("/")
    three = start_server(tmp_path / "three", environment={"AGENTOPS_STORE": bridge.store(name)})
    assert costs(three) == 3
