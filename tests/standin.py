"""A stand-in for the model providers' APIs over real HTTP: chat, responses, embeddings, audio, messages.

Answers are those of the golden cases, with an id of its own each. It counts what arrives, so that a test
can say that nothing did, and can hold the answer back, before it begins or in the middle of a stream.
"""

from __future__ import annotations

import itertools
import threading
from http.server import ThreadingHTTPServer
from typing import Any, Self

from tests.golden.standin import Api


class Models:
    """A running stand-in. `url` is its address, `requests` the bodies that arrived."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.hold = threading.Event()
        """Cleared: answers wait."""
        self.hold.set()
        models = self
        numbers = itertools.count(1)

        class Counting(Api):
            failures = Api.failures.copy()

            def asked(self) -> dict[str, Any]:
                found = super().asked()
                models.requests.append({"path": self.path, "headers": dict(self.headers), **found})
                models.hold.wait(20)
                return found

            def do_GET(self) -> None:
                if not models.get(self):
                    super().do_GET()

            def answer(self, path: str, request: dict[str, Any]) -> bool:
                return models.answer(self, path, request)

            def send(self, status: int, answer: dict[str, Any]) -> None:
                if "id" in answer:
                    answer = {**answer, "id": f"{answer['id']}-{next(numbers)}"}
                if "model" in answer:
                    # A model that has a price under its plain name.
                    answer = {**answer, "model": answer["model"].removesuffix("-2024-08-06")}
                super().send(status, answer)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Counting)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def get(self, api: Api) -> bool:
        """Answer what is not posted otherwise than the golden cases; say whether it was answered."""
        del api
        return False

    def answer(self, api: Api, path: str, request: dict[str, Any]) -> bool:
        """Answer a request otherwise than the golden cases; say whether it was answered."""
        del api, path, request
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
