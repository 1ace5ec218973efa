"""/mydata through the simulated Discord: the export, the erased data, and the data that stays."""

import json
from datetime import timedelta
from typing import Any

import pytest
import simcord

from bot.demo.scene import Scene
from bot.services.my_data import USES
from tests.cogs.approvals import (
    codes,
    direct_messages,
    failed_trade,
    followups,
    give_reason,
    newest_card,
    requested,
    state_of,
)
from tests.cogs.test_inventory import wait
from tests.support.confirming import confirmed
from tests.support.seen import embed_text, extra_text_of, text_of
from tests.support.stage import secrets_of


async def my_data(scene: Scene, actor: simcord.MemberActor, what: str) -> simcord.InteractionResult:
    """Use a command of ``/mydata``, and confirm an erasure."""
    result = await actor.slash(scene.channel, f"mydata {what}")
    assert result.ephemeral
    return await confirmed(result, actor, "Forget me now") if what == "forget" else result


async def raw_of(result: simcord.InteractionResult) -> str:
    """Return the text of the file in an answer."""
    assert result.response is not None
    (attachment,) = result.response.attachments
    assert attachment.filename == "mydata.json"
    return (await attachment.read()).decode()


async def export(scene: Scene, actor: simcord.MemberActor) -> dict[str, Any]:
    content = json.loads(await raw_of(await my_data(scene, actor, "export")))
    assert isinstance(content, dict)
    return content


async def denied(scene: Scene, *, by: simcord.MemberActor) -> None:
    """Deny the newest request."""
    await give_reason(await by.click(newest_card(scene), label="Deny"), by, "not now")


async def test_export(scene: Scene) -> None:
    """The summary and the file have all stored data and everyone who viewed it."""
    account = scene.world.customer.steam_id
    trade = failed_trade(scene)
    asked_at = scene.clock.now()
    await requested(scene, trade, by=scene.customer)
    await denied(scene, by=scene.moderator)
    await scene.customer.slash(scene.channel, "trades", scope="all")
    for _ in range(2):
        await scene.agent.slash(scene.channel, "trades", member=scene.customer)
    await scene.moderator.slash(scene.channel, "trades")
    await scene.moderator.slash(scene.channel, "inventory", tradeurl=scene.world.customer.trade_url)
    await scene.moderator.slash(scene.channel, "audit", member=scene.customer)

    result = await my_data(scene, scene.customer, "export")
    text, raw = text_of(result), await raw_of(result)
    content = json.loads(raw)

    assert f"`{account}`, linked by {scene.agent.mention} (<t:" in text
    assert "Open: 0 · Ended: 1." in text
    assert "1 answer to you." in text
    views = text.partition("Who viewed your data\n")[2].splitlines()
    assert [line.partition(" · <t:")[0] for line in views[:4]] == [
        f"{scene.moderator.mention} · the audit log about you",
        f"{scene.moderator.mention} · your inventory",
        f"{scene.moderator.mention} · everyone's trades",
        f"{scene.agent.mention} · your trades",
    ]
    assert views[3].endswith(":R> · 2 times")
    assert content["about"] == f"user:{scene.customer.id}"
    assert content["link"]["steam_id"] == f"steam:{account}"
    assert content["link"]["linked_by"] == f"user:{scene.agent.id}"
    (resend,) = content["resends"]
    assert (resend["trade"], resend["owner"], resend["state"]) == (trade.id, f"steam:{account}", "denied")
    assert (resend["decided_by"], resend["decision_reason"]) == (f"user:{scene.moderator.id}", "not now")
    assert resend["requested_at"] == asked_at.isoformat()
    assert len(resend["items_send"]) == len(trade.items_send)
    actions = [row["action"] for row in content["record"]]
    assert actions[:3] == ["audit.viewed", "inventory.viewed", "trades.viewed"]
    assert {"link.set", "resend.requested", "resend.denied"} < set(actions)


async def test_no_secret_in_the_file(scene: Scene) -> None:
    """The file has no token, no credential and no code, nor what a code could be guessed from."""
    await scene.customer.slash(
        scene.channel, "resend", id=str(failed_trade(scene).id), reason=f"my link is {scene.world.customer.trade_url}"
    )
    await scene.customer.slash(scene.channel, "inventory", tradeurl=scene.world.customer.trade_url)
    raw = await raw_of(await my_data(scene, scene.customer, "export"))

    assert not [secret for secret in (*secrets_of(scene), *codes(scene)) if secret in raw]
    assert "my link is" in raw
    assert "code_digest" not in raw


async def test_no_one_else_in_the_file(scene: Scene) -> None:
    """The file of an actor does not name the members on whom they acted."""
    trade = failed_trade(scene)
    await requested(scene, trade)
    await denied(scene, by=scene.moderator)
    await scene.agent.slash(scene.channel, "trades", member=scene.customer)
    await scene.agent.slash(scene.channel, "inventory", tradeurl=scene.world.other_customer.trade_url)
    content = await export(scene, scene.agent)
    raw = json.dumps(content)

    (resend,) = content["resends"]
    assert (resend["owner"], resend["requested_by"]) == ("somebody else", f"user:{scene.agent.id}")
    about_others = (
        *(scene.customer.id, scene.world.customer.steam_id, scene.world.other_customer.steam_id),
        *(trade.offer_id, *trade.items_send),
    )
    assert not [known for known in map(str, about_others) if known and known in raw]
    assert [row["subject"] for row in content["record"] if row["action"].endswith("viewed")] == ["somebody else"] * 2


async def test_export_is_logged(scene: Scene) -> None:
    """An export is logged and part of the next export; other members' exports are not."""
    await my_data(scene, scene.customer, "export")
    content = await export(scene, scene.customer)

    assert content["record"][0]["action"] == "data.exported"
    assert content["record"][0]["actor"] == f"user:{scene.customer.id}"


@pytest.mark.parametrize("what", ["export", "forget"])
async def test_many_times_in_a_row(scene: Scene, what: str) -> None:
    """A member cannot fill the audit log: after some exports or erasures they wait for the next."""
    rows = scene.client.services.audit._rows
    before = len(await rows.newest(scene.guild.id, limit=100))
    results = [await my_data(scene, scene.customer, what) for _ in range(40)]
    refused = extra_text_of(results[-1])

    assert "Too many times in a row" in refused
    assert len(await rows.newest(scene.guild.id, limit=100)) == before + USES
    assert "Too many times" not in text_of(await my_data(scene, scene.moderator, what))
    wait(scene, 600)
    assert "Too many times" not in text_of(await my_data(scene, scene.customer, what))


async def test_erase(scene: Scene) -> None:
    """At once, and in plain words: the link, requests and pages are gone, and what stays is said with its reason."""
    account = scene.world.customer.steam_id
    card = await requested(scene, failed_trade(scene), by=scene.customer)
    await denied(scene, by=scene.moderator)
    await scene.customer.slash(scene.channel, "trades", scope="all")
    wait(scene, 24 * 3600)

    text = text_of(await my_data(scene, scene.customer, "forget"))

    gone, stays = text.split("What stays, and why")
    for text_part in (
        f"The link to your SteamID `{account}`",
        "1 ended request",
        "1 answer with pages",
        "no longer name you",
    ):
        assert text_part in gone
    for text_part in ("What you did to others as staff", "Which account was linked to you", "Messages on Discord"):
        assert text_part in stays
    assert "daily limit" not in stays
    assert "No Steam account is linked to you" in text_of(await scene.customer.slash(scene.channel, "trades"))
    assert state_of(scene, card) == "denied"
    raw = json.dumps(await export(scene, scene.customer))
    assert raw.count(str(account)) == 1, "as a former link"


async def test_memory(scene: Scene) -> None:
    """Pages and inventory leave memory at once; others' stay."""
    url = scene.world.customer.trade_url
    shown = await scene.customer.slash(scene.channel, "trades", scope="all")
    of_agent = await scene.agent.slash(scene.channel, "trades", scope="all")
    await scene.customer.slash(scene.channel, "inventory", tradeurl=url)
    await scene.agent.slash(scene.channel, "inventory", tradeurl=scene.world.other_customer.trade_url)
    await my_data(scene, scene.customer, "forget")

    assert {account.steam_id for account, _ in scene.client.services.inventory._cache} == {
        scene.world.other_customer.steam_id
    }
    for asked, who, text_part in (
        (shown, scene.customer, "This page has expired"),
        (of_agent, scene.agent, "Page 2"),
    ):
        assert asked.response is not None
        click = await who.click(asked.response, label="Next")
        assert text_part in text_of(click) + "".join(embed_text(each.embeds[0]) for each in click.followups)


async def test_what_stays_for_now(scene: Scene) -> None:
    """Open and young requests stay; it says until when, and the second time they are gone."""
    await requested(scene, failed_trade(scene), by=scene.customer)
    while_open = text_of(await my_data(scene, scene.customer, "forget"))
    assert "1 request that is open or counts towards the daily limit" in while_open
    assert "once it has ended" in while_open

    await denied(scene, by=scene.moderator)
    assert direct_messages(scene.customer), "the one who asked still hears of it"
    while_young = text_of(await my_data(scene, scene.customer, "forget"))
    until = int((scene.clock.now() + timedelta(hours=24)).timestamp())
    assert f"after this time: <t:{until}:f>" in while_young

    wait(scene, 24 * 3600)
    at_last = text_of(await my_data(scene, scene.customer, "forget"))
    assert "1 ended request" in at_last
    assert "1 ended request" not in text_of(await my_data(scene, scene.customer, "forget"))


async def test_follow_ups(scene: Scene) -> None:
    """The stored interaction is gone: the outcome comes by direct message."""
    asked = await scene.customer.slash(scene.channel, "resend", id=str(failed_trade(scene).id))
    of_agent = await scene.agent.slash(scene.channel, "resend", id=str(failed_trade(scene, 1).id))
    await my_data(scene, scene.customer, "forget")
    for card in scene.channel.history():
        await give_reason(await scene.moderator.click(card, label="Deny"), scene.moderator, "no")

    assert followups(asked) == []
    assert "Resend 1 · denied" in direct_messages(scene.customer)[0]
    assert len(followups(of_agent)) == 1, "only their own"


async def test_erased_users_in_the_log(scene: Scene) -> None:
    """The log still reads in sentences with an erased user in them; nothing is posted about it."""
    log = scene.guild.create_text_channel("audit")
    await scene.client.services.settings.set_audit_channel(log.id, by=scene.owner)
    posts = len(log.history())
    await scene.agent.slash(scene.channel, "trades", member=scene.customer)
    await my_data(scene, scene.customer, "forget")
    result = await scene.moderator.slash(scene.channel, "audit", limit=3)
    lines = text_of(result).splitlines()[1:4]

    assert "an erased user (`" in lines[0]
    assert "**Own data erased** · By: an erased user (`" in lines[0]
    assert "**Trades viewed** · an erased user (`" in lines[1]
    assert f"By: {scene.agent.mention}" in lines[1]
    assert str(scene.customer.id) not in text_of(result)
    assert str(scene.world.customer.steam_id) not in text_of(result)
    assert len(log.history()) == posts
