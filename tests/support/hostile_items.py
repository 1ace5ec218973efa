"""Strategies for hostile items, filters and failures, and an audit of the answers."""

import discord
from hypothesis import strategies as st
from simcord.types import HttpLogEntry

from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.inventory import InventoryFilter, Item, Refusal, Sort, Sticker
from bot.domain.money import Money
from tests.support.hostile_text import hostile, varied
from tests.support.payload_audit import audit_requests

texts = varied(hostile | st.text(max_size=300)) | st.just("")
amounts = st.decimals(0, 10**7, places=2)
monies = st.builds(Money, amounts, st.sampled_from(["USD", "EUR", "RUB", "@e*y"]))
stickers = st.builds(Sticker, texts, st.none() | st.integers(0, 9), st.none() | st.decimals(0, 1, places=4))

hostile_items = st.builds(
    Item,
    id=texts,
    name=texts,
    refusal=st.none() | st.sampled_from(Refusal),
    market_hash_name=st.none() | texts,
    kind=st.none() | texts,
    tradable=st.none() | st.booleans(),
    offer=st.none() | monies,
    market_price=st.none() | monies,
    exterior=st.none() | texts,
    wear=st.none() | st.decimals(0, 1, places=6),
    rarity=st.none() | texts,
    colour=st.none() | st.integers(-1, 2**25),
    paint_seed=st.none() | st.integers(0, 2**63),
    inspect_certificate=st.none() | texts,
    icon_hash=st.none() | texts,
    stickers=st.lists(stickers, max_size=6).map(tuple),
    amount=st.integers(1, 10**6),
    max_amount=st.none() | st.integers(1, 10**6),
)
filters = st.builds(
    InventoryFilter,
    st.none() | hostile.map(lambda text: text[:100]),
    st.sampled_from(Sort),
    st.none() | amounts,
    st.none() | amounts,
)
failures = st.builds(
    Failure,
    st.sampled_from([ProviderName.ASSETPAY_LEGACY, ProviderName.SKINSBACK]),
    st.sampled_from(FailureKind),
    st.none() | st.integers(-10, 2000),
    st.none() | hostile,
    st.none() | hostile,
)


def violations(embed: discord.Embed, view: discord.ui.View | None = None) -> list[str]:
    """Return the violations in a message of these."""
    body = {"embeds": [embed.to_dict()], "allowed_mentions": {"parse": []}}
    if view is not None:
        body["components"] = view.to_components()
    return audit_requests([HttpLogEntry("POST", "/channels/1/messages", {}, body, None)])
