"""The client: the one SDK of this process, wiring its rooms together.

`client` exists from import on and does nothing until `init`, so that decorated code runs untouched in a
program that never initialises. Nothing heavy is imported before `init`.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from agentops.clock import monotonic
from agentops.sdk import context, hostenv, identity, settings, state
from agentops.sdk.account import Tally
from agentops.sdk.core import Core
from agentops.sdk.figures import Figures
from agentops.sdk.lifecycle import Lifecycle
from agentops.sdk.recorder import Recorder
from agentops.sdk.redact import redactor
from agentops.sdk.registry import Registry
from agentops.sdk.session import Analytics, Session, analytics, seconds_of, seconds_said

if TYPE_CHECKING:
    from agentops.journal import Header, Journal
    from agentops.sdk.guard import Guard
    from agentops.sdk.libraries import Libraries
    from agentops.sdk.logs import LogCapture
    from agentops.sdk.provider import Provider
    from agentops.sdk.spans import Agent, RecordedSpan
    from agentops.shipper import Client as Http
    from agentops.shipper import Shipper, Target

logger: Final = logging.getLogger("agentops")

SLOW_S: Final = 1.0
"""How long a call of any kind runs before it is shown as running."""
CLOSING_S: Final = 0.1
"""What closing the journal, and the interpreter's own end, may take of the exit's delay."""
_AT_INIT: Final = frozenset(
    {
        "home",
        "tags",
        "auto_start_session",
        "inherited_session_id",
        "journal_max_bytes",
        "journal_segment_bytes",
    }
)
"""Settings that are read once, by init()."""


class Client:
    """The SDK of one process."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.registry = Registry()
        self.belonging = context.Belonging(self.registry, self._visit)
        self.configured: dict[str, Any] = {}
        """What `init`, `configure` and `set_api_key` were given."""
        self.settings = settings.Settings()
        self.ready = False
        self.lifecycle: Lifecycle
        self.recorder: Recorder
        self.journal: Journal
        self.shipper: Shipper
        self.provider: Provider
        self.http: Http
        self.tally = Tally()
        self.guard: Guard | None = None
        self.logs: LogCapture | None = None
        self.libraries: Libraries | None = None
        self.instance = ""
        self.figures = Figures()
        self._warned: set[str] = set()
        self._span_class: Any = None
        self._place: Any = None

    # Beginning.

    def start(self, given: Mapping[str, Any]) -> None:
        """Make the SDK ready. Does nothing when it is."""
        with self.lock:
            if self.ready:
                return
            chosen = settings.complete({**self.configured, **given})
            mask = redactor(chosen.redact)
            with settings.opentelemetry_usable():
                self._wire(chosen, mask)
            self.configured.update(given)
            self.ready = True

    def _wire(self, chosen: settings.Settings, mask: Callable[[str], str] | None) -> None:
        from agentops.journal import Journal
        from agentops.otlp import encode
        from agentops.sdk import guard, logs, spans
        from agentops.sdk.libraries import Libraries
        from agentops.sdk.provider import install, place
        from agentops.shipper import Client as Http
        from agentops.shipper import Shipper

        self.settings = chosen
        settings_level(chosen.log_level)
        self.instance = str(uuid.uuid4())
        self.journal = Journal(
            chosen.home_folder / "journal",
            self._header,
            segment_bytes=chosen.journal_segment_bytes,
            max_bytes=chosen.journal_max_bytes,
        )
        self.shipper = Shipper(
            self.journal,
            self._target,
            max_delay_ms=chosen.max_wait_time,
            max_records=max(chosen.max_queue_size, 1),
            tick=self._tick,
        )
        self.http = Http()
        self.recorder = Recorder(self.journal.append, max(chosen.max_value_bytes, 256), mask)
        scope = _scope()
        self.recorder.scope = spans.Scope(scope.name, encode.scope(scope.name, scope.version or ""), scope)
        self.recorder.resource = self._resource()
        self.recorder.lost = self.journal.losses.own_by_reason
        self.lifecycle = Lifecycle(self.registry, self.recorder, chosen, settings.script_name())
        self.libraries = Libraries(
            self.recorder,
            self.belonging,
            gate=self._gate,
            follow=self._follow,
            repeated=self._repeated,
            unplaced=self.unplaced,
        )
        self.provider = self.libraries.provider
        self.lifecycle.on_root = self.provider.show
        self._span_class, self._place = spans.RecordedSpan, place
        install(self.provider, self.libraries.join)
        self.guard = guard.Guard(self)
        self.guard.install()
        self.recorder.look = self.guard.signals.look_again
        self.logs = logs.LogCapture(self, chosen.capture_logs)
        self.logs.install()
        self.libraries.instrument(chosen.instrument_llm_calls)

    def _repeated(self, scope: str) -> None:
        # A forked child has a tally of its own.
        self.tally.count_repeated(scope)

    def records(self, function: Any) -> bool:
        """Say whether calls of a callable are recorded by an instrumentor."""
        return self.libraries is not None and self.libraries.records(function)

    def _follow(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a callable whose streams are recorded in the session that a call made here belongs to."""
        current = self.current()
        if current is None:
            return function
        from agentops.sdk.patch import patched

        return patched(self, current, function, absorbed=True)

    def _gate(self) -> None:
        """Refuse an LLM call that could belong to any of several sessions.

        Raises:
            MultiSessionException: it could, and `fail_safe` is off.
        """
        if not self.belonging.ambiguous():
            return
        from agentops.errors import MultiSessionException

        if not self.settings.fail_safe:
            raise MultiSessionException
        logger.error("%s The call is made, and not recorded.", MultiSessionException())

    # Sessions.

    def session(self, *, keep: bool = False, **how: Any) -> Session:
        """Start a session and return it; see `Lifecycle.start`. Makes the SDK ready first."""
        self.start({})
        how["tags"] = list(dict.fromkeys([*self.settings.default_tags, *how.get("tags", ())]))
        core = self.lifecycle.start(keep=keep, **how)
        found = Session.of(core, self)
        logger.info("Session: %s", found.session_url)
        return found

    def current(self) -> Session | None:
        """Return the session that a call made here would belong to."""
        core = self.belonging.current()
        return None if core is None or not core.running else Session.of(core, self)

    def _visit(self, trace_id: int, span: Any) -> Core | None:
        return self.lifecycle.visit(trace_id, span) if self.ready else None

    def settle(self, core: Core, error: BaseException | None) -> None:
        """End a session whose block or function was left, without waiting for anybody."""
        end_state, reason = state.outcome(error)
        if self.guard is not None and error is not None:
            signalled = self.guard.signal_behind(error)
            if signalled is not None:
                end_state, reason = state.FAIL, signalled
        self.lifecycle.finish(core, end_state, reason)

    def end(self, handle: Session, end_state: str, reason: str | None, video: str | None) -> Decimal:
        """End a session and return its cost; wait for the server's figure, but not long."""
        core = handle._core  # pyright: ignore[reportPrivateUsage] -- a Session is the public face of its core
        if not self.lifecycle.finish(core, end_state, reason, video):
            logger.warning("Session %s has ended already, as %s", core.text, core.end_state)
            return self.known_cost(core)
        found = self.ask(core.text)
        if found is not None and found.get("cost_usd") is not None:
            handle.cost_source = "server"
        return self.known_cost(core)

    def end_all(self, end_state: str, reason: str | None) -> None:
        """End every active session; those inherited are left."""
        for core in self.registry.all():
            self.lifecycle.finish(core, end_state, reason)

    def known_cost(self, core: Core) -> Decimal:
        """Return a session's cost as last heard from the server, else the costs reported here."""
        return self.figures.cost(core)

    def analytics(self, handle: Session) -> Analytics:
        """Return the six figures of a session: the server's, else those known here."""
        core = handle._core  # pyright: ignore[reportPrivateUsage] -- as above
        found = self.ask(core.text)
        if found is None:
            figures = analytics(handle.event_counts, seconds_of(core), self.known_cost(core))
            figures.source = "local"
            return figures
        return analytics(found["event_counts"], seconds_said(found, core), self.known_cost(core))

    def ask(self, session_id: str) -> dict[str, Any] | None:
        """Return a session as the server has it, flushing first; None when it does not answer in time."""
        return self.figures.ask(
            self.shipper, self.http, self.settings.server, identity.headers(self.settings), session_id
        )

    # Recording.

    def open(
        self,
        core: Core,
        where: context.Context,
        name: str,
        attributes: dict[str, Any],
        *,
        agent: Agent | None = None,
        start_ns: int | None = None,
        over: bool = False,
        absorbed: bool = False,
    ) -> RecordedSpan:
        """Start a span of a session in `where`.

        `over`: it is ended at once, no start record; `absorbed`: a framework's record of the same call is it.
        """
        parent, above = self._place(core, where)
        if absorbed:
            from agentops.sdk.absorb import Absorbed, outer_call

            outer = outer_call(above, "llm", attributes)
            if outer is not None and outer.core is core:
                return Absorbed(outer, name, attributes, self.recorder.scope)
        # In two steps: a call of the class would go through its base's __new__, which only says no to others.
        span: RecordedSpan = object.__new__(self._span_class)
        span.__init__(core, name, attributes, parent=parent, above=above, agent=agent, start_ns=start_ns)
        self.recorder.started(span, over=over)
        if self.provider.forward is not None:
            self.provider.show(span, where)
        return span

    def captured(self, value: Any) -> str:
        """Return a value as JSON text, within the size limit."""
        return self.recorder.captured(value)

    def unplaced(self, name: str) -> None:
        """Count a call that no session was there for, and say once what to do."""
        if self.registry.active:
            self.tally.count_unplaced("several", name)
            self.warn_once(
                "several",
                f"{name!r} is not recorded: several sessions are active, none is bound here. Make the call "
                "inside `with session:` or a @session function, or through session.patch(...).",
            )
        else:
            self.tally.count_unplaced("none" if self.ready else "off", name)
            self.warn_once(
                "none",
                f"{name!r} is not recorded: no session is active. Start one with agentops.init() or "
                "agentops.start_session().",
            )

    def tell(self, *, last: bool = False) -> None:
        """Leave in the home, for `agentops doctor`, what could not be recorded as it was meant. Never raises.

        A program that never initialised the SDK makes no home of its own for that.
        """
        try:
            if self.ready:
                home, recorder = self.settings.home_folder, self.recorder
                self.tally.write(
                    home,
                    settings.script_name(),
                    mask=recorder.redact,
                    failed=recorder.failures,
                    unrecorded=self.libraries.problems if self.libraries is not None else {},
                    cut=recorder.cutting.values,
                    last=last,
                )
            elif self.tally.unplaced and (home := settings.complete(self.configured).home_folder).is_dir():
                self.tally.write(home, settings.script_name(), last=last)
        except Exception:
            logger.debug("What could not be recorded could not be told either", exc_info=True)

    def warn_once(self, topic: str, message: str) -> None:
        """Log a warning, once a topic and process."""
        if topic not in self._warned:
            self._warned.add(topic)
            logger.warning("%s Further ones like it are only counted.", message)

    # What runs on the shipper's thread.

    def _tick(self) -> float:
        now = monotonic()
        self.tell()
        for core in self.registry.lost(now):
            self.lifecycle.finish(
                core, state.INDETERMINATE, "lost: nothing in the program refers to this session any more"
            )
        every = float(self.settings.heartbeat)
        wait = every or 3600.0
        for core in self.registry.all():
            if every and now - core.heartbeat_at >= every:
                core.heartbeat_at = now
                self.recorder.root(core, alive=True)
            if every:
                wait = min(wait, max(core.heartbeat_at + every - now, 0.05))
            if self._announce_slow(core):
                wait = min(wait, SLOW_S)
        return min(wait, 1.0) if len(self.registry.active) > 1 else wait

    def _announce_slow(self, core: Core) -> bool:
        """Write the start of calls that have run for a while; say whether others may come to that."""
        young = False
        for span in list(core.open.values()):
            if not span.announced and span.is_recording():
                if time.time_ns() - (span.start_time or 0) >= SLOW_S * 1e9:
                    self.recorder.announce(span)
                else:
                    young = True
        return young

    def _target(self) -> Target:
        return identity.target(self.settings)

    def _header(self) -> Header:
        joined = () if self.libraries is None else self.libraries.joined
        return identity.header(self.settings, self._resource(), joined, self.recorder.redact)

    def _resource(self) -> Any:
        return identity.resource(self.settings, self.instance)

    # Changing and ending.

    def configure(self, given: Mapping[str, Any]) -> None:
        """Change settings; before `init` they are its defaults, afterwards they hold from the next use on."""
        with self.lock:
            self.configured.update(given)
            if not self.ready:
                return
            self.settings = settings.Settings(settings.usable({**self.settings.values, **given}, given))
            self.lifecycle.settings = self.settings
            if "redact" in given:
                self.recorder.mask_with(redactor(given["redact"]))
            if "max_value_bytes" in given:
                self.recorder.limit = max(given["max_value_bytes"], 256)
            if "log_level" in given:
                settings_level(given["log_level"])
            if "capture_logs" in given and self.logs is not None:
                self.logs.set_level(given["capture_logs"])
            if "instrument_llm_calls" in given and self.libraries is not None:
                self.libraries.instrument(given["instrument_llm_calls"])
            if "max_wait_time" in given or "max_queue_size" in given:
                self.shipper.set_pace(self.settings.max_wait_time, self.settings.max_queue_size)
            if {"endpoint", "exporter_endpoint", "api_key", "service_name"} & given.keys():
                # Segments name the program, and the server and project that their records are for.
                self.recorder.resource = self._resource()
                self.journal.rotate()
            late = sorted(_AT_INIT & given.keys())
            if late:
                logger.warning(
                    "configure(%s=...) comes after init(), which is when it counts: it has no effect.",
                    "=..., ".join(late),
                )

    def after_fork_in_child(self) -> None:
        """Become a process of its own, contributing to the sessions that the parent started."""
        self.lock = threading.RLock()
        self.instance = str(uuid.uuid4())
        self.tally = Tally()
        if self.ready:
            self.recorder.after_fork_in_child()
        self.registry.after_fork_in_child()

    def at_exit(self) -> None:
        """End the sessions of a process that ends."""
        if self.guard is not None:
            self.guard.at_exit()
        else:
            self.tell(last=True)

    def stop(self, timeout_s: float) -> None:
        """Ship what can be shipped in time; the rest stays in the journal.

        A server that took nothing while a call waited for it, just before, is not waited for again.
        """
        if self.ready:
            # What is in memory only has no other chance than this one.
            only_here = self.journal.stats().memory_records
            timeout_s = max(0.0, timeout_s - CLOSING_S)
            until = monotonic() + timeout_s
            if not only_here:
                timeout_s = self.figures.exit_wait(timeout_s)
            shipped = self.shipper.close(timeout_s)
            self.journal.close()
            self.tell(last=True)
            if shipped:
                self.journal.on_append = lambda: self._ship_late(until)

    def _ship_late(self, until: float) -> None:
        """Ship what an exit handler that runs after ours has recorded: no thread will."""
        left_s = until - monotonic()
        if left_s > 0 and threading.current_thread() is threading.main_thread():
            self.shipper.flush(left_s)
            self.journal.close()

    def close(self) -> None:
        """Take everything back, as if `init` had never been called; open sessions end."""
        with self.lock:
            if self.ready:
                self.end_all(state.INDETERMINATE, None)
                self.stop(0.0)
                if self.guard is not None:
                    self.guard.uninstall()
                if self.logs is not None:
                    self.logs.uninstall()
                if self.libraries is not None:
                    self.libraries.stop()
                from agentops.sdk.provider import uninstall

                uninstall(self.provider)
            # The shipper's thread may still be in its last round.
            before = self.settings
            self.__init__()
            self.settings = before


def settings_level(level: str) -> None:
    """Set the `agentops` logger's level; below WARNING it prints to stderr while logging is unconfigured."""
    logger.setLevel(int(level) if level.isdecimal() else level)
    if logger.level < logging.WARNING and not any(isinstance(one, _Stderr) for one in logger.handlers):
        logger.addHandler(_Stderr())


class _Stderr(logging.StreamHandler[Any]):
    """Prints our messages only as long as the program has not configured logging."""

    def emit(self, record: logging.LogRecord) -> None:
        if not logging.getLogger().handlers:
            super().emit(record)


def _scope() -> Any:
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    return InstrumentationScope("agentops", hostenv.version())


client: Final = Client()

# At import, not at init: what the program itself registers after its imports runs before.
atexit.register(client.at_exit)

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=client.after_fork_in_child)
