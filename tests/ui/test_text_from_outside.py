"""Untrusted text stays text in every embed, judged by SimCord's reader of markdown.

Each page is rendered twice: with hostile texts, and with harmless ones in their places. The markup, links and mentions
of both must be the same. 500 cases here; 20,000 with ``--hypothesis-profile=nightly``.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

import discord
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as altered
from simcord.types import HttpLogEntry

from bot.domain.customers import Customer, CustomerKey, NoteList
from bot.domain.errors import ProviderError, ResendAlreadyOpen, SkinDeskError, TradeNotFound
from bot.domain.failures import Failure, FailureKind, ProviderName, TradeUrlCheck
from bot.domain.inventory import InventoryFilter, Refusal, Sticker
from bot.domain.links import Holder, Link, LinkSource
from bot.domain.money import Money
from bot.domain.notes import NOTES_AT_MOST, Note
from bot.domain.references import ErrorReference
from bot.domain.resends import CardContext, Outcome, ResendState, TradeFacts
from bot.domain.secrets import TradeCode
from bot.domain.snapshots import Audience, InventoryAnswer, Listing, ProviderAnswer, TradesPart
from bot.domain.steam import Game
from bot.domain.trades import Direction, TradeItem, TradeReference, TradeState, UnreadRow
from bot.providers.explanations import Catalogue
from bot.services.trade_context import TradeContext
from bot.ui.customer.page import customer_page, notes_page
from bot.ui.errors import error_embed
from bot.ui.explain import explanation_embed
from bot.ui.inventory.details import item_details
from bot.ui.inventory.page import inventory_page
from bot.ui.kit import text as kit_text
from bot.ui.kit.layout import page_at
from bot.ui.kit.text import utf16_length
from bot.ui.meanings import answer, answer_to_message
from bot.ui.references import reference_page
from bot.ui.resends.card import outcome_embed, resend_card
from bot.ui.trades.page import TRADES_A_PAGE, trade_details, trades_page
from tests.domain.builders import BOT, NOW, OWNER, inventory, item, resend, trade, trades_answer
from tests.support.hostile_text import rendered, very_hostile
from tests.support.payload_audit import audit_requests

CATALOGUE = Catalogue.load()
SEVERAL = CATALOGUE.find("7")
STATUSES = (0, 3, -1, -12, 1, 2, 7, 99)
HARMLESS = re.compile(r"\s*|[0-9]{1,20}")
"""Harmless texts that may change a page: nothing, white space, a number."""
ALMOST_FULL = 3_500
TEXT = {"paragraph", "inline", "text"}

Embeds = Iterator[discord.Embed]


@dataclass(frozen=True)
class Source:
    """Provides the texts and the choices of a case."""

    texts: tuple[str, ...]
    choice: int

    def text(self, place: int) -> str:
        return self.texts[place % len(self.texts)]

    def pick(self, count: int, index: int = 0) -> int:
        return (self.choice >> (3 * index)) % count


def items(source: Source, audience: Audience) -> Embeds:
    """Render the pages of an inventory and the details of its items, from one provider or several."""
    found = [
        item(
            source.text(number),
            "10.75" if source.pick(2, number) else None,
            id=f"{number}",
            refusal=None if source.pick(2, number) else tuple(Refusal)[source.pick(len(Refusal), number)],
            market_hash_name=source.text(number + 1) if source.pick(3) else None,
            kind=source.text(number + 2),
            exterior=source.text(number + 3),
            rarity=source.text(number + 2),
            stickers=(Sticker(source.text(number), 0, None),),
            amount=1 + source.pick(3, number),
        )
        for number in range(1 + source.pick(4))
    ]
    parts = [
        ProviderAnswer(
            ProviderName.ASSETPAY,
            inventory=inventory(*found, owner_certain=source.pick(2) == 0, request_id=source.text(1)),
        )
    ]
    if source.pick(2, 2):
        other = replace(inventory(*found[1:]), provider=ProviderName.SKINSBACK)
        parts.append(ProviderAnswer(ProviderName.SKINSBACK, inventory=other))
        failure = Failure(ProviderName.ASSETPAY_LEGACY, FailureKind.REFUSED, key=source.text(3), message=source.text(1))
        parts.append(ProviderAnswer(ProviderName.ASSETPAY_LEGACY, failure=failure, reference="a1b2c3"))
    view = InventoryFilter(search=source.text(2) or None)
    answer = InventoryAnswer(OWNER, Game.CS2, view, tuple(parts), linked_user_id=5)
    listing = Listing.of(answer, None)  # a search would match the one and not the other
    for index in range(page_at(listing.shown, 0, 8).count):
        yield inventory_page(listing, page_at(listing.shown, index, 8), explanations=CATALOGUE)
    for row in listing.rows:
        yield item_details(listing, row, audience=audience)


def trades(source: Source, audience: Audience) -> Embeds:
    """Render the pages of a list of trades of all providers."""
    found = tuple(
        altered(
            trade(
                id=480101 + number,
                status=STATUSES[source.pick(len(STATUSES), number)],
                items_send=(source.text(number), source.text(number + 1)) if source.pick(3, number) else (),
                offer_id=source.text(number + 2),
                last_error=source.text(number + 3),
                code=TradeCode(source.text(number)) if source.text(number) else None,
            ),
            **elsewhere(source, number) if source.pick(2, number) else {},
        )
        for number in range(source.pick(4))
    )
    failure = Failure(ProviderName.ASSETPAY, FailureKind.REFUSED, key=source.text(3), message=source.text(1))
    unread = (UnreadRow(source.text(2)),)
    answer = replace(
        trades_answer(*found, of=OWNER if source.pick(2) else None),
        parts=(
            TradesPart(ProviderName.ASSETPAY, failure=failure, reference="a1b2c3"),
            TradesPart(ProviderName.SKINSBACK, unread=unread, is_cut=True, since=NOW),
            TradesPart(ProviderName.MANNCO, is_full=source.pick(2, 1) == 1),
        ),
        reference=TradeReference(source.text(1)) if source.pick(2, 3) else None,
    )
    for index in range(page_at(found, 0, TRADES_A_PAGE).count):
        page = page_at(range(len(found)), index, TRADES_A_PAGE)
        yield trades_page(answer, page, audience=audience, explanations=CATALOGUE)
    for each in found:
        yield trade_details(each, answer, TradeContext(), audience=audience, explanations=CATALOGUE)


def elsewhere(source: Source, number: int) -> dict[str, Any]:
    """Return the facts that only other providers than Mannco.store name."""
    item = TradeItem(source.text(number), source.text(1), None, source.text(2), source.text(number + 3))
    return {
        "provider": (ProviderName.ASSETPAY_CLIENT, ProviderName.SKINSBACK)[source.pick(2, number + 1)],
        "id": source.text(number + 1) or "1",
        "status": source.text(number + 2) or "1",
        "state": tuple(TradeState)[source.pick(len(TradeState), number)],
        "direction": tuple(Direction)[source.pick(3, number)],
        "to_customer": (item,),
        "from_customer": (item, TradeItem(source.text(number + 1))),
        "shop_reference": source.text(number),
        "bot_name": source.text(number + 3),
        "reverted_by": source.text(number + 1),
        "total": Money(Decimal("10.75"), source.text(2) or "USD"),
    }


def errors(source: Source, audience: Audience) -> Embeds:
    """Render errors with untrusted text, and explanations."""
    facts = ((source.text(0), source.text(1)),)
    failure = Failure(
        ProviderName.ASSETPAY,
        tuple(FailureKind)[source.pick(len(FailureKind))],
        code=33 if source.pick(2, 3) else None,
        key=source.text(0),
        message=source.text(1),
        request_id=source.text(2),
        place=source.text(3),
        took=timedelta(seconds=1),
        details=facts,
        trade_url_check=TradeUrlCheck(source.text(2) or "5", facts) if source.pick(2, 4) else None,
    )
    raised: tuple[SkinDeskError, ...] = (
        ProviderError(failure),
        TradeNotFound(source.text(1)),
        ResendAlreadyOpen(480101, resend(reason=source.text(2))),
    )
    error = raised[source.pick(len(raised), 1)]
    yield error_embed(error, audience=audience, explanations=CATALOGUE, reference="a1b2c3")
    unknown = CATALOGUE.explain(replace(failure, kind=FailureKind.REFUSED))
    yield explanation_embed(unknown, audience=audience)
    found = ((), SEVERAL, (unknown,), (unknown, *SEVERAL))[source.pick(4, 2)]
    reader: Any = {"audience": audience, "explanations": CATALOGUE}
    yield answer(found, asked=source.text(0), provider_named=False, near=SEVERAL[:2], **reader)[0]
    yield answer_to_message(found, said=source.text(1), **reader)[0]
    kept = ErrorReference(
        1, "a1b2c3", 2, NOW, source.text(1), "OddError", "⛔ Refused", (failure, None)[source.pick(2, 4)]
    )
    yield reference_page(kept, explanations=CATALOGUE)[0]


def notes(source: Source, audience: Audience) -> Embeds:
    """Render the card of a resend and the message about its outcome."""
    del audience  # every audience sees the same
    facts = TradeFacts(
        -1,
        (source.text(0),) * 3,
        (source.text(1),) * source.pick(2),
        source.text(2),
        source.text(3),
        None,
        NOW,
        Game.CS2,
        BOT,
    )
    denied = resend(state=ResendState.DENIED, decided_by=7, settled_at=NOW, decision_reason=source.text(3))
    ended = resend(
        state=tuple(ResendState)[source.pick(len(ResendState))],
        facts=facts,
        reason=source.text(1),
        decided_by=7,
        decided_at=NOW,
        decision_reason=source.text(2),
        outcome=tuple(Outcome)[source.pick(len(Outcome), 1)],
        outcome_detail=source.text(3),
        notes=(source.text(0), "restarted", source.text(1)),
        asked_facts=replace(facts, status=4),
        context=CardContext(None, (denied,) * 3, (denied,) * 3),
    )
    yield resend_card(ended, CATALOGUE)
    yield outcome_embed(ended, reader=0, code=TradeCode("ABCDEFGH"))


def customers(source: Source, audience: Audience) -> Embeds:
    """Render the page about a customer, and all notes on them."""
    del audience  # only staff see it
    states = tuple(ResendState)
    asked = [
        resend(
            id=number,
            state=states[source.pick(len(states), number)],
            reason=source.text(number),
            decided_by=7,
            decided_at=NOW,
            decision_reason=source.text(number + 1),
            message_id=5,
        )
        for number in range(3)
    ]
    key = CustomerKey(5, OWNER)
    kept = [
        Note(number, 1, (5, None, 6)[number % 3], OWNER, 7 + number, source.text(number), NOW)
        for number in range(NOTES_AT_MOST)
    ]
    shown = NoteList(key, tuple(kept), frozenset({1}), hides_authors=source.pick(2) == 1)
    trades = [trade(id=number, status=STATUSES[source.pick(len(STATUSES), number)]) for number in range(5)]
    customer = Customer(
        key=key,
        link=Link(1, 5, OWNER, LinkSource.STAFF, 5 + source.pick(2), NOW, NOW + timedelta(hours=1)),
        holders=frozenset({Holder(6, OWNER), Holder(5, BOT)}),
        answer=replace(trades_answer(*trades), trades=(*trades, trade(id=9, status=source.text(3)))),
        resends=tuple(asked),
        notes=shown,
        errors=(ErrorReference(1, "a1b2c3", 5, NOW, "trades", "NotLinked", source.text(1)),),
        views=(),
        may_ask=True,
        read_at=NOW,
    )
    yield customer_page(customer, reader_id=7, explanations=CATALOGUE)
    yield notes_page(shown, reader_id=7)


PAGES: dict[str, Callable[[Source, Audience], Embeds]] = {
    "items": items,
    "trades": trades,
    "errors": errors,
    "notes": notes,
    "customers": customers,
}


def harmless(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return harmless texts instead; equal texts stay equal."""
    names = {text: f"x{number}" for number, text in enumerate(dict.fromkeys(texts))}
    return tuple(text if HARMLESS.fullmatch(text) else names[text] for text in texts)


def places(embed: discord.Embed) -> dict[str, str]:
    """Return every text of an embed that is rendered as markdown."""
    texts = {"title": embed.title or "", "description": embed.description or ""}
    for number, each in enumerate(embed.fields):
        texts |= {f"name {number}": each.name or "", f"value {number}": each.value or ""}
    return texts


def audited(embed: discord.Embed) -> list[str]:
    body = {"embeds": [embed.to_dict()], "allowed_mentions": {"parse": []}}
    return audit_requests([HttpLogEntry("POST", "/channels/1/messages", {}, body, None)])


def acted_on(text: str) -> Counter[str]:
    """Count the markup, links and mentions in a text."""
    return Counter(kind for kind in rendered(text)[0] if kind not in TEXT)


@pytest.fixture(scope="module", autouse=True)
def cleaned_once() -> Iterator[None]:
    """A page shows the same long text in many places. Cleaning it again for each takes half of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kit_text, "_fitted", lru_cache(kit_text._fitted))
        yield


@settings(
    max_examples=max(500, settings.default.max_examples if settings.default else 0),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
@given(
    kind=st.sampled_from(sorted(PAGES)),
    texts=st.tuples(very_hostile, very_hostile, very_hostile, very_hostile),
    choice=st.integers(0, 2**24),
    audience=st.sampled_from(Audience),
)
def test_only_own_markup(kind: str, texts: tuple[str, ...], choice: int, audience: Audience) -> None:
    """No mention, link, timestamp, command or markup comes from untrusted text, and none of SkinDesk's is lost."""
    hostile = list(PAGES[kind](Source(texts, choice), audience))
    twins = list(PAGES[kind](Source(harmless(texts), choice), audience))

    assert len(hostile) == len(twins)
    for embed, twin in zip(hostile, twins, strict=True):
        assert audited(embed) == []
        own = places(twin)
        for place, text in places(embed).items():
            found, expected = acted_on(text), acted_on(own[place])
            assert found - expected == Counter()
            if utf16_length(text) < ALMOST_FULL:
                assert expected - found == Counter()


@pytest.mark.parametrize("kind", PAGES)
def test_pages_have_own_markup(kind: str) -> None:
    """Each kind of page has markup of its own and shows untrusted text, so the comparison means something."""
    seen = [
        place
        for choice in range(0, 2**12, 37)
        for embed in PAGES[kind](Source(("alpha", "beta", "gamma", "delta"), choice), Audience.STAFF)
        for place in places(embed).values()
    ]

    assert any(acted_on(text) for text in seen)
    for text in ("alpha", "beta", "gamma", "delta"):
        assert any(text in place for place in seen)
