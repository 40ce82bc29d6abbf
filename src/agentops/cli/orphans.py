"""Orphans: journal segments that a process left behind when it died, taken in by the local server.

A process that is killed cannot ship its last records. They are in its segment, on this machine; a server of
the same home reads them in process, as if they had been posted. It looks into the journal's folder and into
its fallback, which is all there is when the home could never be written.
"""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from agentops.journal import Header, fallback_folder
from agentops.otlp.refusal import MalformedBody
from agentops.server.auth import Auth
from agentops.server.auth.caller import DEFAULT_PROJECT
from agentops.server.ingest import Ingest
from agentops.server.store.write import Full
from agentops.shipper.backlog import drain_orphans
from agentops.shipper.http import is_loopback
from agentops.shipper.outcome import ACCEPTED, Outcome, Signal

_log: Final = logging.getLogger("agentops.server")
_EVERY_S: Final = 1.0
_COMMIT_S: Final = 60.0


class OrphanDrain:
    """A thread that looks for orphaned segments every second."""

    def __init__(self, home: Path, ingest: Ingest, port: int, auth: Auth) -> None:
        self._folder = home / "journal"
        self._ingest = ingest
        self._port = port
        self._auth = auth
        self._project = DEFAULT_PROJECT
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="agentops-orphans", daemon=True)

    def start(self) -> None:
        """Start looking."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking; a segment that is half sent stays where it is."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_COMMIT_S)

    def _run(self) -> None:
        while True:
            took = 0
            if any(folder.is_dir() for folder in (self._folder, fallback_folder(self._folder))):
                try:
                    drained = drain_orphans(self._folder, self._send, self._is_ours)
                except Exception:
                    _log.exception("Taking in what dead processes left behind failed; trying again")
                else:
                    took = drained.segments
                    if drained.records:
                        _log.info("Took in %d records that a dead process left behind", drained.records)
            # After a crash of many there may be more than one look takes: go on while it gets somewhere.
            if self._stop.wait(0.0 if took else _EVERY_S):
                return

    def _is_ours(self, header: Header) -> bool:
        """Take what was meant for this server: any name of this machine, and its port; or for no address.

        With keys, a segment goes to the project of the key that its program was given, which its header names
        by a fingerprint; one whose key is none of ours, has ended or may not record stays where it is.
        """
        if self._auth.required:
            key = self._auth.keys.by_fingerprint(header.owner) if header.owner else None
            if key is None or not {"record", "admin"} & key.scopes:
                return False
            # Segments are taken one after the other: the next records are this segment's.
            self._project = key.project
        if not header.endpoint:
            return True  # Its program could not say; nobody else would ever take it.
        try:
            parts = urlsplit(header.endpoint)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            return False
        return port == self._port and is_loopback(parts.hostname or "")

    def _send(self, signal: Signal, body: bytes) -> Outcome:
        if self._stop.is_set():
            return Outcome("later", "the server is stopping")
        try:
            if signal == "traces":
                # Clock and machine are ours: what was recorded an hour ago was seen an hour ago.
                done, rejected = self._ingest.traces(body, "json", self._project, time.time_ns())
            else:
                done, rejected = self._ingest.logs(body, "json", self._project)
            if done is not None:
                done.result(_COMMIT_S)
        except MalformedBody as error:
            return Outcome("refused", str(error))
        except Full:
            return Outcome("later", "the server cannot keep up")
        except Exception as error:
            return Outcome("later", f"the store failed: {error}")
        refused = sum(one.count for one in rejected)
        return Outcome("accepted", refused_records=refused) if refused else ACCEPTED
