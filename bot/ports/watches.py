"""The interfaces of watched trades: the stored watches, the readings, and the direct messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from bot.domain.access import Actor
    from bot.domain.failures import ProviderName
    from bot.domain.trades import Trade
    from bot.domain.watches import Delivery, TradeKey, Watch, WatchEnd


class WatchRepository(Protocol):
    """Watches, one for each user and trade in a guild."""

    async def add(self, draft: Watch, *, at_most: int) -> tuple[Watch, bool] | None:
        """Store a watch (its ``id`` is ignored) and return it, or the one that there is, and whether it is new.

        None if the user has ``at_most`` others in this guild.
        """

    async def of_user(self, guild_id: int, user_id: int) -> tuple[Watch, ...]:
        """Return a user's watches in a guild, the oldest first."""

    async def of_provider(self, provider: ProviderName, *, at: datetime) -> tuple[Watch, ...]:
        """Return the watches of all guilds that have not expired, the one read longest ago first."""

    async def get(self, watch_id: int) -> Watch | None:
        """Return a watch."""

    async def mark_read(self, watch_ids: Collection[int], *, at: datetime) -> None:
        """Store when these were read."""

    async def mark_notified(self, watch_id: int, standing: str, *, at: datetime) -> None:
        """Store the standing that its user knows by now."""

    async def remove(self, watch_id: int, *, of: int | None = None) -> Watch | None:
        """Delete and return a watch; None if there is none, or if it is of another user than ``of``."""

    async def expired(self, *, at: datetime) -> tuple[Watch, ...]:
        """Return the watches of all guilds that have expired."""


class WatchedTrades(Protocol):
    """A provider whose single trades can be read again."""

    @property
    def name(self) -> ProviderName:
        """The provider."""

    async def read(self, wanted: Sequence[TradeKey]) -> Mapping[str, Trade | None]:
        """Make one reading for as many of the trades as it can be for, the first one among them.

        Return those trades by their numbers, None for one that was not found; ProviderError if none could be read.
        """


class WatchMessages(Protocol):
    """Direct messages about watched trades, in the watch's language. No error of Discord's is raised."""

    async def begin(self, watch: Watch, trade: Trade, *, is_own: bool) -> Delivery:
        """Tell that a watch begins."""

    async def change(self, watch: Watch, trade: Trade, *, is_own: bool, nonce: str) -> Delivery:
        """Tell a change. Of messages with the same nonce within some minutes, Discord shows one."""

    async def end(self, watch: Watch, why: WatchEnd) -> Delivery:
        """Tell that a watch has ended, and nothing about its trade but its number."""

    async def actor(self, guild_id: int, user_id: int) -> Actor | Delivery:
        """Ask Discord for a member with their roles; REFUSED if they are no member any more, FAILED if unknown."""
