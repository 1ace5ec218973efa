"""Steam's own terms: games, SteamIDs, trade URLs, item images."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum

import msgspec

from bot.domain.secrets import TradeToken

INDIVIDUAL_BASE = 76561197960265728
MAX_ACCOUNT_ID = 2**32 - 1
_STEAM_ID = re.compile(r"\d{17}", re.ASCII)
_IMAGE_HASH = re.compile(r"[A-Za-z0-9_-]{16,512}", re.ASCII)
IMAGE_HOST = "community.cloudflare.steamstatic.com"


class Game(IntEnum):
    """A game by its Steam app id (providers.md, 1.1 and 4.3)."""

    CS2 = 730
    RUST = 252490
    DOTA2 = 570
    TF2 = 440

    @property
    def word(self) -> str:
        """The game as commands and SkinsBack spell it: ``cs2``, ``rust``, ``dota2``, ``tf2``."""
        return self.name.lower()

    @property
    def label(self) -> str:
        """The game as people write it."""
        return _GAME_LABELS[self]

    @classmethod
    def from_word(cls, word: str) -> Game:
        """Return the game spelled ``word``; raise ValueError for any other."""
        try:
            return cls[word.upper()]
        except KeyError:
            raise ValueError(f"no such game: {word!r}") from None

    @classmethod
    def from_app_id(cls, app_id: int | None) -> Game | None:
        """Return the game with this Steam app id, or None for one SkinDesk does not know."""
        try:
            return cls(app_id) if app_id is not None else None
        except ValueError:
            return None


_GAME_LABELS = {
    Game.CS2: "Counter-Strike 2",
    Game.RUST: "Rust",
    Game.DOTA2: "Dota 2",
    Game.TF2: "Team Fortress 2",
}


class SteamId(msgspec.Struct, frozen=True, order=True, gc=False):
    """A SteamID64 of an individual account in the public universe."""

    value: int

    def __post_init__(self) -> None:
        if not self.is_possible(self.value):
            raise ValueError("not the SteamID64 of an individual account")

    @staticmethod
    def is_possible(value: int) -> bool:
        """Return whether a number is the SteamID64 of an individual account in the public universe."""
        return 0 < value - INDIVIDUAL_BASE <= MAX_ACCOUNT_ID

    @classmethod
    def from_account_id(cls, account_id: int) -> SteamId:
        """Return the SteamID64 of a 32-bit account id: the ``partner`` of a trade URL."""
        return cls(INDIVIDUAL_BASE + account_id)

    @classmethod
    def parse(cls, text: str) -> SteamId:
        """Read 17 decimal digits; raise ValueError for anything else."""
        digits = text.strip()
        if not _STEAM_ID.fullmatch(digits):
            raise ValueError("a SteamID64 has 17 digits")
        return cls(int(digits))

    @property
    def account_id(self) -> int:
        """The 32-bit account id."""
        return self.value - INDIVIDUAL_BASE

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True, slots=True)
class TradeUrl:
    """A trade URL: the account, and the token that allows sending it offers."""

    steam_id: SteamId
    token: TradeToken

    def canonical(self) -> str:
        """Return the one spelling that providers accept (providers.md, 1.3). It contains the token."""
        return (
            f"https://steamcommunity.com/tradeoffer/new/?partner={self.steam_id.account_id}&token={self.token.reveal()}"
        )


class TradeUrlProblem(StrEnum):
    """A mistake in a pasted trade URL; each has its own hint."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    NOT_A_LINK = "not_a_link"
    STEAM_ID_ONLY = "steam_id_only"
    PROFILE_LINK = "profile_link"
    OFFER_LINK = "offer_link"
    SETTINGS_PAGE = "settings_page"
    OTHER_STEAM_PAGE = "other_steam_page"
    STEAM_CHINA = "steam_china"
    LOOKALIKE_HOST = "lookalike_host"
    OTHER_HOST = "other_host"
    NO_PARTNER = "no_partner"
    BAD_PARTNER = "bad_partner"
    NO_TOKEN = "no_token"  # noqa: S105 -- the name of a mistake
    BAD_TOKEN = "bad_token"  # noqa: S105 -- the name of a mistake
    REPEATED = "repeated"
    SEVERAL = "several"


def image_url(icon_hash: str | None, *, size: int = 360) -> str | None:
    """Return the address of an item's picture on Steam's own host; None if the hash is missing or not plain."""
    if icon_hash is None or _IMAGE_HASH.fullmatch(icon_hash) is None:
        return None
    return f"https://{IMAGE_HOST}/economy/image/{icon_hash}/{size}fx{size}f"
