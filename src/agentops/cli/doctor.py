"""`agentops doctor`: does recording work here, and if not, how is it fixed?

Looks at the settings, the server, the journal of this home, what its programs could not record as they meant
it, and the LLM libraries of this Python. The exit code is 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import msgspec

from agentops import config, semconv
from agentops.cli.findings import Finding
from agentops.cli.libraries import library_findings
from agentops.cli.unrecorded import unrecorded_findings
from agentops.cli.waiting import journal_findings
from agentops.errors import SettingError
from agentops.shipper.http import Client, ConnectionFailed
from agentops.shipper.outcome import outcome_of

_TIMEOUT_S = 5.0
_NOT_SETTINGS = ("AGENTOPS_TEST_", "AGENTOPS_DEV_")


class _Health(msgspec.Struct):
    name: str = ""
    version: str = ""
    pid: int = 0


def define(commands: Any) -> None:
    """Add the command."""
    commands.add_parser("doctor", help="check that recording works here, and say how to fix what does not")


def run(_: argparse.Namespace) -> int:
    """Print what was found; the exit code is 1 when something is wrong."""
    wrong = 0
    for finding in _findings():
        wrong += finding.level == "wrong"
        print(finding, flush=True)
    print(f"\n{wrong} wrong" if wrong else "\nEverything is fine.")
    return 1 if wrong else 0


def _findings() -> Iterator[Finding]:
    yield from _settings()
    endpoint = str(_value("endpoint"))
    server = _server(endpoint)
    yield server
    yield from journal_findings(config.home(str(_value("home"))), endpoint, server.level == "ok")
    yield from unrecorded_findings(config.home(str(_value("home"))))
    if not _value("instrument_llm_calls"):
        yield Finding(
            "note", "library", "AGENTOPS_INSTRUMENT_LLM_CALLS is off: no library is recorded automatically"
        )
    yield from library_findings()


def _value(name: str) -> Any:
    try:
        return config.read(name)
    except SettingError:
        return config.BY_NAME[name].default


def _settings() -> Iterator[Finding]:
    """Name variables with values that cannot be used, and variables that nobody reads."""
    wrong = False
    for setting in config.SETTINGS:
        try:
            config.read(setting.name)
        except SettingError as error:
            wrong = True
            yield Finding("wrong", "settings", str(error), f"set {setting.env} anew, or unset it")
    for name, said in config.unusable_limits().items():
        wrong = True
        yield Finding("wrong", "settings", said, f"set {name} anew, or unset it")
    known = [setting.env for setting in config.SETTINGS]
    words = [name.removeprefix("AGENTOPS_") for name in known]  # What all begin with makes none near.
    for name in sorted(os.environ):
        if name.startswith("AGENTOPS_") and name not in known and not name.startswith(_NOT_SETTINGS):
            near = config.nearest(name.removeprefix("AGENTOPS_"), words)
            yield Finding(
                "note",
                "settings",
                f"{name} is not read by anything",
                f"AGENTOPS_{near} is the nearest that is" if near else "`agentops settings` lists what is",
            )
    if not wrong:
        yield Finding("ok", "settings", "every setting can be used")


def _server(endpoint: str) -> Finding:
    """Ask the server whether it is ready, the way a recording program would reach it."""
    try:
        endpoint = config.address(endpoint)
    except ValueError:
        return Finding(
            "wrong",
            "server",
            f"the endpoint {endpoint!r} is no http(s) address, programs use the default in its place",
            "set AGENTOPS_API_ENDPOINT to one such as http://127.0.0.1:8420",
        )
    key = _value("api_key")
    client = Client()
    try:
        headers = {semconv.API_KEY_HEADER: str(key)} if key else {}
        answer = client.request("GET", endpoint.rstrip("/") + "/readyz", None, headers, _TIMEOUT_S)
        recorded = _refused(client, endpoint, headers) if answer.status == 200 else None
    except ConnectionFailed as error:
        return _unreached(endpoint, error)
    finally:
        client.close()
    try:
        health = msgspec.json.decode(answer.body, type=_Health)
    except msgspec.DecodeError:
        health = _Health()
    if answer.status in (401, 403):
        return Finding(
            "wrong", "server", f"{endpoint} refuses the key", "set AGENTOPS_API_KEY to a key of its project"
        )
    if answer.status >= 500:
        return Finding(
            "wrong",
            "server",
            f"{endpoint} answers, but is not ready (HTTP {answer.status})",
            "see the server's log",
        )
    if health.name != "agentops":
        return Finding(
            "wrong",
            "server",
            f"what answers at {endpoint} (HTTP {answer.status}) is not an AgentOps server",
            "stop it, or serve on another port and set AGENTOPS_API_ENDPOINT to it",
        )
    if recorded is not None:
        return recorded
    ours = version("agentops")
    other = "" if health.version == ours else f"; this is version {ours}"
    return Finding(
        "ok", "server", f"{endpoint} answers (version {health.version}, process {health.pid}{other})"
    )


def _refused(client: Client, endpoint: str, headers: dict[str, str]) -> Finding | None:
    """Record nothing, the way a program records: what keeps that out keeps out its records."""
    target = str(_value("exporter_endpoint") or endpoint.rstrip("/") + "/v1/traces")
    sent = {**headers, "Content-Type": "application/json"}
    try:
        answer = client.request("POST", target, b'{"resourceSpans":[]}', sent, _TIMEOUT_S)
    except ConnectionFailed as error:
        return _unreached(target, error)
    outcome = outcome_of(answer.status, answer.headers, answer.body)
    if outcome.verdict == "accepted":
        return None
    if outcome.key_refused and not headers:
        text, fix = f"{target} takes records with a key only", "set AGENTOPS_API_KEY to a key of its project"
    elif outcome.key_refused:
        text = f"{target} refuses the key ({outcome.reason})"
        fix = "set AGENTOPS_API_KEY to a key of its project that may record"
    else:
        text, fix = f"{target} takes no records now ({outcome.reason})", "see the server's log"
    return Finding("note" if outcome.verdict == "later" else "wrong", "server", text, fix)


def _unreached(endpoint: str, error: ConnectionFailed) -> Finding:
    """Say why there was no answer: nobody is there, somebody is silent, or somebody speaks something else."""
    parts = urlsplit(endpoint)
    waits = f"({' '.join(str(error).split())}); until an AgentOps server does, records wait in the journal"
    if error.timed_out:
        text = f"what listens at {endpoint} does not answer {waits}"
        fix = "look whether that server hangs, and what stands between (a proxy, a firewall)"
    elif not error.unreachable:
        text = f"what listens at {endpoint} does not answer as a server of that address would {waits}"
        fix = "check the address: its scheme (http or https), its port, and the proxy settings"
    elif parts.hostname in ("localhost", "127.0.0.1", "::1"):
        text = f"nobody answers at {endpoint} {waits}"
        port = f" --port {parts.port}" if parts.port not in (None, 8420) else ""
        fix = f"start it with `agentops serve{port}`"
    else:
        text = f"nobody answers at {endpoint} {waits}"
        fix = "check the address, the network and the proxy settings"
    return Finding("wrong", "server", text, fix)
