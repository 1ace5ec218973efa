"""Pages that the demo's desk does not come by: every error, every state of a request, every status of a trade."""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from typing import Any

import discord
from discord.utils import utcnow
from msgspec.structs import replace as altered

from bot.domain import errors
from bot.domain.access import Capability, Grant
from bot.domain.access_doctor import RoleFacts, Source, examine
from bot.domain.errors import AccessDenied, InvalidInput, ProviderError, SkinDeskError, TradeUrlRejected
from bot.domain.failures import Failure, FailureKind, ProviderName, TradeUrlCheck
from bot.domain.health import DatabaseFault, ProviderHealth, ProviderState, Quota
from bot.domain.inventory import InventoryFilter, MerchantPrice, Refusal
from bot.domain.links import Link, LinkSource
from bot.domain.resends import (
    ApproverRefusal,
    ResendPause,
)
from bot.domain.secrets import SignInAddress
from bot.domain.snapshots import Audience, InventoryAnswer, Listing, ProviderAnswer, TradesAnswer, TradesPart
from bot.domain.steam import Game, TradeUrlProblem
from bot.domain.trades import (
    Direction,
    KeyLimit,
    NotAsked,
    NotResendableReason,
    Scope,
    Trade,
    TradeReference,
    TradeState,
    UnreadRow,
)
from bot.providers.explanations import Catalogue
from bot.providers.skinsback_deposits import deposit_from
from bot.services.access import Review
from bot.services.sign_in import StartedSignIn
from bot.services.trade_context import TradeContext
from bot.ui.access import list_embed
from bot.ui.errors import INPUT_PROBLEMS, error_embed
from bot.ui.inventory.details import item_details
from bot.ui.inventory.page import inventory_page
from bot.ui.kit.layout import page_at
from bot.ui.links import signed_in_embed, start_embed, used_embed
from bot.ui.roles import RoleNames
from bot.ui.trades.page import TRADES_A_PAGE, trade_details, trades_page
from cogs.status import _status_embed
from tests.domain.builders import BOT, OWNER, inventory, item, rub, trade, trades_answer, usd
from tests.snapshots.resends_by_hand import a_resend, resend_states
from tests.snapshots.shot import Shot
from tests.ui.test_trades_page import WORDS, at

_CATALOGUE = Catalogue.load()
_STATUSES = (0, 3, -1, -11, -12, 1, 2, 4, 5, 6, 7, 8, 9, 10, 99)
_NAMES = {100: "@requester", 200: "@moderator", 300: "@owner", 5: "@somebody"}


def built() -> Iterator[Shot]:
    """Return every shot that needs no Discord."""
    yield from _refusals()
    yield from _database_faults()
    yield from _failures()
    yield from _trades()
    yield from _inventories()
    yield from resend_states()
    yield from _pauses()
    yield from _sign_in()
    yield from _rights()
    yield from _states()


def _shot(page: str, situation: str, reader: str, embed: discord.Embed, *, names: Mapping[int, str] = _NAMES) -> Shot:
    return Shot(page, situation, reader, [embed], names=names)


def _arguments() -> dict[str, object]:
    pending = a_resend()
    return {
        "problem": "unknown",
        "capability": Capability.TRADES_ANY,
        "user_id": 5,
        "until": utcnow() + timedelta(hours=2),
        "trade_id": "480101",
        "fault": DatabaseFault.FULL,
        "may_be_done": False,
        "was_sent": True,
        "limit": None,
        "left_out": 1,
        "provider": ProviderName.MANNCO,
        "game": Game.DOTA2,
        "trade": trade(),
        "reason": ApproverRefusal.REQUESTER,
        "resend": pending,
        "differences": ("status", "last_error"),
        "pause": ResendPause(guild_id=1, by=5, at=utcnow() - timedelta(hours=1)),
    }


def _refusals() -> Iterator[Shot]:
    """Each error of the desk once, those with kinds once for each."""
    for capability in Capability:
        yield _error(f"AccessDenied, {capability.value}", AccessDenied(capability))
    for problem in TradeUrlProblem:
        for audience in Audience:
            yield _error(f"TradeUrlRejected, {problem.value}", TradeUrlRejected(problem), audience)
    options = {"empty": "reference", "trade_url": "reference", "not_a_number": "reference", "other_account": "tradeurl"}
    for wrong in (*INPUT_PROBLEMS, "not_linked", "new"):
        yield _error(f"InvalidInput, {wrong}", InvalidInput(options.get(wrong, "steam_id"), wrong))
    for reason in NotResendableReason:
        yield _error(f"NotResendable, {reason.value}", errors.NotResendable(trade(), reason))
    for refusal in ApproverRefusal:
        yield _error(f"MayNotDecide, {refusal.value}", errors.MayNotDecide(refusal))
    done = {AccessDenied, TradeUrlRejected, InvalidInput, errors.NotResendable, errors.MayNotDecide, ProviderError}
    arguments = _arguments()
    for name, kind in inspect.getmembers(errors, inspect.isclass):
        if not issubclass(kind, SkinDeskError) or kind in done | {errors.TooSoon}:
            continue
        initialised = next(base for base in kind.__mro__ if "__init__" in vars(base))
        wanted = list(inspect.signature(kind).parameters) if issubclass(initialised, SkinDeskError) else []
        yield _error(name, kind(**{each: arguments[each] for each in wanted}))
    elsewhere = altered(trade(), provider=ProviderName.ASSETPAY, direction=Direction.DEPOSIT)
    for audience in Audience:
        yield _error(
            "NotResendable, of AssetPay", errors.NotResendable(elsewhere, NotResendableReason.NO_RESEND), audience
        )
        yield _error("TradeNotFound, not visible", errors.TradeNotFound("480101", KeyLimit(BOT)), audience)
    yield _error("an error that nobody expected", RuntimeError("boom"))


def _database_faults() -> Iterator[Shot]:
    for fault in DatabaseFault:
        yield _error(f"DatabaseUnavailable, {fault.value}", errors.DatabaseUnavailable(fault), Audience.STAFF)
    after_a_change = errors.DatabaseUnavailable(DatabaseFault.FULL, may_be_done=True)
    yield _error("DatabaseUnavailable, after a change", after_a_change)


def _error(situation: str, error: Exception, audience: Audience = Audience.CUSTOMER) -> Shot:
    embed = error_embed(error, audience=audience, explanations=_CATALOGUE, reference="a1b2c3")
    page = "failures" if isinstance(error, ProviderError) else "errors"
    reader = (
        audience.value
        if isinstance(error, ProviderError | errors.ResendsPaused | errors.TradeNotFound | TradeUrlRejected)
        or "of AssetPay" in situation
        or audience is Audience.STAFF
        else "everybody"
    )
    return _shot(page, situation, reader, embed)


def _failures() -> Iterator[Shot]:
    """Each way in which a provider can fail, for customers and for staff."""
    samples = [
        Failure(ProviderName.ASSETPAY, kind, place="items[3].price", retry_after=timedelta(minutes=2))
        for kind in FailureKind
        if kind is not FailureKind.REFUSED
    ]
    samples.append(
        Failure(
            ProviderName.SKINSBACK,
            FailureKind.REFUSED,
            code=33,
            key=None,
            message="words of the provider",
            http_status=200,
            request_id="0a1b2c3d4e5f",
            took=timedelta(seconds=1.2),
        )
    )
    samples.append(Failure(ProviderName.ASSETPAY, FailureKind.REFUSED, code=999_999, message="nobody documented it"))
    check = TradeUrlCheck("9", (("reason.escrowDays", "15"),))
    samples.append(
        Failure(ProviderName.ASSETPAY, FailureKind.REFUSED, code=7, key="USER_NOT_TRADEABLE", trade_url_check=check)
    )
    for failure in samples:
        for audience in Audience:
            situation = failure.kind.value + (f" {failure.code}" if failure.code else "")
            yield _error(situation, ProviderError(failure), audience)


def _trades() -> Iterator[Shot]:
    for status in _STATUSES:
        yield from _listed(f"status {status}", status=status)
    yield from _listed("a failed deposit", items_send=(), items_received=("1", "2"))
    yield from _listed("no items", items_send=())
    for scope in Scope:
        for full in (False, True):
            none = trades_answer(scope=scope, read_at=utcnow(), is_full=full)
            yield from _trades_pages(f"none, {scope.value}{', past the window' if full else ''}", none)
    facts: dict[str, Any]
    for situation, facts in (
        ("the key sees one account", {"limit": KeyLimit(BOT)}),
        ("the key does not say what it sees", {"limit": KeyLimit(None)}),
        ("a row that cannot be read", {"unread": ("content.trades[3].user",)}),
    ):
        yield from _trades_pages(f"none, {situation}", trades_answer(read_at=utcnow(), **facts))
    for situation, limit in (
        ("the key sees one account", KeyLimit(OWNER)),
        ("accounts have to be named", KeyLimit(OWNER, per_account=True)),
    ):
        everyones = trades_answer(_recent(), of=None, read_at=utcnow(), limit=limit)
        yield from _trades_pages(f"everyone's, {situation}", everyones)
    yield from _trades_elsewhere()


def _trades_elsewhere() -> Iterator[Shot]:
    """Each status word of AssetPay and SkinsBack, and what their parts of an answer say."""
    now = utcnow()
    times = {"created_at": now - timedelta(days=2), "shop_reference": "dep_123", "bot_name": "b1"}
    amounts = {"total": usd("10.75"), "credited_now": usd("8.60"), "credited_later": usd("2.15")}
    for provider, rows in groupby(WORDS, key=lambda row: row[0]):
        for _, word, direction, state, *_ in rows:
            hold = {"hold_ends": now + timedelta(days=5)} if state is TradeState.HELD else {}
            one: Trade | UnreadRow = at(provider, word, state, direction, **times, **amounts, **hold)
            if provider is ProviderName.SKINSBACK:
                row: dict[str, Any] = {
                    "status": word,
                    "transaction_id": 678431,
                    "order_id": "dep_123",
                    "steam_id": str(OWNER),
                }
                if word in ("in_hold", "hold_approved", "success"):
                    row |= {"amount": "11.20", "user_amount": "10.75", "amount_currency": "usd"}
                row |= {"date": int(now.timestamp()) - 180_000, "skins_send_date": int(now.timestamp()) - 90_000}
                one = deposit_from(row, "", print)
            assert isinstance(one, Trade)
            answer = trades_answer(one, read_at=now)
            for audience in Audience:
                embed = trade_details(one, answer, TradeContext(), audience=audience, explanations=_CATALOGUE)
                yield _shot("trade_words", f"{provider.value}: {word}", audience.value, embed)
    failure = Failure(ProviderName.SKINSBACK, FailureKind.TIMED_OUT)
    parts = (
        TradesPart(ProviderName.MANNCO),
        TradesPart(ProviderName.ASSETPAY, not_asked=NotAsked.REFERENCE),
        TradesPart(ProviderName.ASSETPAY_CLIENT, not_asked=NotAsked.TRADE_URL),
        TradesPart(ProviderName.SKINSBACK, since=now - timedelta(days=14)),
    )
    late = (*parts[:3], TradesPart(ProviderName.SKINSBACK, failure=failure, reference="a1b2c3"))
    searched = (parts[0], TradesPart(ProviderName.ASSETPAY, knows_offers=False), *late[2:])
    wanted = TradeReference("9088123456")
    for situation, answer in (
        ("beside a provider that needs the trade URL", replace(trades_answer(_recent(), read_at=now), parts=parts)),
        ("beside a failed provider", replace(trades_answer(_recent(), read_at=now), parts=late)),
        ("none, a provider needs the trade URL", replace(trades_answer(read_at=now), parts=parts)),
        ("a number that is not found", replace(trades_answer(read_at=now), parts=searched, reference=wanted)),
    ):
        yield from _trades_pages(situation, answer, "trade_words")


def _listed(situation: str, **facts: object) -> Iterator[Shot]:
    """Return a page of one trade with these facts."""
    yield from _trades_pages(situation, trades_answer(_recent(**facts), read_at=utcnow()))


def _recent(**facts: object) -> Trade:
    return trade(created_at=utcnow() - timedelta(hours=3), **facts)


def _trades_pages(situation: str, answer: TradesAnswer, file: str = "trade_statuses") -> Iterator[Shot]:
    for audience in Audience:
        embed = trades_page(
            answer, page_at(answer.positions(None), 0, TRADES_A_PAGE), audience=audience, explanations=_CATALOGUE
        )
        yield _shot(file, situation, audience.value, embed)


def _inventories() -> Iterator[Shot]:
    some = (item(), item("M4A4 | Howl", "1200.00", wear=0.0412), item("Sticker", None, refusal=Refusal.NO_OFFER))
    partial = replace(inventory(*some), total=1200, updated_at=utcnow())
    uncertain = replace(inventory(*some), owner_certain=False, updated_at=utcnow())
    for situation, one in (("partial", partial), ("a fixed client token", uncertain)):
        answer = InventoryAnswer(
            owner=OWNER,
            linked_user_id=None,
            game=Game.CS2,
            filter=InventoryFilter(),
            answers=(ProviderAnswer(ProviderName.ASSETPAY, inventory=one),),
        )
        listing, soon = Listing.of(answer, None), utcnow() + timedelta(minutes=2)
        embed = inventory_page(listing, page_at(listing.shown, 0, 8), explanations=_CATALOGUE, fresh_until=soon)
        yield _shot("inventory", situation, "customer", embed)
    yield from _inventories_at_skinsback()


def _inventories_at_skinsback() -> Iterator[Shot]:
    """What is credited in the same currency as elsewhere, and SkinsBack's own prices; a name has several prices."""
    name, now = "★ Karambit | Doppler (Factory New)", utcnow()
    phases = [item(name, "1100", id="1"), item(name, "5200", id="2"), item(id="3")]
    ours = ProviderAnswer(ProviderName.ASSETPAY, replace(inventory(*phases), updated_at=now))
    dearer = [item(name, "1050", id="1"), item(name, "4900", id="2"), item(offer="11", id="3")]
    prices = {"3": MerchantPrice(usd("9.90"), rub("918.72"))}
    theirs = replace(inventory(*dearer), provider=ProviderName.SKINSBACK, updated_at=now, merchant_prices=prices)
    own = replace(theirs, credits_known=False, merchant_prices={})
    for situation, parts in (
        ("side by side in one currency", (ours, ProviderAnswer(theirs.provider, theirs))),
        ("side by side with own prices", (ours, ProviderAnswer(own.provider, own))),
        ("at SkinsBack, own prices", (ProviderAnswer(own.provider, own),)),
    ):
        for audience in Audience:
            answer = InventoryAnswer(OWNER, Game.CS2, InventoryFilter(), parts)
            listing = Listing.of(answer if audience is Audience.STAFF else answer.without_merchant_prices(), None)
            page = page_at(listing.shown, 0, 8)
            embed = inventory_page(listing, page, explanations=_CATALOGUE, audience=audience)
            yield _shot("inventory", situation, audience.value, embed)
            details = item_details(listing, listing.rows[-1 if len(parts) > 1 else 0], audience=audience)
            yield _shot("item_details", situation, audience.value, details)


def _pauses() -> Iterator[Shot]:
    for situation, pause in (
        ("by an alarm", ResendPause(guild_id=1, by=None, at=utcnow() - timedelta(hours=1), resend_id=41)),
        ("by a restored database", ResendPause(guild_id=1, by=None, at=utcnow() - timedelta(hours=1))),
    ):
        yield _error(f"ResendsPaused {situation}", errors.ResendsPaused(pause), Audience.STAFF)


def _sign_in() -> Iterator[Shot]:
    link = Link(1, 100, OWNER, LinkSource.SIGN_IN, 100, utcnow())
    waiting = replace(link, resends_from=utcnow() + timedelta(hours=72))
    address = SignInAddress("https://desk.example/link/one-time")
    started = StartedSignIn(address=address, expires_at=utcnow() + timedelta(minutes=10))
    for situation, embed in (
        ("start, with sign-in", start_embed(started)),
        ("start, used", used_embed()),
        ("signed in", signed_in_embed(link)),
        ("signed in, waiting", signed_in_embed(waiting)),
    ):
        yield _shot("links", situation, "customer", embed)


def _rights() -> Iterator[Shot]:
    """The warnings about grants."""
    guild, gone, self_assigned = 1, 7, 8
    grants = [
        Grant(guild, guild, Capability.TRADES_ANY),
        Grant(guild, gone, Capability.RESEND_ANY),
        Grant(guild, self_assigned, Capability.APPROVE_RESEND),
    ]
    facts = [RoleFacts(guild, 0), RoleFacts(self_assigned, 1, sources=frozenset({Source.CONNECTION}))]
    names = RoleNames(guild, {self_assigned: "Colour blue"})
    embed = list_embed(Review(tuple(grants), examine(guild, grants, facts)), names, guild)
    seen_as = {self_assigned: "@Colour blue"}
    yield _shot("access", "list, with what is worth a look", "administrator", embed, names=seen_as)


def _states() -> Iterator[Shot]:
    failure = Failure(ProviderName.ASSETPAY, FailureKind.TIMED_OUT)
    quotas = (
        Quota("inventories", 10_000, timedelta(minutes=1), 12, 2_000),
        Quota("resends", 10, timedelta(hours=1), 0, 2, utcnow() + timedelta(minutes=20)),
    )
    health = (
        ProviderHealth(ProviderName.ASSETPAY, ProviderState.WORKING),
        ProviderHealth(ProviderName.SKINSBACK, ProviderState.FAILING, utcnow() - timedelta(minutes=3), failure),
        ProviderHealth(
            ProviderName.MANNCO,
            ProviderState.CIRCUIT_OPEN,
            utcnow() - timedelta(minutes=9),
            failure,
            utcnow() + timedelta(minutes=1),
            quotas,
        ),
    )
    for situation, report in (
        ("every state, with details", health),
        ("no provider", ()),
    ):
        yield _shot("status", situation, "everybody", _status_embed(report, _CATALOGUE))
