"""Tokens that the published clients carry instead of a key: signed, short, and worth what their key is.

A token is a JSON Web Token (HS256) whose claims name the key it was made from; the key is looked up each
time, so that a token dies with it. A token for a session names that session, too.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from typing import Final

import msgspec

from agentops.server.auth.secret import Secret

LIFE_S: Final = 30 * 86_400
"""The published clients never renew a token: it lasts for 30 days."""
_HEADER: Final = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=")
_LONGEST: Final = 4096


class Claims(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a token says.

    Attributes:
        exp: When it ends, unix seconds.
        iat: When it was made, unix seconds.
        key: Hash of the key that it was made from; empty on a server without keys.
        project: Id of the project.
        sid: The session that it was made for, or "".
        use: "" for a client's token, "operator" for one of this machine's `agentops` command.
    """

    exp: int
    iat: int
    key: str = ""
    project: str = ""
    sid: str = ""
    use: str = ""


def written(secret: Secret, claims: Claims) -> str:
    """Return a signed token."""
    body = _HEADER + b"." + base64.urlsafe_b64encode(msgspec.json.encode(claims)).rstrip(b"=")
    return (body + b"." + base64.urlsafe_b64encode(secret.signature(body)).rstrip(b"=")).decode()


def read(secret: Secret, token: str, now_s: float | None = None) -> Claims | None:
    """Return what a token says, or None when it was not made here, was changed, or has ended."""
    if len(token) > _LONGEST or not token.isascii():
        return None
    body, _, signature = token.rpartition(".")
    header, _, claims = body.partition(".")
    if header.encode() != _HEADER:
        return None
    try:
        given = _bytes(signature)
        if not hmac.compare_digest(given, secret.signature(body.encode())):
            return None
        said = msgspec.json.decode(_bytes(claims), type=Claims)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return None
    return said if said.exp > (time.time() if now_s is None else now_s) else None


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
