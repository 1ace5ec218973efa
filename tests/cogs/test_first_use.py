"""The first use of every command: each obstacle is explained with the next step.

A new command needs a row in ``ROWS``: its options and its obstacles. The required capabilities are read from its
declaration. A command works as usual in every situation that is no obstacle to it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import discord
import simcord
from discord import app_commands

from bot.demo.providers import faults
from bot.demo.scene import Scene
from bot.domain.access import Capability
from bot.ui.interaction.rights import commands_in, declared
from tests.support.confirming import remove_link
from tests.support.seen import text_of

NO_LINK, WRONG_URL, PROVIDER_DOWN = "no link", "wrong url", "provider down"

Options = Callable[[Scene], dict[str, Any]]


@dataclass(frozen=True)
class Row:
    """How a command is used, and which situations stop it.

    ``url_option`` is the option that takes a trade URL. ``target`` is what a context menu is used on. A command that
    ``is_off`` at the scene's desk, or for the staff only, says so in every situation.
    """

    options: Options = lambda _: {}
    stopped_by: frozenset[str] = frozenset()
    url_option: str | None = None
    target: str | None = None
    is_off: bool = False


def own_url(scene: Scene) -> dict[str, Any]:
    return {"tradeurl": scene.world.customer.trade_url}


def a_resendable_trade(scene: Scene) -> dict[str, Any]:
    return {"id": str(scene.world.trades_of(scene.world.customer)[0].id)}


def a_grant(scene: Scene) -> dict[str, Any]:
    return {"role": scene.support, "capability": "audit.read"}


def a_channel(scene: Scene) -> dict[str, Any]:
    return {"channel": scene.channel}


ROWS: dict[str, Row] = {
    "inventory": Row(own_url, frozenset({NO_LINK, WRONG_URL, PROVIDER_DOWN}), url_option="tradeurl"),
    "trades": Row(
        lambda _: {"provider": "mannco"}, frozenset({NO_LINK, WRONG_URL, PROVIDER_DOWN}), url_option="tradeurl"
    ),
    "resend": Row(a_resendable_trade, frozenset({NO_LINK, PROVIDER_DOWN})),
    "approvals": Row(),
    "explain": Row(lambda _: {"code": "33"}),
    "status": Row(),
    "link set": Row(
        lambda scene: {"member": scene.moderator, "steam": str(scene.world.other_customer.steam_id)},
        frozenset({WRONG_URL}),
        url_option="steam",
    ),
    "link start": Row(is_off=True),
    "link status": Row(),
    "link remove": Row(),
    "access grant": Row(a_grant),
    "access revoke": Row(a_grant),
    "access list": Row(),
    "access why": Row(lambda scene: {"member": scene.agent, "capability": "trades.any"}),
    "audit": Row(),
    "mydata export": Row(),
    "mydata forget": Row(),
    "settings show": Row(),
    "settings approvals-channel": Row(a_channel),
    "settings audit-channel": Row(a_channel),
    "settings language": Row(lambda _: {"language": "de"}),
    "settings approvals-role": Row(lambda scene: {"role": scene.moderators}),
    "customer": Row(lambda scene: {"member": scene.customer}, is_off=True),
    "Show trades": Row(stopped_by=frozenset({NO_LINK}), target="member"),
    "Explain error codes": Row(target="message"),
}

WRONG_URLS = (
    "https://steamcommunity.com/id/mia",
    "76561198083722517x",
    "https://steamcomrnunity.com/tradeoffer/new/?partner=1&token=abcdefgh",
    "https://steamcommunity.com/tradeoffer/new/?token=abcdefgh",
    "my trade url",
)

WAY = re.compile(
    r"`/[a-z]+|`[a-z]+\.[a-z]+`|https://steamcommunity\.com/|<t:\d+:R>|\bstaff\b|\bagent\b|\badministrator\b|"
    r"\bmoderator|\bprovider\b|\bminutes?\b|\bcopy\b|\bSteamID\b",
    re.IGNORECASE,
)
"""A way on: a command, a capability, an address, a time, or a person to ask."""


def commands_of(scene: Scene) -> dict[str, "app_commands.Command[Any, ..., Any] | app_commands.ContextMenu"]:
    tree = scene.client.tree
    kinds = (discord.AppCommandType.chat_input, discord.AppCommandType.user, discord.AppCommandType.message)
    found = [each for kind in kinds for command in tree.get_commands(type=kind) for each in commands_in(command)]
    return {each.qualified_name: each for each in found}


async def use(scene: Scene, name: str, actor: simcord.MemberActor, **changed: Any) -> simcord.InteractionResult:
    row = ROWS[name]
    if row.target == "member":
        return await actor.context_menu(scene.channel, name, actor)
    if row.target == "message":
        message = await scene.agent.send(scene.channel, "error 33")
        return await actor.context_menu(scene.channel, name, message)
    return await actor.slash(scene.channel, name, **(row.options(scene) | changed))


def refusal_faults(result: simcord.InteractionResult) -> list[str]:
    """Return what a refusal lacks of a sentence that says what to do."""
    assert result.ephemeral
    assert result.response is not None
    (embed,) = result.response.embeds
    fields = {str(each.name): str(each.value) for each in embed.fields}
    missing = [name for name in ("What you can do", "Try again") if not fields.get(name)]
    if not str(embed.title).startswith(("⛔ ", "⚠️ ")) or not embed.description:
        return [f"no refusal: {text_of(result)}"]
    if not missing and not WAY.search(fields["What you can do"]):
        return [f"names no way: {fields['What you can do']}"]
    return missing


def success_faults(result: simcord.InteractionResult) -> list[str]:
    """Return what an answer says of a situation that should not concern it."""
    assert result.ephemeral
    return [text_of(result)] if re.match("[⛔⚠]", text_of(result)) else []


async def let_customers_do_everything(scene: Scene) -> None:
    """Give everybody what each command needs, for one's own things only."""
    for command in commands_of(scene).values():
        for capability in declared(command.callback).capabilities[:1]:
            if capability is not Capability.TRADES_ANY:  # /customer has no right for one's own things
                await scene.client.services.access.grant(scene.guild.id, capability, by=scene.owner)


def expected_of(name: str, situation: str) -> Callable[[simcord.InteractionResult], list[str]]:
    row = ROWS[name]
    return refusal_faults if row.is_off or situation in row.stopped_by else success_faults


async def test_every_command_has_a_row(scene: Scene) -> None:
    """Every command has a row, and every row a command."""
    assert set(commands_of(scene)) == set(ROWS)


async def test_without_a_link(scene: Scene) -> None:
    """Without a linked Steam account, a command that requires one says how to link it; the others work."""
    await let_customers_do_everything(scene)
    await remove_link(scene, scene.customer)
    found: dict[str, list[str]] = {}
    for name, row in ROWS.items():
        result = await use(scene, name, scene.customer)
        found[name] = expected_of(name, NO_LINK)(result)
        if NO_LINK in row.stopped_by and "`/link " not in text_of(result):
            found[name].append("does not name the command that links")

    assert {name: problems for name, problems in found.items() if problems} == {}


async def test_wrong_url(scene: Scene) -> None:
    """Anything pasted instead of a trade URL is answered with the mistake and the way to the right one."""
    options = {name: row.url_option for name, row in ROWS.items() if row.url_option}
    found = {
        (name, wrong): refusal_faults(await use(scene, name, actor, **{option: wrong}))
        for name, option in options.items()
        for wrong in WRONG_URLS
        for actor in (scene.agent, scene.customer)
    }

    assert {what: problems for what, problems in found.items() if problems} == {}
    assert not any(server.calls for server in (scene.providers.assetpay, scene.providers.mannco))


async def test_provider_down(scene: Scene) -> None:
    """While all providers are down, a command that asks one says when to try again; the others work.

    What asks several has a page that names each of them.
    """
    await let_customers_do_everything(scene)
    for server in (scene.providers.assetpay, scene.providers.mannco, scene.providers.skinsback):
        server.faults.extend([faults.html(503)] * 100)
    found: dict[str, list[str]] = {}
    for name, row in sorted(ROWS.items(), key=lambda each: each[0] in ("link remove", "mydata forget")):
        result = await use(scene, name, scene.customer)
        found[name] = expected_of(name, PROVIDER_DOWN)(result)
        if PROVIDER_DOWN in row.stopped_by and not re.search(r"Try again\n<t:\d+:R>", text_of(result)):
            found[name].append("does not say when to try again")

    assert {name: problems for name, problems in found.items() if problems} == {}
