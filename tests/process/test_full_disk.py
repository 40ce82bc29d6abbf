"""The server's disk fills up: what was acknowledged stays, what was not is refused, and both are said."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

from tests.process.torture_parts import tmpfs
from tests.serving import Server, error_of
from tests.spans import body, span

_PROGRAM = """
import json, os, random, resource, signal, sys
from pathlib import Path
from agentops.errors import StoreError
from agentops.server.store import disk
from agentops.server.store.opening import open_store
from agentops.server.store.url import StoreUrl

disk._LOW = 1 << 62  # The disk of the tests is not nearly full.
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
opened = open_store(StoreUrl.parse("chdb://" + sys.argv[1]))
store = opened.store


def rows(first):
    texts = [random.Random(number).randbytes(3000).hex() for number in range(first, first + 50)]
    return [
        json.dumps({"project": "p", "resource_id": number, "json": text, "version": 1}).encode()
        for number, text in enumerate(texts, first)
    ]


class CutShort:
    # A client whose inserts end as they do on a disk that was full: said to be done, and not whole.

    def __init__(self, client):
        self.client = client

    def raw_insert(self, *how, **more):
        self.client.raw_insert(*how, **more)
        newest = "SELECT path FROM system.parts WHERE active AND table = 'resources' "
        newest += "ORDER BY name DESC LIMIT 1"
        os.truncate(Path(store.answer(newest, form="TSV").decode().strip()) / "data.bin", 1000)


def merge(limit):
    # A limit on the size of files ends them as a full disk does.
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, -1))
    try:
        store.command("OPTIMIZE TABLE resources FINAL")
    except StoreError:
        pass  # Its part was put aside while it was waited for.
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))


def count():
    store.answer("SELECT sum(cityHash64(json)) FROM resources")
    return int(store.answer("SELECT count() FROM resources FINAL", form="TSV"))


store.insert("resources", rows(0))
try:
    store.insert("resources", rows(50), CutShort(store.connect()))
    print("acknowledged")
except StoreError:
    print("refused", count())
store.insert("resources", rows(50))
merge(200_000)
store.disk.mend()
print("cut short", count())
merge(-1)
parts = "SELECT (SELECT count() FROM system.parts WHERE active AND table = 'resources'), "
parts += "(SELECT count() FROM system.detached_parts)"
print("merged", count(), *store.answer(parts, form="TSV").split())
opened.close()
"""


def test_rows_that_a_full_disk_cut_short_are_not_acknowledged_and_merges_lose_none(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(tmp_path / "store")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        ["refused 50", "cut short 100", "merged 100 b'1' b'0'"],
    ), done.stderr


def test_a_server_whose_disk_is_full_says_so_and_goes_on_answering(start_server: Any) -> None:
    with tempfile.TemporaryDirectory() as place, tmpfs(Path(place), 200_000) as small:
        server: Server = start_server(Path(place))
        assert server.post("/v1/traces", body(span(1, 1))).status_code == 200
        filling = Path(place) / "filling"
        if small:  # Else nobody here may mount one, and only what follows it can be seen.
            with filling.open("wb") as file:
                file.write(bytes(_free(Path(place)) - 20_000_000))
            refused = server.http.get("/readyz")
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "disk_full")
            assert str(server.home / "store") in refused.json()["error"]["message"]
            assert server.http.get("/healthz").status_code == 200
            refused = server.post("/v1/traces", body(span(2, 1)))
            assert (refused.status_code, error_of(refused)["code"]) == (503, "disk_full")
            assert server.get("/api/sessions")["total"] == 1
        filling.unlink(missing_ok=True)
        assert server.http.get("/readyz").status_code == 200
        assert server.post("/v1/traces", body(span(2, 1))).status_code == 200
        server.close()


def test_a_store_that_a_full_disk_keeps_from_being_made_says_so_in_one_line(start_server: Any) -> None:
    with tempfile.TemporaryDirectory() as place, tmpfs(Path(place), 60_000) as small:
        filling = Path(place) / "filling"
        home = Path(place) / "home"
        if small:
            filling.write_bytes(bytes(_free(Path(place)) - 20_000_000))
            done = subprocess.run(
                [sys.executable, "-m", "agentops.cli", "serve", "--port", "0", "--home", str(home)],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            (line,) = done.stderr.splitlines()
            assert done.returncode == 1
            assert "its disk is full" in line
            assert f"{home}/store" in line
            assert "Free space there, or choose another" in line
        filling.unlink(missing_ok=True)
        server: Server = start_server(home)
        assert server.http.get("/readyz").status_code == 200
        server.close()


def test_what_has_no_room_to_be_removed_is_refused_and_holds_nothing_up(start_server: Any) -> None:
    with tempfile.TemporaryDirectory() as place, tmpfs(Path(place), 300_000) as small:
        server: Server = start_server(Path(place))
        large = [span(1, number, 1, payload=os.urandom(200_000).hex()) for number in range(2, 120)]
        assert server.post("/v1/traces", body(span(1, 1), *large)).status_code == 200
        assert server.post("/v1/traces", body(span(2, 1))).status_code == 200
        rewritten = server.wait("/api/store", lambda found: found["spans"] == 120)["tables"][0]["bytes"]
        assert rewritten > 20_000_000
        session = f"/api/sessions/{uuid.UUID(int=2)}"
        filling = Path(place) / "filling"
        if small:
            with filling.open("wb") as file:
                file.write(bytes(_free(Path(place)) - 32_000_000 - rewritten // 2))
            for refused in (
                server.http.delete(session),
                server.post("/api/sessions/delete", {"sessions": [str(uuid.UUID(int=1))]}),
                server.post("/api/store/compact", {}),
            ):
                assert (refused.status_code, error_of(refused)["code"]) == (503, "disk_full")
                assert refused.headers["retry-after"] == "30"
        assert server.http.patch(session, json={"name": "stays"}).json()["name"] == "stays"
        assert server.post("/v1/traces", body(span(3, 1))).status_code == 200
        assert server.get("/api/sessions")["total"] == 3
        filling.unlink(missing_ok=True)
        assert server.http.delete(session).status_code == 204
        assert server.post("/api/store/compact", {}).status_code == 200
        assert server.get("/api/sessions")["total"] == 2
        assert server.stop() == 0


def _free(place: Path) -> int:
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize
