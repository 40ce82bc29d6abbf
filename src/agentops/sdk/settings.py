"""What `init` was given, joined with the environment and the defaults of `agentops.config`."""

from __future__ import annotations

import difflib
import logging
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit
from uuid import UUID

from agentops import config
from agentops.errors import SettingError

logger: Final = logging.getLogger("agentops")

NAMES: Final = tuple(setting.name for setting in config.SETTINGS if setting.reader in ("sdk", "both"))
"""Every keyword that `init` and `configure` take, `redact` apart."""
_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_EXPECTED: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    "_text": ((str, os.PathLike), "text"),
    "_flag": ((bool,), "True or False"),
    "_whole": ((int,), "a whole number from 0 up"),
    "_seconds": ((int, float), "a number of seconds from 0 up"),
    "_words": ((str, list, tuple, set, frozenset), "a list of text"),
    "_level": ((str, int), "a level of the logging module"),
}


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
        setting = config.BY_NAME.get(name)
        if name != "redact" and (setting is None or name not in NAMES):
            # However far: the message always names the nearest.
            near = difflib.get_close_matches(name, sorted([*NAMES, "redact"]), n=1, cutoff=0.0)[0]
            hint = f" Did you mean {near!r}?"
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}.{hint}")
        if value is None:
            continue
        known[name] = value if setting is None else _typed(setting, value, function)
    return known


def _typed(setting: config.Setting, value: Any, function: str) -> Any:
    parse = setting.parse.__name__
    types, said = _EXPECTED[parse]
    if setting.name == "capture_logs" and isinstance(value, bool | int):
        value = ("WARNING" if value else "off") if isinstance(value, bool) else str(value)
    fits = isinstance(value, types) and not (isinstance(value, bool) and bool not in types)
    if not fits:
        kind = type(cast("object", value)).__name__
        raise TypeError(f"{function}({setting.name}=...) must be {said}, not {kind}. {setting.help}")
    return _READ[parse](setting, cast("Any", value))


def _level(setting: config.Setting, value: Any) -> str:
    word = logging.getLevelName(value) if isinstance(value, int) else str(value).strip().upper()
    if isinstance(value, str) and word not in _LEVELS:
        near = config.nearest(word, list(_LEVELS))
        hint = f". Did you mean {near}?" if near else ""
        raise SettingError(f"{setting.name}={value!r} is no level; use one of {', '.join(_LEVELS)}{hint}")
    return word


def _positive(setting: config.Setting, value: Any) -> Any:
    if value < 0:
        raise SettingError(f"{setting.name}={value!r} cannot be used: it must be from 0 up. {setting.help}")
    return value


def words(value: Any) -> list[str]:
    """Return tags given as one text or as several, in order, without repeats."""
    if value is None:
        return []
    items: Iterable[Any] = [value] if isinstance(value, str) else cast("Iterable[Any]", value)
    return list(dict.fromkeys(str(item) for item in items))


_READ: Final[Mapping[str, Callable[[config.Setting, Any], Any]]] = {
    "_text": lambda _, value: str(value),
    "_flag": lambda _, value: value,
    "_whole": _positive,
    "_seconds": _positive,
    "_words": lambda _, value: words(value),
    "_level": _level,
}


def complete(given: Mapping[str, Any]) -> Settings:
    """Return all settings: `given`, else the environment's, else the defaults.

    The environment is not the program's text: a variable that cannot be used is reported and left out.
    """
    values: dict[str, Any] = {}
    for name in NAMES:
        try:
            values[name] = config.read(name, given.get(name))
        except SettingError as error:
            logger.error("%s The default is used.", error)
            values[name] = config.read(name, env={})
    values["redact"] = given.get("redact")
    inherited = values["inherited_session_id"]
    if inherited is not None and given.get("inherited_session_id") is None and not _is_uuid(inherited):
        logger.error("AGENTOPS_INHERITED_SESSION_ID=%r is not a UUID. It is left out.", inherited)
        values["inherited_session_id"] = None
    return Settings(usable(values))


def usable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with addresses and keys that a request can be made with.

    An address without a scheme is an HTTP one. What cannot be used is reported, and the default takes its
    place: a program is not stopped for where its recording goes.
    """
    found = dict(values)
    for name in ("endpoint", "exporter_endpoint", "app_url"):
        given = found.get(name)
        if given is None:
            continue
        address = str(given).strip()
        address = address if "://" in address else f"http://{address}"
        if not _is_address(address):
            logger.error("%s=%r is no http(s) address. The default is used.", name, given)
            address = config.BY_NAME[name].default
        found[name] = address
    for name in ("api_key", "parent_key"):
        if found.get(name) is None:
            continue
        key = str(found[name]).strip()
        if not (key.isascii() and key.isprintable()):
            logger.error("%s holds characters that no key has. It is left out.", name)
            key = ""
        found[name] = key or None
    return found


def _is_uuid(text: Any) -> bool:
    try:
        return UUID(str(text)).int != 0
    except ValueError:
        return False


def _is_address(address: str) -> bool:
    try:
        split = urlsplit(address)
        return (
            split.scheme in ("http", "https")
            and bool(split.hostname)
            and split.port != 0
            and address.isprintable()
            and " " not in address
        )
    except ValueError:  # Such as a port that is none.
        return False


def script_name() -> str:
    """Return the name of the running program: its script or module, else `python`."""
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None and spec.name not in ("__main__", None):
        return str(spec.name).removesuffix(".__main__")
    path = getattr(main, "__file__", None) or (sys.argv[0] if sys.argv else "")
    stem = Path(path).stem if path and path not in ("-c", "-") else ""
    return stem or "python"
