"""Steam's OpenID 2.0: the request, and the checks of a response before Steam confirms it."""

from __future__ import annotations

import hmac
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode, urlsplit

from bot.domain.errors import SignInRefused
from bot.domain.links import SignIn
from bot.domain.secrets import SignInAddress, SignInToken
from bot.domain.steam import SteamId

OPENID_NS = "http://specs.openid.net/auth/2.0"
IDENTIFIER_SELECT = "http://specs.openid.net/auth/2.0/identifier_select"

NONCE_WITHIN = timedelta(minutes=5)
"""How old the nonce of a response may be: Steam makes it at the moment of signing in."""

NONCE_AHEAD = timedelta(minutes=2)
"""How far Steam's clock may be ahead of ours."""

TOKEN_BYTES = 32

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_NONCE = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})Z[!-~]{0,235}", re.ASCII)
_ACCOUNT = re.compile(r"\d{17}", re.ASCII)
_MAX_LENGTH = 2048
"""The longest parameter; Steam's longest has some hundred characters."""

_SIGNED = ("op_endpoint", "claimed_id", "identity", "return_to", "response_nonce", "assoc_handle")
"""The parameters that Steam's signature must cover (OpenID 2.0, 10.1)."""

_KNOWN = frozenset({"ns", "mode", "signed", "sig", *_SIGNED})
"""All parameters that Steam sends; others are refused."""


def token_from(text: str) -> SignInToken | None:
    """Return the token in an address or a cookie, or None if it cannot be one."""
    return SignInToken(text) if _TOKEN.fullmatch(text) else None


def is_digest(text: str) -> bool:
    """Return whether ``text`` can be the digest of a token."""
    return _DIGEST.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class SignInPlaces:
    """The addresses of a sign-in. Steam gets only the token's digest, so that its logs never contain a token."""

    public_url: str
    steam_url: str
    """Both without a slash at their end."""

    def page(self, token: SignInToken) -> SignInAddress:
        """Return the page's address for the user."""
        return SignInAddress(f"{self.public_url}/link/{token.reveal()}")

    def return_to(self, digest: str) -> str:
        """Return the address to which Steam sends the browser back."""
        return f"{self.public_url}/link/return/{digest}"

    def login(self, digest: str) -> str:
        """Return the address of Steam's login page."""
        request = {
            "ns": OPENID_NS,
            "mode": "checkid_setup",
            "return_to": self.return_to(digest),
            "realm": f"{self.public_url}/",
            "identity": IDENTIFIER_SELECT,
            "claimed_id": IDENTIFIER_SELECT,
        }
        return f"{self.steam_url}?{urlencode({f'openid.{name}': value for name, value in request.items()})}"

    @property
    def steam_origin(self) -> str:
        """Scheme, host and port of Steam's endpoint."""
        parts = urlsplit(self.steam_url)
        return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True, slots=True)
class Assertion:
    """Steam's response, valid as far as can be checked here. ``parameters`` are sent to Steam for confirmation."""

    steam_id: SteamId
    nonce: str
    parameters: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignInNames:
    """Names for the sign-in page, untrusted text. ``member`` can be chosen freely, ``user`` is unique."""

    member: str
    user: str
    guild: str


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """A valid sign-in, with the names for its page; None after a restart, or if they were not kept."""

    sign_in: SignIn
    names: SignInNames | None


def check_browser(token: SignInToken | None, digest: str) -> SignInToken:
    """Return the token from the browser's cookie; raise SignInRefused if it is not this sign-in's.

    Only a browser that showed the page has the cookie. Otherwise an attacker could send their own Steam address to a
    victim and get the victim's account linked to them.
    """
    if token is None or not hmac.compare_digest(token.digest(), digest):
        raise SignInRefused("browser")
    return token


def check_answer(
    parameters: Iterable[tuple[str, str]], digest: str, *, places: SignInPlaces, now: datetime
) -> Assertion:
    """Return Steam's response for this sign-in; raise SignInRefused if it is not valid or the user cancelled."""
    given = _openid(parameters)
    _expect("ns", given.get("ns") == OPENID_NS)
    _expect("cancelled", given.get("mode") != "cancel")
    _expect("mode", given.get("mode") == "id_res")
    _expect("unknown", given.keys() <= _KNOWN)
    for name in (*_SIGNED, "signed", "sig"):
        _expect(name, bool(given.get(name)))
    _expect("op_endpoint", given["op_endpoint"] == places.steam_url)
    _expect("return_to", given["return_to"] == places.return_to(digest))
    _expect("identity", given["identity"] == given["claimed_id"])
    _check_signed(given["signed"], given)
    return Assertion(
        steam_id=_account(given["claimed_id"], places),
        nonce=_fresh(given["response_nonce"], now),
        parameters={f"openid.{name}": value for name, value in given.items()},
    )


def _openid(parameters: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return OpenID's parameters by their short names; a repeated one is refused."""
    ours = [(name, value) for name, value in parameters if name.lower().startswith("openid.")]
    names = Counter(name for name, _ in ours)
    _expect("repeated", not names or names.most_common(1)[0][1] == 1)
    _expect("too_long", all(len(value) <= _MAX_LENGTH for _, value in ours))
    return {name.removeprefix("openid."): value for name, value in ours}


def _check_signed(listed: str, given: Mapping[str, str]) -> None:
    names = listed.split(",")
    _expect("signed", len(names) == len(set(names)))
    _expect("signed", set(_SIGNED) <= set(names))
    _expect("signed", set(names) <= given.keys())


def _account(claimed_id: str, places: SignInPlaces) -> SteamId:
    prefix = f"{places.steam_origin}/openid/id/"
    digits = claimed_id.removeprefix(prefix)
    _expect("claimed_id", claimed_id.startswith(prefix) and _ACCOUNT.fullmatch(digits) is not None)
    try:
        return SteamId(int(digits))
    except ValueError:
        raise SignInRefused("claimed_id") from None


def _fresh(nonce: str, now: datetime) -> str:
    match = _NONCE.fullmatch(nonce)
    if match is None:
        raise SignInRefused("response_nonce")
    try:
        made = datetime.strptime(match[1], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise SignInRefused("response_nonce") from None
    _expect("late", now - NONCE_WITHIN <= made <= now + NONCE_AHEAD)
    return nonce


def _expect(problem: str, holds: bool) -> None:  # noqa: FBT001 -- the claim is the argument
    if not holds:
        raise SignInRefused(problem)
