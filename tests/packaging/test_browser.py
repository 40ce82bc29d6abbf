"""Which browser `make test` takes: the lightest that is there, in CI one that comes at once and alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.environments import ROOT

SHELL = "chromium-headless-shell"


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder of programs, the only one in PATH."""
    folder = tmp_path / "tools"
    folder.mkdir()
    return folder


def program(folder: Path, name: str, script: str = "exit 0") -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def chosen(tools: Path, **more: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", "import browser; print(browser.path())"],
        env={"PATH": str(tools), "PYTHONPATH": str(ROOT / "scripts"), **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip().rpartition("\n")[2] or done.stderr


def apt(tools: Path, simulated: str) -> None:
    """An apt-get that says what it would do, and puts the browser there when it is let."""
    program(tools, "sudo", '[ "$1" = -n ] && shift; exec "$@"')
    program(
        tools,
        "apt-get",
        f"""case "$*" in
        *--simulate) printf 'Reading package lists\\n{simulated}' ;;
        *--download-only) ;;
        *--no-download) printf '#!/bin/sh\\n' > {tools}/{SHELL}; /bin/chmod +x {tools}/{SHELL} ;;
        *) exit 1 ;;
        esac""",
    )


def test_the_browser_without_windows_comes_first_and_a_named_one_before_it(tools: Path) -> None:
    other = program(tools, "chromium")
    assert chosen(tools) == other
    shell = program(tools, SHELL)
    assert chosen(tools) == shell
    assert chosen(tools, AGENTOPS_TEST_BROWSER="/somewhere/else", CI="true") == "/somewhere/else"


def test_in_ci_it_is_added_when_it_comes_alone(tools: Path) -> None:
    other = program(tools, "chromium")
    apt(tools, f"Inst {SHELL} (1)\\nConf {SHELL} (1)\\n")
    assert chosen(tools) == other
    assert chosen(tools, CI="true") == str(tools / SHELL)


@pytest.mark.parametrize("simulated", ["", f"Inst {SHELL} (2)\\nInst chromium-common [1] (2)\\n"])
def test_what_is_there_is_left_as_it_is_for_it(tools: Path, simulated: str) -> None:
    other = program(tools, "chromium")
    apt(tools, simulated)
    assert chosen(tools, CI="true") == other


def test_without_a_browser_one_is_told_what_to_install(tools: Path) -> None:
    assert "needed for the browser tests; install it" in chosen(tools)
