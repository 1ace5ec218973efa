"""Watched trades: a user gets a direct message at each change until the trade ends."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.failures import ProviderName
from bot.domain.steam import SteamId
from bot.domain.trades import Trade, TradeState

KEPT_FOR = timedelta(days=14)
"""The longest a trade is watched."""
MOST_WATCHES = 10
"""By one member of a server."""

_WATCHABLE_ID = re.compile(r"[\w.\-]{1,64}", re.ASCII)
"""A trade's number that fits into a button's custom id."""


@dataclass(frozen=True, slots=True)
class TradeKey:
    """A trade at a provider. ``owner`` is None if it is not known."""

    trade_id: str
    owner: SteamId | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """A trade that a member of a guild watches. ``standing`` is the :func:`standing_of` it that they know.

    ``language`` is the code of the language that they read when they began; None for watches from before that was kept.
    """

    id: int
    guild_id: int
    user_id: int
    provider: ProviderName
    """The provider that is read: ``assetpay`` also for a trade that AssetPay's client listed."""
    trade_id: str
    owner: SteamId
    standing: str
    notified_at: datetime
    began_at: datetime
    expires_at: datetime
    read_at: datetime | None = None
    language: str | None = None

    @property
    def key(self) -> TradeKey:
        """The trade to read again."""
        return TradeKey(self.trade_id, self.owner)

    def nonce(self, new: str) -> str:
        """Return the same text for each try to send the same change, and another one for any other message.

        Discord takes at most 25 characters, and shows a message once whose nonce it saw in the last minutes.
        """
        text = f"{self.id} {self.guild_id} {self.user_id} {self.notified_at.isoformat()} {new}"
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:25]


class WatchEnd(StrEnum):
    """Why a watch ends before its trade does."""

    TIME = "time"
    RIGHTS = "rights"
    """Its user may no longer see the trade."""


class Delivery(StrEnum):
    """What became of a direct message."""

    SENT = "sent"
    REFUSED = "refused"
    """The user takes no direct messages from SkinDesk, and will take no later one either."""
    FAILED = "failed"
    """It may be sent later."""


def standing_of(trade: Trade) -> str:
    """Return the standing of a trade. A change of it is worth a message.

    That is the meaning of the status word, and not the word: AssetPay's ``initiated`` and ``pending`` ask nothing of a
    customer. An unknown word is a meaning of its own. So is an offer in Steam that was not there before.
    """
    if trade.state is TradeState.UNKNOWN:
        return f"{trade.state.value} {trade.status}"
    if trade.state is TradeState.OFFERED:
        return f"{trade.state.value} {trade.offer_id}".rstrip()
    return trade.state.value


def is_watchable(trade: Trade) -> bool:
    """Return whether a trade can be watched, if its provider can be asked about it again."""
    return trade.owner is not None and trade.state.is_open and _WATCHABLE_ID.fullmatch(trade.id) is not None
