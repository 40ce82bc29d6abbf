"""A ClickHouse server as the store: reaching it over HTTP, and what its refusals mean.

Three sorts of failure: the address is wrong or the server too old (`StoreError` at start, with the fix), the
store does not answer or cannot take more just now (`Unavailable`: ask again), and the statement itself is at
fault (the driver's own error, as it came).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Generator, Mapping
from typing import Any, Final, cast

from agentops.errors import StoreError
from agentops.server.store.dialect import settings
from agentops.server.store.url import StoreUrl

OLDEST: Final = (26, 5)
"""The oldest ClickHouse with everything that the schema uses."""
_CONNECT_TIMEOUT_S: Final = 5
_ANSWER_TIMEOUT_S: Final = 120
_MOST_FIELD_CHARACTERS: Final = 4_000
"""Longer values go into the statement: a server refuses long fields, and proxies before it long addresses."""
_PLACE: Final = re.compile(r"\{(\w+):((?:[^{}'\"]|'[^']*')+)\}")
_UNKNOWN_DATABASE: Final = 81
_NOT_ENOUGH_SPACE: Final = 243
_DENIED: Final = (192, 193, 194, 516)
_PASSING: Final = frozenset(
    {
        40,  # CHECKSUM_DOESNT_MATCH, as 246 and 432: a part that a full disk cut short (see disk.py)
        60,  # UNKNOWN_TABLE: one that is just being read anew
        246,  # CORRUPTED_DATA
        432,  # UNKNOWN_CODEC
        159,  # TIMEOUT_EXCEEDED
        202,  # TOO_MANY_SIMULTANEOUS_QUERIES
        209,  # SOCKET_TIMEOUT
        210,  # NETWORK_ERROR
        225,  # NO_ZOOKEEPER
        236,  # ABORTED, as when the server shuts down
        241,  # MEMORY_LIMIT_EXCEEDED
        242,  # TABLE_IS_READ_ONLY, as without a Keeper
        252,  # TOO_MANY_PARTS
        279,  # ALL_CONNECTION_TRIES_FAILED
        285,  # TOO_FEW_LIVE_REPLICAS
        286,  # UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
        289,  # REPLICA_IS_NOT_IN_QUORUM
        319,  # UNKNOWN_STATUS_OF_INSERT
        999,  # KEEPER_EXCEPTION
    }
)
_ENDS_EARLY: Final = (32, 33)
"""ATTEMPT_TO_READ_AFTER_EOF, CANNOT_READ_ALL_DATA: of a part, the same as 246."""


class Unavailable(StoreError):
    """The store does not answer, or cannot take more just now; try again after `retry_after_s`."""

    retry_after_s = 2


class DiskFull(Unavailable):
    """The store's disk has no room for this."""


def connected(url: StoreUrl, given: Mapping[str, str]) -> Any:
    """Return a client of the server, and make the database where it is missing.

    Raises:
        StoreError: it cannot be reached, refuses us or is too old; the message says what to change.
    """
    try:
        client = _client(url, given, url.database)
    except Exception as error:
        if _code(error) != _UNKNOWN_DATABASE:
            raise StoreError(explanation(url, error)) from error
        try:
            _create_database(url)
            client = _client(url, given, url.database)
        except Exception as later:
            raise StoreError(explanation(url, later)) from later
    version = tuple(int(part) for part in re.findall(r"\d+", str(client.server_version))[:2])
    if version < OLDEST:
        client.close()
        raise StoreError(
            f"The store {url} is ClickHouse {client.server_version}; {OLDEST[0]}.{OLDEST[1]} or newer "
            f"is needed. "
            "Upgrade it, or leave --store out to use the embedded engine."
        )
    return client


def _client(url: StoreUrl, given: Mapping[str, str], database: str) -> Any:
    import clickhouse_connect

    return clickhouse_connect.get_client(
        host=url.host,
        port=url.port,
        username=url.user or None,
        password=url.password,
        database=database,
        secure=url.secure,
        settings={**given, **settings(url)},
        # Statements of several threads share nothing.
        autogenerate_session_id=False,
        connect_timeout=_CONNECT_TIMEOUT_S,
        send_receive_timeout=_ANSWER_TIMEOUT_S,
    )


def _create_database(url: StoreUrl) -> None:
    client = _client(url, {}, "system")
    try:
        name = "`" + url.database.replace("`", "") + "`"
        everywhere = f" ON CLUSTER `{url.cluster}`" if url.cluster else ""
        client.command(f"CREATE DATABASE IF NOT EXISTS {name}{everywhere}")
    finally:
        client.close()


def inlined(sql: str, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return a statement and its parameters with the long ones written into it, as literals.

    Args:
        sql: with `{name:Type}` where values go.
        parameters: by name.
    """
    from clickhouse_connect.driver.binding import format_query_value

    long: dict[str, str] = {}
    for name, value in parameters.items():
        if _length(value) > _MOST_FIELD_CHARACTERS:
            long[name] = format_query_value(value)
    if not long:
        return sql, dict(parameters)

    def written(place: re.Match[str]) -> str:
        text = long.get(place[1])
        return place[0] if text is None else f"CAST({text}, '{place[2].strip()}')"

    return _PLACE.sub(written, sql), {name: value for name, value in parameters.items() if name not in long}


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list | tuple):
        return sum(len(str(one)) + 4 for one in cast(list[Any], value))
    return 0


@contextlib.contextmanager
def explained() -> Generator[None]:
    """Turn the driver's word for "not now" into ours.

    Raises:
        Unavailable: the store does not answer or cannot take more just now.
        DiskFull: it has no room for more.
    """
    from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

    try:
        yield
    except DatabaseError as error:
        code = _code(error)
        if code == _NOT_ENOUGH_SPACE:
            raise DiskFull(f"The store's disk is full: {_first_line(error)}") from error
        lost = isinstance(error, OperationalError) and code is None
        # Of a row that is inserted these say something else.
        short = code in _ENDS_EARLY and "while reading from part" in str(error)
        if lost or short or code in _PASSING or code in _DENIED:
            raise Unavailable(f"The store does not take this now: {_first_line(error)}") from error
        raise


def _code(error: BaseException) -> int | None:
    code = getattr(error, "code", None)
    return code if isinstance(code, int) else None


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:500]


def explanation(url: StoreUrl, error: Exception) -> str:
    """Return what is wrong with a store that cannot be opened, embedded or not, and what to change."""
    text = _first_line(error)
    if url.path is not None:
        copied = not (url.path / "metadata" / "default").is_symlink()
        hint = "It is a copy without its symbolic links: make it again with cp -a, rsync -a or tar. " * copied
        return f"The store {url} cannot be opened: {text} {hint}Or choose another with --home or --store."
    where = f"{url.host}:{url.port}"
    code = _code(error)
    whole = repr(error.__cause__ or error) + text
    if code in _DENIED:
        return (
            f"The store {url} cannot be opened: {where} refuses user {url.user or 'default'!r} with "
            f"this password. "
            "Check both in the store URL; % is written there as %25."
        )
    if code == 497:
        return (
            f"The store {url} cannot be opened: user {url.user or 'default'!r} lacks a right ({text}). "
            f"Create the database {url.database} and grant the user everything in it."
        )
    if "SSL" in whole or "CERTIFICATE" in whole.upper():
        return (
            f"The store {url} cannot be opened: no TLS connection to {where} ({text}). "
            "Use clickhouse:// for a port without TLS; SSL_CERT_FILE names the file of a CA of your own."
        )
    if "refused" in whole.lower() or "Max retries" in whole or "timed out" in whole:
        return (
            f"The store {url} cannot be opened: nothing answers at {where}. Is ClickHouse running "
            f"there, and is "
            "this its HTTP port (8123, or 8443 with clickhouses://)?"
        )
    return f"The store {url} cannot be opened: {text}"
