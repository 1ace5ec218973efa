"""The people of the made-up world, their items, and what happens if they are looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache

from bot.demo.chance import Chance
from bot.demo.items import ItemMaker, WorldItem
from bot.domain.secrets import TradeToken
from bot.domain.steam import Game, SteamId, TradeUrl

_FIRST_ACCOUNT = 4294960001  # at the end of all account ids, which Steam has not reached

HOSTILE_NAME = (
    "@everyone <@1> <@&2> <#3> [free knife](https://steamcommunlty.example/gift) https://steamcommunlty.example "
    "**bold** ||spoiler|| `code` ```block``` </status:1> <t:0:R> <a:x:1> \u202egnp.efink\u202c zero\u200bwidth\n# big"
)
"""A name with everything that Discord interprets: mentions, links, markdown, timestamps, direction overrides."""


class Condition(StrEnum):
    """What happens if a person's inventory is looked up."""

    ORDINARY = "ordinary"
    PRIVATE = "private"
    TRADE_BANNED = "trade_banned"
    ESCROW = "escrow"
    """Steam holds the account's trades for some days."""
    STEAM_DOWN = "steam_down"
    STEAM_BUSY = "steam_busy"
    NO_BOTS = "no_bots"
    FLEET_DEGRADED = "fleet_degraded"
    UNDOCUMENTED = "undocumented"
    """An undocumented error code."""
    HANGS = "hangs"
    """The provider never answers."""
    HTML = "html"
    """A proxy's page instead of a response."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person with a Steam account; ``about`` describes them in one line."""

    nickname: str
    about: str
    steam_id: SteamId
    token: str = field(repr=False)
    condition: Condition = Condition.ORDINARY
    inventories: Mapping[Game, tuple[WorldItem, ...]] = field(default_factory=dict, repr=False)

    @property
    def trade_url(self) -> str:
        """The person's trade URL in the one spelling that providers accept."""
        return trade_url(self.steam_id, self.token)


def trade_url(steam_id: SteamId, token: str) -> str:
    """Return a trade URL in the one spelling that providers accept (providers.md, 1.3)."""
    return TradeUrl(steam_id, TradeToken(token)).canonical()


class PersonMaker:
    """Makes people with consecutive account ids; a seed always gives the same ones."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.made: list[Person] = []

    def person(
        self,
        nickname: str,
        about: str,
        condition: Condition = Condition.ORDINARY,
        *,
        owns: Mapping[Game, int] | None = None,
    ) -> Person:
        """Return a new person with that many items of each game."""
        number = len(self.made)
        token, inventories = _belongings(self._seed, number, tuple((owns or {}).items()))
        return self._add(Person(nickname, about, _account(number), token, condition, dict(inventories)))

    def hostile(self, nickname: str, about: str) -> Person:
        """Return a person with hostile item names, and with icons that are no hashes."""
        number = len(self.made)
        chance, steam_id = _chance(self._seed, number), _account(number)
        maker = ItemMaker(chance, steam_id)
        items = (
            maker.named(HOSTILE_NAME),
            maker.named("W" * 600),
            maker.named("\u202e\u200b\u2066"),
            maker.named(
                "Cut-off icon, as in the seeds", icon_hash="IzMF03bk9WpSBq-S-ekoE33L-iLqGFHVaU25ZzQNQcXdA3g5..."
            ),
            maker.named("Icon with a path", icon_hash="../../economy/image/@evil.example/x?y=1#"),
        )
        return self._add(Person(nickname, about, steam_id, chance.token(), inventories={Game.CS2: items}))

    def _add(self, person: Person) -> Person:
        self.made.append(person)
        return person


def _account(number: int) -> SteamId:
    return SteamId.from_account_id(_FIRST_ACCOUNT + number)


def _chance(seed: int, number: int) -> Chance:
    return Chance(seed, "person", number)


@cache
def _belongings(
    seed: int, number: int, owns: tuple[tuple[Game, int], ...]
) -> tuple[str, tuple[tuple[Game, tuple[WorldItem, ...]], ...]]:
    """Return a person's trade token and items; made once a process, as every test has a world."""
    chance = _chance(seed, number)
    maker = ItemMaker(chance, _account(number))
    inventories = tuple((game, maker.inventory(game, count)) for game, count in owns)
    return chance.token(), inventories
