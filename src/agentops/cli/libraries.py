"""The LLM libraries that are installed here: is each recorded, by what, and by that alone?"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from importlib.metadata import entry_points

from agentops.cli.findings import Finding
from agentops.instrument import LIBRARIES, Library, older
from agentops.instrument.registry import exists


def library_findings() -> Iterator[Finding]:
    """Say of every installed library that the recorder knows what records it."""
    found = [library for library in LIBRARIES if library.installed()]
    for library in found:
        yield _recorded(library, f"{library.module} {library.installed()}")
    yield from _duplicates(found)
    if not found:
        yield Finding(
            "note",
            "library",
            "no LLM library that the recorder knows is installed in this Python",
            "run the doctor with the Python of your program; calls of any library can be recorded with "
            "session.patch(function) or a decorator",
        )


def _recorded(library: Library, shown: str) -> Finding:
    module, _, name = library.instrumentor.partition(":")
    if not exists(module):
        return Finding(
            "note",
            "library",
            f"{shown} is installed, and nothing records its calls",
            f"pip install 'agentops[{library.extra}]' if your program uses it for LLM calls",
        )
    try:
        instrumentor = getattr(importlib.import_module(module), name)()
        conflict = _conflict(instrumentor)
    except Exception as error:
        # It is somebody else's code, and may fail in any way.
        return Finding(
            "wrong",
            "library",
            f"{shown} is not recorded: {name} cannot be loaded ({type(error).__name__}: {error})",
            f"pip install --upgrade '{module.replace('.', '-').replace('_', '-')}'",
        )
    if conflict and not older.is_taken(library, library.instrumentor):
        return Finding(
            "wrong", "library", f"{shown} is not recorded: {conflict}", "install a version that fits"
        )
    return Finding("ok", "library", f"{shown} is recorded by {name} ({module})")


def _conflict(instrumentor: object) -> str:
    """Return why the instrumentor would refuse the installed version; empty when it takes it."""
    from opentelemetry.instrumentation.dependencies import get_dependency_conflicts

    conflict = get_dependency_conflicts(instrumentor.instrumentation_dependencies())  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownArgumentType] -- an OpenTelemetry instrumentor
    return "" if conflict is None else str(conflict)


def _duplicates(found: list[Library]) -> Iterator[Finding]:
    """Name other instrumentors of the same libraries: enabled as well, they record each call twice."""
    ours = {library.instrumentor.partition(":")[0] for library in LIBRARIES}
    for point in entry_points(group="opentelemetry_instrumentor"):
        if point.module in ours:
            continue
        word = point.name.lower().replace("_", "-").removesuffix("-v2")
        for library in found:
            names = {
                library.module,
                library.module.partition(".")[0],
                library.extra,
                library.module.replace(".", "-"),
            }
            if word in {name.lower().replace("_", "-") for name in names if name}:
                package = point.dist.name if point.dist is not None else point.module
                yield Finding(
                    "note",
                    "library",
                    f"{package} records {library.module} too; enabled beside ours, a call may be there twice",
                    f"pip uninstall {package}, or do not enable it, or use init(instrument_llm_calls=False)",
                )
