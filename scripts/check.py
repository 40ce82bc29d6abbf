"""What `make test` does once the environment stands: every check, to the end, with a verdict at the bottom.

Static checks first (seconds), then the dashboard's, then pytest, which opens the built dashboard in a
browser. Pyright, which has one thread, runs beside all that comes before pytest. A failed check does not stop
the others: one run shows everything that is wrong.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import browser
import frontend
import integrations
import node
import steps

_BIN = steps.VENV / "bin"
_LONG = ("packaging", "integrations", "integration", "process", "wire", "browser")
_SHARED = ("--dist", "loadfile", "--no-loadscope-reorder")
"""A file is run by one process, and files begin in their order, not those with the most tests first."""


def main() -> int:
    """Run every check and return 0 when all of them hold."""
    began = time.monotonic()
    # Begun in a shell's background it would ignore Ctrl-C, and so would all programs under test.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    env = {**node.environment(), "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    chromium = browser.path()
    npm = ["npm", "run", "--silent"]
    failures: list[str] = []
    with ThreadPoolExecutor(1) as aside:
        types = aside.submit(steps.run, "pyright (strict)", [_BIN / "pyright"], env=env, beside=True)
        checks: list[Callable[[], None]] = [
            lambda: steps.run("ruff check", [_BIN / "ruff", "check", "."], env=env),
            lambda: steps.run("ruff format", [_BIN / "ruff", "format", "--check", "."], env=env),
            lambda: steps.run("import-linter", [_BIN / "lint-imports"], env=env),
            lambda: frontend.install(env),
            lambda: steps.run("dashboard: TypeScript", [*npm, "check"], cwd=frontend.SOURCES, env=env),
            lambda: steps.run("dashboard: vitest", [*npm, "test"], cwd=frontend.SOURCES, env=env),
            frontend.build,
            integrations.make_all,
            types.result,
            lambda: _pytest({**env, "AGENTOPS_TEST_BROWSER": chromium}),
        ]
        for check in checks:
            try:
                check()
            except steps.StepFailed as failure:
                steps.say(f"\n{failure}\n")
                failures.append(str(failure).split(":", 1)[0])
    took = steps.duration(time.monotonic() - began)
    if failures:
        steps.say(f"\n✗ Failed after {took}: {', '.join(failures)}")
        return 1
    steps.say(f"\n✓ Everything holds ({took})")
    return 0


def _pytest(env: dict[str, str]) -> None:
    """Run pytest with its own output: here one wants to see which test it is."""
    env = {name: value for name, value in env.items() if not _is_personal(name)}
    # Two more than there are processors: a third of the time a test waits, for a signal, a disk, a silence.
    workers = str(min(4, (os.cpu_count() or 1) + 2))
    command = [_BIN / "python", "-m", "pytest", "-q", "-n", workers, *_SHARED, *_in_order()]
    done = subprocess.run(command, check=False, cwd=steps.ROOT, env=env, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise steps.StepFailed("pytest: see above")


def _in_order() -> list[str]:
    """Return what is in tests/, those folders first whose files take minutes: the last ones are short."""
    there = [path for path in (steps.ROOT / "tests").iterdir() if (path / "__init__.py").exists()]
    there += (steps.ROOT / "tests").glob("test_*.py")
    names = sorted(path.name for path in there)
    return [f"tests/{name}" for name in sorted(names, key=lambda name: (*_LONG, name).index(name))]


def _is_personal(name: str) -> bool:
    """Return whether a variable is a setting or key of whoever runs the tests: they must not depend on it.

    PYTHONDONTWRITEBYTECODE would make each of the thousand processes of the tests compile our sources again.
    """
    if name.startswith("AGENTOPS_TEST_"):
        return False
    return name.startswith(("AGENTOPS_", "OTEL_", "OPENAI_", "ANTHROPIC_", "PYTHONDONTWRITEBYTECODE"))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except steps.StepFailed as failure:
        sys.exit(f"\n{failure}")
    except KeyboardInterrupt:
        sys.exit(130)
