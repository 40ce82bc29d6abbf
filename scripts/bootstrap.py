"""Make the environment: `.venv` with the locked packages and this checkout in it.

Usage: python scripts/bootstrap.py run|dev

Runs on the machine's own Python with nothing installed. `run` is what `make run` needs, `dev` adds what the
checks need. Does nothing, in milliseconds, when the locks have not changed since the last time.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 -- the older Python that gets this far must be told, not crash
    sys.exit(
        f"AgentOps needs Python 3.11 or newer; {sys.executable} is Python {sys.version.split()[0]}.\n"
        "Install a newer one, or name one that is there: make run PYTHON=/path/to/python3.11"
    )

import importlib.util
import shutil
import subprocess

import debian
import packages
import steps

LOCKS = {"run": "requirements/run.txt", "dev": "requirements/dev.txt"}


def main(wanted: str) -> None:
    """Bring `.venv` to what the lock says."""
    lock = steps.ROOT / LOCKS[wanted]
    project = steps.ROOT / "pyproject.toml"
    if not _works():
        _create()
    state = steps.digest([lock, project], sys.version)
    stamp = steps.VENV / f"agentops-{wanted}.stamp"
    if steps.is_done(stamp, state):
        return
    packages.install(steps.VENV_PYTHON, lock, f"Installing the locked packages ({lock.name})")
    steps.mark_done(stamp, state)


def _works() -> bool:
    """Return whether `.venv` holds a Python that runs, new enough, with pip (a moved folder breaks it)."""
    if not steps.VENV_PYTHON.exists():
        return False
    check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    command = [steps.VENV_PYTHON, "-c", check]
    return subprocess.run(command, check=False, env=steps.clean_env(), capture_output=True).returncode == 0


def _create() -> None:
    if importlib.util.find_spec("ensurepip") is None:
        # Debian keeps this part of the standard library in a package of its own.
        minor = f"python3.{sys.version_info.minor}-venv"
        debian.install([minor], "to create the environment (.venv)")
    if steps.VENV.exists():
        shutil.rmtree(steps.VENV)
    steps.run(
        "Creating the environment in .venv", [sys.executable, "-m", "venv", steps.VENV], env=steps.clean_env()
    )


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except steps.StepFailed as failure:
        sys.exit(f"\n{failure}")
    except KeyboardInterrupt:
        sys.exit(130)
