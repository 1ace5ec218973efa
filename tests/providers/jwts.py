"""Unsigned JWTs with made-up claims."""

import base64
import json

from bot.domain.secrets import Secret


def jwt(claims: object) -> Secret:
    """Return a token that claims this, and whose signature is worth nothing."""
    encoded = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return Secret(f"eyJhbGciOiJIUzI1NiJ9.{encoded}.c2ln")
