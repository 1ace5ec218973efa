"""Links to Steam's own pages."""

import re
from urllib.parse import quote

from bot.domain.steam import SteamId

_LONGEST_NAME = 128
_OFFER_ID = re.compile(r"[0-9]{1,20}", re.ASCII)
_CERTIFICATE = re.compile(
    r"[SM]\d{1,20}A\d{1,20}D(?:\d{1,20}|(?:[0-9A-Fa-f]{2}){8,350})|(?:[0-9A-Fa-f]{2}){8,400}", re.ASCII
)
"""What follows ``csgo_econ_action_preview``: owner (S) or market listing (M), asset (A) and number (D), or the newer
certificate in hexadecimal digits, which describes the item itself, alone or in place of the number."""


def market_url(app_id: int, market_hash_name: str | None) -> str | None:
    """Return the address of an item's page on Steam's market; None without a name."""
    name = (market_hash_name or "").strip()[:_LONGEST_NAME]
    return f"https://steamcommunity.com/market/listings/{app_id}/{quote(name, '', errors='replace')}" if name else None


def inspect_url(certificate: str) -> str | None:
    """Return the link that shows a CS2 item in the game; None if the certificate has no form that the game knows."""
    if _CERTIFICATE.fullmatch(certificate) is None:
        return None
    return f"steam://rungame/730/76561202255233023/+csgo_econ_action_preview%20{certificate}"


def offer_url(offer_id: str) -> str | None:
    """Return the address at which its two sides see a trade offer; None if this is no offer's number."""
    if _OFFER_ID.fullmatch(offer_id) is None:
        return None
    return f"https://steamcommunity.com/tradeoffer/{offer_id}/"


def profile_url(steam_id: SteamId) -> str:
    """Return the address of an account's profile."""
    return f"https://steamcommunity.com/profiles/{steam_id}"
