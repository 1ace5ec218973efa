"""A day at the desk: a customer, two moderators, an agent and the owner, from first question to last message."""

from pathlib import Path

import discord
import simcord

from bot.demo.scene import Scene
from bot.demo.trades import COMPLETED_STATUS, WorldTrade
from bot.ui.resends.usual_reasons import USUAL_REASONS
from tests.cogs.approvals import (
    another_moderator,
    buttons,
    choose_reason,
    direct_messages,
    face,
    failed_trade,
    link,
    newest_card,
    now,
    scene_with,
    state_of,
)
from tests.cogs.test_access import owner_of
from tests.cogs.test_references import reference_in
from tests.support.seen import buttons_of, extra_text_of, text_of

DENIED_FOR = "trade_url"


async def opened(scene: Scene, who: simcord.MemberActor, trade: WorldTrade) -> simcord.InteractionResult:
    """Ask for one trade by its number: an only trade is shown whole, with its buttons."""
    return await who.slash(scene.channel, "trades", reference=str(trade.id))


async def asks_for_a_resend(scene: Scene, who: simcord.MemberActor, trade: WorldTrade, why: str) -> discord.Message:
    """Press *Ask to resend* under a trade's details, say why, and return the card that the moderators get."""
    details = (await opened(scene, who, trade)).response
    assert details is not None
    form = await who.click(details, label="Ask to resend")
    assert "The moderators have been asked" in extra_text_of(await who.submit_modal(form, {"reason": why}))
    return newest_card(scene)


async def minutes(scene: Scene, number: int) -> None:
    for _ in range(number):
        await scene.env.advance_time(60)


async def test_a_day(tmp_path: Path) -> None:
    """Each person finds the next step on what they see, and hears how it ends."""
    async with scene_with(tmp_path) as scene:
        mia, alex, robin, sam = scene.customer, scene.agent, scene.moderator, another_moderator(scene)
        trade = failed_trade(scene, 2)

        # Mia proved her Steam account by signing in. The owner lets new cards mention the moderators.
        await link(scene, mia, scene.world.customer.steam_id)
        role = scene.moderators
        set_up = await owner_of(scene).slash(scene.channel, "settings approvals-role", role=role)
        assert role.mention in text_of(set_up)

        # Mia's withdrawal failed. She asks on the trade itself, and the moderators are mentioned.
        card = await asks_for_a_resend(scene, mia, trade, "I was away when the offer came")
        assert card.content == role.mention
        for fact in (mia.mention, str(trade.id), "I was away when the offer came", "the owner,"):
            assert fact in face(scene, card), face(scene, card)

        # Robin takes the card, so that Sam does not judge it too, and denies it for a usual reason. Mia has left.
        await minutes(scene, 20)
        await robin.click(card, label="Take")
        assert f"Taken by {robin.mention}" in face(scene, card)
        assert robin.mention in text_of(await sam.slash(scene.channel, "approvals"))
        chosen = await choose_reason(await robin.click(now(scene, card), label="Deny"), robin, DENIED_FOR)
        assert chosen.response is not None
        assert state_of(scene, card) == "denied"
        why = str(USUAL_REASONS[DENIED_FOR][1])
        assert why in direct_messages(mia)[-1]

        # Mia reads in /trades what was decided and why, mends it, and asks again.
        every = (await mia.slash(scene.channel, "trades", scope="all")).response
        assert every is not None
        listed = text_of(await mia.click(every, label="Only failed"))
        assert "**Resend denied**" in listed
        assert why in listed
        again = await asks_for_a_resend(scene, mia, trade, "The trade URL is new now")

        # Sam sees Robin's denial on the new card, and approves.
        assert "denied" in face(scene, again)
        assert robin.mention in face(scene, again)
        await sam.click(again, label="Approve")
        assert state_of(scene, again) == "sent"
        assert buttons(scene, again) == {}
        assert scene.providers.mannco.resend_calls == {trade.id: 1}

        # Mia is told, sees the new code, which is hers alone, and wants to hear what becomes of the trade.
        assert any("sent" in message and str(trade.id) in message for message in direct_messages(mia)[1:])
        details = await opened(scene, mia, trade)
        assert details.response is not None
        assert trade.code in text_of(details)
        await mia.click(details.response, label="Notify me")
        trade.status, trade.code = COMPLETED_STATUS, "COMPLETED"
        await minutes(scene, 5)
        last = list(mia.user.dm_channel.history())[-1]
        assert last.content.startswith("✅")
        assert str(trade.id) in last.content

        # A lookup of Mia's fails. She gives Alex the reference, who reads what it was, and then everything about Mia.
        broken = text_of(await mia.slash(scene.channel, "trades", member=alex))
        looked_up = text_of(await alex.slash(scene.channel, "explain", code=reference_in(broken)))
        assert f"{mia.mention} saw this" in looked_up
        page = await alex.slash(scene.channel, "customer", member=mia)
        for fact in (mia.mention, "· denied**", "· sent**", why[:20], reference_in(broken)):
            assert fact in text_of(page), text_of(page)
        assert page.response is not None
        assert {"Trades", "Add a note"} <= buttons_of(page.response.message).keys()
