"""Every setting, once: name, environment variable, default, type and help.

The SDK, the server, `agentops settings` and the documentation read this table; nothing else reads the environment.
An argument wins over the environment, the environment over the default.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import re
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from agentops.errors import SettingError

Reader = Literal["sdk", "server", "both"]


def _text(raw: str) -> str:
    return raw


def _flag(raw: str) -> bool:
    word = raw.strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("use true or false")


def _whole(raw: str) -> int:
    if not raw.strip().isdecimal() or len(raw) > 18:
        raise ValueError("use a whole number from 0 up")
    return int(raw)


def _some(raw: str) -> int:
    if not raw.strip().isdecimal() or len(raw) > 18 or int(raw) == 0:
        raise ValueError("use a whole number from 1 up")
    return int(raw)


def _port(raw: str) -> int:
    if not raw.strip().isdecimal() or not 0 <= int(raw) <= 65535:
        raise ValueError("use a port from 0 to 65535")
    return int(raw)


def _port_or_off(raw: str) -> int | None:
    if raw.strip().lower() == "off":
        return None
    try:
        return _port(raw)
    except ValueError as error:
        raise ValueError(f"{error}, or off") from None


def _log_format(raw: str) -> str:
    word = raw.strip().lower()
    if word not in ("text", "json"):
        raise ValueError("use text or json")
    return word


def _seconds(raw: str) -> float:
    try:
        number = float(raw)
    except ValueError:
        number = -1.0
    if not 0 <= number < 10**9:
        raise ValueError("use a number of seconds from 0 up")
    return number


def _words(raw: str) -> list[str]:
    return [word.strip() for word in raw.split(",") if word.strip()]


_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def _level(raw: str) -> str:
    word = raw.strip().upper()
    if word in _LEVELS or word.isdecimal():
        return word
    near = nearest(word, list(_LEVELS))
    hint = f". Did you mean {near}?" if near else ""
    raise ValueError(f"use one of {', '.join(_LEVELS)}, or a level's number{hint}")


def _lowest(raw: str) -> str:
    word = raw.strip().upper()
    if word in ("OFF", "FALSE", "NO", "NONE", "0"):
        return "off"
    if word in ("ON", "TRUE", "YES", "1"):
        return "WARNING"
    try:
        return _level(raw)
    except ValueError as error:
        raise ValueError(f"{error}; off keeps none") from None


def _folder(raw: str) -> str:
    try:
        Path(raw).expanduser()
    except RuntimeError:
        raise ValueError("there is no such home directory; use an absolute path") from None
    if "\0" in raw:
        raise ValueError("no path holds a zero byte")
    return raw


def _patterns(raw: str) -> list[str]:
    found = [line for line in raw.splitlines() if line.strip()]
    for pattern in found:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
    return found


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `parse` turns the environment's text into the value, or raises ValueError saying what to use."""

    name: str
    env: str
    default: Any
    parse: Callable[[str], Any]
    reader: Reader
    help: str

    @property
    def type(self) -> str:
        """What a value is, in words."""
        return _TYPES.get(self.parse, "text")


_TYPES: Final[Mapping[Callable[[str], Any], str]] = {
    _flag: "true or false",
    _whole: "whole number",
    _some: "whole number",
    _port: "whole number",
    _port_or_off: "whole number or off",
    _log_format: "text or json",
    _seconds: "seconds",
    _words: "list of text",
    _level: "level",
    _lowest: "level or off",
    _folder: "folder",
    _patterns: "regular expressions",
}


SETTINGS: Final[tuple[Setting, ...]] = (
    Setting("home", "AGENTOPS_HOME", "~/.agentops", _folder, "both", "Folder of everything local: journal, store, locks."),
    Setting("endpoint", "AGENTOPS_API_ENDPOINT", "http://127.0.0.1:8420", _text, "sdk", "The server's address."),
    Setting("exporter_endpoint", "AGENTOPS_EXPORTER_ENDPOINT", None, _text, "sdk",
            "Where spans are posted, when that is not <endpoint>/v1/traces."),
    Setting("app_url", "AGENTOPS_APP_URL", None, _text, "sdk", "The dashboard's address in links, when it is not the endpoint."),
    Setting("api_key", "AGENTOPS_API_KEY", None, _text, "sdk", "Key of the project; a local server needs none."),
    Setting("parent_key", "AGENTOPS_PARENT_KEY", None, _text, "sdk", "Key of a parent project; sent along as a header."),
    Setting("service_name", "OTEL_SERVICE_NAME", None, _text, "sdk", "Name of the recorded program; default: its script's name."),
    Setting("tags", "AGENTOPS_TAGS", (), _words, "sdk", "Tags of the first session, comma separated."),
    Setting("default_tags", "AGENTOPS_DEFAULT_TAGS", (), _words, "sdk", "Tags of every session, comma separated."),
    Setting("trace_name", "AGENTOPS_TRACE_NAME", None, _text, "sdk", "Name of sessions that are given none; default: the script's name."),
    Setting("auto_start_session", "AGENTOPS_AUTO_START_SESSION", True, _flag, "sdk", "Whether init() starts a session."),
    Setting("instrument_llm_calls", "AGENTOPS_INSTRUMENT_LLM_CALLS", True, _flag, "sdk", "Whether calls of LLM libraries are recorded automatically."),
    Setting("inherited_session_id", "AGENTOPS_INHERITED_SESSION_ID", None, _text, "sdk", "Id of a session, started elsewhere, to contribute to."),
    Setting("skip_auto_end_session", "AGENTOPS_SKIP_AUTO_END_SESSION", False, _flag, "sdk",
            "Leave sessions open when the process exits; only end_session() ends them."),
    Setting("fail_safe", "AGENTOPS_FAIL_SAFE", False, _flag, "sdk", "Log NoSession and MultiSession errors instead of raising them."),
    Setting("env_data_opt_out", "AGENTOPS_ENV_DATA_OPT_OUT", False, _flag, "sdk", "Record nothing about the machine."),
    Setting("log_level", "AGENTOPS_LOG_LEVEL", "WARNING", _level, "sdk", "Level of the `agentops` logger."),
    Setting("capture_logs", "AGENTOPS_CAPTURE_LOGS", "WARNING", _lowest, "sdk",
            "Lowest level of `logging` records kept with the session, or `off`."),
    Setting("redact", "AGENTOPS_REDACT", None, _patterns, "sdk",
            "What is masked in every recorded text; the variable holds one a line, the argument may be a callable."),
    Setting("max_wait_time", "AGENTOPS_MAX_WAIT_TIME", 1000, _whole, "sdk", "Longest time a record waits before it is shipped, in milliseconds."),
    Setting("max_queue_size", "AGENTOPS_MAX_QUEUE_SIZE", 512, _whole, "sdk", "Records after which a batch is shipped without waiting."),
    Setting("max_value_bytes", "AGENTOPS_MAX_VALUE_BYTES", 1_048_576, _whole, "sdk",
            "Longest recorded input or output, in bytes; what is cut is marked with its length."),
    Setting("heartbeat", "AGENTOPS_HEARTBEAT", 10.0, _seconds, "sdk", "Seconds between signs of life of an open session."),
    Setting("exit_timeout", "AGENTOPS_EXIT_TIMEOUT", 2.0, _seconds, "sdk", "Longest time that the program's exit waits for shipping, seconds."),
    Setting("journal_max_bytes", "AGENTOPS_JOURNAL_MAX_BYTES", 2_147_483_648, _whole, "both", "Most bytes of disk that the journal may take."),
    Setting("journal_segment_bytes", "AGENTOPS_JOURNAL_SEGMENT_BYTES", 8_388_608, _whole, "sdk", "Bytes at which a journal segment is closed."),
    Setting("host", "AGENTOPS_HOST", "127.0.0.1", _text, "server", "Address the server listens on."),
    Setting("port", "AGENTOPS_PORT", 8420, _port, "server", "Port the server listens on; 0 takes a free one."),
    Setting("grpc_port", "AGENTOPS_GRPC_PORT", 4317, _port_or_off, "server",
            "Port for OTLP over gRPC, served when `agentops[grpc]` is installed; 0 takes a free one, `off` serves none."),
    Setting("log_format", "AGENTOPS_LOG_FORMAT", "text", _log_format, "server", "How the server writes its log: `text` or `json`."),
    Setting("store", "AGENTOPS_STORE", None, _text, "server",
            "Store URL: chdb:///absolute/path or clickhouse://user:password@host:port/db; default: chDB under the home."),
    Setting("auth", "AGENTOPS_AUTH", False, _flag, "server", "Require API keys."),
    Setting("secret", "AGENTOPS_SECRET", None, _text, "server",
            "Secret that hashes keys and signs tokens, for servers that share a store; default: the file `secret` of the home."),
    Setting("key_quota", "AGENTOPS_KEY_QUOTA", 0, _whole, "server",
            "Bytes of telemetry a minute for each key that has no quota of its own; 0: no limit."),
    Setting("tls_cert", "AGENTOPS_TLS_CERT", None, _text, "server", "Certificate (PEM, with its chain) to serve HTTPS with."),
    Setting("tls_key", "AGENTOPS_TLS_KEY", None, _text, "server", "Private key (PEM) of the certificate."),
    Setting("forwarded_allow_ips", "AGENTOPS_FORWARDED_ALLOW_IPS", (), _words, "server",
            "Addresses of proxies whose X-Forwarded headers count, comma separated."),
    Setting("max_body_bytes", "AGENTOPS_MAX_BODY_BYTES", 67_108_864, _some, "server",
            "Largest request body, in bytes after decompression."),
    Setting("session_silence", "AGENTOPS_SESSION_SILENCE", 30.0, _seconds, "server",
            "Seconds of silence after which a session of our SDK counts as stopped."),
    Setting("foreign_silence", "AGENTOPS_FOREIGN_SILENCE", 300.0, _seconds, "server",
            "Seconds of silence after which a session of another program counts as stopped."),
    Setting("retention_days", "AGENTOPS_RETENTION_DAYS", 0, _whole, "server",
            "Days that sessions are kept after they were last heard of, unless their project says otherwise; 0: for ever."),
    Setting("prices", "AGENTOPS_PRICES", None, _text, "server",
            "File of one's own prices (TOML or JSON); default: prices.toml or prices.json of the home."),
)  # fmt: skip

BY_NAME: Final[Mapping[str, Setting]] = {setting.name: setting for setting in SETTINGS}


def read(name: str, given: Any = None, env: Mapping[str, str] | None = None) -> Any:
    """Return a setting's value: `given` unless None, else the environment's, else the default.

    Raises:
        SettingError: the environment holds a text that cannot be used; the message names the variable and the fix.
    """
    setting = BY_NAME[name]
    if given is not None:
        return given
    raw = (os.environ if env is None else env).get(setting.env)
    if raw is None or not raw.strip():
        return list(setting.default) if isinstance(setting.default, tuple) else setting.default  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] -- tuples here hold text
    try:
        return setting.parse(raw)
    except ValueError as error:
        raise SettingError(f"{setting.env}={raw!r} cannot be used: {error}. {setting.help}") from None


def home(given: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder of everything local, as an absolute path. It may not exist yet."""
    # An empty text is what a shell makes of a variable that is not set.
    folder = Path(read("home", given or None))
    try:
        return folder.expanduser().absolute()
    except (RuntimeError, OSError):
        # An account without a home directory, as containers have, or a working directory that is gone.
        return temporary_folder() / f"agentops-{os.getuid() if hasattr(os, 'getuid') else 'home'}"


def unusable_limits(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return OpenTelemetry's own variables of limits that it cannot use, with what is wrong; it raises for each."""
    found: dict[str, str] = {}
    for name, raw in (os.environ if env is None else env).items():
        if name.startswith("OTEL_") and name.endswith("_LIMIT") and raw.strip():
            try:
                usable = int(raw) >= 0
            except ValueError:
                usable = False
            if not usable:
                found[name] = f"{name}={raw!r} cannot be used: use a whole number from 0 up, or unset it."
    return found


@contextlib.contextmanager
def without(names: Iterable[str]) -> Generator[None]:
    """Take variables out of the environment while what reads them is loaded, and put them back."""
    taken = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(taken)


def temporary_folder() -> Path:
    """Return the system's temporary folder.

    `tempfile.gettempdir` passes over a folder that is full just now, and ends at the working directory: two
    processes would look for one journal in two places, and a program find files of ours beside its own.
    """
    for variable in ("TMPDIR", "TEMP", "TMP"):
        named = os.environ.get(variable)
        if named and os.path.isdir(named):
            return Path(named).absolute()
    return Path("/tmp")  # noqa: S108 -- what is made in it is private, and refused when another user made it


def address(text: str) -> str:
    """Return the address of a server; one without a scheme is an HTTP one.

    Raises:
        ValueError: no request can be made to it.
    """
    found = text.strip()
    found = found if "://" in found else f"http://{found}"
    split = urlsplit(found)
    usable = split.scheme in ("http", "https") and split.hostname and split.port != 0
    if not usable or not found.isprintable() or " " in found:
        raise ValueError("it is no http(s) address")
    return found


def nearest(name: str, known: list[str]) -> str | None:
    """Return the known name that `name` most likely means, or None."""
    matches = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return matches[0] if matches else None
