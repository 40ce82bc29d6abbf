"""The wheel, alone in empty environments: the recorder is light, the server brings its dashboard."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import tomllib
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Request

from tests.browser.chromium import chromium
from tests.packaging.environments import ROOT, distributions, installed, user_env
from tests.waiting import eventually

# Installing the server takes half a minute, and may take minutes where nothing was downloaded before.
pytestmark = pytest.mark.timeout(600)

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!;\[ ]", requirement)[0] for requirement in requirements}


@pytest.fixture(scope="module")
def base(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("base"), str(wheel))


@pytest.fixture(scope="module")
def with_server(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    environment = installed(tmp_path_factory.mktemp("server"), f"agentops[server] @ {wheel.as_uri()}")
    yield environment
    # pytest keeps the folders of its last runs, and this one weighs a gigabyte.
    shutil.rmtree(environment)


def test_the_wheel_holds_package_dashboard_licence_and_no_source_of_the_dashboard(wheel: Path) -> None:
    files = zipfile.ZipFile(wheel).namelist()
    assert "agentops/py.typed" in files
    assert "agentops/server/static/index.html" in files
    assert any(re.fullmatch(r"agentops/server/static/assets/.+\.js", name) for name in files)
    assert any(name.endswith("licenses/LICENSE") for name in files)
    assert {name.split("/")[0] for name in files} == {"agentops", f"agentops-{PROJECT['version']}.dist-info"}
    assert not [name for name in files if name.endswith((".tsx", ".map", ".stamp")) or "node_modules" in name]


def test_the_base_install_has_nothing_of_the_server(base: Path) -> None:
    found = distributions(base)
    assert names(PROJECT["dependencies"]) <= found
    assert not found & names(PROJECT["optional-dependencies"]["server"])
    assert not found & {"pandas", "numpy", "pyarrow", "protobuf", "pydantic", "openai", "anthropic"}


def test_the_base_install_weighs_a_few_megabytes(base: Path) -> None:
    site = next((base / "lib").glob("python3.*")) / "site-packages"
    own = [path for path in site.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in own) < 20_000_000


def test_the_base_install_records_without_a_server(base: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import sys, agentops\n"
        "from agentops.sdk.decorators import operation\n"
        "session = agentops.init(tags=['offline'])\n"
        "@operation\n"
        "def work(): return 42\n"
        "work()\n"
        "agentops.end_session('Success')\n"
        "print(session.session_id)\n"
        "banned = ('agentops.server', 'agentops.cli', 'fastapi', 'google.protobuf', 'openai', 'anthropic')\n"
        "print(sorted(name for name in sys.modules if name.startswith(banned)))\n"
    )
    home = tmp_path / "home"
    env = {**user_env(home), "AGENTOPS_API_ENDPOINT": f"http://127.0.0.1:{free_port()}"}
    run = subprocess.run(
        [base / "bin" / "python", program], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=30
    )
    assert run.returncode == 0, run.stderr
    session_id, imported = run.stdout.splitlines()
    assert imported == "[]"
    journal = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert session_id.encode() in journal
    assert b"work" in journal


def test_serve_without_the_server_extra_names_the_command_that_installs_it(
    base: Path, tmp_path: Path
) -> None:
    run = subprocess.run(
        [base / "bin" / "agentops", "serve"],
        env=user_env(tmp_path),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert run.returncode != 0
    assert "pip install" in run.stderr
    assert "agentops[server]" in run.stderr
    assert "Traceback" not in run.stderr


def test_the_server_install_has_what_the_extra_names_and_no_more_of_ours(with_server: Path) -> None:
    found = distributions(with_server)
    wanted = names(PROJECT["optional-dependencies"]["server"])
    if sys.version_info >= (3, 14):
        wanted -= {"backports-zstd"}
    assert wanted <= found
    assert not found & {"openai", "pytest", "hatchling", "playwright"}


@pytest.fixture
def served(with_server: Path, tmp_path: Path) -> Iterator[str]:
    """The installed wheel's server, on a free port; its address."""
    port = free_port()
    log = tmp_path / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [with_server / "bin" / "agentops", "serve", "--port", str(port)],
            env=user_env(tmp_path / "home"),
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        assert server.poll() is None, log.read_text()
        try:
            return urllib.request.urlopen(f"{url}/healthz", timeout=2).status == 200
        except OSError:
            return False

    try:
        # Generous: nothing of this environment has been read or compiled before.
        eventually(ready, within_s=60)
        yield url
    finally:
        server.terminate()
        server.wait(20)


def _failure(request: Request) -> list[str]:
    """Return what failed, unless the page took the request back itself because it had become outdated."""
    if request.failure == "net::ERR_ABORTED":
        return []
    return [f"{request.url}: {request.failure}"]


def test_the_installed_wheel_serves_the_dashboard(served: str) -> None:
    with chromium() as browser:
        page = browser.new_page()
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("requestfailed", lambda request: broken.extend(_failure(request)))
        page.goto(served)
        # A fresh store: the page says how to record the first session.
        page.get_by_text("agentops.init").first.wait_for(timeout=15_000)
        assert "AgentOps" in page.title()
        assert broken == []
    sessions = json.load(urllib.request.urlopen(f"{served}/api/sessions", timeout=10))
    assert sessions == {"sessions": [], "next_cursor": None, "total": 0}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
