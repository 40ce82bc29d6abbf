"""The server's own log: lines for people, or one JSON object a line for a collector of logs."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Final

FORMATS: Final = ("text", "json")
_OWN: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Writes a record as `{"time", "level", "logger", "message"}`, with what else was given to it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line of JSON."""
        whole, part = divmod(record.created, 1)
        line: dict[str, object] = {
            "time": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{int(part * 1e6):06d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        line |= {name: value for name, value in record.__dict__.items() if name not in _OWN}
        return json.dumps(line, default=str, ensure_ascii=False)


def configure(form: str) -> None:
    """Write the log to standard error in one of FORMATS."""
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(
        JsonFormatter()
        if form == "json"
        else logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    logging.basicConfig(level=logging.INFO, handlers=[lines])
    for quiet in ("uvicorn", "uvicorn.error", "httpx"):
        logging.getLogger(quiet).setLevel(logging.WARNING)
    # What the store's client says of a lost connection, the answer to whoever asked says too.
    for silent in ("clickhouse_connect", "urllib3"):
        logging.getLogger(silent).setLevel(logging.ERROR)
    logging.captureWarnings(True)
