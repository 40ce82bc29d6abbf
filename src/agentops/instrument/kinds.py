"""What an OpenInference span says of itself: its kind, told when it is known, and that it failed, for good.

OpenInference's spans keep their kind to themselves until they end. Ours are told at once, so that a call is
shown in flight as what it is, and a provider's record of a call that a framework records already is seen to
be one. And some of its instrumentors end everything as fine, what they have just seen fail too.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Final

from opentelemetry.trace import StatusCode

from agentops.instrument.lean import shows_all
from agentops.instrument.patches import Patches

KIND: Final = "openinference.span.kind"
_FAILED: Final = StatusCode.ERROR.value


def tell_early(known: Callable[[Any], None], patches: Patches) -> None:
    """Let OpenInference's spans tell their kind as soon as it is set; `known` is called with such a span."""
    module = importlib.import_module("openinference.instrumentation._spans")
    spans = module.OpenInferenceSpan
    original = spans.set_attribute
    kept_apart = frozenset((*getattr(module, "_IMPORTANT_ATTRIBUTES", ()), KIND))

    def set_attribute(self: Any, key: str, value: Any) -> None:
        if key not in kept_apart:
            # As the original does for a span that goes on, without the ways through the proxy.
            span = self.__wrapped__
            if span.is_recording():
                shown = self._self_config.mask(key, value)
                if shown is not None:
                    span.set_attribute(key, shown)
                return
        if key == KIND:
            value = getattr(self, "_self_kind", value)
            span = self.__wrapped__
            if span.is_recording():
                span.set_attribute(key, value)
                known(span)
        original(self, key, value)

    def set_attributes(self: Any, attributes: Any) -> None:
        span = self.__wrapped__
        apart = kept_apart.intersection(attributes)
        rest = {key: attributes[key] for key in attributes if key not in apart} if apart else attributes
        if span.is_recording() and shows_all(self._self_config, rest):
            span.set_attributes(rest)
            rest = {}
        for key in (*apart, *rest):
            self.set_attribute(key, attributes[key])

    patches.replace(spans, "set_attribute", set_attribute)
    patches.replace(spans, "set_attributes", set_attributes)
    patches.replace(spans, "set_status", _set_status)


def _set_status(self: Any, status: Any, description: str | None = None) -> None:
    """Set a span's status: that it failed stands, and why, whatever else is said."""
    span = self.__wrapped__
    code = getattr(status, "status_code", status)
    before = getattr(span, "status_number", 0)
    if before and span.is_recording():
        if before == _FAILED and (code is StatusCode.OK or span.status.description):
            return
        if code is StatusCode.ERROR and before != _FAILED:
            span.fail_with(getattr(status, "description", description) or "")
            return
    span.set_status(status, description)


def fix(span: Any, kind: str) -> None:
    """Set a span's kind for good, whatever its instrumentor will say."""
    span._self_kind = kind
    span.set_attribute(KIND, kind)
