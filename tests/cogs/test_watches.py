"""*Notify me* under a trade, the direct messages that follow, and *Stop*, through the simulated Discord."""

from dataclasses import replace

import discord
import pytest
import simcord

from bot.client import SkinDeskClient
from bot.demo.scene import Scene
from bot.domain.failures import ProviderName
from bot.domain.watches import KEPT_FOR, MOST_WATCHES
from bot.languages import ENGLISH, in_language
from bot.ui.watches import NotifyButton
from tests.cogs.approvals import close_direct_messages, code_sightings
from tests.support.made_up import LOCALE, MadeUpLanguage, added, made_up
from tests.support.readers import mark, read_in
from tests.support.seen import buttons_of, embed_text, extra_text_of


def deposits(scene: Scene, status: str = "in_hold") -> list[str]:
    """Return the numbers of the customer's deposits at SkinsBack with this status."""
    mine = scene.world.customer.steam_id
    return [each.transaction_id for each in scene.world.deposits if (each.owner, each.status) == (mine, status)]


def becomes(scene: Scene, number: str, status: str) -> None:
    """Let a deposit change."""
    kept = scene.world.deposits
    kept[:] = [replace(each, status=status) if each.transaction_id == number else each for each in kept]


async def press(
    scene: Scene, who: simcord.MemberActor, number: str, provider: ProviderName = ProviderName.SKINSBACK
) -> simcord.InteractionResult:
    """Press *Notify me* under a message."""
    view = discord.ui.View(timeout=None)
    view.add_item(NotifyButton(provider, number))
    await scene.client.get_partial_messageable(scene.channel.id, guild_id=scene.guild.id).send("A trade", view=view)
    return await who.click(scene.channel.history()[-1], custom_id=f"watch:on:{provider.value}:{number}")


async def minutes(scene: Scene, number: int = 3) -> None:
    """Let time pass: SkinsBack's list is kept for a minute, so a change is seen within two."""
    for _ in range(number):
        await scene.env.advance_time(60)


def messages(who: simcord.MemberActor) -> list[discord.Message]:
    return list(who.user.dm_channel.history())


@pytest.fixture
def deposit(scene: Scene) -> str:
    """A deposit of the customer's on hold."""
    return deposits(scene)[0]


async def test_a_customers_deposit(scene: Scene, deposit: str) -> None:
    """The customer reads at once where it stands, then the outcome, once, in the words of /trades; then it is over."""
    said = extra_text_of(await press(scene, scene.customer, deposit))
    assert f"each change of SkinsBack `{deposit}`" in said
    assert "You already watch this trade" in extra_text_of(await press(scene, scene.customer, deposit))
    await minutes(scene)
    (first,) = messages(scene.customer)
    assert "You get a message at each change" in embed_text(first.embeds[0])

    becomes(scene, deposit, "success")
    await minutes(scene, 5)

    _, last = messages(scene.customer)
    assert last.content == f"✅ Paid · SkinsBack deposit `{deposit}`"
    text = embed_text(last.embeds[0])
    assert "**The shop credits it**" in text
    assert "Credit: **" in text
    assert "This was the last message" in text
    assert f"`/trades reference:{deposit}` on the server shows it again.\nServer: **Skin Market**" in text
    assert buttons_of(last) == {}


async def test_the_language_of_the_press(scene: Scene, deposit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All messages of a watch, and their buttons, are in the language of its press, whatever is spoken meanwhile."""
    with added(MadeUpLanguage()):
        with monkeypatch.context() as patch:
            read_in(patch, LOCALE)
            await press(scene, scene.customer, deposit)
        await press(scene, scene.agent, deposit)
        await press(scene, scene.customer, deposit)
        becomes(scene, deposit, "pending")
        await minutes(scene)
        becomes(scene, deposit, "success")
        await minutes(scene)

    news = made_up("🔔 News from {server}").replace("{server}", "Skin Market")
    begun = made_up("🔔 You get a message here when this changes")
    stop = made_up("Stop")
    of_customer, of_agent = messages(scene.customer), messages(scene.agent)
    assert [each.embeds[0].title for each in of_customer] == [begun, news, news]
    assert [[*buttons_of(each)] for each in of_customer] == [[stop], [stop], []]
    assert made_up("Paid") in of_customer[2].content
    assert [each.embeds[0].title for each in of_agent][1:] == ["🔔 News from Skin Market"] * 2
    assert [*buttons_of(of_agent[1])] == ["Stop"]


async def test_a_watch_without_a_language(scene: Scene, deposit: str) -> None:
    """A watch from before languages were kept is in the server's language."""
    await press(scene, scene.customer, deposit)
    watches = scene.client.services.watches._repository
    (watch,) = await watches.of_user(scene.guild.id, scene.customer.id)
    await watches.remove(watch.id)
    await watches.add(replace(watch, language=None), at_most=MOST_WATCHES)
    with added(MadeUpLanguage()) as language:
        await scene.client.services.settings.set_language(language.code, by=scene.owner)
        becomes(scene, deposit, "success")
        with in_language(ENGLISH):
            await minutes(scene)

    first, last = messages(scene.customer)
    assert first.embeds[0].title == "🔔 You get a message here when this changes"
    assert made_up("Paid") in last.content


async def test_a_restart(scene: Scene, deposit: str) -> None:
    """A watch, and the button in its message, outlive the process."""
    await press(scene, scene.customer, deposit)
    client = SkinDeskClient(services=scene.client.services, cards=scene.client.cards)
    scene.client.services.watches._messages.connect(client)  # type: ignore[attr-defined]  # the port has no such thing
    await scene.env.restart_bot(client)
    becomes(scene, deposit, "hold_returned")
    await minutes(scene)
    assert len(messages(scene.customer)) == 2


async def test_stopped_in_the_direct_message(scene: Scene, deposit: str) -> None:
    """*Stop* in the direct message ends the watch, though no server is named there; it works once."""
    await press(scene, scene.customer, deposit)
    (message,) = messages(scene.customer)

    stopped = await scene.customer.user.click(message, label="Stop")
    again = await scene.customer.user.click(message, label="Stop")
    becomes(scene, deposit, "success")
    await minutes(scene)

    assert f"You get no more messages about SkinsBack `{deposit}`" in extra_text_of(stopped)
    assert "You stopped this before" in extra_text_of(again)
    assert len(messages(scene.customer)) == 1


async def test_stopped_in_the_language_of_the_click(
    scene: Scene, deposit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer in the direct message is in the reader's language, although no server is named there."""
    mark(monkeypatch, "de")
    await press(scene, scene.customer, deposit)
    (message,) = messages(scene.customer)
    read_in(monkeypatch, "de")

    stopped = await scene.customer.user.click(message, label="Stop")

    assert "de: You get no more messages about" in extra_text_of(stopped)


async def test_closed_direct_messages(scene: Scene, deposit: str) -> None:
    """The answer says how to open direct messages; nothing is watched, and nothing is read for it."""
    close_direct_messages(scene, scene.customer)
    said = extra_text_of(await press(scene, scene.customer, deposit))
    before = scene.providers.skinsback.method_calls["orders"]
    await minutes(scene)

    assert "SkinDesk may not send you direct messages" in said
    assert "Privacy Settings" in said
    assert scene.providers.skinsback.method_calls["orders"] == before


async def test_an_agents_watch(scene: Scene, deposit: str) -> None:
    """An agent gets messages in the staff's words while their roles allow it, then why they end, without facts."""
    await press(scene, scene.agent, deposit)
    becomes(scene, deposit, "hold_approved")
    await minutes(scene)
    becomes(scene, deposit, "pending")
    await minutes(scene)
    scene.env.backend.get_member(scene.guild.id, scene.agent.id).role_ids.clear()
    becomes(scene, deposit, "success")
    await minutes(scene)

    _, change, end = messages(scene.agent)
    assert change.content.startswith("⏳ ")
    assert change.content.endswith(f" · SkinsBack deposit `{deposit}`")
    assert f"Customer: `{scene.world.customer.steam_id}`" in embed_text(change.embeds[0])
    text = embed_text(end.embeds[0])
    assert "You are no longer allowed to see it" in text
    assert str(scene.world.customer.steam_id) not in text


async def test_a_trade_with_a_code(scene: Scene) -> None:
    """A message about a trade of Mannco.store names its offer and never its code, which /trades shows."""
    trade = next(each for each in scene.world.trades_of(scene.world.customer) if each.status == 0)
    offer, trade.offer_id = trade.offer_id, ""
    await press(scene, scene.customer, str(trade.id), ProviderName.MANNCO)
    trade.offer_id = offer
    await minutes(scene)

    first, change = messages(scene.customer)
    assert "Mannco.store shows no Steam offer yet" in embed_text(first.embeds[0])
    assert f"https://steamcommunity.com/tradeoffer/{offer}/" in embed_text(change.embeds[0])
    assert "shows it with your code" in embed_text(change.embeds[0])
    assert code_sightings(scene) == []


async def test_assetpay(scene: Scene) -> None:
    """A trade of AssetPay is read by its number with the merchant's key."""
    trade = scene.world.held_deposit
    await press(scene, scene.customer, trade.id, ProviderName.ASSETPAY_CLIENT)
    kept = scene.world.assetpay_trades
    kept[:] = [replace(each, status="completed") if each is trade else each for each in kept]
    await minutes(scene)

    content = messages(scene.customer)[1].content
    assert content.startswith("✅ ")
    assert content.endswith(f" · AssetPay deposit `{trade.id}`")


async def test_eleven(scene: Scene) -> None:
    """The eleventh is refused with the ten that there are, and a button to stop each of them."""
    open_trades = [str(each.id) for each in scene.world.trades if each.status == 0]
    others = [
        each.transaction_id for each in scene.world.deposits if each.owner is not None and each.arrived_at is None
    ]
    numbers = [(ProviderName.MANNCO, each) for each in open_trades] + [
        (ProviderName.SKINSBACK, each) for each in others
    ]
    for provider, number in numbers:
        await press(scene, scene.agent, number, provider)
        await scene.env.advance_time(61)
    last = deposits(scene)[0]

    refused = await press(scene, scene.agent, last)

    assert f"You watch {MOST_WATCHES} trades already" in extra_text_of(refused)
    assert f"Mannco.store `{open_trades[0]}` · <t:" in extra_text_of(refused)
    assert refused.response is not None
    await scene.agent.click(refused.response, label=f"Stop {open_trades[0]}")
    assert "You will get a message" in extra_text_of(await press(scene, scene.agent, last))


async def test_fourteen_days(scene: Scene, deposit: str) -> None:
    """After 14 days the last message says so."""
    await press(scene, scene.customer, deposit)
    watches = scene.client.services.watches._repository
    (watch,) = await watches.of_user(scene.guild.id, scene.customer.id)
    assert watch.expires_at - watch.began_at == KEPT_FOR
    await watches.remove(watch.id)
    await watches.add(replace(watch, expires_at=scene.clock.now()), at_most=MOST_WATCHES)
    await scene.env.advance_time(11)

    assert "It has not ended by now" in embed_text(messages(scene.customer)[1].embeds[0])
