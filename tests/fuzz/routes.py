"""Schemathesis on every route of the OpenAPI document: what comes back is documented, and never a 500."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)
_ANSWER_S = 60
"""A machine that does something else as well may take longer than the tool's own ten seconds."""
_RUNNER = Path(sys.executable).parent / "schemathesis"


def attack(url: str, key: str | None, *, phases: str, examples: int, seed: int = 1) -> str:
    """Run Schemathesis against a server; return its summary.

    Args:
        url: the server's address.
        key: sent with every request, unless None.
        phases: of Schemathesis, separated by commas.
        examples: most generated cases for a route and phase.
        seed: what is drawn follows from it.

    Raises:
        AssertionError: an answer was not what the document says; carries what Schemathesis printed.
    """
    done = subprocess.run(
        [
            _RUNNER, "run", f"{url}/openapi.json", "--checks", ",".join(_CHECKS), "--phases", phases,
            "--max-examples", str(examples), "--seed", str(seed), "--no-color", "--warnings", "off",
            "--request-timeout", str(_ANSWER_S),
            # A stream that never ends, and keys and projects that the attack itself would take away.
            "--exclude-path", "/api/live",
            "--exclude-operation-id", "revokeKey", "--exclude-operation-id", "rotateKey",
            "--generation-database", "none",
            *(("--header", f"Authorization: Bearer {key}") if key else ()),
        ],
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    return done.stdout[-1500:]
