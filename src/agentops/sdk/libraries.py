"""Who else makes spans in this process: instrumented libraries, and tracer providers of the program."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agentops.sdk.provider import Joined, Provider

if TYPE_CHECKING:
    from agentops.instrument import Instrumentation
    from agentops.sdk.context import Belonging
    from agentops.sdk.recorder import Recorder


class Libraries:
    """What records the libraries of one process, each call once.

    Args:
        recorder: the process's.
        belonging: which session a span belongs to.
        gate: called before every LLM call of the libraries that have a gate; may raise.
        follow: returns a callable with the recording of its streams around it, as `session.patch` would.
        repeated: told the scope of a span that repeats what another instrumentor records.
        unplaced: told the name of a span that no session is there for.
    """

    def __init__(
        self,
        recorder: Recorder,
        belonging: Belonging,
        *,
        gate: Callable[[], None],
        follow: Callable[[Callable[..., Any]], Callable[..., Any]],
        repeated: Callable[[str], None],
        unplaced: Callable[[str], None],
    ) -> None:
        self.provider = Provider(
            recorder,
            belonging,
            recorder.resource,
            unplaced=unplaced,
            silenced=self._silenced_here,
        )
        """What our instrumentors make their spans with."""
        self.joined: list[Any] = []
        """Tracer providers and span processors of the program that we see the spans of."""
        self.instrumentation: Instrumentation | None = None
        self._recorder = recorder
        self._belonging = belonging
        self._gate = gate
        self._follow = follow
        self._repeated = repeated
        self._unplaced = unplaced

    def join(self, existing: Any) -> None:
        """Join a tracer provider of the program's own."""
        if not hasattr(existing, "add_span_processor") or any(existing is known for known in self.joined):
            return
        self._see(existing)
        self.provider.forward = getattr(existing, "_active_span_processor", None)

    def _join_processor(self, processor: Any) -> None:
        """Join what sees the spans of an instrumentor that the program has enabled itself."""
        if all(
            processor is not known and processor is not getattr(known, "_active_span_processor", None)
            for known in self.joined
        ):
            self._see(processor)

    def _see(self, maker: Any) -> None:
        self.joined.append(maker)
        maker.add_span_processor(Joined(self._recorder, self._belonging, self._silenced, self._unplaced))

    def _silenced_here(self, scope: str) -> bool:
        if self.instrumentation is None:
            # Left alone, a library would trace itself all the same, because of our being there.
            from agentops.instrument.registry import SELF_TRACED

            return scope.startswith(SELF_TRACED)
        return self._silenced(scope)

    def _silenced(self, scope: str) -> bool:
        if self.instrumentation is None:
            return False
        if self.instrumentation.asides(scope):
            return True
        if not self.instrumentation.repeats(scope):
            return False
        self._repeated(scope)
        return True

    @property
    def problems(self) -> dict[str, str]:
        """Why a library that is imported is not recorded, by its module."""
        return {} if self.instrumentation is None else self.instrumentation.problems

    def records(self, function: Any) -> bool:
        """Say whether calls of a callable are recorded by an instrumentor."""
        return self.instrumentation is not None and self.instrumentation.records(function)

    def enabled(self, library: str) -> bool:
        """Say whether the library of this module is instrumented."""
        return self.instrumentation is not None and library in self.instrumentation.enabled

    def instrument(self, wanted: bool) -> None:
        """Instrument the libraries of the program, or take all of it back for good."""
        if wanted and self.instrumentation is None:
            from agentops.instrument import Instrumentation

            self.instrumentation = Instrumentation(
                self.provider, self._gate, self._follow, self._join_processor
            )
            self.instrumentation.install()
        elif not wanted and self.instrumentation is not None:
            self.instrumentation.uninstall()
            self.instrumentation = None

    def stop(self) -> None:
        """Take back whatever was done to them, until `resume`."""
        if self.instrumentation is not None:
            self.instrumentation.uninstall()

    def resume(self) -> None:
        """Instrument again what `stop` took back."""
        if self.instrumentation is not None:
            self.instrumentation.resume()
