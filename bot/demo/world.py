"""The made-up world behind the simulated providers: people, items and trades.

The looked-up person decides how a provider answers. A **trade token can also name the error**: ``E`` and seven digits
is that code (``E0000007`` is 7), ``N`` the negative one (``N0000010`` is -10), ``F`` the second meaning of a number
that has two (``F0001300``). :meth:`World.error_trade_url` returns such a trade URL. The number of a single trade or
deposit can name an error in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.demo.assetpay_trades import UNDOCUMENTED_STATUS, AssetPayTrade, AssetPayTradeMaker
from bot.demo.chance import Chance
from bot.demo.items import ItemMaker
from bot.demo.people import HOSTILE_NAME, Condition, Person, PersonMaker, trade_url
from bot.demo.skinsback_deposits import SkinsBackDeposit, SkinsBackDepositMaker
from bot.demo.trades import ResendAnswer, TradeMaker, WorldTrade
from bot.domain.steam import Game, SteamId

Now = Callable[[], datetime]
"""Returns the current time, aware, in UTC."""

_ERROR_TOKEN = re.compile(r"([EFN])(\d{7})", re.ASCII)
_ERROR_ACCOUNT = SteamId.from_account_id(4294966000)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials that the simulated providers accept. The repr does not contain them."""

    assetpay_api_key: str = field(repr=False)
    assetpay_api_secret: str = field(repr=False)
    legacy_api_key: str = field(repr=False)
    legacy_api_secret: str = field(repr=False)
    skinsback_client_id: str = field(repr=False)
    skinsback_client_secret: str = field(repr=False)
    mannco_api_key: str = field(repr=False)
    mannco_jwt_secret: str = field(repr=False)

    @classmethod
    def invented(cls, chance: Chance) -> Credentials:
        """Return credentials in the providers' own forms."""
        return cls(
            assetpay_api_key=f"ap_{chance.hex(32)}",
            assetpay_api_secret=chance.hex(64),
            legacy_api_key=f"ap_{chance.hex(32)}",
            legacy_api_secret=chance.hex(64),
            skinsback_client_id=chance.digits(5),
            skinsback_client_secret=chance.hex(40),
            mannco_api_key=chance.hex(48),
            mannco_jwt_secret=chance.hex(64),
        )


@dataclass(frozen=True, slots=True)
class ForcedError:
    """The error that a trade token names; ``second`` selects the second meaning of the code."""

    code: int
    second: bool = False


def error_token(code: int, *, second: bool = False) -> str:
    """Return the trade token that makes every provider answer with ``code``."""
    letter = "N" if code < 0 else "F" if second else "E"
    return f"{letter}{abs(code):07d}"


def forced_error(token: str) -> ForcedError | None:
    """Return the error that a trade token names, or None for an ordinary token."""
    match = _ERROR_TOKEN.fullmatch(token)
    if match is None:
        return None
    number = int(match[2])
    return ForcedError(-number if match[1] == "N" else number, second=match[1] == "F")


class World:
    """The data of the simulated providers. Only the lists of trades and ``resend_answers`` change.

    ``now`` is the servers' clock. ``trades`` are those of Mannco.store, ``legacy_trades`` those of api.assetpay.co,
    ``deposits`` those of SkinsBack. ``resend_answers`` has, by trade id, the answers of resends that are not answered
    as documented.
    """

    def __init__(self, *, seed: int = 2026, now: Now = _utc_now) -> None:
        self.seed = seed
        self.now = now
        self.credentials = Credentials.invented(Chance(seed, "credentials"))
        maker = PersonMaker(seed)
        every_game = {Game.CS2: 64, Game.RUST: 18, Game.DOTA2: 14}
        self.customer = maker.person("Mia", "a customer with a big inventory in every game", owns=every_game)
        self.other_customer = maker.person(
            "Jonas", "a customer with some CS2 and Rust", owns={Game.CS2: 12, Game.RUST: 9}
        )
        self.collector = maker.person("Ada", "a collector, mostly of Dota 2", owns={Game.CS2: 3, Game.DOTA2: 40})
        self.unlucky = maker.person("Noor", "resends of their trades go wrong in every way", owns={Game.CS2: 5})
        self.hostile = maker.hostile("Eve", "items and errors named to do harm")
        self.empty = maker.person("Emil", "an empty inventory", owns=dict.fromkeys(every_game, 0))
        self.private = maker.person("Priya", "a private inventory", Condition.PRIVATE)
        self.trade_banned = maker.person("Bruno", "an account that may not trade", Condition.TRADE_BANNED)
        self.steam_down = maker.person("Stella", "Steam cannot serve the inventory", Condition.STEAM_DOWN)
        self.rate_limited = maker.person("Rafa", "Steam is limiting inventory reads", Condition.STEAM_BUSY)
        self.no_bots = maker.person("Nils", "no bots are online", Condition.NO_BOTS)
        self.fleet_degraded = maker.person("Flora", "the bot fleet is degraded", Condition.FLEET_DEGRADED)
        self.undocumented = maker.person("Uma", "an error that nobody documented", Condition.UNDOCUMENTED)
        self.hanging = maker.person("Hana", "the provider never answers", Condition.HANGS)
        self.html = maker.person("Otto", "a proxy's page instead of an answer", Condition.HTML)
        self.escrowed = maker.person("Tomas", "an account without a mobile authenticator", Condition.ESCROW)
        self.people = tuple(maker.made)
        self.trades: list[WorldTrade] = []
        self.assetpay_trades: list[AssetPayTrade] = []
        self.legacy_trades: list[AssetPayTrade] = []
        self.deposits: list[SkinsBackDeposit] = []
        self.resend_answers: dict[int, ResendAnswer] = {}
        self._make_trades()
        self._make_deposits()

    def person(self, steam_id: SteamId) -> Person | None:
        """Return the person with this SteamID."""
        return next((person for person in self.people if person.steam_id == steam_id), None)

    def trade(self, trade_id: int) -> WorldTrade | None:
        """Return the trade with this id."""
        return next((trade for trade in self.trades if trade.id == trade_id), None)

    def trades_of(self, person: Person) -> tuple[WorldTrade, ...]:
        """Return the person's trades, the resendable ones first."""
        return tuple(trade for trade in self.trades if trade.user == person.steam_id)

    @property
    def held_deposit(self) -> AssetPayTrade:
        """The customer's deposit on hold at AssetPay, credited in part."""
        return next(trade for trade in self.assetpay_trades if trade.owner is self.customer)

    @property
    def others_deposit(self) -> SkinsBackDeposit:
        """The other customer's deposit on hold at SkinsBack."""
        return next(deposit for deposit in self.deposits if deposit.owner == self.other_customer.steam_id)

    def error_trade_url(self, code: int, *, second: bool = False) -> str:
        """Return a trade URL that every inventory provider answers with ``code``."""
        return trade_url(_ERROR_ACCOUNT, error_token(code, second=second))

    def _make_trades(self) -> None:
        for number, person in enumerate((self.customer, self.other_customer, self.collector)):
            maker = self._trade_maker(person, number)
            self.trades += maker.every_status(Game.RUST if person is self.other_customer else Game.CS2)
            self.trades += maker.history(40 if person is self.customer else 6)
        self._make_unlucky_trades()
        self._make_hostile_trades()

    def _make_unlucky_trades(self) -> None:
        maker = self._trade_maker(self.unlucky, 3)
        for number, answer in enumerate(ResendAnswer):
            trade = maker.trade(-1, "out", "Steam is not available (20)", age=timedelta(minutes=40 + 5 * number))
            self.trades.append(trade)
            self.resend_answers[trade.id] = answer

    def _make_hostile_trades(self) -> None:
        maker = self._trade_maker(self.hostile, 4)
        for number, last_error in enumerate((HOSTILE_NAME, f"Bad trade URL {self.hostile.trade_url}", "x" * 3000)):
            age = timedelta(minutes=10 + number)
            self.trades.append(maker.trade(-1, "out", last_error, age=age, size=(1, 60, 2)[number]))

    def _trade_maker(self, person: Person, number: int) -> TradeMaker:
        chance = Chance(self.seed, "trades", number)
        return TradeMaker(chance, person.steam_id, first_id=480101 + 100 * number, now=self.now())

    def _make_deposits(self) -> None:
        """Make deposits and withdrawals of every state, also of states and with texts that no provider documents."""
        now = self.now()
        people = ((self.customer, "rub"), (self.other_customer, "usd"), (self.collector, "eur"), (self.hostile, "usd"))
        for number, (person, currency) in enumerate(people):
            chance = Chance(self.seed, "deposits", number)
            maker = ItemMaker(chance, person.steam_id)
            items = {Game.CS2: maker.accepted(Game.CS2, 14), Game.RUST: maker.accepted(Game.RUST, 8)}
            assetpay = AssetPayTradeMaker(chance, person, items, first_order=20417 + 100 * number, now=now)
            legacy = AssetPayTradeMaker(chance, person, items, first_order=18117 + 100 * number, now=now)
            skinsback = SkinsBackDepositMaker(
                chance, person.steam_id, items[Game.CS2], first=431 + 100 * number, currency=currency, now=now
            )
            if person is self.hostile:
                self.assetpay_trades += assetpay.hostile()
                self.deposits += skinsback.hostile()
                continue
            self.assetpay_trades += assetpay.every_status()
            self.legacy_trades += legacy.every_legacy_status()
            self.deposits += skinsback.every_status()
            if person is self.collector:
                self.assetpay_trades += assetpay.every_error()
            if person is self.other_customer:
                self.assetpay_trades.append(assetpay.trade("deposit", UNDOCUMENTED_STATUS))
                self.legacy_trades.append(legacy.trade("deposit", UNDOCUMENTED_STATUS.upper()))
                self.deposits.append(skinsback.deposit(UNDOCUMENTED_STATUS))
                ownerless = SkinsBackDepositMaker(chance, None, items[Game.CS2], first=900, currency="usd", now=now)
                self.deposits.append(ownerless.deposit("pending"))
