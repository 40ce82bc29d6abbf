"""Identity: who records, and for whom: the resource, headers of requests, the head of journal segments."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from agentops import config, semconv
from agentops.sdk import hostenv, settings

if TYPE_CHECKING:
    from agentops.journal import Header
    from agentops.sdk.settings import Settings
    from agentops.shipper import Target


def headers(chosen: Settings) -> dict[str, str]:
    """Return the headers that name the project."""
    found: dict[str, str] = {}
    if chosen.api_key:
        found[semconv.API_KEY_HEADER] = chosen.api_key
    if chosen.parent_key:
        found["X-Agentops-Parent-Key"] = chosen.parent_key
    return found


def target(chosen: Settings) -> Target:
    """Return where records are sent."""
    from agentops.shipper import Target

    server = chosen.server
    spans = chosen.exporter_endpoint or f"{server}/v1/traces"
    logs = f"{server}/v1/logs"
    beside, _, rest = spans.rstrip("/").rpartition("/v1/traces")
    if beside and not rest and server == config.BY_NAME["endpoint"].default:
        # No server was named but the one for spans: log records that nobody takes would hold them up.
        logs = f"{beside}/v1/logs"
    return Target(spans, logs, headers(chosen))


def resource(chosen: Settings, instance: str) -> Any:
    """Return OpenTelemetry's resource of this process; `instance` is unique to it."""
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource

    described: dict[str, Any] = dict(OTELResourceDetector().detect().attributes)
    described.setdefault(semconv.SERVICE_NAME, settings.script_name())
    if chosen.service_name:
        described[semconv.SERVICE_NAME] = chosen.service_name
    described[semconv.SERVICE_INSTANCE] = instance
    described[semconv.SDK_NAME] = semconv.SDK_NAME_VALUE
    described[semconv.SDK_VERSION] = hostenv.version()
    described["telemetry.sdk.language"] = "python"
    if not chosen.env_data_opt_out:
        described["process.pid"] = os.getpid()
    return Resource(described)


def header(chosen: Settings, own: Any, joined: Iterable[Any], redact: Callable[[str], str] | None) -> Header:
    """Return the head of a journal segment: the resource, and the server and project its records are for.

    Args:
        chosen: the settings.
        own: this process's resource.
        joined: tracer providers of the program's own, whose resources say more of it.
        redact: masks what they say.
    """
    from agentops.journal import Header
    from agentops.otlp import encode

    key = chosen.api_key
    owner = hashlib.sha256(key.encode()).hexdigest()[:16] if key else ""
    described: dict[str, Any] = dict(own.attributes)
    for provider in joined:
        theirs: Any = getattr(getattr(provider, "resource", None), "attributes", None)
        described = {**(theirs or {}), **described}
    if redact is not None:
        described = {name: encode.mapped(value, redact) for name, value in described.items()}
    return Header(encode.resource(described), chosen.exporter_endpoint or chosen.server, owner)
