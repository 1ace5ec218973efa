"""The trades of the made-up world: every status, both directions, with the provider's error texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from bot.demo.chance import Chance
from bot.domain.steam import Game, SteamId

HIDDEN_STATUS = -11
"""A trade that ``/trades/all`` leaves out (seed 004)."""
COMPLETED_STATUS = 3
PENDING_STATUS = 0


@dataclass(slots=True)
class WorldTrade:
    """One trade as the provider stores it, changed in place by a resend. The repr has no code."""

    id: int
    user: SteamId
    status: int
    items_send: tuple[str, ...]
    items_received: tuple[str, ...]
    bot: SteamId
    code: str
    last_error: str
    offer_id: str
    at: datetime
    game: Game

    def __repr__(self) -> str:
        return f"WorldTrade(id={self.id}, status={self.status})"


class ResendAnswer(StrEnum):
    """How the simulated Mannco.store answers a call of ``/trade/resend``."""

    OK = "ok"
    """As documented."""
    REFUSE = "refuse"
    """The documented refusal; nothing is done."""
    FORBIDDEN = "forbidden"
    """403, as for an expired JWT; nothing is done."""
    THROTTLED = "429"
    """Too many requests; nothing is done."""
    HTML = "html_200"
    """A page of HTML with status 200; nothing is done."""
    LOST_BEFORE = "lost_before"
    """Nothing is done, and the connection is closed."""
    LOST_AFTER = "lost_after"
    """It is done, and the connection is closed."""
    HANG = "hang"
    """Nothing is done, and no response comes."""
    HANG_AFTER = "hang_after"
    """It is done, and no response comes."""
    SERVER_ERROR_AFTER = "500_after"
    """It is done, and the response is an error 500."""
    OTHER_TRADE = "other_trade"
    """It is done, and the response is about another trade."""


_Way = Literal["out", "in"]
"""``out``: a withdrawal, items go to the customer; ``in``: a deposit."""
_RESENDABLE: tuple[tuple[int, str], ...] = (
    (-1, "There was an error sending your trade offer. Please try again later. (26)"),
    (4, "The user answered with a counter offer"),
    (5, "Trade offer expired before it was accepted"),
    (6, "Trade offer cancelled by the bot: inventory is being moved"),
    (7, "Trade offer declined by the user"),
    (10, "Cancelled: mobile confirmation timed out"),
)
_OTHERS: tuple[tuple[int, _Way, str], ...] = (
    (0, "out", ""),
    (0, "in", ""),
    (3, "out", ""),
    (3, "in", ""),
    (-1, "in", "You cannot trade with this user because they have a trade hold (escrow)"),
    (7, "in", "Trade offer declined by the user"),
    (-12, "out", "Reverted by an administrator, items were given back"),
    (HIDDEN_STATUS, "out", "Hidden by support"),
    (1, "out", ""),
    (2, "out", ""),
    (8, "in", "InvalidItems: one of the items is no longer in the inventory"),
    (9, "out", "Waiting for confirmation"),
)
_BOTS = tuple(SteamId.from_account_id(4294967000 + number) for number in range(3))


class TradeMaker:
    """Makes the trades of one person, with consecutive ids from ``first_id``."""

    def __init__(self, chance: Chance, owner: SteamId, *, first_id: int, now: datetime) -> None:
        self._chance = chance
        self._owner = owner
        self._next_id = first_id
        self._now = now

    def every_status(self, game: Game) -> Iterator[WorldTrade]:
        """Yield a trade in every status, the resendable ones first."""
        yield from self.resendable(game)
        for number, (status, way, last_error) in enumerate(_OTHERS):
            yield self.trade(status, way, last_error, game=game, age=timedelta(hours=1 + 5 * number))

    def resendable(self, game: Game) -> Iterator[WorldTrade]:
        """Yield a failed or cancelled withdrawal in each resendable status (seed 004)."""
        for number, (status, last_error) in enumerate(_RESENDABLE):
            yield self.trade(status, "out", last_error, game=game, age=timedelta(minutes=25 + 190 * number))

    def history(self, count: int) -> Iterator[WorldTrade]:
        """Yield ``count`` completed trades of the past weeks."""
        for number in range(count):
            way: _Way = "in" if number % 3 else "out"
            game = self._chance.choice((Game.CS2, Game.CS2, Game.RUST, Game.DOTA2, Game.TF2))
            age = timedelta(days=3 + number * 1.7, minutes=self._chance.randrange(600))
            yield self.trade(COMPLETED_STATUS, way, "", game=game, age=age)

    def trade(
        self, status: int, way: _Way, last_error: str, *, game: Game = Game.CS2, age: timedelta, size: int | None = None
    ) -> WorldTrade:
        """Return one trade of ``size`` items that was made ``age`` ago."""
        chance = self._chance
        items = tuple(chance.digits(11) for _ in range(size or chance.randrange(1, 5)))
        trade = WorldTrade(
            id=self._next_id,
            user=self._owner,
            status=status,
            items_send=items if way == "out" else (),
            items_received=items if way == "in" else (),
            bot=chance.choice(_BOTS),
            code="COMPLETED" if status == COMPLETED_STATUS else chance.capitals(8),
            last_error=last_error,
            offer_id=chance.digits(10),
            at=self._now - age,
            game=game,
        )
        self._next_id += 1
        return trade
