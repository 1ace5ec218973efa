"""/audit through the simulated Discord: who reads what was done, in words and as a file."""

import csv
import io
import re
from pathlib import Path

import pytest
import simcord

from bot.demo.scene import Scene
from bot.domain.access import Capability
from bot.domain.audit import AuditAction, AuditEntry
from bot.languages import ENGLISH, LANGUAGES, Language, in_language
from tests.cogs.approvals import failed_trade, give_reason, requested
from tests.cogs.test_inventory import answer_of
from tests.support.confirming import confirmed, remove_link
from tests.support.made_up import Saying
from tests.support.seen import embed_text, text_of


async def audit(scene: Scene, actor: simcord.MemberActor, **options: object) -> simcord.InteractionResult:
    result = await actor.slash(scene.channel, "audit", **options)
    assert result.ephemeral
    return result


async def file_of(result: simcord.InteractionResult) -> list[dict[str, str]]:
    """Return the rows of the CSV file in an answer."""
    assert result.response is not None
    (attachment,) = result.response.attachments
    assert attachment.filename == "audit.csv"
    text = (await attachment.read()).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def lines_of(result: simcord.InteractionResult) -> list[str]:
    """Return the rows that the embed shows."""
    return [line for line in text_of(result).splitlines() if re.match(r"`\d+` <t:", line)]


def rows_of(scene: Scene):
    """Return the repository behind everything."""
    return scene.client.services.audit._rows


async def test_suggested_actions(scene: Scene) -> None:
    """A holder of `audit.read` is offered the actions as the log spells them, and finds each by that or by its name."""
    first = await scene.moderator.autocomplete(scene.channel, "audit", "action", "")
    about_links = await scene.moderator.autocomplete(scene.channel, "audit", "action", "LINK.")

    assert [choice["value"] for choice in first] == [action.value for action in AuditAction][:25]
    assert {choice["value"] for choice in about_links} == {"link.set", "link.removed"}
    by_name = await scene.moderator.autocomplete(scene.channel, "audit", "action", "capability")
    assert {choice["value"] for choice in by_name} == {"access.granted", "access.revoked"}


async def test_the_file(scene: Scene) -> None:
    """The file has every row that matches, with each fact in a column of its own and ids that stay text."""
    rows = await file_of(await audit(scene, scene.moderator, limit=1000))
    kept = await rows_of(scene).newest(scene.guild.id, limit=1000)

    assert [row["number"] for row in rows] == [str(each.number) for each in kept[1:]], "all but the reading itself"
    assert rows[0]["time"] == kept[1].at.isoformat()
    assert rows[0]["actor"] == f"user:{scene.agent.id}"
    assert rows[0]["action"] == "link.set"
    assert rows[0]["subject"] == f"user:{scene.customer.id}"
    assert rows[0]["steam_id"] == f"steam:{scene.world.customer.steam_id}"
    assert rows[1]["channel"] == f"channel:{scene.channel.id}"
    assert all(row["digest"] == each.digest for row, each in zip(rows, kept[1:], strict=True))


async def test_filters(scene: Scene) -> None:
    """A member filter finds actions by and on them, also after they left; an action filter finds its rows only."""
    gone = scene.env.create_user("gone")
    entry = AuditEntry(scene.guild.id, scene.clock.now(), gone.id, AuditAction.LINK_REMOVED, f"user:{gone.id}")
    await rows_of(scene).append(entry)

    of_customer = await audit(scene, scene.moderator, member=scene.customer)
    of_gone = await audit(scene, scene.moderator, member=gone)
    grants = await file_of(await audit(scene, scene.moderator, action="access.granted", limit=3))

    assert [scene.customer.mention in line for line in lines_of(of_customer)] == [True]
    assert f"**Steam account unlinked** · <@{gone.id}> · By: <@{gone.id}>" in lines_of(of_gone)[0]
    assert [row["action"] for row in grants] == ["access.granted"] * 3


async def test_what_does_not_fit(scene: Scene) -> None:
    """The embed says how many rows are in the file only, and that there are older ones than were asked for."""
    for number in range(150):
        entry = AuditEntry(
            scene.guild.id,
            scene.clock.now(),
            scene.moderator.id,
            AuditAction.RESEND_DENIED,
            f"resend:{number}",
            {"trade": "4812", "owner": str(scene.world.customer.steam_id), "requester": str(scene.customer.id)},
        )
        await rows_of(scene).append(entry)

    result = await audit(scene, scene.moderator, limit=120)
    shown, rows = len(lines_of(result)), await file_of(result)

    assert len(rows) == 120
    assert 20 <= shown < 120
    assert f"…and {120 - shown} more rows, in the file only." in text_of(result)
    assert "There are older ones: ask with a higher `limit`." in text_of(result)
    usual = await audit(scene, scene.moderator)
    assert len(lines_of(usual)) == 20
    assert "in the file only" not in text_of(usual)


async def test_reading_is_logged(scene: Scene) -> None:
    """Reading the log is logged with its filters; if that fails, nothing is shown."""
    await audit(scene, scene.moderator, member=scene.customer, action="link.set", limit=7)
    (views,) = await rows_of(scene).newest(scene.guild.id, limit=9, action=AuditAction.AUDIT_VIEWED)

    assert views.actor == f"user:{scene.moderator.id}"
    assert views.subject == f"user:{scene.customer.id}"
    assert views.detail == {"action": "link.set", "limit": "7"}
    line = f"**Audit log read** · {scene.customer.mention} · `link.set` · By: {scene.moderator.mention}"
    assert line in text_of(await audit(scene, scene.moderator, action="audit.viewed"))


async def test_another_server(scene: Scene) -> None:
    """The log of one server is not shown in another."""
    elsewhere = scene.env.create_guild("Elsewhere")
    scene.client.services.guilds.use([scene.guild.id, elsewhere.id])
    channel = elsewhere.create_text_channel("desk")
    role = elsewhere.create_role("Staff")
    reader = elsewhere.add_member(scene.moderator.user, roles=[role])
    owner = simcord.MemberActor(scene.env, elsewhere, elsewhere.owner)
    await owner.slash(channel, "access grant", role=role, capability=Capability.READ_AUDIT.value)

    result = await reader.slash(channel, "audit", limit=1000)
    about = await reader.slash(channel, "audit", member=scene.customer.user)

    assert len(lines_of(result)) == 2
    assert str(scene.guild.id) not in text_of(result)
    assert all(str(scene.world.customer.steam_id) not in str(row) for row in await file_of(result))
    assert "No row matches" in text_of(about)


SHOWN_NOWHERE = {
    AuditAction.GUILD_SEEDED,  # nobody's deed
    AuditAction.RESEND_SENDING,  # the same moment as its approval
    AuditAction.TRADES_VIEWED,
    AuditAction.INVENTORY_VIEWED,
    AuditAction.AUDIT_VIEWED,
    AuditAction.DATA_EXPORTED,
    AuditAction.DATA_ERASED,
}


async def test_every_decision_is_posted(scene: Scene) -> None:
    """Each grant, link, request, decision, outcome, stop and setting is posted once, with its row's number and digest.

    What changes nothing and what is only viewed is not posted.
    """
    log = scene.guild.create_text_channel("audit")
    await scene.client.services.settings.set_audit_channel(log.id, by=scene.owner)
    (begin,) = await rows_of(scene).newest(scene.guild.id, limit=1)
    owner = simcord.MemberActor(scene.env, scene.guild, scene.guild.owner)
    grant = {"role": scene.moderators, "capability": "settings.manage"}
    for command in ("grant", "grant", "revoke", "revoke", "grant"):
        await owner.slash(scene.channel, f"access {command}", **grant)
    await scene.moderator.slash(scene.channel, "settings approvals-channel", channel=scene.channel)
    await remove_link(scene, scene.customer)
    await scene.agent.slash(scene.channel, "link set", member=scene.customer, steam=str(scene.world.customer.steam_id))
    for number, label in ((0, "Approve"), (1, "Deny")):
        card = await requested(scene, failed_trade(scene, number), by=scene.customer)
        pressed = await scene.moderator.click(card, label=label)
        if label == "Deny":
            await give_reason(pressed, scene.moderator, "no")
    for label in ("Stop resends", "Resume resends"):
        switch = await scene.moderator.slash(scene.channel, "approvals")
        await scene.moderator.click(answer_of(switch), label=label)
    await scene.agent.slash(scene.channel, "trades")
    await scene.agent.slash(scene.channel, "inventory", tradeurl=scene.world.other_customer.trade_url)
    await scene.moderator.slash(scene.channel, "audit")
    await scene.customer.slash(scene.channel, "mydata export")
    forget = await scene.customer.slash(scene.channel, "mydata forget")
    await confirmed(forget, scene.customer, "Forget me now")

    written = [row for row in await rows_of(scene).newest(scene.guild.id, limit=99) if row.number >= begin.number]
    posted = re.findall(r"([a-z.]+) · row (\d+) · ([0-9a-f]{8})$", "\n".join(_posts(log)), re.MULTILINE)

    assert f"`audit-channel` · {log.mention}" in _posts(log)[0]
    assert {action for action, *_ in posted} >= {
        *("access.revoked", "access.granted", "link.set", "link.removed", "settings.changed", "resend.requested"),
        *("resend.approved", "resend.sent", "resend.denied", "resends.paused", "resends.resumed"),
    }
    assert sorted(posted) == sorted(
        (row.action.value, str(row.number), row.digest[:8]) for row in written if row.action not in SHOWN_NOWHERE
    )


async def test_posts_in_the_servers_language(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A post is in the server's language, whatever the language of the member who acted."""
    made_up = Language(Path("made-up"))
    made_up.__dict__ |= {"formats": ENGLISH.formats, "messages": Saying("«{}»".format)}
    monkeypatch.setitem(LANGUAGES, made_up.code, made_up)
    log = scene.guild.create_text_channel("audit")
    settings = scene.client.services.settings
    await settings.set_audit_channel(log.id, by=scene.owner)
    for acting, server in ((ENGLISH, made_up), (made_up, ENGLISH)):
        with in_language(acting):
            await settings.set_language(server.code, by=scene.owner)
            await scene.client.services.access.grant(scene.support.id, Capability.READ_AUDIT, by=scene.owner)
            await scene.client.services.access.revoke(scene.support.id, Capability.READ_AUDIT, by=scene.owner)

    titles = [post.splitlines()[0] for post in _posts(log)]
    assert titles[-6:] == [
        *("«Setting changed»", "«Capability granted»", "«Capability revoked»"),
        *("Setting changed", "Capability granted", "Capability revoked"),
    ]


def _posts(log: simcord.ChannelHandle) -> list[str]:
    return [embed_text(message.embeds[0]) for message in log.history()]
