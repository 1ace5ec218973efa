"""In a server that is not served every way in answers that, and nothing is read, changed, posted or stored."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import simcord

from bot.demo.scene import Scene
from bot.domain.access import Capability
from bot.domain.resends import ResendState
from tests.cogs.approvals import failed_trade, followups, requested, state_of
from tests.cogs.entry_points import entries
from tests.cogs.rights_rows import ROWS
from tests.cogs.rights_stage import Stage
from tests.support.seen import text_of

NOT_SERVED = "This desk serves another server"


def stored(folder: Path) -> list[str]:
    """Return everything in the database but the time of its last probe."""
    with closing(sqlite3.connect(folder / "skindesk.db")) as connection:
        return [line for line in connection.iterdump() if not line.startswith('INSERT INTO "desk"')]


def reads(scene: Scene) -> int:
    """Return how often the providers were asked."""
    servers = (scene.providers.mannco, scene.providers.assetpay, scene.providers.skinsback)
    return sum(server.calls.total() for server in servers)


async def settled(scene: Scene) -> None:
    """Let snapshots be stored and background jobs run."""
    await scene.client.services.snapshots.saved()
    await scene.env.advance_time(20)


async def test_every_way_in(scene: Scene, tmp_path: Path) -> None:
    """Every command, suggestion, menu, button, select and form is refused, to administrators with all rights too."""
    stage = await Stage.set(scene)
    kinds = {entry.name: entry.kind for entry in entries(scene.client)}
    stage.hold(Capability, administers=True)
    prepared: list[tuple[str, Any, Any]] = []
    for name, cases in ROWS.items():
        for case in cases:
            argument = await case.prepare(stage) if case.prepare is not None else None
            prepared.append((name, case, argument))
    await stage.settle_all()  # unknown outcomes are read about in the background, wherever they are
    assert scene.client.services.guilds.use([stage.elsewhere.guild_id])
    await settled(scene)
    before, asked, posts = stored(tmp_path), reads(scene), len(scene.channel.history())

    wrong = []
    for name, case, argument in prepared:
        said = await case.do(stage, argument)
        if said if kinds[name] == "suggestion" else NOT_SERVED not in said:
            wrong.append(f"{name}: {said[:200]!r}")
    await settled(scene)

    assert wrong == []
    assert stored(tmp_path) == before
    assert reads(scene) == asked
    posted = [message for message in scene.channel.history()[posts:] if message.embeds[0].title != "Components"]
    assert posted == []


async def test_open_request(scene: Scene) -> None:
    """A request is neither approved nor sent once its server is not served: it is cancelled, and no one is told."""
    guilds, trade = scene.client.services.guilds, failed_trade(scene)
    card = await requested(scene, trade)
    posts = len(scene.channel.history())
    assert guilds.use([scene.guild.id + 1])

    for label in ("Approve", "Deny"):
        result = await scene.moderator.click(card, label=label)
        assert result.modal is None
        assert NOT_SERVED in text_of(result)
    await scene.env.advance_time(20)

    assert state_of(scene, card) == "pending"
    assert len(scene.channel.history()) == posts
    assert scene.providers.mannco.resend_calls == {}
    guilds.use([scene.guild.id])
    (said,) = followups(await scene.moderator.click(card, label="Approve"))
    assert "Already decided" in said
    assert state_of(scene, card) == ResendState.CANCELLED.value
    await requested(scene, trade)  # the trade is free again


async def test_two_guilds_of_one_name(scene: Scene) -> None:
    """The only server without a configuration is the first one; the owner of another one learns and changes nothing."""
    other = scene.env.create_guild("Skin Market")
    channel = other.create_text_channel("desk")
    role = other.create_role("Mine")
    owner = simcord.MemberActor(scene.env, other, other.owner)

    granted = await owner.slash(channel, "access grant", role=role, capability=Capability.TRADES_ANY.value)

    assert NOT_SERVED in text_of(granted)
    assert "discord.guild_ids" in text_of(granted)
    assert scene.client.services.guilds.ids == {scene.guild.id}
