"""The doors of the server: names, proxies, TLS, slow and greedy clients, and text that would be SQL."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import trustme

from agentops.server import connection
from tests.serving import Server
from tests.spans import body, span


def _address(server: Server) -> tuple[str, int]:
    parts = urlsplit(server.url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


def _refusal(home: Path, *arguments: str) -> str:
    """Return why a server does not start."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPS_", "OTEL_"))}
    done = subprocess.run(
        [sys.executable, "-m", "agentops.cli", "serve", *arguments],
        env={**kept, "AGENTOPS_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    return done.stderr


def _said(server: Server, sent: bytes, *, wait_s: float = 20) -> bytes:
    """Return what the server answers to raw bytes, until it closes."""
    with socket.create_connection(_address(server), timeout=wait_s) as line:
        line.sendall(sent)
        found = b""
        while piece := line.recv(65_536):
            found += piece
        return found


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without keys."""
    server = Server(tmp_path_factory.mktemp("home"))
    yield server
    server.close()


def test_another_name_or_page_is_refused_without_keys(open_server: Server) -> None:
    for headers in (
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "[::1].evil.example"},
        {"Host": "127.0.0.1:80@evil.example"},
        {"Origin": "http://["},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ):
        answer = open_server.http.get("/api/sessions", headers=headers)
        assert answer.status_code == 403, headers
        assert answer.json()["error"]["code"] == "forbidden_origin"
        assert open_server.http.post("/v1/traces", json=body(), headers=headers).status_code == 403


def test_another_host_is_served_with_keys_only(tmp_path: Path) -> None:
    assert "--auth" in _refusal(tmp_path / "open", "--host", "0.0.0.0", "--port", "0")
    server = Server(tmp_path / "locked", arguments=("--host", "0.0.0.0", "--port", "0", "--auth"))
    try:
        port = urlsplit(server.url).port
        answer = httpx.get(f"http://127.0.0.1:{port}/api/sessions", headers={"Host": "agents.example"})
        assert answer.status_code == 401
        assert "readable over this network" in "".join(server.log)
    finally:
        server.stop()


def test_what_a_stranger_says_about_the_client_counts_for_nothing(tmp_path: Path) -> None:
    forwarded = {
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "agents.example",
        "Origin": "https://agents.example",
    }
    # At "::" the proxy of 127.0.0.1 comes as ::ffff:127.0.0.1.
    for name, trusted, secure in (
        ("none", (), False),
        ("proxy", ("--forwarded-allow-ips", "127.0.0.1", "--host", "::"), True),
    ):
        server = Server(tmp_path / name, arguments=("--port", "0", "--auth", *trusted))
        asked = server.url.replace("[::]", "127.0.0.1")
        try:
            key = re.search(r"shown only now: (\S+)", "".join(server.log))
            assert key
            answer = httpx.post(f"{asked}/api/sign-in", json={"key": key[1]}, headers=forwarded)
            assert answer.status_code == (200 if secure else 403)
            if secure:
                assert "Secure" in answer.headers["set-cookie"]
                assert "strict-transport-security" in answer.headers
                assert '"203.0.113.7"' in (server.home / "audit.jsonl").read_text()
            else:
                assert "--forwarded-allow-ips" in answer.json()["error"]["hint"]
        finally:
            server.stop()


def test_a_proxy_that_is_no_address_is_refused(tmp_path: Path) -> None:
    said = _refusal(tmp_path, "--port", "0", "--forwarded-allow-ips", "everybody")
    assert "--forwarded-allow-ips: 'everybody'" in said


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for this machine, and its key, by an authority of its own."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    made = authority.issue_cert("127.0.0.1")
    files = folder / "cert.pem", folder / "key.pem"
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    for chained in made.cert_chain_pems:
        chained.write_to_path(str(files[0]), append=True)
    made.private_key_pem.write_to_path(str(files[1]))
    return files


def test_tls_secures_the_cookie(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    cert, key_file = map(str, certificate)
    arguments = ("--port", "0", "--auth", "--tls-cert", cert, "--tls-key", key_file)
    server = Server(tmp_path, arguments=arguments)
    try:
        assert server.url.startswith("https://127.0.0.1:")
        key = re.search(r"shown only now: (\S+)", "".join(server.log))
        assert key
        trust = ssl.create_default_context(cafile=str(certificate[0].with_name("authority.pem")))
        with httpx.Client(base_url=server.url, verify=trust) as browser:
            answer = browser.post("/api/sign-in", json={"key": key[1]})
            assert answer.status_code == 200
            assert "Secure" in answer.headers["set-cookie"]
            # For localhost it would close every other program's plain port.
            assert "strict-transport-security" not in answer.headers
            assert browser.get("/api/sessions").status_code == 200
    finally:
        server.stop()
    assert "--tls-key is missing" in _refusal(tmp_path / "half", "--port", "0", "--tls-cert", cert)


def test_a_header_without_end_is_refused(open_server: Server) -> None:
    endless = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: " + b"x" * (connection.HEADER_BYTES + 4096)
    assert b" 431 " in _said(open_server, endless).split(b"\r\n", 1)[0]


def test_a_header_that_is_too_large_is_refused_however_it_arrives(open_server: Server) -> None:
    most = b"x" * connection.HEADER_BYTES
    for address, line, status in (
        (b"/healthz", b"X-Long: " + most, b"431 Request Header Fields Too Large"),
        (b"/healthz?q=" + most, b"X-Short: x", b"414 URI Too Long"),
        (b"/healthz?q=" + most[:-4096], b"X-Short: x", b"200 OK"),
    ):
        whole = b"GET %b HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n%b\r\n\r\n" % (address, line)
        answer = _said(open_server, whole)
        assert answer.startswith(b"HTTP/1.1 %b\r\n" % status), answer[:200]
        assert (b'{"error":{' in answer) == (b"200" not in status)


def test_a_decompression_bomb_is_refused(open_server: Server) -> None:
    bomb = gzip.compress(b"\0" * (80 * 1024 * 1024))
    assert len(bomb) < 200_000
    answer = open_server.http.post(
        "/v1/traces",
        content=bomb,
        headers={"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"},
    )
    assert answer.status_code == 413
    answer = open_server.http.post(
        "/v2/create_events",
        content=bomb,
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
    )
    assert answer.status_code == 413


def test_a_form_larger_than_forms_are_is_refused_unread(open_server: Server) -> None:
    longest = {"note": "\U0001f600" * 100_000}  # Written as \\ud83d\\ude00, 12 bytes each.
    largest = json.dumps(longest).encode()
    headers = {"Content-Type": "application/json"}
    answer = open_server.http.patch("/api/sessions/none", content=largest, headers=headers)
    assert answer.status_code == 404  # It was read.
    for method, path, most in (
        ("POST", "/api/sign-in", connection.SIGN_IN_BYTES),
        ("POST", "/api/keys", connection.FORM_BYTES),
        ("PATCH", "/api/sessions/none", connection.FORM_BYTES),
    ):
        for content in (b" " * (most + 1), iter([b" " * most, b"{}"])):
            answer = open_server.http.request(method, path, content=content, headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large"), path


def test_an_answer_to_a_body_that_nobody_reads_comes_at_once_and_arrives(open_server: Server) -> None:
    head = b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
    for path in (b"/v1/traces", b"/api/sign-in"):
        with socket.create_connection(_address(open_server), timeout=20) as line:
            line.sendall(head % (path, 200_000_000) + b"\r\n")
            early = line.recv(65_536)
            assert early.startswith(b"HTTP/1.1 413 "), early
            assert b"connection: close" in early.lower()
            line.sendall(b" " * 1_000_000)
        asked_first = head % (path, 200_000_000) + b"Expect: 100-continue\r\n\r\n"
        assert _said(open_server, asked_first).startswith(b"HTTP/1.1 413 ")
    sender = http.client.HTTPConnection(*_address(open_server), timeout=20)
    for path, host, status in (("/v1/traces", "evil.example", 403), ("/v1/nothing", "127.0.0.1", 404)):
        sender.request("POST", path, b" " * 20_000_000, {"Host": host})
        answer = sender.getresponse()
        assert (answer.status, answer.read()[:9]) == (status, b'{"error":')
    sender.close()


def test_idle_and_slow_connections_do_not_stop_an_agent(open_server: Server) -> None:
    address = _address(open_server)
    lines: list[socket.socket] = []
    stopped = threading.Event()

    def drip() -> None:
        while not stopped.wait(0.2):
            for line in slow:
                try:
                    line.send(b"x")
                except OSError:
                    continue

    try:
        lines.extend(socket.create_connection(address, timeout=20) for _ in range(2000))
        slow = lines[:200]
        for number, line in enumerate(slow):
            head = b"POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            # Half of them drip their header, half their body.
            line.sendall(
                head
                + (
                    b"X-Slow: "
                    if number % 2
                    else b"Content-Type: application/json\r\nContent-Length: 99999\r\n\r\n"
                )
            )
        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            for number in range(20):
                sent = body(
                    span(0x51000 + number, 1, name="recorded meanwhile", agentops__span__kind="session")
                )
                assert open_server.http.post("/v1/traces", json=sent).status_code == 200
            listed = open_server.get("/api/sessions", q="recorded meanwhile")
            assert listed["total"] == 20
        finally:
            stopped.set()
            dripping.join()
    finally:
        for line in lines:
            line.close()


def test_who_drips_a_header_is_shown_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    """The protocol by itself, with a shorter patience: the server's own takes 20 seconds."""
    import asyncio

    import uvicorn

    monkeypatch.setattr(connection, "HEADER_S", 0.3)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async def talk() -> list[bytes]:
        config = uvicorn.Config(app, http=connection.Connection, log_config=None, lifespan="off", ws="none")
        config.load()
        serving = uvicorn.Server(config)
        state = serving.server_state
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(
            lambda: connection.Connection(config=config, server_state=state, app_state={}), "127.0.0.1", 0
        )
        port = listening.sockets[0].getsockname()[1]
        found: list[bytes] = []
        request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        for beginnings in ((b"",), (b"GET / HTTP/1.1\r\nX: ",), (request, b"GET /")):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for beginning in beginnings:
                writer.write(beginning)
                await writer.drain()
                if beginning == request:
                    assert await reader.readuntil(b"\r\n\r\n")
            found.append(await asyncio.wait_for(reader.read(), 10))
            writer.close()
        listening.close()
        return found

    silent, dripping, second = asyncio.run(talk())
    assert silent == b""
    assert b" 408 " in dripping.split(b"\r\n", 1)[0]
    assert b" 408 " in second.split(b"\r\n", 1)[0]


def test_a_body_that_pauses_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    from agentops.server.auth import Denied

    monkeypatch.setattr(connection, "BODY_PAUSE_S", 0.1)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass

    async def talk() -> None:
        async def receive() -> Any:
            await asyncio.sleep(60)

        async def send(message: Any) -> None:
            del message

        asked: dict[str, Any] = {"type": "http", "method": "POST", "path": "/v1/traces", "headers": []}
        with pytest.raises(Denied, match="paused"):
            await connection.Patience(app)(asked, receive, send)

    asyncio.run(talk())


MARK = "zq'; DROP TABLE spans; --\\' OR 1=1 {project:String}"


def test_no_parameter_becomes_sql(open_server: Server) -> None:
    """Text that would end a string, in every parameter and path of every route, is the text that it is."""
    document = open_server.get("/openapi.json")
    sent = body(
        span(0x5041, 1, name=MARK, session__id=MARK, agentops__span__kind="session", agentops__tags=[MARK])
    )
    assert open_server.post("/v1/traces", sent).status_code == 200
    before = open_server.get("/api/sessions")["total"]
    asked = 0
    for path, methods in document["paths"].items():
        if "get" not in methods or path == "/api/live":
            continue
        filled = re.sub(r"\{\w+\}", httpx.QueryParams({"x": MARK}).__str__()[2:].replace("+", "%20"), path)
        for parameter in [
            one["name"] for one in methods["get"].get("parameters", ()) if one["in"] == "query"
        ] or [""]:
            answer = open_server.http.get(filled, params={parameter: MARK} if parameter else {})
            assert answer.status_code < 500, (path, parameter, answer.text)
            asked += 1
    assert asked > 40
    assert open_server.get("/api/sessions")["total"] == before
    found = open_server.get("/api/sessions", tag=MARK)
    assert [session["name"] for session in found["sessions"]] == [MARK]


_SQL = re.compile(r"\b(SELECT|INSERT INTO|DELETE FROM|UPDATE|ALTER TABLE|WHERE)\b")


def test_sql_is_put_together_from_our_own_texts_only() -> None:
    """No statement of the server is formatted by % or .format, and none quotes a value: those are bound."""
    root = Path(connection.__file__).parent
    wrong: list[str] = []
    for file in root.rglob("*.py"):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if _SQL.search(line) and (
                '" %' in line or re.search(r"= '\{(?![{_])", line) or re.search(r"'\" ?\+", line)
            ):
                wrong.append(f"{file.name}:{number}: {line.strip()}")
    assert wrong == []


@pytest.fixture(autouse=True)
def _alive(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test leaves a server that answers."""
    yield
    if "open_server" in request.fixturenames:
        server: Server = request.getfixturevalue("open_server")
        began = time.monotonic()
        assert server.get("/healthz")["status"] == "ok"
        assert time.monotonic() - began < 30
