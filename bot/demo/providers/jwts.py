"""JSON Web Tokens with HS256, as far as the simulated providers need them."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from typing import Any


def signed(claims: dict[str, Any], *, secret: str, header: dict[str, str] | None = None) -> str:
    """Return a token with these claims; ``header`` adds to its header."""
    head = {"alg": "HS256", "typ": "JWT", **(header or {})}
    body = f"{_encode(json.dumps(head).encode())}.{_encode(json.dumps(claims).encode())}"
    return f"{body}.{_signature(body, secret)}"


def claims_of(token: str, *, secret: str) -> dict[str, Any] | None:
    """Return the claims of a token signed with ``secret``, None for any other. ``exp`` is not looked at."""
    body, _, signature = token.rpartition(".")
    if not hmac.compare_digest(_signature(body, secret).encode(), signature.encode("utf-8", "surrogateescape")):
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(body.partition(".")[2] + "=="))
    except (binascii.Error, ValueError):
        return None
    return claims if isinstance(claims, dict) else None


def _signature(body: str, secret: str) -> str:
    return _encode(hmac.digest(secret.encode(), body.encode("utf-8", "surrogateescape"), "sha256"))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
