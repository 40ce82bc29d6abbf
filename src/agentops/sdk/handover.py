"""What a session that is pickled takes along to a process that has no settings of its own yet.

Where its records go and what is masked in them are the program's words, wherever the session is contributed
to from. Keys are secrets and stay behind: pickles lie in queues and files.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Mapping
from typing import Any, Final

from agentops.sdk.client import Client
from agentops.sdk.settings import mask_all

logger: Final = logging.getLogger("agentops")

Handed = tuple[Mapping[str, Any], bytes]
"""Settings, and the pickled value of `redact` (b"" for none): reading that may fail by itself."""

_TAKEN: Final = (
    "endpoint",
    "exporter_endpoint",
    "app_url",
    "service_name",
    "fail_safe",
    "env_data_opt_out",
    "log_level",
    "capture_logs",
    "instrument_llm_calls",
    "skip_auto_end_session",
    "max_value_bytes",
    "exit_timeout",
    "heartbeat",
)


def handed(client: Client) -> Handed:
    """Return what the program gave to `init` and `configure` that another process of it needs."""
    given = client.configured
    taken = {name: given[name] for name in _TAKEN if name in given}
    if "home" in given:
        taken["home"] = str(client.settings.home_folder)
    if given.get("redact") is None:
        return taken, b""
    try:
        return taken, pickle.dumps(given["redact"])
    except Exception:  # A closure, say.
        return taken, pickle.dumps(mask_all)


def begin(client: Client, given: Handed) -> None:
    """Set the SDK up as it was where the session comes from. Does nothing when it is set up."""
    taken, redact = given
    chosen = dict(taken)
    if redact and not client.ready:
        try:
            chosen["redact"] = pickle.loads(redact)  # noqa: S301 -- it came within a pickle that was trusted
        except Exception as error:
            logger.error(
                "redact= of the session's program cannot be had here (%s). Every text is masked.", error
            )
            chosen["redact"] = mask_all
    client.start({**chosen, **client.configured})
