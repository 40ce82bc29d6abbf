"""Request bodies: their encoding, and their bytes after decompression, never more than the limit."""

from __future__ import annotations

import sys
import zlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agentops.otlp.decode import Encoding

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_TYPES: Final[dict[str, Encoding]] = {
    "application/x-protobuf": "protobuf",
    "application/protobuf": "protobuf",
    "application/json": "json",
}


class Refused(Exception):
    """A request that is refused as a whole: a status, a code, and what to do."""

    def __init__(
        self, status: int, code: str, message: str, hint: str, retry_after_s: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
        self.retry_after_s = retry_after_s


_MOST_ENCODINGS: Final = 3
_MOST_MEMBERS: Final = 100
"""Compressed streams in one body, one after the other. Each costs a look at all that follows it: without a
bound, a body of millions of empty ones would keep a thread for hours."""


def too_large(limit: int) -> Refused:
    """Return the refusal of a body over the limit."""
    return Refused(
        413,
        "body_too_large",
        f"The request body is larger than {limit} bytes (counted after decompression).",
        "Send smaller batches, or raise AGENTOPS_MAX_BODY_BYTES on the server.",
    )


def encoding_of(content_type: str) -> Encoding:
    """Return the encoding that a Content-Type names.

    Raises:
        Refused: 415, it is neither OTLP/JSON nor OTLP/protobuf.
    """
    media = content_type.partition(";")[0].strip().lower()
    encoding = _TYPES.get(media)
    if encoding is None:
        raise Refused(
            415,
            "unsupported_media_type",
            f"Content-Type {media!r} is not accepted here." if media else "The request has no Content-Type.",
            "Send OTLP as application/x-protobuf or application/json.",
        )
    return encoding


def decompressed(body: bytes, content_encoding: str, limit: int) -> bytes:
    """Return the body as it was before compression.

    Args:
        body: as received.
        content_encoding: the header's text; several encodings are undone last to first.
        limit: most bytes of the result.

    Raises:
        Refused: 415 for an unknown encoding, 413 for a body over the limit, 400 for one that does not
            decompress.
    """
    names = [word.strip().lower() for word in content_encoding.split(",") if word.strip()]
    if len(names) > _MOST_ENCODINGS:
        raise Refused(
            415,
            "unsupported_encoding",
            f"Content-Encoding names {len(names)} encodings; {_MOST_ENCODINGS} are the most.",
            "Compress the body once: gzip, deflate or zstd.",
        )
    for name in reversed(names):
        if name == "identity":
            continue
        try:
            if name in ("gzip", "x-gzip"):
                body = _inflated(body, 31, limit)
            elif name == "deflate":
                # zlib-wrapped as the RFC says, or raw as some clients send it.
                wrapped = len(body) > 1 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
                body = _inflated(body, 15 if wrapped else -15, limit)
            elif name == "zstd":
                body = _unzstd(body, limit)
            else:
                raise Refused(
                    415,
                    "unsupported_encoding",
                    f"Content-Encoding {name!r} is not accepted here.",
                    "Use identity, gzip, deflate or zstd.",
                )
        except (zlib.error, zstd.ZstdError, EOFError) as error:
            raise Refused(
                400,
                "malformed_body",
                f"The request body is not valid {name}: {error}.",
                "Check that Content-Encoding names how the body was compressed.",
            ) from None
    if len(body) > limit:
        raise too_large(limit)
    return body


def _inflated(body: bytes, window: int, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    for _ in range(_MOST_MEMBERS):
        stream = zlib.decompressobj(window)
        piece = stream.decompress(body, limit - size + 1)
        size += len(piece)
        if size > limit or stream.unconsumed_tail:
            raise too_large(limit)
        pieces.append(piece)
        if not stream.eof:
            raise EOFError("it ends too early")
        body = stream.unused_data
        if not body or window != 31:
            return b"".join(pieces)
    raise EOFError(f"it has more than {_MOST_MEMBERS} members")


def _unzstd(body: bytes, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    for _ in range(_MOST_MEMBERS + 1):
        if not body:
            return b"".join(pieces)
        stream: Any = zstd.ZstdDecompressor()
        piece = stream.decompress(body, limit - size + 1)
        size += len(piece)
        if size > limit or not (stream.eof or stream.needs_input):
            raise too_large(limit)
        if not stream.eof:
            raise EOFError("it ends too early")
        pieces.append(piece)
        body = stream.unused_data
    raise EOFError(f"it has more than {_MOST_MEMBERS} frames")
