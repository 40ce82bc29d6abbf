"""What OpenInference's instrumentors do more often than a call needs, done once; what they say is the same.

Every attribute passes a list of masks, most of them never switched on; the context is asked for each of seven
names, twice a call.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any, Final, cast

from opentelemetry.context import Context

from agentops.ambient import get_current
from agentops.instrument.patches import Patches

_PACKAGE: Final = "openinference.instrumentation."
_OPEN: Final = "_agentops_masks_nothing"
_OURS: Final = "_agentops"
_IMAGE: Final = "image.url"
_PLAIN: Final = frozenset({str, int, float, bool})
_type: Final = cast("Callable[[Any], Any]", type)
"""`type`, of which nothing is known: an attribute may hold anything."""
_OF_IMAGES: Final = ("enable_genai_semconv", "base64_image_max_length", "blob_uploader")
"""Settings that change nothing, or only images. Of one that is not known here nothing is assumed."""


def quicken(patches: Patches) -> None:
    """Do it for what all of OpenInference's instrumentors share; of another version, for what is there."""
    with suppress(ImportError, AttributeError):
        _shared(patches)


def settings() -> dict[str, Any]:
    """Return what instrumentors of OpenInference are enabled with: no image is too large for them.

    What is too long for a record is cut when it is written, whatever it is. A limit that the program has set
    stays.
    """
    module = importlib.import_module(_PACKAGE + "config")
    config = module.TraceConfig()
    if config.base64_image_max_length != module.DEFAULT_BASE64_IMAGE_MAX_LENGTH:
        return {}
    return {"config": replace(config, base64_image_max_length=sys.maxsize)}


def _shared(patches: Patches) -> None:
    config = importlib.import_module(_PACKAGE + "config").TraceConfig
    patches.replace(config, "mask", _mask(config.mask))
    tracers = importlib.import_module(_PACKAGE + "_tracers")
    _ask_once(tracers, patches)
    patches.method(tracers.OITracer, "_get_masked_attributes_for_sampling", _first_masked)


def _first_masked(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    if len(args) == 1 and shows_all(instance._self_config, args[0]):
        return dict(args[0])
    return wrapped(*args, **kwargs)


def shows_all(config: Any, attributes: Mapping[str, Any]) -> bool:
    """Say whether attributes are shown just as they are."""
    if not _open(config):
        return False
    if _PLAIN.issuperset(map(_type, attributes.values())) and _IMAGE not in "\n".join(attributes):
        return True
    for key, value in attributes.items():
        if (type(value) is not str and (value is None or callable(value))) or key.endswith(_IMAGE):
            return False
    return True


def shown(config: Any, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is shown of attributes."""
    if shows_all(config, attributes):
        return attributes
    masked = ((key, config.mask(key, value)) for key, value in attributes.items())
    return {key: value for key, value in masked if value is not None}


def shown_first(config: Any, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is shown of attributes among which is no image, and none that is made on demand."""
    return attributes if _open(config) else shown(config, attributes)


def told_by(context: Context) -> dict[str, Any]:
    """Return what the program has put into a context for its spans."""
    if _names().isdisjoint(context):
        return {}
    return {name: context[name] for name in _names() if context.get(name) is not None}


@functools.cache
def _names() -> frozenset[str]:
    return frozenset(importlib.import_module(_PACKAGE + "context_attributes").CONTEXT_ATTRIBUTES)


def _open(config: Any) -> bool:
    """Say whether a configuration masks nothing; it is frozen, and asked once."""
    kept = config.__dict__
    found = kept.get(_OPEN)
    if found is None:
        found = kept[_OPEN] = getattr(config.mask, _OURS, False) and all(
            name in _OF_IMAGES or (name.startswith("hide_") and not getattr(config, name))
            for name in (each.name for each in fields(config))
        )
    return found


def _mask(original: Callable[..., Any]) -> Callable[..., Any]:
    def mask(self: Any, key: str, value: Any, **named: Any) -> Any:
        # Only images are looked at then, by their size, and what is made on demand is made.
        if _open(self) and not key.endswith(_IMAGE) and not callable(value):
            return value
        return original(self, key, value, **named)

    setattr(mask, _OURS, True)
    return mask


def _ask_once(module: Any, patches: Patches) -> None:
    """Let a module ask the context once for what the program has put there for spans."""
    if not hasattr(module, "get_attributes_from_context"):
        return
    names = _names()

    def get_attributes_from_context() -> Any:
        context = get_current()
        return iter([(name, context[name]) for name in names if context.get(name) is not None])

    patches.replace(module, "get_attributes_from_context", get_attributes_from_context)
