"""Values that no client of Discord would send get a polite refusal, through the real handlers."""

from typing import Any

import pytest

from tests.e2e.live_bot import LiveBot, answer_of
from tests.support.loopback_discord.guilds import Member
from tests.support.loopback_discord.messages import Message
from tests.support.loopback_discord.records import InteractionRecord, Kind

BUTTON, SELECT = 2, 3
LONG = "9" * 5_000
OLD = "This button or menu is too old"
EXPIRED = "This page has expired"
FORM = "This form is too old"
VALUES: tuple[list[Any], ...] = ([], ["bogus"], [LONG], ["-1"], ["٣"], ["99999"], ["1", "2"], [7], [None], [{}])


async def sent(
    live: LiveBot, kind: Kind, data: dict[str, Any], who: Member, source: Message | None = None
) -> InteractionRecord:
    """Send an interaction as it is and wait for its answer."""
    record, event = live.server.interactions.begin(
        kind, str(data.get("custom_id", data.get("name"))), data, member=who, channel=live.channel, source=source
    )
    await live.server.gateway.dispatch("INTERACTION_CREATE", event)
    return await record.finished()


def modal(custom_id: str, **values: Any) -> dict[str, Any]:
    rows = [{"type": 1, "components": [{"type": 4, "custom_id": key, "value": values[key]}]} for key in values]
    return {"custom_id": custom_id, "components": rows}


async def test_components(live: LiveBot, subtests: pytest.Subtests) -> None:
    """Values, numbers and ids that were not offered are refused in words, and the log has no error."""
    async with live.running() as bot:
        page = await live.use(live.customer, "inventory", tradeurl=live.world.customer.trade_url)
        several = await live.use(live.agent, "explain", code="7")
        card = await live.requested(live.world.trades_of(live.world.customer)[0].id)
        at = next(custom_id for custom_id in page.custom_ids if custom_id.endswith(":item")).rpartition(":")[0]
        menus = [(page, f"{at}:item"), (page, f"{at}:sort"), (several, "explain:meaning")]
        cases: list[tuple[Message | None, Member, dict[str, Any], Kind, str]] = [
            (
                message,
                live.customer,
                {"custom_id": name, "component_type": SELECT, "values": values},
                Kind.COMPONENT,
                OLD,
            )
            for message, name in menus
            for values in VALUES
        ]
        cases += [
            (source, live.moderator, {"custom_id": name, "component_type": kind}, Kind.COMPONENT, OLD)
            for source, name, kind in (
                (page, f"{at}:next:99999", BUTTON),
                (page, f"{at}:next:{LONG}", BUTTON),
                (page, f"{at}:next:-1", BUTTON),
                (page, "page:AAAAAAAAAAAA:item", SELECT),
                (page, f"{at}:item", BUTTON),
                (card, f"resend:{LONG}:approve", BUTTON),
                (card, "resend:2:approve", BUTTON),
                (card, "resends:resume:1", BUTTON),
                (card, "of:another:bot", BUTTON),
                (card, "", BUTTON),
                (None, "resend:1:approve", BUTTON),
            )
        ]
        cases += [
            (page, live.customer, modal(f"{at}:filter", search="x" * 9_000), Kind.MODAL, ""),
            (page, live.customer, modal(f"{at}:filter", min_price=LONG), Kind.MODAL, "cannot be used like that"),
            (page, live.customer, modal(f"{at}:filter", min_price=7, max_price=None), Kind.MODAL, ""),
            (page, live.customer, modal(f"{at}:filter"), Kind.MODAL, ""),
            (page, live.agent, modal(f"{at}:filter"), Kind.MODAL, ""),
            (page, live.customer, modal("page:AAAAAAAAAAAA:filter"), Kind.MODAL, EXPIRED),
            (page, live.customer, modal(f"{at}:filter:more"), Kind.MODAL, FORM),
            (card, live.moderator, modal(f"resend:{LONG}:deny:reason:1"), Kind.MODAL, FORM),
            (card, live.moderator, modal(f"resend:{'9' * 18}:deny:reason:1"), Kind.MODAL, "No such request"),
            (card, live.customer, modal("resend:1:deny:reason:1"), Kind.MODAL, "You may not do that"),
            (card, live.agent, modal("resend:1:deny:reason:1"), Kind.MODAL, "You may not do that"),
            (card, live.moderator, modal("resend:1:sent:reason:1", reason="x" * 9_000), Kind.MODAL, ""),
        ]
        for number, (source, who, data, kind, said) in enumerate(cases):
            with subtests.test(str(data)[:120], number=number):
                record = await sent(live, kind, data, who, source)
                text = "\n".join(message.text for message in (record.message, *record.followups) if message is not None)
                assert said in text
                assert "Something went wrong" not in text
    lines = [line for line in bot.stderr_lines if " ERROR " in line or "Traceback" in line or "skipped" in line]
    assert lines == []


async def test_choices(live: LiveBot, subtests: pytest.Subtests) -> None:
    """A choice that a command does not have is refused by its name."""
    strings = {"sort": "bogus", "game": "chess", "provider": "bogus"}
    url = live.world.customer.trade_url
    async with live.running() as bot:
        cases: list[tuple[Member, str, dict[str, Any]]] = [
            *((live.customer, "inventory", {"tradeurl": url, name: value}) for name, value in strings.items()),
            (live.customer, "trades", {"scope": "bogus"}),
            (live.customer, "explain", {"code": "7", "provider": "bogus"}),
            (live.owner, "access", {"grant": {"role": str(live.support.id), "capability": "all"}}),
        ]
        for who, command, options in cases:
            with subtests.test(command, options=options):
                record = await sent(live, Kind.COMMAND, _command(live, command, options), who)
                assert "cannot be used like that" in answer_of(record).text
                assert "There is no such choice" in answer_of(record).text
    assert not [line for line in bot.stderr_lines if " ERROR " in line]


@pytest.mark.parametrize(
    "odd",
    [
        {"type": 9},
        {"name": "access", "options": []},
        {"name": "nothing"},
        {"options": [{"type": 3, "name": "tradeurl"}]},
        {"options": [{"name": "tradeurl", "type": 1}]},
        {"options": []},
        {"resolved": {"users": {"1": {}}}},
    ],
    ids=str,
)
async def test_commands_that_cannot_be_read(live: LiveBot, odd: dict[str, Any]) -> None:
    """A command of an unexpected shape is answered as one that has changed, and the next one works."""
    async with live.running(set_up=False) as bot:
        data = _command(live, "inventory", {"tradeurl": "x"}) | odd
        assert "This command has changed" in answer_of(await sent(live, Kind.COMMAND, data, live.customer)).text
        assert "Providers" in (await live.use(live.customer, "status")).text
    assert not [line for line in bot.stderr_lines if " ERROR " in line]


def _command(live: LiveBot, name: str, options: dict[str, Any]) -> dict[str, Any]:
    found = live.server.commands.find(live.guild, name)
    given: list[dict[str, Any]] = []
    for key, value in options.items():
        if isinstance(value, dict):
            inner = [{"name": each, "type": 3, "value": text} for each, text in value.items()]
            inner[0]["type"] = 8
            given.append({"name": key, "type": 1, "options": inner})
        else:
            given.append({"name": key, "type": 3, "value": value})
    resolved = {"roles": {str(live.support.id): live.support.payload()}}
    return {"id": found["id"], "name": name, "type": 1, "options": given, "resolved": resolved}
