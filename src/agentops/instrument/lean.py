"""What OpenInference's instrumentors do more often than a call needs, done once; what they say is the same.

Every attribute passes a list of masks, most of them never switched on; a request is copied deeply to look for
images that it has not; the context is asked for each of seven names, twice a call.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from typing import Any, Final, cast

from opentelemetry.context import get_current

from agentops.instrument.patches import Patches

_PACKAGE: Final = "openinference.instrumentation."
_OPEN: Final = "_agentops_masks_nothing"
_OURS: Final = "_agentops"
_IMAGE: Final = "image.url"
_OF_IMAGES: Final = ("enable_genai_semconv", "base64_image_max_length", "blob_uploader")
"""Settings that change nothing, or only images. Of one that is not known here nothing is assumed."""
_CHECKING: Final = (
    "._request",
    "._request_attributes_extractor",
    "._response_attributes_extractor",
    "._response_accumulator",
    "._utils",
)
"""Modules that ask `isinstance` by the names of `typing`, which is many times dearer."""
_WITH_IMAGES: Final = ("image_url", "input_image")


def quicken(patches: Patches) -> None:
    """Do it for what all of OpenInference's instrumentors share; of another version, for what is there."""
    with suppress(ImportError, AttributeError):
        _shared(patches)


def quicken_openai(request: Any, patches: Patches) -> None:
    """Do it for openai's instrumentor, likewise; `request` is its module that looks at requests."""
    with suppress(ImportError, AttributeError):
        _openai(request, patches)


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


def _openai(request: Any, patches: Patches) -> None:
    _ask_once(request, patches)
    for name in _CHECKING:
        module = importlib.import_module(request.__package__ + name)
        for kind in (Iterable, Mapping, Sequence):
            if hasattr(module, kind.__name__):
                patches.replace(module, kind.__name__, kind)
    redact = getattr(request, "redact_images_from_request_parameters", None)
    if redact is not None:
        patches.replace(request, "redact_images_from_request_parameters", _redact(redact))
    infer = getattr(request, "infer_llm_provider_from_host", None)
    if infer is not None:
        patches.replace(request, "infer_llm_provider_from_host", functools.lru_cache(maxsize=64)(infer))


def shows_all(config: Any, attributes: Mapping[str, Any]) -> bool:
    """Say whether attributes are shown just as they are."""
    if not _open(config):
        return False
    for key, value in attributes.items():
        if (type(value) is not str and (value is None or callable(value))) or key.endswith(_IMAGE):
            return False
    return True


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
    names: tuple[str, ...] = importlib.import_module(_PACKAGE + "context_attributes").CONTEXT_ATTRIBUTES

    def get_attributes_from_context() -> Any:
        context = get_current()
        return iter([(name, context[name]) for name in names if context.get(name) is not None])

    patches.replace(module, "get_attributes_from_context", get_attributes_from_context)


def _redact(original: Callable[..., Any]) -> Callable[..., Any]:
    def redact(request_parameters: Any, **named: Any) -> Any:
        if not _has_image(request_parameters):
            return request_parameters
        return original(request_parameters, **named)

    return redact


def _has_image(asked: Mapping[str, Any]) -> bool:
    """Say whether a message of a request has a part that is an image."""
    for name in ("messages", "input"):
        messages = asked.get(name)
        for message in cast("list[Any]", messages) if isinstance(messages, list) else ():
            content = cast("Any", message).get("content") if isinstance(message, dict) else None
            for part in cast("list[Any]", content) if isinstance(content, list) else ():
                if isinstance(part, dict) and cast("Any", part).get("type") in _WITH_IMAGES:
                    return True
    return False
