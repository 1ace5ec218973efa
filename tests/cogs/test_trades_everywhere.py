"""/trades over all providers through the simulated Discord and the simulated providers. See also test_trades."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import simcord

from bot.demo.providers import faults
from bot.demo.providers.faults import Fault
from bot.demo.providers.server import SimulatedServer
from bot.demo.scene import Scene
from bot.demo.trades import HIDDEN_STATUS
from bot.domain.steam import SteamId
from bot.storage.snapshots import decode
from tests.cogs.test_trades import every_page
from tests.support.seen import text_of
from tests.support.stage import secrets_of

Options = dict[str, object]


async def trades(scene: Scene, actor: simcord.MemberActor, **options: object) -> str:
    """Use /trades and return all its pages."""
    result = await actor.slash(scene.channel, "trades", **options)
    assert result.ephemeral
    return await every_page(actor, result)


def numbers(scene: Scene, *providers: str) -> Iterator[tuple[SteamId | None, str]]:
    """Yield owner and number of every trade at these providers."""
    world = scene.world
    if "mannco" in providers:
        yield from ((each.user, str(each.id)) for each in world.trades if each.status != HIDDEN_STATUS)
    if "assetpay" in providers:
        yield from ((each.owner.steam_id, each.id) for each in (*world.assetpay_trades, *world.legacy_trades))
    if "skinsback" in providers:
        since = scene.clock.now() - timedelta(days=14)
        yield from ((each.owner, each.transaction_id) for each in world.deposits if each.created_at >= since)


EVERYWHERE = ("mannco", "assetpay", "skinsback")


def shown(scene: Scene, text: str) -> set[str]:
    """Return which numbers of trades a text has."""
    words = set(re.findall(r"[0-9a-f-]+", text))
    return {number for _, number in numbers(scene, *EVERYWHERE) if number in words}


@pytest.mark.parametrize(
    ("options", "providers"),
    [
        ({"tradeurl": True}, EVERYWHERE),
        ({}, ("mannco", "skinsback")),
        ({"provider": "assetpay", "tradeurl": True}, ("assetpay",)),
        ({"provider": "skinsback"}, ("skinsback",)),
    ],
)
async def test_own_trades(scene: Scene, options: Options, providers: tuple[str, ...]) -> None:
    """A customer, and an agent who names them, get exactly the customer's trades of the providers asked."""
    customer = scene.world.customer
    own = {number for owner, number in numbers(scene, *providers) if owner == customer.steam_id}
    options = options | {"scope": "all"} | ({"tradeurl": customer.trade_url} if "tradeurl" in options else {})

    assert shown(scene, await trades(scene, scene.customer, **options)) == own
    nobodys = {number for owner, number in numbers(scene, *providers) if owner is None}  # named as unreadable
    assert shown(scene, await trades(scene, scene.agent, member=scene.customer, **options)) - nobodys == own


def references(scene: Scene, *, mine: bool) -> dict[str, str]:
    """Return the numbers, and the shop's numbers, of trades of the customer or of someone else, by their number."""
    world, me = scene.world, scene.world.customer
    mannco = next(each for each in world.trades if (each.user == me.steam_id) is mine and each.offer_id)
    assetpay = next(each for each in world.assetpay_trades if (each.owner is me) is mine and each.shop_reference)
    deposit = next(each for each in world.deposits if each.owner and (each.owner == me.steam_id) is mine)
    return {
        str(mannco.id): str(mannco.id),
        mannco.offer_id: str(mannco.id),
        assetpay.id.upper(): assetpay.id,
        str(assetpay.shop_reference): assetpay.id,
        deposit.transaction_id: deposit.transaction_id,
        deposit.order_id: deposit.transaction_id,
    }


async def test_reference(scene: Scene) -> None:
    """A number is found wherever it belongs, without a trade URL; a customer cannot tell others' from no trade's."""
    for reference, number in references(scene, mine=True).items():
        assert shown(scene, await trades(scene, scene.customer, reference=f"#{reference}")) == {number}, reference

    for reference, number in references(scene, mine=False).items():
        unknown = "5150" if reference.isdigit() else "order-5150"
        hidden, not_there = [await trades(scene, scene.customer, reference=each) for each in (reference, unknown)]
        assert hidden.replace(reference, unknown) == not_there, reference
        assert shown(scene, await trades(scene, scene.agent, reference=reference)) == {number}, reference


async def test_resend(scene: Scene) -> None:
    """A number of a provider without resends is refused with the reason, another's as one that does not exist."""
    mine, theirs = references(scene, mine=True), references(scene, mine=False)
    for reference in [*mine][2:]:
        assert "has no resend" in text_of(await scene.customer.slash(scene.channel, "resend", id=reference))
    for reference in [*theirs][2:]:
        assert "No such trade" in text_of(await scene.customer.slash(scene.channel, "resend", id=reference))
        assert "has no resend" in text_of(await scene.agent.slash(scene.channel, "resend", id=reference))


async def test_tokens_are_kept_nowhere(scene: Scene, tmp_path: Path) -> None:
    """Every option is used by customer and staff: no trade token is in the database. The fixture searches the rest."""
    world, asked = scene.world, [*references(scene, mine=True), *references(scene, mine=False)]
    url, others, odd = world.customer.trade_url, world.other_customer.trade_url, world.error_trade_url(7)
    for options in (
        {"tradeurl": url},
        {"tradeurl": others},
        {"tradeurl": odd},
        {"reference": url},
        {"reference": others, "tradeurl": url},
        {"provider": "assetpay", "tradeurl": url, "scope": "all"},
        *({"reference": each, "tradeurl": url} for each in asked),
    ):
        await trades(scene, scene.customer, **options)
        await trades(scene, scene.agent, **options)
    for named in ({"member": scene.customer, "tradeurl": others}, {"steam_id": others}, {"scope": "all"}):
        await trades(scene, scene.agent, **named)
    for each in (url, *asked):
        await scene.agent.slash(scene.channel, "resend", id=each, reason=url)
    await scene.agent.slash(scene.channel, "inventory", tradeurl=odd, provider="all")
    await scene.client.services.snapshots.saved()

    with closing(sqlite3.connect(tmp_path / "skindesk.db")) as connection:
        answers = [decode(packed) for (packed,) in connection.execute("SELECT answer FROM snapshots")]
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("skindesk.db*")).decode("latin-1") + repr(answers)
    assert len(answers) > len(asked)
    assert [place for place, secret in enumerate((*secrets_of(scene), "E0000007")) if secret in kept] == []


def servers(scene: Scene) -> tuple[SimulatedServer, ...]:
    providers = scene.providers
    return providers.mannco, providers.assetpay, providers.assetpay_legacy, providers.skinsback


@pytest.mark.parametrize("fault", [faults.html(503), faults.half], ids=["html", "half"])
@pytest.mark.parametrize("broken", range(4))
async def test_one_provider_in_trouble(scene: Scene, broken: int, fault: Fault) -> None:
    """The others' trades are shown beside its failure."""
    servers(scene)[broken].faults.extend([fault] * 20)
    text = await trades(scene, scene.customer, tradeurl=scene.world.customer.trade_url)

    assert shown(scene, text)


@pytest.mark.parametrize(
    ("person", "found"),
    [("escrowed", "Steam would hold the trade for 15 days"), ("private", "The inventory is private")],
)
async def test_check_of_the_trade_url(scene: Scene, person: str, found: str) -> None:
    """Beside AssetPay's error stands what its check says; side by side it is asked once, and the other dialect not."""
    checks = "POST /secure/check-tradeurl"
    options = {"tradeurl": getattr(scene.world, person).trade_url}
    alone = await scene.agent.slash(scene.channel, "inventory", provider="assetpay_client", **options)
    assert found in text_of(alone)
    assert scene.providers.assetpay.calls[checks] == 1

    side_by_side = await scene.agent.slash(scene.channel, "inventory", provider="all", **options)
    assert re.findall(r"\*\*(.+)\*\*: .+ · " + found, text_of(side_by_side)) == ["AssetPay", "AssetPay (client)"]
    assert scene.providers.assetpay.calls[checks] == 2
