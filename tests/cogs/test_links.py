"""/link through the simulated Discord: whose Steam account is whose."""

import pytest
import simcord

from bot.demo.scene import Scene
from bot.domain.access import Capability
from bot.domain.links import RELINK_COOL_DOWN
from tests.cogs.approvals import close_direct_messages, direct_messages, face, failed_trade, requested
from tests.cogs.test_access import owner_of
from tests.support.confirming import remove_link
from tests.support.readers import mark, read_in
from tests.support.seen import embed_text, text_of


async def say(scene: Scene, actor: simcord.MemberActor, command: str, **options: object) -> str:
    result = await actor.slash(scene.channel, f"link {command}", **options)
    assert result.ephemeral
    return text_of(result)


async def test_a_link_from_beginning_to_end(scene: Scene) -> None:
    """Staff link a member by SteamID, the member sees it, uses it, and removes it."""
    member = scene.guild.add_member(scene.env.create_user("jonas"))
    person = scene.world.other_customer
    assert "No Steam account is linked to you" in await say(scene, member, "status")

    done = await say(scene, scene.agent, "set", member=member, steam=f" {person.steam_id} ")
    assert f"{member.mention} is SteamID `{person.steam_id}`" in done

    status = await say(scene, member, "status")
    assert f"SteamID: `{person.steam_id}`\nLinked by the staff: {scene.agent.mention} (<t:" in status
    result = await member.slash(scene.channel, "inventory", tradeurl=person.trade_url)
    assert "can be deposited" in text_of(result)

    assert f"SteamID `{person.steam_id}` is no longer linked" in text_of(await remove_link(scene, member))
    assert "No Steam account is linked to you" in await say(scene, member, "status")
    assert "No Steam account is linked to you" in await say(scene, member, "remove")
    result = await member.slash(scene.channel, "inventory", tradeurl=person.trade_url)
    assert "No Steam account is linked to you" in text_of(result)


@pytest.mark.parametrize(
    "pasted",
    [
        "https://steamcommunity.com/tradeoffer/5678901234",
        "https://steamcomrnunity.com/tradeoffer/new/?partner=1&token=abcdefgh",
        " ".join(f"https://steamcommunity.com/tradeoffer/new/?partner={each}&token=abcdefgh" for each in (1, 2)),
    ],
)
async def test_advice_fits_its_reader(scene: Scene, pasted: str) -> None:
    """Who may see only their own inventory reads where the trade URL is; others are not sent to theirs."""
    approvers = scene.guild.create_role("Approvers")
    await scene.client.services.access.grant(approvers.id, Capability.APPROVE_RESEND, by=scene.owner)
    approver = scene.guild.add_member(scene.env.create_user("sam"), roles=[approvers])
    own = [
        text_of(await actor.slash(scene.channel, "inventory", tradeurl=pasted)) for actor in (scene.customer, approver)
    ]
    by_staff = [
        text_of(await scene.agent.slash(scene.channel, "inventory", tradeurl=pasted)),
        text_of(await scene.agent.slash(scene.channel, "trades", steam_id=pasted)),
        await say(scene, scene.agent, "set", member=scene.customer, steam=pasted),
    ]

    assert all("Open https://steamcommunity.com/my/tradeoffers/privacy" in text for text in own)
    assert not any("customer" in text for text in own)
    assert all("customer" in text and "paste it here" not in text for text in by_staff)
    assert not any("abcdefgh" in text for text in own + by_staff)


async def test_linking_oneself(scene: Scene) -> None:
    """Staff who link themselves see that this shows them no codes; others do not see that."""
    steam = str(scene.world.other_customer.steam_id)
    note = "A link to yourself is not confirmed"

    assert note in await say(scene, scene.agent, "set", member=scene.agent, steam=steam)
    assert note not in await say(scene, scene.agent, "set", member=scene.moderator, steam="76561197960287930")


async def test_one_to_one(scene: Scene) -> None:
    """A Steam account belongs to one member: a second one is refused until the first has let go of it."""
    steam = str(scene.world.customer.steam_id)
    refused = await say(scene, scene.agent, "set", member=scene.moderator, steam=steam)
    assert "linked already" in refused
    assert scene.customer.mention in refused
    assert "No Steam account is linked to you" in await say(scene, scene.moderator, "status")

    other = str(scene.world.other_customer.steam_id)
    await say(scene, scene.agent, "set", member=scene.customer, steam=other)
    assert other in await say(scene, scene.customer, "status")
    assert "Linked" in await say(scene, scene.agent, "set", member=scene.moderator, steam=steam)
    assert "Linked" in await say(scene, scene.agent, "set", member=scene.moderator, steam=steam), "saying it again"


async def test_member_who_left(scene: Scene) -> None:
    """If a member comes back as another user, the refusal says how the staff ends the old link, and that works."""
    steam, old = str(scene.world.customer.steam_id), scene.customer.user
    log = scene.guild.create_text_channel("audit")
    await scene.client.services.settings.set_audit_channel(log.id, by=scene.owner)
    new = scene.guild.add_member(scene.env.create_user("mia_again"))
    scene.guild.remove_member(old)

    refused = await say(scene, scene.agent, "set", member=new, steam=steam)
    assert f"`/link set member:{old.id} steam:none`" in refused
    ended = await say(scene, scene.agent, "set", member=old, steam="none")
    linked = await say(scene, scene.agent, "set", member=new, steam=steam)

    assert f"SteamID `{steam}` is no longer linked to <@{old.id}>" in ended
    assert f"{new.mention} is SteamID `{steam}`" in linked
    until = int((scene.clock.now() + RELINK_COOL_DOWN).timestamp())
    assert f"⏳ The member can ask for resends of their own trades later: <t:{until}:R>." in linked
    posts = [embed_text(message.embeds[0]) for message in log.history()]
    assert f"Steam account unlinked\n<@{old.id}> · Steam account `{steam}`\nBy: {scene.agent.mention} · " in posts[-2]


async def test_link_ended_by_the_staff(scene: Scene) -> None:
    """Ending another member's link requires links.manage; without a link, the answer says so."""
    steam = str(scene.world.customer.steam_id)
    assert "`links.manage`" in await say(scene, scene.customer, "set", member=scene.customer, steam="none")
    assert steam in await say(scene, scene.customer, "status")

    assert f"SteamID `{steam}` is no longer linked" in await say(
        scene, scene.agent, "set", member=scene.customer, steam=" None "
    )
    assert "No Steam account is linked to you" in await say(scene, scene.customer, "status")
    assert "No Steam account is linked to them" in await say(
        scene, scene.agent, "set", member=scene.customer, steam="none"
    )


async def test_former_holder_is_told(scene: Scene) -> None:
    """Who loses an account is told by direct message: whoever changed it, and again if another member has it."""
    own, other = scene.world.customer.steam_id, scene.world.other_customer.steam_id
    new = scene.guild.add_member(scene.env.create_user("jonas"))
    await say(scene, scene.agent, "set", member=scene.customer, steam=str(other))
    await say(scene, scene.agent, "set", member=scene.customer, steam="none")
    await say(scene, scene.agent, "set", member=new, steam=str(other))
    await remove_link(scene, new)
    await scene.env.advance_time(1)

    replaced, ended, taken = direct_messages(scene.customer)
    assert f"SteamID `{own}` is no longer linked to you: SteamID `{other}` is now." in replaced
    assert f"SteamID `{other}` is no longer linked to you: the staff ended the link." in ended
    assert f"SteamID `{other}` was linked to you until recently." in taken
    for text in (replaced, ended, taken):
        assert f"Server: **{scene.guild.name}**" in text
        assert "**If not**, tell the staff there." in text
        assert "jonas" not in text
        assert str(new.id) not in text
    assert direct_messages(new) == []


async def test_former_holder_is_told_in_the_servers_language(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message about a link is in the server's language, whatever the language of the member who changed it."""
    mark(monkeypatch, "de", "pl")
    read_in(monkeypatch, "pl")
    owner, steam = owner_of(scene), str(scene.world.customer.steam_id)
    for language in ("de", "default"):
        await owner.slash(scene.channel, "settings language", language=language)
        await say(scene, scene.agent, "set", member=scene.customer, steam=steam)
        assert "pl: ✅ Link ended" in await say(scene, scene.agent, "set", member=scene.customer, steam="none")
        await scene.env.advance_time(1)

    german, english = direct_messages(scene.customer)
    assert german.startswith("de: Your Steam link has changed\nde: SteamID ")
    assert english.startswith("Your Steam link has changed\nSteamID ")
    assert "pl:" not in german + english


async def test_former_holder_takes_no_messages(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """That is no error: the link is changed all the same, and the log has it."""
    close_direct_messages(scene, scene.customer)

    done = await say(scene, scene.agent, "set", member=scene.customer, steam=str(scene.world.other_customer.steam_id))
    await scene.env.advance_time(1)

    assert "Linked" in done
    assert f"former holder takes no direct message guild={scene.guild.id} user={scene.customer.id}" in caplog.text


async def test_bot(scene: Scene) -> None:
    """A bot is linked to no account; a link that one has can be ended."""
    robot = scene.guild.add_member(scene.env.create_user("robot", bot=True))

    refused = await say(scene, scene.agent, "set", member=robot, steam=str(scene.world.other_customer.steam_id))

    assert "This is a bot. A bot has no Steam account of its own." in refused
    assert "No Steam account is linked to them" in await say(scene, scene.agent, "set", member=robot, steam="none")


async def test_link_changed_after_the_card_was_posted(scene: Scene) -> None:
    """The card of an open request says whose the trade's account is now, and that this is fresh."""
    card = await requested(scene, failed_trade(scene))
    assert f"Owner\n{scene.customer.mention}" in face(scene, card)
    new = scene.guild.add_member(scene.env.create_user("jonas"))

    await say(scene, scene.agent, "set", member=scene.customer, steam="none")
    await scene.env.advance_time(1)
    assert "Linked to no member" in face(scene, card)
    await say(scene, scene.agent, "set", member=new, steam=str(scene.world.customer.steam_id))
    await scene.env.advance_time(1)

    assert f"Owner\n{new.mention}, set by the staff: {scene.agent.mention}" in face(scene, card)
    assert "⚠️ Shortly before, this account or this member was linked differently." in face(scene, card)
