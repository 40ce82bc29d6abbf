"""Shared prices: servers on one store use one list of prices of one's own, whichever of them read it.

Each has a file of its own, or none. The one that was changed last counts: whoever reads such a file, when it
starts or when costs are computed anew, writes it into the store, and the others take it up within seconds.
An embedded store has one server, whose file is the list.
"""

from __future__ import annotations

import hashlib
import logging
import socket
import threading
import time
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from agentops.errors import SettingError
from agentops.server import prices
from agentops.server.pricelist import PriceList, parsed_prices
from agentops.server.store.client import Store

HEARD_S: Final = 2.5
"""After this long every server uses what one has told."""
_log: Final = logging.getLogger("agentops.server")


class _Told(Struct):
    server: str = ""
    name: str = ""
    text: str = ""
    version: int = 0


class SharedPrices:
    """The prices of one's own that are in use here.

    Args:
        store: the store.
        home: this server's, which tells it from the others.
    """

    def __init__(self, store: Store, home: Path) -> None:
        self._store = store
        place = f"{socket.gethostname()}\n{home.resolve()}"
        self._server = hashlib.blake2b(place.encode(errors="replace"), digest_size=8).hexdigest()
        self._turn = threading.Lock()
        self._version = 0

    def renew(self, own: PriceList) -> bool:
        """Use this server's file, or what another told since; return whether the others have to hear of it.

        Args:
            own: what the file holds; empty without one.
        """
        if self._store.url.embedded:
            prices.use(own)
            return False
        with self._turn:
            told = self._told()
            # A file that is gone was this server's to take away.
            if told.version and not (
                own.changed_ns > told.version if own.name else told.server == self._server
            ):
                self._take(told)
                return False
            prices.use(own)
            self._version = told.version
            if (told.name, told.text) == (own.name, own.text):
                return False
            self._tell(own)
            return True

    def hear(self) -> None:
        """Take up what another server told, if there is anything new."""
        if self._store.url.embedded:
            return
        with self._turn:
            told = self._told(self._version)
            if told.version:
                self._take(told)

    def _told(self, since: int = 0) -> _Told:
        rows = self._store.rows(
            "SELECT server, name, text, version FROM price_lists WHERE version > {since:UInt64} "
            "ORDER BY version DESC LIMIT 1",
            {"since": since},
            _Told,
        )
        return rows[0] if rows else _Told()

    def _take(self, told: _Told) -> None:
        self._version = told.version
        try:
            prices.use(parsed_prices(told.name, told.text) if told.name else PriceList())
        except SettingError as error:
            # Told by a version that knows more fields.
            _log.error("Prices that another server read cannot be used here: %s", error)

    def _tell(self, own: PriceList) -> None:
        row = _Told(self._server, own.name, own.text, max(time.time_ns(), self._version + 1))
        self._store.insert("price_lists", [msgspec.json.encode(row)])
        self._version = row.version
