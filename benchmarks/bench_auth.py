"""How much keys cost: a key check on an ingest request, the 0.3 route, signing in and the page after it.

    make bench-auth

The check is measured as processor time of the gate around an application that does nothing, with keys and
without, in one run; the 0.3 route over HTTP by a client that waits for each answer.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import sys
import tempfile
import time
import urllib.request
import uuid
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil
from tests.serving import Server

_CHECKS = 20_000
_EVENTS = 20_000
_BATCH = 32
"""Events a request: what 0.3.26 sends at most."""


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        print(f"key check on an ingest request: {_check_us(Path(folder)):.1f} us of processor time")
        server = Server(Path(folder) / "home", arguments=("--port", "0", "--auth"))
        try:
            found = re.search(r"shown only now: (\S+)", "".join(server.log))
            assert found is not None
            print(f"0.3 route: {_events_per_s(server, found[1]):,.0f} events/s in batches of {_BATCH}")
            print(f"sign-in and the page after it: {_sign_in_s(server, found[1]) * 1000:.0f} ms")
        finally:
            server.close()


def _check_us(folder: Path) -> float:
    """Return what the gate adds to a request, by processor time: with keys less without."""
    from agentops.server.api.gate import Gate
    from agentops.server.auth import Auth
    from agentops.server.store.opening import open_store
    from agentops.server.store.url import StoreUrl

    opened = open_store(StoreUrl.parse(f"chdb://{folder / 'gate'}"))
    try:
        auth = Auth(opened.store, folder, required=True)
        auth.load()
        key, _ = auth.keys.create("default", "bench", "record")

        class Nothing:
            def openapi(self) -> dict[str, Any]:
                return {"paths": {}}

            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                return None

        nothing: Any = Nothing()
        gate = Gate(nothing, auth)
        headers = [
            (b"host", b"127.0.0.1"),
            (b"content-type", b"application/json"),
            (b"authorization", f"Bearer {key}".encode()),
        ]
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/traces",
            "headers": headers,
            "client": ("127.0.0.1", 1),
        }

        async def spent_ns(app: Any) -> list[int]:
            found: list[int] = []
            for _ in range(20):
                began = time.process_time_ns()
                for _ in range(_CHECKS // 20):
                    await app(scope, None, None)
                found.append((time.process_time_ns() - began) // (_CHECKS // 20))
            return found

        with_keys = statistics.median(asyncio.run(spent_ns(gate)))
        without = statistics.median(asyncio.run(spent_ns(nothing)))
        return (with_keys - without) / 1000
    finally:
        opened.close()


def _events_per_s(server: Server, key: str) -> float:
    session = str(uuid.uuid4())
    headers = {"X-Agentops-Api-Key": key}
    answer = server.http.post(
        "/v2/create_session", json={"session": {"session_id": session}}, headers=headers
    )
    bearer = {"Authorization": f"Bearer {answer.json()['jwt']}", "Content-Type": "application/json"}
    bodies = [
        json.dumps(
            {
                "events": [
                    {
                        "id": str(uuid.uuid4()),
                        "event_type": ("llms", "tools", "actions")[number % 3],
                        "init_timestamp": "2026-11-20T12:00:00.000000Z",
                        "end_timestamp": "2026-11-20T12:00:01.000000Z",
                        "session_id": session,
                        "model": "gpt-4o",
                        "prompt": [{"role": "user", "content": "word " * 40}],
                        "completion": {"role": "assistant", "content": "word " * 40},
                        "prompt_tokens": 50,
                        "completion_tokens": 50,
                        "params": {"number": number},
                    }
                    for number in range(_BATCH)
                ]
            }
        ).encode()
        for _ in range(_EVENTS // _BATCH)
    ]
    process = psutil.Process(server.pid)
    before = sum(process.cpu_times()[:2])
    began = time.perf_counter()
    asyncio.run(_post_all(server.url, bodies, bearer))
    count = len(bodies) * _BATCH
    took = time.perf_counter() - began
    spent = sum(process.cpu_times()[:2]) - before
    print(f"0.3 route: {spent / count * 1e6:.0f} us of the server's processor time an event")
    return count / took


async def _post_all(url: str, bodies: list[bytes], headers: dict[str, str]) -> None:
    import httpx

    waiting = iter(bodies)
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:

        async def one() -> None:
            for body in waiting:
                answer = await client.post("/v2/create_events", content=body, headers=headers)
                assert answer.status_code == 200, answer.text

        # Eight programs at once.
        await asyncio.gather(*(one() for _ in range(8)))


def _sign_in_s(server: Server, key: str) -> float:
    """Return how long a sign-in takes together with what the first page asks for."""
    began = time.perf_counter()
    with urllib.request.urlopen(
        urllib.request.Request(
            f"{server.url}/api/sign-in",
            json.dumps({"key": key}).encode(),
            {"Content-Type": "application/json"},
        )
    ) as answer:
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
    for path in ("/", "/api/me", "/api/sessions?limit=100", "/api/sessions/facets"):
        request = urllib.request.Request(
            f"{server.url}{path}", headers={"Cookie": cookie, "Accept": "text/html"}
        )
        with urllib.request.urlopen(request) as answer:
            answer.read()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
