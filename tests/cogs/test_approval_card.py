"""The approval card from the request to its end, through the simulated Discord."""

import re
from pathlib import Path

import pytest

from bot.demo.scene import Scene
from bot.ui.resends.usual_reasons import USUAL_REASONS
from tests.cogs.approvals import (
    TO_APPROVE,
    another_moderator,
    buttons,
    choose_reason,
    code_sightings,
    codes,
    direct_messages,
    face,
    failed_trade,
    followups,
    give_reason,
    link,
    newest_card,
    now,
    requested,
    scene_with,
    state_of,
)
from tests.support.seen import embed_text, extra_text_of, text_of


async def test_from_request_to_end(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """An agent asks, a moderator approves, the offer is sent once, and everybody hears what is for them."""
    audit_channel = scene.guild.create_text_channel("audit")
    await scene.client.services.settings.set_audit_channel(audit_channel.id, by=scene.owner)
    trade = failed_trade(scene)
    codes_before = codes(scene)

    request = await scene.agent.slash(scene.channel, "resend", id=str(trade.id), reason="the bot was offline")

    card = newest_card(scene)
    assert request.ephemeral
    assert "Nothing is sent before one of them approves" in text_of(request)
    assert card.embeds[0].title == "⏳ Resend 1 · pending"
    shown = face(scene, card)
    for fact in (
        f"#{trade.id} at Mannco.store",
        f"SteamID [`{trade.user}`](https://steamcommunity.com/profiles/{trade.user})",
        *(f"(https://steamcommunity.com/profiles/{trade.bot}/inventory/#730_2_{each})" for each in trade.items_send),
        f"Bot\n[`{trade.bot}`](https://steamcommunity.com/profiles/{trade.bot}) · Steam offer `{trade.offer_id}`",
        "Withdrawal of 2 items · Counter-Strike 2 · made <t:",
        "Failed (`-1`)",
        "An item of the offer is no longer there** · code `26` · `Revoked`",
        f"As it came: {trade.last_error}",
        "Before you approve\nIt will probably fail again until the same items are back",
        f"Owner\n<@{scene.customer.id}>, set by the staff: <@{scene.agent.id}>",
        f"Asked by\n<@{scene.agent.id}>, not the owner, <t:",
        "“the bot was offline”",
    ):
        assert fact in shown
    expires = int(scene.clock.now().timestamp()) + 24 * 3600
    assert f"Expires <t:{expires}:R>." in shown
    assert buttons(scene, card) == TO_APPROVE
    assert scene.providers.mannco.resend_calls == {}
    assert direct_messages(scene.customer) == []

    await scene.env.advance_time(90)
    approval = await scene.moderator.click(card, label="Approve")

    assert scene.providers.mannco.resend_calls == {trade.id: 1}
    assert approval.ephemeral
    assert "Resend 1 · sent" in text_of(approval)
    assert buttons(scene, card) == {}
    when = int(scene.clock.now().timestamp())
    assert f"Sent. Approved by <@{scene.moderator.id}> <t:{when}:R> (<t:{when}:f>)." in face(scene, card)
    assert "Mannco.store confirmed the resend" in face(scene, card)
    assert state_of(scene, card) == "sent"
    (to_agent,) = followups(request)
    assert "Resend 1 · sent" in to_agent
    (to_customer,) = direct_messages(scene.customer)
    assert f"Your new code: `{trade.code}`" in to_customer
    assert direct_messages(scene.agent) == direct_messages(scene.moderator) == []
    posts = [embed_text(message.embeds[0]) for message in audit_channel.history()[1:]]
    assert [post.partition("\n")[0] for post in posts] == ["Resend requested", "Resend approved", "Resend sent"]
    for who, post in zip((scene.agent, scene.moderator), posts, strict=False):
        assert f"<@{who.id}>" in post
        assert f"`{trade.id}`" in post

    to_the_owner = f"/channels/{scene.customer.user.dm_channel.id}/messages"
    sightings = code_sightings(scene, *codes_before)
    assert len(sightings) == 1
    assert to_the_owner in sightings[0]
    for code in (*codes(scene), *codes_before):
        assert code not in caplog.text


async def test_customer_asks(scene: Scene) -> None:
    """The customer who asks for their own trade gets the outcome by follow-up, and the code by direct message only."""
    trade = failed_trade(scene, 2)

    request = await scene.customer.slash(scene.channel, "resend", id=f"#{trade.id}")
    card = newest_card(scene)
    await scene.moderator.click(card, label="Approve")

    assert re.search(rf"<@{scene.customer.id}>, the owner, <t:\d+:R>\nNo reason given", face(scene, card))
    assert [trade.code in text for text in followups(request)] == [False]
    assert [trade.code in text for text in direct_messages(scene.customer)] == [True]
    assert len(code_sightings(scene)) == 1


async def test_no_mention(scene: Scene) -> None:
    """A card names people without pinging them."""
    await requested(scene, failed_trade(scene))

    (post,) = (
        request for request in scene.env.http_requests if request.method == "POST" and "/channels/" in request.path
    )
    assert post.json is not None
    assert post.json["allowed_mentions"] == {"parse": []}
    assert post.json["nonce"].startswith("1-")


# Who may


async def test_self_approval_allowed(tmp_path: Path) -> None:
    """With the setting, one person requests and approves a resend of their own trade."""
    async with scene_with(tmp_path, resends={"allow_self_approval": True}) as scene:
        trade = failed_trade(scene)
        await link(scene, scene.moderator, trade.user)
        card = await requested(scene, trade, by=scene.moderator)

        await scene.moderator.click(card, label="Approve")

        assert state_of(scene, card) == "sent"
        assert scene.providers.mannco.resend_calls == {trade.id: 1}


# Denying


async def test_denied(scene: Scene) -> None:
    """A denial asks why; card, requester and owner say who, when and why, without a trade token; nothing is sent."""
    request = await scene.agent.slash(scene.channel, "resend", id=str(failed_trade(scene).id))
    card = newest_card(scene)

    asked = await choose_reason(await scene.moderator.click(card, label="Deny"), scene.moderator, "other")

    assert asked.modal is not None
    assert asked.modal["title"] == "Deny resend 1"
    assert asked.modal["custom_id"].startswith("resend:1:deny:reason")
    assert state_of(scene, card) == "pending"

    answer = await give_reason(asked, scene.moderator, f"Ask again on Monday: {scene.world.customer.trade_url}")

    assert answer.response is not None
    assert answer.response.ephemeral
    assert answer.response.components == [], "the menu is gone"
    assert state_of(scene, card) == "denied"
    assert buttons(scene, card) == {}
    when = int(scene.clock.now().timestamp())
    for text in (face(scene, card), *followups(request), *direct_messages(scene.customer)):
        assert f"enied by <@{scene.moderator.id}> <t:{when}:R>" in text
        assert "Reason: Ask again on Monday" in text
        assert "token=••••" in text.replace("\\", "")
    assert len(followups(request)) == len(direct_messages(scene.customer)) == 1
    assert scene.providers.mannco.resend_calls == {}


async def test_approved_before_a_denial_is_submitted(scene: Scene) -> None:
    """A moderator who submits a denial too late, by menu or by form, sees who approved, and when."""
    other = another_moderator(scene)
    card = await requested(scene, failed_trade(scene))
    asked = await other.click(card, label="Deny")
    form = await choose_reason(asked, other, "other")
    await scene.moderator.click(card, label="Approve")

    for late in (await choose_reason(asked, other, "duplicate"), await give_reason(form, other, "no")):
        assert re.search(rf"Sent\. Approved by <@{scene.moderator.id}> <t:\d+:R>", extra_text_of(late))
    assert state_of(scene, card) == "sent"


@pytest.mark.parametrize("chosen", USUAL_REASONS)
async def test_usual_reasons(scene: Scene, chosen: str) -> None:
    """A usual reason is one press; requester, owner and card have its sentence, which suspects and blames no one."""
    request = await scene.agent.slash(scene.channel, "resend", id=str(failed_trade(scene).id))
    card = newest_card(scene)

    answer = await choose_reason(await scene.moderator.click(card, label="Deny"), scene.moderator, chosen)

    label, sentence = map(str, USUAL_REASONS[chosen])
    assert "Resend 1 · denied" in text_of(answer)
    assert state_of(scene, card) == "denied"
    for text in (face(scene, card), *followups(request), *direct_messages(scene.customer)):
        assert f"Reason: {sentence}" in text
        assert "fraud" not in text.casefold()
        assert label not in text or label in sentence
    assert len(followups(request)) == len(direct_messages(scene.customer)) == 1


# Too late, or changed


async def test_second_click(scene: Scene) -> None:
    """A click on a card that Discord could not update shows who decided and when, and the card is updated."""
    trade = failed_trade(scene)
    card = await requested(scene, trade)
    scene.env.inject_error("PATCH", "/channels/*/messages/*", status=403, code=50013, times=None)
    await scene.moderator.click(card, label="Approve")
    assert state_of(scene, card) == "pending"
    scene.env.backend.faults.clear()

    late = await another_moderator(scene).click(card, label="Approve")

    (said,) = followups(late)
    assert "Already decided" in said
    assert re.search(rf"Approved by <@{scene.moderator.id}> <t:\d+:R> \(<t:\d+:f>\)", said)
    assert scene.providers.mannco.resend_calls == {trade.id: 1}
    assert state_of(scene, card) == "sent"
    assert buttons(scene, card) == {}


async def test_changed_trade(scene: Scene) -> None:
    """What changed is named with the values before, nothing is sent, and the next approval is of the new facts."""
    trade = failed_trade(scene)
    assert (trade.status, len(trade.items_send)) == (-1, 2)
    error_before = trade.last_error
    card = await requested(scene, trade)
    assert "Changed" not in face(scene, card)
    trade.status, trade.last_error, trade.items_send = 5, "Trade offer expired", ("999000111",)

    result = await scene.moderator.click(card, label="Approve")

    assert "this has changed: status, items to send, and last error" in text_of(result)
    assert scene.providers.mannco.resend_calls == {}
    assert state_of(scene, card) == "pending"
    assert buttons(scene, card) == TO_APPROVE
    for fact in ("(status 5)", "Trade offer expired", "999000111"):
        assert fact in face(scene, card)
    assert (
        "Changed before it could be approved\n"
        f"Status: was Failed (`-1`)\nItems to send: was 2\nLast error: was {error_before}\n"
    ) in face(scene, card)

    trade.items_send = ("999000222",)
    await scene.moderator.click(card, label="Approve")

    assert "approved\nItems to send: as many as before, but others\n" in face(scene, card)

    await scene.moderator.click(card, label="Approve")

    assert state_of(scene, card) == "sent"
    assert "Changed" not in face(scene, card)
    assert scene.providers.mannco.resend_calls == {trade.id: 1}
    (to_owner,) = direct_messages(scene.customer)
    assert "changed" not in to_owner


async def test_changed_code(scene: Scene) -> None:
    """A new code is a change too, and is named without being shown."""
    trade = failed_trade(scene)
    before = trade.code
    card = await requested(scene, trade)
    trade.code = "QQQQWWWW"

    result = await scene.moderator.click(card, label="Approve")

    assert "this has changed: verification code" in text_of(result)
    assert "approved\nVerification code: it is a new one\n" in face(scene, card)
    assert code_sightings(scene, before) == []


async def test_changed_to_what_cannot_be_sent(scene: Scene) -> None:
    """A trade that went through meanwhile ends the request: cancelled, without a call."""
    trade = failed_trade(scene)
    request = await scene.agent.slash(scene.channel, "resend", id=str(trade.id))
    card = newest_card(scene)
    trade.status = 3

    result = await scene.moderator.click(card, label="Approve")

    assert "Its status: 3" in text_of(result)
    assert state_of(scene, card) == "cancelled"
    was = f"Failed (`-1`) · Steam offer `{trade.offer_id}`\nLast error: An item of the offer is no longer there"
    assert f"When it was asked for\n{was}\nNow\nCompleted (`3`) · Steam offer" in face(scene, card)
    assert "The trade can no longer be resent" in face(scene, card)
    assert now(scene, card).components == []
    assert len(followups(request)) == len(direct_messages(scene.customer)) == 1
    assert scene.providers.mannco.resend_calls == {}


async def test_provider_that_cannot_be_read(scene: Scene) -> None:
    """If the trade cannot be read again, nothing is decided, and the moderator sees why."""
    card = await requested(scene, failed_trade(scene))
    await scene.providers.mannco.stop()

    result = await scene.moderator.click(card, label="Approve")

    assert result.ephemeral
    assert state_of(scene, card) == "pending"
    await scene.providers.mannco.start()
    await scene.moderator.click(card, label="Approve")
    assert state_of(scene, card) == "sent"
