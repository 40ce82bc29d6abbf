"""What `init` was given, joined with the environment and the defaults of `agentops.config`."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID

from agentops import config
from agentops.errors import SettingError
from agentops.sdk.capture import cut
from agentops.sdk.redact import FAILED, redactor
from agentops.sdk.signature import unexpected

logger: Final = logging.getLogger("agentops")

NAMES: Final = tuple(setting.name for setting in config.SETTINGS if setting.reader in ("sdk", "both"))
"""Every keyword that `init` and `configure` take."""
_EXPECTED: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    "text": ((str, os.PathLike), "text"),
    "folder": ((str, os.PathLike), "a path"),
    "true or false": ((bool,), "True or False"),
    "whole number": ((int,), "a whole number from 0 up"),
    "seconds": ((int, float), "a number of seconds from 0 up"),
    "list of text": ((str, list, tuple, set, frozenset), "a list of text"),
    "level": ((str, int), "a level of the logging module"),
    "level or off": ((str, int, bool), 'a level of the logging module, or "off"'),
}
_MAX_TAG: Final = 1000


@dataclass(frozen=True, slots=True)
class Settings:
    """The SDK's settings, complete. Times in the units their names in `agentops.config` say."""

    values: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __getattr__(self, name: str) -> Any:
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def home_folder(self) -> Path:
        """The folder of everything local."""
        return config.home(self.values["home"])

    @property
    def server(self) -> str:
        """The server's address, without a slash at its end."""
        return str(self.values["endpoint"]).rstrip("/")

    @property
    def app(self) -> str:
        """The dashboard's address, without a slash at its end."""
        return str(self.values["app_url"] or self.values["endpoint"]).rstrip("/")


def check(given: Mapping[str, Any], function: str) -> dict[str, Any]:
    """Return the settings among `given` that are not None, or complain about those that are not settings.

    Raises:
        TypeError: an unknown keyword (the message names the nearest known one), or a value of the wrong type.
        SettingError: a value that cannot be used.
    """
    known: dict[str, Any] = {}
    for name, value in given.items():
        if name not in NAMES:
            raise unexpected(function, name, NAMES)
        if value is None:
            continue
        known[name] = _typed(config.BY_NAME[name], value, function)
    return known


def _typed(setting: config.Setting, value: object, function: str) -> Any:
    if setting.name == "redact":
        redactor(cast("Any", value))  # It complains itself.
        return value
    types, said = _EXPECTED[setting.type]
    if not _fits(value, types):
        kind = type(value).__name__
        raise TypeError(f"{function}({setting.name}=...) must be {said}, not {kind}. {setting.help}")
    if setting.name == "inherited_session_id" and not _is_uuid(value):
        raise SettingError(f"{setting.name}={value!r} cannot be used: it is no UUID. {setting.help}")
    if setting.type == "list of text":
        return words(value)
    if setting.type == "level or off" and value is True:
        return setting.default
    if setting.type == "true or false":
        return value
    # What the environment's text is read with says what can be used, for arguments too.
    try:
        return setting.parse(str(value))
    except ValueError as error:
        raise SettingError(f"{setting.name}={value!r} cannot be used: {error}. {setting.help}") from None


def _fits(value: object, types: tuple[type, ...]) -> bool:
    # True is a whole number to Python, and to nobody else.
    return isinstance(value, types) and (not isinstance(value, bool) or bool in types)


def words(value: Any) -> list[str]:
    """Return tags given in whatever form as text, in order, without repeats and without what is empty.

    Never raises.
    """
    found: dict[str, None] = {}
    # What cannot be looked at or read to its end is taken as far as that goes.
    with suppress(Exception):
        for item in _items(value):
            if item is not None and (tag := cut(word(item), _MAX_TAG)):
                found[tag] = None
    return list(found)


def _items(value: Any) -> Iterable[Any]:
    try:
        if isinstance(value, Mapping):
            pairs = cast("Mapping[Any, Any]", value).items()
            return (f"{word(key)}:{word(item)}" for key, item in pairs)
        if isinstance(value, Iterable) and not isinstance(value, str | bytes):
            return iter(cast("Iterable[Any]", value))
    except Exception:  # A proxy, say, of nothing.
        return [cast("object", value)]
    return [cast("object", value)]


def word(value: Any) -> str:
    """Return a short value that a program gave, such as a tag or a name, as text. Never raises."""
    try:
        text = str(value)
        # Wide enough for any name; JSON is UTF-8, which has no lone surrogates.
        return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
    except Exception:
        return f"<{type(value).__name__}>"


def complete(given: Mapping[str, Any]) -> Settings:
    """Return all settings: `given`, else the environment's, else the defaults.

    The environment is not the program's text: a variable that cannot be used is reported and left out.
    """
    values: dict[str, Any] = {}
    for name in NAMES:
        try:
            values[name] = config.read(name, given.get(name))
        except SettingError as error:
            if name == "redact":
                # What was to be masked is not known: better nothing legible than a secret.
                _report(f"{error} Every text is masked.")
                values[name] = mask_all
                continue
            _report(f"{error} The default is used.")
            values[name] = config.read(name, env={})
    inherited = values["inherited_session_id"]
    if inherited is not None and given.get("inherited_session_id") is None and not _is_uuid(inherited):
        _report(
            f"AGENTOPS_INHERITED_SESSION_ID={inherited!r} cannot be used: it is no UUID. It is left out; "
            "set it to the session_id of the session to contribute to."
        )
        values["inherited_session_id"] = None
    return Settings(usable(values, given))


def mask_all(text: str) -> str:
    """Mask a text whatever it says: what was to be masked is not known."""
    del text
    return FAILED


_reported: Final[set[str]] = set()


def _report(text: str) -> None:
    """Log what is wrong with a setting, once a process."""
    if text not in _reported:
        _reported.add(text)
        logger.error("%s", text)


@contextmanager
def opentelemetry_usable() -> Generator[None]:
    """Let OpenTelemetry's SDK be loaded although a limit in the environment is none; each is reported."""
    unusable = config.unusable_limits()
    for said in unusable.values():
        _report(f"{said} OpenTelemetry's default is used.")
    with config.without(unusable):
        yield


def usable(values: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with addresses and keys that a request can be made with.

    An address without a scheme is an HTTP one. What cannot be used is reported, and the default takes its
    place: a program is not stopped for where its recording goes.

    Args:
        values: all settings.
        given: those of them that are arguments; the others are named by their variable.
    """
    found = dict(values)
    if "home" in found:  # Wherever the program goes from here.
        found["home"] = str(config.home(found["home"]))
    for name in ("endpoint", "exporter_endpoint", "app_url"):
        wanted = found.get(name)
        if wanted is None:
            continue
        try:
            found[name] = config.address(str(wanted))
        except ValueError:  # Such as a port that is none.
            _report(
                f"{_named(name, given)}={wanted!r} cannot be used: it is no http(s) address. The default is "
                "used; give one such as http://127.0.0.1:8420."
            )
            found[name] = config.BY_NAME[name].default
    for name in ("api_key", "parent_key"):
        if found.get(name) is None:
            continue
        key = str(found[name]).strip()
        if not (key.isascii() and key.isprintable()):
            _report(
                f"{_named(name, given)} cannot be used: it holds characters that no key has. It is left out; "
                "copy the key anew."
            )
            key = ""
        found[name] = key or None
    return found


def _named(name: str, given: Mapping[str, Any]) -> str:
    return name if given.get(name) is not None else config.BY_NAME[name].env


def _is_uuid(text: Any) -> bool:
    try:
        return UUID(str(text)).int != 0
    except ValueError:
        return False


def script_name() -> str:
    """Return the name of the running program: its script or module, else `python`."""
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None and spec.name not in ("__main__", None):
        return str(spec.name).removesuffix(".__main__")
    arguments = getattr(sys, "argv", None) or [""]  # An interpreter inside another program may have none.
    path = getattr(main, "__file__", None) or str(arguments[0])
    named = Path("" if path in ("-c", "-", "<stdin>") else path)
    if named.name == "__main__.py":  # Of a folder, or of an archive, that is run as a program.
        named = named.parent if named.parent.name else Path(os.path.realpath(named)).parent
    return named.stem or "python"
