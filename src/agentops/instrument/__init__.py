"""Instrumentation: the LLM libraries of the program, recorded without a line of its own.

A library is instrumented when it is imported, before or after `init` alike, and never imported by us.
`registry` names the instrumentors of each; `gate` refuses calls that could belong to any of several
sessions; `requests`, `gpt`, `claude`, `gemini`, `lite_llm` and `frameworks` add what instrumentors leave
out. All of it can be taken back.
"""

from __future__ import annotations

import importlib
import inspect
import logging
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from agentops.instrument import gate, halfway, kinds, lean, older
from agentops.instrument.patches import Patches, found
from agentops.instrument.registry import BY_MODULE, LIBRARIES, Library
from agentops.instrument.theirs import processor_of

__all__ = ["BY_MODULE", "LIBRARIES", "Instrumentation", "Library"]

logger: Final = logging.getLogger("agentops")
_OPENINFERENCE: Final = "openinference"
_RAW: Final = "X-Stainless-Raw-Response"
"""With this header a client returns the HTTP response, which is no stream."""
_INSTRUMENTORS: Final = ("openinference.", "opentelemetry.instrumentation.")


def _settings(instrumentor: str) -> dict[str, Any]:
    if instrumentor.startswith(f"{_OPENINFERENCE}."):
        with suppress(ImportError, AttributeError, TypeError):  # Another version: then its own.
            return lean.settings()
    return {}


class Instrumentation:
    """The instrumentors of one process.

    Args:
        provider: the tracer provider that they make their spans with. Its `kind_known` is called with a span
            whose kind has become known.
        check: called before every LLM call of the libraries that have a gate; may raise.
        follow: returns a callable with the recording of its streams around it, as `session.patch` would.
        join: records what passes a span processor of the program's own.
    """

    def __init__(
        self,
        provider: Any,
        check: Callable[[], None],
        follow: Callable[[Callable[..., Any]], Callable[..., Any]] | None = None,
        join: Callable[[Any], None] | None = None,
    ) -> None:
        self._provider = provider
        self._join = join
        self._check = check
        self._follow = follow
        # Held for a look at what follows only, never while something is imported: an import has locks of its
        # own, and may come back here, for another library or from another thread.
        self._lock = threading.Lock()
        self._stopped = False
        self._claimed: set[str] = set()
        self._repeated: tuple[str, ...] = ()
        self._patches: dict[str, Patches] = {}
        self._own: set[str] = set()
        self.enabled: dict[str, Any] = {}
        """Instrumentors in use, by the library's module."""
        self.chosen: dict[str, str] = {}
        """What records each library: the instrumentor's module and class."""
        self.problems: dict[str, str] = {}
        """Why a library that is imported is not recorded, by its module."""

    def install(self) -> None:
        """Instrument what is imported, and whatever will be."""
        from wrapt import register_post_import_hook  # Not at the top: a fifth of a second, and only here.

        for library in LIBRARIES:
            if library.module in sys.modules:
                self.enable(library)
                continue
            for module in (library.module, library.begins):
                if module:
                    register_post_import_hook(lambda _module, library=library: self.enable(library), module)
        shown = ", ".join(f"{module} by {name}" for module, name in sorted(self.chosen.items()))
        logger.debug("LLM libraries recorded: %s. Others follow when they are imported.", shown or "none yet")

    def enable(self, library: Library) -> None:
        """Instrument a library, once. Never raises."""
        with self._lock:
            if self._stopped or library.module in self._claimed:
                return
            self._claimed.add(library.module)
            patches = self._patches[library.module] = Patches()
        try:
            if not library.installed():
                return  # A module of the program's own that has the same name.
            gate.guard_imported(library, self._check, patches)
            with halfway.afresh(each.partition(":")[0] for each in library.instrumentors):
                self._instrument(library)
                self._complete(library, patches)
            self._streams(library, patches)
            gate.guard(library, self._check, patches)
        except Exception as error:
            logger.warning(
                "Calls of %s are not recorded wholly: %s: %s", library.module, type(error).__name__, error
            )
        if self._stopped:  # Meanwhile, by another thread.
            self._take_back(library.module)

    def _instrument(self, library: Library) -> None:
        reasons: list[str] = []
        for candidate in library.candidates():
            try:
                reason = self._try(library, candidate)
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
            if not reason:
                self.chosen[library.module] = candidate
                self._repeated += library.repeats + library.others(candidate)
                logger.debug("%s %s is recorded by %s", library.module, library.installed(), candidate)
                return
            reasons.append(f"{candidate}: {reason}")
        if reasons:
            self.problems[library.module] = "; ".join(reasons)
            logger.warning("Calls of %s are not recorded: %s", library.module, self.problems[library.module])
            return
        hint = f"pip install 'agentops[{library.extra}]' records its calls"
        self.problems[library.module] = hint
        level = logging.INFO if library.aside else logging.WARNING
        logger.log(level, "%s is used, and nothing records it: %s", library.module, hint)

    def _try(self, library: Library, candidate: str) -> str:
        """Enable one instrumentor; return why it does not take the library, or nothing."""
        module, _, name = candidate.partition(":")
        instrumentor = getattr(importlib.import_module(module), name)()
        # Another of the program's tools may have enabled the very same one: then its spans are joined.
        if not instrumentor.is_instrumented_by_opentelemetry:
            conflicts = getattr(instrumentor, "_check_dependency_conflicts", None)
            conflict = conflicts() if conflicts is not None else None
            settings = _settings(module)
            if conflict is not None:
                if not older.is_taken(library, candidate):
                    return str(conflict)
                settings["skip_dep_check"] = True
                older.complete(library, self._patches[library.module])
            with older.as_newer(library.module):
                instrumentor.instrument(tracer_provider=self._provider, **settings)
            self._own.add(library.module)
        elif self._join is not None:
            with suppress(Exception):  # Then its spans are joined where they reach the global provider.
                processor = processor_of(instrumentor, self._provider)
                if processor is not None:
                    self._join(processor)
        self.enabled[library.module] = instrumentor
        return ""

    def _complete(self, library: Library, patches: Patches) -> None:
        from agentops.instrument import requests

        requests.watch(library, patches)
        chosen = self.chosen.get(library.module, "")
        if chosen.startswith("openinference."):
            self._tell_kinds()
        if chosen.startswith("openinference.instrumentation.openai:"):
            from agentops.instrument import background, gpt, gpt_batches, realtime

            gpt.complete(patches)
            tracer = self._provider.get_tracer("agentops.instrument.gpt")
            background.complete(tracer, patches)
            gpt_batches.complete(tracer, patches)
            realtime.complete(tracer, patches)
        elif chosen.startswith("openinference.instrumentation.anthropic:"):
            from agentops.instrument import claude

            claude.complete(self._provider.get_tracer("agentops.instrument.claude"), patches)
        elif chosen.startswith(("openinference.", "agentops.")):
            from agentops.instrument.frameworks import COMPLETE

            more = COMPLETE.get(library.module)
            if more is not None:
                more(self._provider.get_tracer(f"agentops.instrument.{library.extra}"), patches)

    def _tell_kinds(self) -> None:
        with self._lock:
            if _OPENINFERENCE in self._patches:
                return
            patches = self._patches[_OPENINFERENCE] = Patches()
        kinds.tell_early(self._provider.kind_known, patches)
        lean.quicken(patches)

    def _streams(self, library: Library, patches: Patches) -> None:
        follow = self._follow
        if follow is None or not self.chosen.get(library.module, "").startswith("openinference."):
            return

        def called(
            wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
        ) -> Any:
            if not kwargs.get("stream") or _RAW in (kwargs.get("extra_headers") or ()):
                return wrapped(*args, **kwargs)
            return gate.aside(follow(wrapped), instance, args, kwargs)

        for place in library.streams:
            owner, _, method = place.rpartition(".")
            patches.method(found(owner), method, called)

    def repeats(self, scope: str) -> bool:
        """Say whether spans of an instrumentation scope repeat what one of our instrumentors records."""
        return bool(self._repeated) and f"{scope}.".startswith(self._repeated)

    def asides(self, scope: str) -> bool:
        """Say whether a span made here and now is of a request that is no LLM call."""
        return gate.quiet.get() and scope.startswith(_INSTRUMENTORS)

    def records(self, function: Any) -> bool:
        """Say whether calls of a callable are recorded by an instrumentor."""
        target = inspect.unwrap(getattr(function, "__func__", function))
        module = getattr(target, "__module__", None) or ""
        if module in {chosen.partition(":")[0] for chosen in self.chosen.values()}:
            return True  # What the instrumentor has put in the place of a function.
        library = BY_MODULE.get(module.partition(".")[0])
        if library is None or library.module not in self.enabled or not library.recorded:
            return False
        return module.startswith(library.recorded)

    def uninstall(self) -> None:
        """Take back whatever was done to libraries; what is imported from now on is left alone."""
        with self._lock:
            self._stopped = True
            modules = list(self._patches)
        for module in reversed(modules):
            self._take_back(module)

    def resume(self) -> None:
        """Instrument again what was taken back."""
        with self._lock:
            if not self._stopped:
                return
            self._stopped = False
            for state in (self._claimed, self._patches, self._own, self.chosen, self.problems):
                state.clear()
            self._repeated = ()
        for library in LIBRARIES:
            if library.module in sys.modules:
                self.enable(library)

    def _take_back(self, module: str) -> None:
        try:
            self._patches[module].undo()
            instrumentor = self.enabled.pop(module, None)
            if instrumentor is not None and module in self._own:
                with older.as_newer(module):
                    instrumentor.uninstrument()
        except Exception:
            logger.debug("The instrumentor of %s could not be taken back", module, exc_info=True)
