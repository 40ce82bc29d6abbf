"""Instrumentation: the LLM libraries of the program, recorded without a line of its own.

A library is instrumented when it is imported, before or after `init` alike, and never imported by us.
`registry` names the one instrumentor of each; `gate` refuses calls that could belong to any of several
sessions.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import logging
import sys
import threading
from collections.abc import Callable
from typing import Any, Final

from agentops.instrument.gate import guard
from agentops.instrument.registry import BY_MODULE, LIBRARIES, Library

__all__ = ["BY_MODULE", "LIBRARIES", "Instrumentation", "Library"]

logger: Final = logging.getLogger("agentops")


class Instrumentation:
    """The instrumentors of one process.

    Args:
        provider: the tracer provider that they make their spans with.
        check: called before every LLM call of the libraries that have a gate; may raise.
    """

    def __init__(self, provider: Any, check: Callable[[], None]) -> None:
        self._provider = provider
        self._check = check
        self._lock = threading.Lock()
        self._repeated: tuple[str, ...] = ()
        self.enabled: dict[str, Any] = {}
        """Instrumentors in use, by the library's module."""
        self.problems: dict[str, str] = {}
        """Why a library that is imported is not recorded, by its module."""

    def install(self) -> None:
        """Instrument what is imported, and whatever will be."""
        from wrapt import register_post_import_hook  # Not at the top: a fifth of a second, and only here.

        for library in LIBRARIES:
            if library.module in sys.modules:
                self.enable(library)
            else:
                register_post_import_hook(
                    lambda _module, library=library: self.enable(library), library.module
                )

    def enable(self, library: Library) -> None:
        """Instrument a library, once. Never raises."""
        with self._lock:
            if library.module in self.enabled or library.module in self.problems:
                return
            try:
                instrumentor = self._instrumentor(library)
                if instrumentor is not None:
                    # Another of the program's tools may have enabled the very same one: then its spans are
                    # joined.
                    if not instrumentor.is_instrumented_by_opentelemetry:
                        instrumentor.instrument(tracer_provider=self._provider)
                    self.enabled[library.module] = instrumentor
                    self._repeated += library.repeats
            except Exception as error:
                self.problems[library.module] = f"{type(error).__name__}: {error}"
                logger.warning(
                    "Calls of %s are not recorded: %s", library.module, self.problems[library.module]
                )
            try:
                guard(library, self._check)
            except Exception as error:
                logger.warning(
                    "Calls of %s cannot be held back in multi-session mode: %s", library.module, error
                )

    def _instrumentor(self, library: Library) -> Any:
        module, _, name = library.instrumentor.partition(":")
        if not _exists(module):
            self.problems[library.module] = f"pip install 'agentops[{library.extra}]' records its calls"
            logger.debug("%s is imported; %s", library.module, self.problems[library.module])
            return None
        return getattr(importlib.import_module(module), name)()

    def repeats(self, scope: str) -> bool:
        """Say whether spans of an instrumentation scope repeat what one of our instrumentors records."""
        return bool(self._repeated) and scope.startswith(self._repeated)

    def records(self, function: Any) -> bool:
        """Say whether calls of a callable are recorded by an instrumentor."""
        target = inspect.unwrap(getattr(function, "__func__", function))
        module = getattr(target, "__module__", None) or ""
        library = module.partition(".")[0]
        return library in ("openai", "anthropic") and library in self.enabled and ".resources." in module

    def uninstall(self) -> None:
        """Take the instrumentors back."""
        with self._lock:
            for instrumentor in self.enabled.values():
                try:
                    instrumentor.uninstrument()
                except Exception:
                    logger.debug("An instrumentor could not be taken back", exc_info=True)
            self.enabled.clear()


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False
