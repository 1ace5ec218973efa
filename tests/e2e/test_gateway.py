"""What the gateway sends twice, in an odd shape, or not at all."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest

from tests.e2e.live_bot import LiveBot, answer_of
from tests.support.loopback_discord.commands import slash_data
from tests.support.loopback_discord.guilds import Member
from tests.support.loopback_discord.records import InteractionRecord, Kind
from tests.support.loopback_discord.wire import Refusal, Request, new_id

CANARY = "canary-4711"
NOT_SEEN = "SkinDesk does not see this server yet"


def begun(live: LiveBot, who: Member, command: str, /, **options: Any) -> tuple[InteractionRecord, dict[str, Any]]:
    """Return an interaction that is not delivered yet."""
    data = slash_data(live.server.commands, live.guild, command, options)
    return live.server.interactions.begin(Kind.COMMAND, command, data, member=who, channel=live.channel)


async def test_delivered_twice(live: LiveBot) -> None:
    """An interaction that comes again is dropped before any work."""
    async with live.running() as bot:
        for command in ("status", "link start"):
            record, event = begun(live, live.customer, command)
            for _ in range(3):
                await live.server.gateway.dispatch("INTERACTION_CREATE", event)
            await bot.wait_line(f"interaction came again id={record.id}")
            await record.finished()
            await live.use(live.customer, "status")
            assert (record.refusals, record.followups) == ([], [])
    live.assert_sound()


async def test_delivered_to_two(live: LiveBot) -> None:
    """The answer of another process stays as it is, and this one changes nothing.

    Also if Discord says that late, or after it has limited this one's answer, which it did not take then.
    """
    good = {"type": 4, "data": {"embeds": [{"title": "Good"}], "flags": 64}}
    async with live.running() as bot:
        ended = {"member": live.customer, "steam": "none"}
        late = partial(live.server.faults.delay, seconds=1.2)
        limited = partial(live.server.faults.fail, status=429, retry_after=0.2)
        for who, command, options, fault in (
            (live.customer, "link status", {}, None),
            (live.agent, "link set", ended, None),
            (live.customer, "link start", {}, None),
            (live.agent, "link set", ended, late),
            (live.customer, "link status", {}, late),
            (live.agent, "link set", ended, limited),
            (live.customer, "link status", {}, limited),
        ):
            if fault is not None:
                fault("POST", "/interactions/*/*/callback")
            record, event = begun(live, who, command, **options)
            live.server.interactions.acknowledge(str(record.id), record.token, Request("POST", "", {}, good))
            await live.server.gateway.dispatch("INTERACTION_CREATE", event)
            await bot.wait_line(command)
            await live.server.until(partial(getattr, record, "refusals"))
            await live.use(live.customer, "status")
            assert answer_of(record).text == "Good"
            assert (record.refusals, record.followups) == ([Refusal.ALREADY_ACKNOWLEDGED], [])
        assert "SteamID" in (await live.use(live.customer, "link status")).text
    assert sum("answered by another process" in line for line in bot.stderr_lines) == 7
    live.assert_sound(allowed=("never finished", "answered twice"))  # discord.py repeats a limited one


async def test_odd_events(live: LiveBot, subtests: pytest.Subtests) -> None:
    """An event of an unexpected shape is logged and skipped; the bot goes on, and sees what it can."""
    guild_id = str(live.guild.id)
    voice = {"id": str(new_id()), "type": 2, "name": CANARY, "guild_id": guild_id}
    odd_role = {"id": CANARY, "name": CANARY}
    events: tuple[tuple[str, Any], ...] = (
        ("CHANNEL_CREATE", voice),
        ("CHANNEL_UPDATE", {"id": str(live.channel.id), "guild_id": guild_id, "type": 0}),
        ("CHANNEL_DELETE", {}),
        ("GUILD_UPDATE", {"id": CANARY}),
        ("GUILD_DELETE", {}),
        ("GUILD_EMOJIS_UPDATE", {"guild_id": guild_id}),
        ("THREAD_CREATE", {"guild_id": guild_id, "id": CANARY}),
        ("INTERACTION_CREATE", {"id": "1", "token": CANARY}),
        ("INTERACTION_CREATE", {"id": "2", "type": 99}),
        ("GUILD_CREATE", None),
        ("GUILD_ROLE_CREATE", {"role": odd_role}),
        ("GUILD_ROLE_UPDATE", {"guild_id": CANARY, "role": odd_role}),
        ("GUILD_ROLE_DELETE", None),
        ("NEW_EVENT", {"id": CANARY}),
    )
    async with live.running(observability__log_level="info") as bot:
        for event, data in events:
            with subtests.test(event, data=data):
                await live.server.gateway.dispatch(event, data)
                assert "Providers" in (await live.use(live.customer, "status")).text
        nobodys, sent = begun(live, live.customer, "status")
        await live.server.gateway.dispatch("INTERACTION_CREATE", sent | {"member": None})
        for _ in range(30):
            await live.server.gateway.dispatch("CHANNEL_CREATE", voice)
        arrival = live.guild.arrival()
        await live.server.gateway.dispatch("GUILD_CREATE", arrival | {"channels": [voice, *arrival["channels"]]})
        await bot.wait_line("left_out={'channels': 1}")
        assert "does not see" not in (await live.use(live.owner, "settings show")).text
        assert "Who may do what" in (await live.use(live.owner, "access list")).text

        gone = live.guild.add_role("Gone")
        await live.use(live.owner, "access grant", role=gone, capability="audit.read")
        listed = await live.use(live.owner, "access list")
        assert "deleted role" in listed.text
        await live.server.gateway.dispatch("GUILD_ROLE_CREATE", {"guild_id": guild_id, "role": odd_role})
        assert "deleted role" not in (await live.use(live.owner, "access list")).text
        [revoke] = listed.custom_ids
        assert NOT_SEEN in answer_of(await (await live.server.click(listed, revoke, live.owner)).finished()).text
        await live.server.gateway.dispatch("GUILD_CREATE", arrival)
        assert "deleted role" in (await live.use(live.owner, "access list")).text
    skipped = [line for line in bot.stderr_lines if "gateway event skipped event=CHANNEL_CREATE" in line]
    assert len(skipped) == 2
    assert "count=10" in skipped[1]
    assert CANARY not in bot.stderr
    assert "Traceback" not in bot.stderr
    live.assert_sound(unfinished=(nobodys,))


@pytest.mark.parametrize("gone", [{}, {"unavailable": True}], ids=["unknown", "unavailable"])
async def test_unseen_guild(live: LiveBot, gone: Mapping[str, bool]) -> None:
    """Roles and permissions come from the interaction; what is not known of a server is said, never "you may not"."""
    async with live.running():
        await live.server.gateway.dispatch("GUILD_DELETE", {"id": str(live.guild.id), **gone})

        trades = await live.use(live.agent, "trades", steam_id=str(live.world.customer.steam_id))
        assert "Trades" in trades.text
        assert "You may not do that" in (await live.use(live.customer, "approvals")).text
        granted = await live.use(live.owner, "access grant", role=live.support, capability="resend.approve")
        assert "may do this from now on" in granted.text
        assert NOT_SEEN in granted.text
        assert "Open resends" in (await live.use(live.agent, "approvals")).text
        assert NOT_SEEN in (await live.use(live.owner, "settings show")).text
        assert f"<#{live.approvals.id}>" in (await live.use(live.owner, "settings show")).text
        for command, options in (
            ("access list", {}),
            ("access why", {"member": live.agent, "capability": "audit.read"}),
            ("settings approvals-channel", {"channel": live.approvals}),
        ):
            assert NOT_SEEN in (await live.use(live.owner, command, **options)).text, command
        card = await live.requested(live.world.trades_of(live.world.customer)[0].id)
        await (await live.decide(card)).finished()

        await live.server.gateway.dispatch("GUILD_CREATE", live.guild.arrival())
        assert "Who may do what" in (await live.use(live.owner, "access list")).text
    live.assert_sound()
