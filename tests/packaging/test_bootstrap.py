"""The first step of every command, on machines that lack something."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.packaging.environments import ROOT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files that the first step needs, without an environment."""
    folder = tmp_path / "checkout"
    shutil.copytree(ROOT / "scripts", folder / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def bootstrap(checkout: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, checkout / "scripts" / "bootstrap.py", "run"],
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
    )


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def without_ensurepip(folder: Path) -> Mapping[str, str]:
    """Hide what Debian keeps in python3-venv, as on Debian: the module is not found."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "import importlib.util as util\n"
        "find = util.find_spec\n"
        "util.find_spec = lambda name, package=None: None if name == 'ensurepip' else find(name, package)\n"
    )
    return {"PYTHONPATH": str(folder)}


def test_a_missing_part_of_python_is_installed_with_apt(checkout: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    program(tools, "apt-get", f'echo "$@" >> {tmp_path}/asked; [ "$1" = update ]')
    program(tools, "sudo", '[ "$1" = -n ] && shift; exec "$@"')
    env = {**without_ensurepip(tmp_path / "hide"), "PATH": f"{tools}:{os.environ['PATH']}"}
    run = bootstrap(checkout, env)
    package = f"python3.{sys.version_info.minor}-venv"
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked == ["update", f"install -y --no-install-recommends {package}"]
    # This apt-get cannot install anything: then one is told what to do by hand.
    assert run.returncode != 0
    assert f"sudo apt-get install {package}" in run.stderr
    assert "Traceback" not in run.stderr


def test_without_apt_one_is_told_what_to_install(checkout: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    run = bootstrap(checkout, {**without_ensurepip(tmp_path / "hide"), "PATH": str(tools)})
    assert run.returncode != 0
    assert f"python3.{sys.version_info.minor}-venv" in run.stderr
    assert "Traceback" not in run.stderr


def test_an_older_python_is_refused_in_words(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.version_info = (3, 9, 2, 'final', 0)\n")
    run = bootstrap(checkout, {"PYTHONPATH": str(tmp_path)})
    assert run.returncode != 0
    assert "Python 3.11 or newer" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_failed_installation_shows_its_reason_and_is_tried_again(checkout: Path) -> None:
    (checkout / "requirements" / "run.txt").write_text("msgspec==0.22.0 --hash=sha256:" + "0" * 64 + "\n")
    first, second = bootstrap(checkout, {}), bootstrap(checkout, {})
    for run in (first, second):
        assert run.returncode != 0
        assert "hash" in run.stderr.lower()
        assert "Traceback" not in run.stderr
    assert "Creating the environment" in first.stdout
    assert "Creating the environment" not in second.stdout
