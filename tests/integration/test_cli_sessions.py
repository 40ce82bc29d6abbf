"""`agentops sessions`, `show`, `stats` and `tail`: the API's figures in a terminal, quiet when piped."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.forked import Command, Forked
from tests.integration.test_cli_store import agentops
from tests.serving import Server
from tests.spans import SECOND, body, span

USAGE = {"gen_ai__usage__input_tokens": 1000, "gen_ai__usage__output_tokens": 100}
STEPS = ((2, 1, "plan", "agent"), (3, 2, "look up", "tool"), (4, 2, "chat", "llm"))


def record(server: Server, number: int, *, fail: bool = False) -> None:
    trace = 0x700 + number
    start = time.time_ns() - (number + 1) * 60 * SECOND
    made = [
        span(
            trace, 1, name=f"run {number}", start_ns=start, ms=2000, session__id=f"s-{number}",
            status=2 if fail else 1, agentops__tags=["even" if number % 2 == 0 else "odd"],
            agentops__span__kind="session",
        )
    ]  # fmt: skip
    for place, parent, name, kind in STEPS:
        given = {"agentops__span__kind": kind}
        if kind == "llm":
            given |= {"gen_ai__request__model": "gpt-4o"}
        made.append(
            span(
                trace, place, parent, name=name, start_ns=start + place, ms=100 * place,
                error="\x1b[31mno\nsuch order" if fail and kind == "tool" else None, **given,
                **(USAGE if kind == "llm" else {}),
            )
        )  # fmt: skip
    assert server.post("/v1/traces", body(*made)).status_code == 200


@pytest.fixture(scope="module")
def known(module_server: Server) -> Server:
    for number in range(4):
        record(module_server, number, fail=number == 3)
    return module_server


def test_the_list_is_the_apis_filtered_sorted_and_as_json(known: Server) -> None:
    listed = agentops(known.home, "sessions")
    assert listed.returncode == 0, listed.stderr
    rows = [line.split("\t") for line in listed.stdout.decode().splitlines()]
    assert [row[-1] for row in rows] == ["s-0", "s-1", "s-2", "s-3"]
    # 1,000 input and 100 output tokens of gpt-4o, at 2.50 and 10 dollars a million.
    assert rows[3][0] == "fail"
    assert rows[3][2:7] == ["2.00 s", "3", "1", "1,100", "$0.0035"]
    assert b"\x1b" not in listed.stdout
    some = agentops(known.home, "sessions", "--tag", "odd", "--sort", "errors", "--json", "--limit", "1")
    found = json.loads(some.stdout)
    assert found["total"] == 2
    assert found["sessions"] == known.get("/api/sessions", tag="odd", sort="errors", limit=1)["sessions"]
    nothing = agentops(known.home, "sessions", "--user", "nobody")
    assert (nothing.returncode, nothing.stdout) == (0, b"")
    refused = agentops(known.home, "sessions", "--since", "yesterday")
    assert refused.returncode == 1
    assert b"since" in refused.stderr


def test_a_session_is_a_tree_with_costs(known: Server) -> None:
    shown = agentops(known.home, "show", "s-3")
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.decode().splitlines()
    assert "run 3" in lines[0]
    assert "fail" in lines[0]
    assert "1,100 tokens, $0.0035" in lines[1]
    tree = lines[3:]
    assert tree[0].startswith("  agent plan")
    assert tree[1].startswith("    tool look up  300 ms  error")
    assert tree[2].startswith("    llm chat gpt-4o  400 ms  1,100 tokens  $0.0035")
    # What was recorded cannot steer the terminal.
    assert "\x1b" not in shown.stdout.decode()
    assert len(tree) == 3
    told = json.loads(agentops(known.home, "show", "s-3", "--json").stdout)
    assert told["session"] == known.get("/api/sessions/s-3")
    assert told["events"] == known.get("/api/sessions/s-3/events")["events"]
    missing = agentops(known.home, "show", "nothing")
    assert missing.returncode == 1
    assert b"no session 'nothing'" in missing.stderr


def test_sums_are_those_of_the_api(known: Server) -> None:
    found = json.loads(agentops(known.home, "stats", "--by", "tag", "--json").stdout)
    assert found["totals"] == known.get("/api/analytics", interval="week")["totals"]
    assert found["groups"] == known.get("/api/analytics/breakdown", by="tag", interval="week")["groups"]
    rows = dict(line.split("\t", 1) for line in agentops(known.home, "stats").stdout.decode().splitlines())
    assert rows["sessions"] == "4"
    assert rows["cost"] == "$0.0140"
    assert rows["gpt-4o"].split("\t")[0] == "4"


def test_tail_tells_what_changes(known: Server) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPS_", "OTEL_"))}
    with subprocess.Popen(
        [sys.executable, "-m", "agentops.cli", "tail", "--lines", "1", "--tag", "even"],
        env={**kept, "AGENTOPS_HOME": str(known.home)},
        stdout=subprocess.PIPE,
        text=True,
    ) as tail:
        assert tail.stdout is not None
        assert tail.stdout.readline().rstrip().endswith("s-0")
        record(known, 9)  # of the tag odd: not told
        record(known, 8)
        # What was stored just before tail began may be told again.
        ids = (line.rstrip().rpartition("\t")[2] for line in tail.stdout)
        assert "s-9" not in itertools.takewhile(lambda one: one != "s-8", ids)
        assert known.http.delete("/api/sessions/s-8").status_code == 204
        told = next(line for line in tail.stdout if not line.startswith("success"))
        assert (told.split("\t")[0], told.split("\t")[-1]) == ("deleted", "s-8\n")
        tail.send_signal(signal.SIGINT)
        assert tail.wait(20) == 0


def test_who_reads_no_further_ends_tail(known: Server) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPS_", "OTEL_"))}
    with subprocess.Popen(
        [sys.executable, "-m", "agentops.cli", "tail", "--lines", "1"],
        env={**kept, "AGENTOPS_HOME": str(known.home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as tail:
        assert tail.stdout is not None
        assert tail.stderr is not None
        assert tail.stdout.readline()
        tail.stdout.close()
        record(known, 20)
        assert tail.wait(10) == 128 + signal.SIGPIPE
        assert tail.stderr.read() == b""


@pytest.mark.parametrize("command", ["sessions", "show s-3", "stats --json", "export s-3"])
def test_who_leaves_before_all_is_read_hears_no_complaint(known: Server, command: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPS_", "OTEL_"))}
    # As in most shells: what is printed waits in a buffer until Python ends.
    kept.pop("PYTHONUNBUFFERED", None)
    reads, writes = os.pipe()
    os.close(reads)
    done = subprocess.run(
        [sys.executable, "-m", "agentops.cli", *command.split()],
        env={**kept, "AGENTOPS_HOME": str(known.home)},
        stdout=writes,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(writes)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("show s-", "sessions begin with 's-': s-0, s-1"),
        ("show nothing", "no session 'nothing'. `agentops sessions` lists"),
        ("export nothing", "no session 'nothing'"),
        ("tail --count 0", "--count: '0' cannot be used. Use a whole number from 1."),
        ("stats --limit 501", "--limit: '501' cannot be used. Use a whole number from 1 to 500."),
        ("sessions --state failed", "state: 'failed' cannot be used."),
    ],
)
def test_what_cannot_be_used_is_named_with_what_can(known: Server, command: str, says: str) -> None:
    refused = agentops(known.home, *command.split())
    assert refused.returncode in (1, 2)
    assert says in refused.stderr.decode()
    assert refused.stdout == b""


def in_a_terminal(server: Server, columns: int, *arguments: str, **more: str) -> str:
    """Return what a command draws on a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPS_", "OTEL_"))}
    kept = {name: value for name, value in kept.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    kept |= {"AGENTOPS_HOME": str(server.home), "TERM": "xterm-256color", **more}
    command: Forked | subprocess.Popen[bytes]
    if "PYTHONIOENCODING" in more:
        # Python itself reads this, when it begins.
        program = [sys.executable, "-m", "agentops.cli", *arguments]
        command: Forked | subprocess.Popen[bytes] = subprocess.Popen(
            program, env=kept, stdin=theirs, stdout=theirs, stderr=theirs
        )
    else:
        command = Command(arguments, kept, (theirs, theirs, theirs))
    os.close(theirs)
    drawn = b""
    # A terminal whose other end is closed cannot be read.
    with contextlib.suppress(OSError):
        while piece := os.read(ours, 65_536):
            drawn += piece
    assert command.wait() == 0
    os.close(ours)
    return drawn.decode()


def test_a_terminal_keeps_figures_whole_and_colours_only_where_they_are_wanted(known: Server) -> None:
    drawn = in_a_terminal(known, 80, "sessions", "--tag", "odd", "--sort", "errors", "--limit", "1")
    lines = re.sub(r"\x1b\[[0-9;]*m", "", drawn).splitlines()
    assert all(len(line.rstrip()) <= 80 for line in lines)
    assert lines[0].split() == [
        "STATE",
        "STARTED",
        "(UTC)",
        "DURATION",
        "ERRORS",
        "TOKENS",
        "COST",
        "NAME",
        "ID",
    ]
    assert re.match(
        r"fail +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +2\.00 s +1 +1,100 +\$0\.0035 +run 3 +s-3 *$", lines[1]
    )
    coloured = re.compile(r"\x1b\[[0-9;]*3[0-9]")
    assert coloured.search(in_a_terminal(known, 120, "show", "s-3"))
    for command in (("show", "s-3"), ("sessions",)):
        assert "\x1b[" not in in_a_terminal(known, 120, *command, NO_COLOR="1")

    # Recorded text is no markup; of an id so much is shown that it can be asked for.
    known.http.patch("/api/sessions/s-0", json={"tags": ["[/x] :smile: 日"]})
    assert "tags: [/x] :smile: 日" in in_a_terminal(known, 120, "show", "s-0")
    # A terminal that cannot write a letter shows another; JSON is UTF-8 all the same.
    assert "tags: [/x] :smile: ?" in in_a_terminal(known, 120, "show", "s-0", PYTHONIOENCODING="ascii")
    assert ':smile: 日"' in in_a_terminal(known, 120, "show", "s-0", "--json", PYTHONIOENCODING="ascii")
    assert (
        known.post("/v1/traces", body(span(0x7FF, 1, name="a much longer name", ms=0.04))).status_code == 200
    )
    drawn = in_a_terminal(known, 80, "sessions", "--q", "a much longer name")
    assert re.search(r" 40 µs .* a much.*…  00000000-0000\s*$", drawn), drawn
    only = "00000000-0000-0000-0000-0000000007ff"
    assert ", 40 µs, 1 event (0 llm, 0 tool, 0 errors)" in in_a_terminal(known, 160, "show", only)


@pytest.mark.parametrize("columns", [40, 60])
def test_a_narrow_terminal_drops_columns_and_cuts_no_figure(known: Server, columns: int) -> None:
    for command, name in (("sessions", "run 3"), ("stats --by session", "run 3"), ("store", "session_")):
        drawn = in_a_terminal(known, columns, *command.split())
        lines = re.sub(r"\x1b\[[0-9;]*m", "", drawn).splitlines()
        assert any(name in line for line in lines), drawn
        # A text that is cut ends in an ellipsis; a figure must not.
        assert not re.search(r"[0-9$.,]…", drawn), drawn


def test_long_work_shows_how_far_it_is_on_a_terminal_only(known: Server, tmp_path: Path) -> None:
    file = tmp_path / "all.json"
    for label, command in (
        ("Exporting", ["export", "--all", "-o", str(file)]),
        ("Importing", ["import", str(file)]),
        ("Pricing calls", ["reprice"]),
    ):
        drawn = in_a_terminal(known, 80, *command)
        assert label in drawn
        assert "━" in drawn
        piped = agentops(known.home, *command)
        assert piped.returncode == 0
        assert label not in (piped.stdout + piped.stderr).decode()
    size = file.stat().st_size / 1000
    assert f"{size:.1f}/{size:.1f} kB" in in_a_terminal(known, 80, "import", str(file))


def test_they_work_without_a_server(tmp_path: Path) -> None:
    listed = agentops(tmp_path, "sessions")
    assert (listed.returncode, listed.stdout) == (0, b"")
    # It would wait for ever, and keep the store from a server that is started now.
    waiting = agentops(tmp_path, "tail")
    assert waiting.returncode == 1
    assert b"agentops serve" in waiting.stderr


def test_tail_tells_what_changes_of_long_ago(known: Server) -> None:
    start = time.time_ns() - 3600 * SECOND
    spans = [
        span(
            0x9000 + number, 1, session__id=f"old-{number}", start_ns=start - number * SECOND,
            agentops__tags=["last" if number < 530 else "other"],
        )
        for number in range(532)
    ]  # fmt: skip
    assert known.post("/v1/traces", body(*spans)).status_code == 200
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPS_", "OTEL_"))}
    filters = ("--tag", "last", "--since", "2h")
    with subprocess.Popen(
        [sys.executable, "-m", "agentops.cli", "tail", "--lines", "1", "--count", "1", *filters],
        env={**kept, "AGENTOPS_HOME": str(known.home)},
        stdout=subprocess.PIPE,
        text=True,
    ) as tail:
        assert tail.stdout is not None
        assert tail.stdout.readline().rstrip().endswith("old-0")
        # The first 500 of the list hold neither.
        for number in (531, 529):
            answer = known.http.patch(f"/api/sessions/old-{number}", json={"name": f"renamed {number}"})
            assert answer.status_code == 200
        assert tail.stdout.readline().split("\t")[-2:] == ["renamed 529", "old-529\n"]
        assert tail.wait(20) == 0


def test_a_command_whose_output_is_closed_does_its_work_all_the_same(known: Server) -> None:
    closed = 'exec "$0" -m agentops.cli "$@" >&-'
    asked = ["sh", "-c", closed, sys.executable, "sessions", "--home", str(known.home)]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
