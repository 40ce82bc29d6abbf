"""Session: what the program holds of a session, and may do with it."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar
from uuid import UUID

from agentops.ambient import leave
from agentops.sdk import context, state
from agentops.sdk.signature import keywords

if TYPE_CHECKING:
    from types import TracebackType

    from agentops.sdk.client import Client
    from agentops.sdk.core import Core
    from agentops.sdk.handover import Handed

P = ParamSpec("P")
R = TypeVar("R")


class EventCounts(dict[str, int]):
    """Events by kind, as the server counts them; the plural names of older versions are understood too."""

    def __missing__(self, key: str) -> int:
        return self.get(
            {"llms": "llm", "tools": "tool", "actions": "action", "errors": "error"}.get(key, ""), 0
        )


class Analytics(dict[str, Any]):
    """What `get_analytics` returns. `source`: "server", or "local" when only this process counted."""

    source: str = "server"


class Session:
    """One run that the user knows: started, recorded into, ended.

    As a context manager it binds itself to the block: what is recorded inside belongs to it. Leaving the
    block ends it, as Success or, on an exception, as Fail with the exception as the reason, unless it was
    ended inside.
    """

    __slots__ = ("__weakref__", "_client", "_core", "cost_source")

    def __init__(self, core: Core, client: Client) -> None:
        self._core = core
        self._client = client
        self.cost_source = "local"
        """Where `token_cost` comes from: "server", or "local" for what this process knows."""

    @staticmethod
    def of(core: Core, client: Client) -> Session:
        """Return the Session of a core: the one that the program holds, else a new one."""
        with core.lock:
            found = core.handle() if core.handle is not None else None
            if found is None:
                found = Session(core, client)
                core.handle = weakref.ref(found, core.let_go)
                client.registry.handles[core.trace_id] = found
            return found

    def __repr__(self) -> str:
        core = self._core
        return f"<Session {core.text} {core.name!r} {'running' if core.running else core.end_state}>"

    # A session is one: a copy is itself, and unpickled in another process it is contributed to from there.

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[Callable[..., Session], tuple[str, Handed]]:
        from agentops.sdk.handover import handed

        return _resumed, (self._core.text, handed(self._client))

    # What it is.

    @property
    def session_id(self) -> UUID:
        """The session's id; its trace has the same 128 bits."""
        return self._core.session_id

    @property
    def name(self) -> str:
        """The session's name."""
        return self._core.name

    @property
    def tags(self) -> list[str]:
        """The session's tags, a copy."""
        return list(self._core.tags)

    @tags.setter
    def tags(self, tags: list[str] | str) -> None:
        self.set_tags(tags)

    @property
    def init_timestamp(self) -> str:
        """When it started, ISO 8601 in UTC."""
        return timestamp(self._core.start_ns)

    @property
    def end_timestamp(self) -> str | None:
        """When it ended, ISO 8601 in UTC; None while it runs."""
        return timestamp(self._core.end_ns) if self._core.end_ns else None

    @property
    def end_state(self) -> str:
        """Success, Fail or Indeterminate; Indeterminate while it runs."""
        return self._core.end_state or state.INDETERMINATE

    @property
    def end_state_reason(self) -> str | None:
        """Why it ended so."""
        return self._core.end_reason

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._core.running

    @property
    def video(self) -> str | None:
        """Address of a video of the session."""
        return self._core.video

    @video.setter
    def video(self, video: str) -> None:
        self.set_video(video)

    @property
    def host_env(self) -> dict[str, Any]:
        """The machine and process it runs on; empty with `env_data_opt_out`."""
        return self._core.host_env

    @property
    def event_counts(self) -> EventCounts:
        """Events that this process has recorded in it, by kind."""
        from agentops import semconv

        counts = self._core.counts
        return EventCounts({kind: counts[kind] for kind in (*semconv.KINDS, "total")})

    @property
    def token_cost(self) -> Decimal:
        """Its cost in US dollars as last heard from the server, else the costs reported in this process."""
        return self._client.known_cost(self._core)

    @property
    def session_url(self) -> str:
        """Its page on the dashboard."""
        return f"{self._client.settings.app}/sessions/{self._core.text}"

    # What can be done with it.

    def record(self, event: Any) -> None:
        """Record an event: `ActionEvent`, `LLMEvent`, `ToolEvent`, `ErrorEvent`, `Event`, or an exception."""
        from agentops.sdk.events import record

        record(self._client, self._core, event)

    @keywords
    def end_session(
        self,
        end_state: str = state.INDETERMINATE,
        end_state_reason: str | None = None,
        video: str | None = None,
    ) -> Decimal:
        """End the session and return its cost in US dollars.

        The cost is the server's when it answers within two or three seconds, else the sum of the costs
        reported here; see `cost_source`. A session that has ended stays as it is.

        Raises:
            ValueError: `end_state` is not an end state; the session stays open.
        """
        return self._client.end(self, state.end_state(end_state), end_state_reason, video)

    def add_tags(self, tags: list[str] | str) -> None:
        """Add tags."""
        from agentops.sdk.settings import words

        self._client.lifecycle.retag(self._core, [*self._core.tags, *words(tags)])

    def set_tags(self, tags: list[str] | str) -> None:
        """Replace the tags."""
        from agentops.sdk.settings import words

        self._client.lifecycle.retag(self._core, words(tags))

    def set_video(self, video: str) -> None:
        """Note the address of a video of the session."""
        from agentops import semconv
        from agentops.sdk.settings import word

        self._core.video = video = word(video)
        self._client.lifecycle.say(self._core, {semconv.VIDEO: video})

    @keywords
    def create_agent(self, name: str, agent_id: str | None = None) -> str:
        """Make an agent known to the session; events whose `agent_id` is its id are shown as its own.

        Returns:
            The agent's id.
        """
        from agentops.sdk.events import create_agent

        return create_agent(self._client, self._core, name, agent_id)

    def patch(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return `function` bound to this session: what it records belongs here, whatever else is active.

        Works on any callable, sync, async or streaming. A call of a library that nothing instruments is
        recorded as an LLM call by the patch itself. The result may be kept and used again.
        """
        from agentops.sdk.patch import patched

        return patched(self._client, self, function)

    def get_analytics(self) -> Analytics:
        """Return counts, duration and cost so far, as the dashboard shows them."""
        return self._client.analytics(self)

    # As a context manager.

    def __enter__(self) -> Self:
        context.ENTERED.set((*context.ENTERED.get(), (self, context.bind(self))))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        blocks = context.ENTERED.get()
        for at in range(len(blocks) - 1, -1, -1):
            token = blocks[at][1]
            if blocks[at][0] is self:
                after = blocks[at + 1 :]
                if after:
                    # Left before a block that was entered later: that one stays, and undoes both in its turn.
                    after = ((after[0][0], token), *after[1:])
                else:
                    leave(token)
                context.ENTERED.set(blocks[:at] + after)
                break
        self._client.settle(self._core, error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)


def _resumed(session_id: str, given: Handed | None = None) -> Session:
    from agentops.sdk.client import client
    from agentops.sdk.functions import get_session, start_session
    from agentops.sdk.handover import begin

    if given is not None:
        begin(client, given)
    return get_session(session_id) or start_session(inherited_session_id=session_id)


def timestamp(at_ns: int) -> str:
    """Return unix nanoseconds as ISO 8601 text in UTC, with microseconds, cut off as the server does."""
    # Not through float: nanoseconds of today do not fit its 53 bits.
    seconds, rest = divmod(at_ns, 10**9)
    moment = datetime.fromtimestamp(seconds, tz=UTC).replace(microsecond=rest // 1000)
    return moment.isoformat(timespec="microseconds")


def duration_text(seconds: float) -> str:
    """Return a duration such as `1h 2m 3.4s`; hours and minutes are left out when they are zero."""
    tenths = round(max(seconds, 0.0) * 10)
    hours, rest = divmod(tenths, 36_000)
    minutes, rest = divmod(rest, 600)
    parts = [f"{hours}h"] if hours else []
    if minutes:
        parts.append(f"{minutes}m")
    parts.append(f"{rest / 10:.1f}s")
    return " ".join(parts)


def analytics(counts: Mapping[str, int], seconds: float, cost: Decimal) -> Analytics:
    """Return the six figures of a session under the names that older versions gave them."""
    return Analytics(
        {
            "LLM calls": counts.get("llm", 0),
            "Tool calls": counts.get("tool", 0),
            "Actions": counts.get("action", 0),
            "Errors": counts.get("error", 0),
            "Duration": duration_text(seconds),
            "Cost": "0.00" if cost == 0 else f"{cost:.6f}",
        }
    )


def seconds_of(core: Core) -> float:
    """Return how long a session has lasted."""
    return ((core.end_ns or time.time_ns()) - core.start_ns) / 1e9


def seconds_said(found: Mapping[str, Any], core: Core) -> float:
    """Return how long the server says that a session lasted: one begun elsewhere is older than it is here."""
    lasted, began = found.get("duration_ms"), found.get("started_at")
    if found.get("state") != "running" and isinstance(lasted, int | float):
        return lasted / 1000
    if core.inherited and isinstance(began, str):
        try:
            return (datetime.now(UTC) - datetime.fromisoformat(began)).total_seconds()
        except (ValueError, TypeError):
            pass  # No time that we know of.
    return seconds_of(core)
