"""The base functions, `agentops.init` and its kin. They act on the session that the one rule finds.

Without a session they raise NoSessionException, with several and none bound MultiSessionException; with
`fail_safe` both are logged instead.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, ParamSpec, TypeVar, cast
from uuid import UUID

from agentops.errors import MultiSessionException, NoSessionException
from agentops.sdk import settings, state
from agentops.sdk.client import client
from agentops.sdk.core import Core
from agentops.sdk.redact import Redact
from agentops.sdk.session import Session
from agentops.sdk.signature import keywords

logger: Final = logging.getLogger("agentops")

P = ParamSpec("P")
R = TypeVar("R")
Tags = list[str] | tuple[str, ...] | str | None


def init(
    api_key: str | None = None,
    *,
    tags: Tags = None,
    default_tags: Tags = None,
    auto_start_session: bool | None = None,
    endpoint: str | None = None,
    instrument_llm_calls: bool | None = None,
    inherited_session_id: Any = None,
    skip_auto_end_session: bool | None = None,
    trace_name: str | None = None,
    max_wait_time: int | None = None,
    max_queue_size: int | None = None,
    env_data_opt_out: bool | None = None,
    log_level: str | int | None = None,
    fail_safe: bool | None = None,
    exporter_endpoint: str | None = None,
    app_url: str | None = None,
    parent_key: str | None = None,
    redact: Redact | None = None,
    capture_logs: str | int | bool | None = None,
    **more: Any,
) -> Session | None:
    """Set the SDK up, once, and start a session unless `auto_start_session` is False.

    Every keyword is a setting (see `agentops.config`); what is not given comes from the environment, else
    the default.

    Returns:
        The session; None when none was started. Called again: the current session if there is exactly one.

    Raises:
        TypeError: an unknown keyword, or a value of the wrong type.
        SettingError: a value that cannot be used (also a ValueError).
    """
    given = settings.check(
        {
            "api_key": api_key,
            "tags": tags,
            "default_tags": default_tags,
            "auto_start_session": auto_start_session,
            "endpoint": endpoint,
            "instrument_llm_calls": instrument_llm_calls,
            "inherited_session_id": None if inherited_session_id is None else str(inherited_session_id),
            "skip_auto_end_session": skip_auto_end_session,
            "trace_name": trace_name,
            "max_wait_time": max_wait_time,
            "max_queue_size": max_queue_size,
            "env_data_opt_out": env_data_opt_out,
            "log_level": log_level,
            "fail_safe": fail_safe,
            "exporter_endpoint": exporter_endpoint,
            "app_url": app_url,
            "parent_key": parent_key,
            "redact": redact,
            "capture_logs": capture_logs,
            **more,
        },
        "init",
    )
    with client.lock:
        if client.ready:
            if instrument_llm_calls is not False and client.libraries is not None:
                client.libraries.resume()
            only = client.registry.only
            logger.warning(
                "init() was called before; this call changes nothing. Use agentops.configure() to change a "
                "setting%s",
                "." if client.registry.active else ", agentops.start_session() to start another session.",
            )
            return None if only is None else Session.of(only, client)
        client.start(given)
        if not client.settings.auto_start_session and client.settings.inherited_session_id is None:
            return None
        return client.session(
            name=None,
            tags=list(client.settings.tags),
            inherited_session_id=client.settings.inherited_session_id,
            keep=True,
        )


# `help(init)` and the like show what is so without the environment; None here lets it be heard.
_shown = inspect.signature(init)
cast("Any", init).__signature__ = _shown.replace(
    parameters=[
        one.replace(default=True) if one.name == "auto_start_session" else one
        for one in _shown.parameters.values()
    ]
)


def configure(**given: Any) -> None:
    """Change settings: before `init` its defaults, afterwards what holds from the next use on.

    Raises:
        TypeError: an unknown keyword, or a value of the wrong type.
    """
    client.configure(settings.check(given, "configure"))


def stop_instrumenting() -> None:
    """Take back whatever was done to LLM libraries: their calls are made as without us, and not recorded.

    Sessions, decorators and events go on. Libraries that are imported afterwards are left alone too.
    """
    if client.libraries is not None:
        client.libraries.stop()


def get_api_key() -> str | None:
    """Return the API key in use."""
    return (client.settings if client.ready else settings.complete(client.configured)).api_key


def set_api_key(api_key: str) -> None:
    """Use another API key from now on."""
    client.configure(settings.check({"api_key": api_key}, "set_api_key"))


def set_parent_key(parent_key: str) -> None:
    """Use another parent project's key from now on."""
    client.configure(settings.check({"parent_key": parent_key}, "set_parent_key"))


@keywords
def start_session(tags: Tags = None, inherited_session_id: Any = None, name: str | None = None) -> Session:
    """Start a session and return it. Initialises the SDK with its defaults when that has not been done.

    Args:
        tags: the session's tags, beside the default tags.
        inherited_session_id: id (text or UUID) of a session, started elsewhere, to contribute to.
        name: shown name.
    """
    return client.session(name=name, tags=settings.words(tags), inherited_session_id=inherited_session_id)


def _acting(function: Callable[P, R]) -> Callable[P, R | None]:
    @functools.wraps(function)
    def act(*args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            return function(*args, **kwargs)
        except (NoSessionException, MultiSessionException) as error:
            if not (client.settings if client.ready else settings.complete(client.configured)).fail_safe:
                raise
            logger.error("%s: %s", getattr(function, "__name__", "call"), error)
            return None

    return act


def _session() -> Session:
    core: Core = client.belonging.required()
    if not core.running:
        raise NoSessionException(f"{NoSessionException()} The session that this code is bound to has ended.")
    return Session.of(core, client)


@keywords
@_acting
def end_session(
    end_state: str = state.INDETERMINATE, end_state_reason: str | None = None, video: str | None = None
) -> Decimal:
    """End the session and return its cost in US dollars; see `Session.end_session`."""
    return _session().end_session(end_state, end_state_reason, video)


def end_all_sessions() -> None:
    """End every active session, as Indeterminate."""
    if client.ready:
        client.end_all(state.INDETERMINATE, None)
        client.shipper.flush(client.figures.exit_wait(1.0))


@keywords
@_acting
def record(event: Any) -> None:
    """Record an event in the session; see `Session.record`."""
    core = client.belonging.required()
    try:
        from agentops.sdk.events import record as record_in
    except ImportError:  # Python is ending, and imports nothing more.
        raise NoSessionException from None
    record_in(client, core, event)


@keywords
@_acting
def add_tags(tags: list[str] | str) -> None:
    """Add tags to the session."""
    _session().add_tags(tags)


@keywords
@_acting
def set_tags(tags: list[str] | str) -> None:
    """Replace the session's tags."""
    _session().set_tags(tags)


@keywords
@_acting
def create_agent(name: str, agent_id: str | None = None) -> str:
    """Make an agent known to the session and return its id; see `Session.create_agent`."""
    return _session().create_agent(name, agent_id)


def current_session() -> Session | None:
    """Return the session that a call made here would belong to, or None."""
    return client.current() if client.ready else None


def get_session(session_id: str | UUID) -> Session | None:
    """Return the session with this id: active, or ended and still held by the program; None when unknown.

    Raises:
        TypeError: `session_id` is neither text nor a UUID.
    """
    from agentops.sdk.lifecycle import trace_id_of

    if not isinstance(cast("Any", session_id), str | UUID):
        kind = type(session_id).__name__
        raise TypeError(f"get_session() takes a session's id, as text or uuid.UUID, not {kind}")
    try:
        trace_id = trace_id_of(session_id)
    except ValueError:
        return None
    core = client.registry.active.get(trace_id)
    return Session.of(core, client) if core is not None else client.registry.handles.get(trace_id)
