"""The commands as they are registered at Discord: names, options, types and choices."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import discord
import pytest
from discord import app_commands

from bot.demo.scene import Scene
from bot.languages import LANGUAGES
from bot.ui.interaction.rights import commands_in, declared
from tests.support.discord_requests import Kind, calls
from tests.support.payload_audit import assert_clean
from tests.support.seen import text_of
from tests.support.stage import kept_open

SUBCOMMAND, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, NUMBER = 1, 3, 4, 5, 6, 7, 8, 10
TEXT_CHANNELS = [0, 5]
"""Ordinary ones and those for announcements."""

PROVIDERS = ["assetpay", "assetpay_client", "assetpay_legacy", "skinsback", "mannco"]
CAPABILITIES = [
    "inventory.own",
    "inventory.any",
    "trades.own",
    "trades.any",
    "resend.own",
    "resend.any",
    "resend.approve",
    "links.manage",
    "access.manage",
    "settings.manage",
    "audit.read",
]


def option(kind: int, *choices: str, **facts: Any) -> dict[str, Any]:
    return {"type": kind} | ({"choices": list(choices)} if choices else {}) | facts


REQUIRED = {"required": True}
GRANT = {"role": option(ROLE, **REQUIRED), "capability": option(STRING, *CAPABILITIES, **REQUIRED)}
A_CHANNEL = {"channel": option(CHANNEL, channel_types=TEXT_CHANNELS, **REQUIRED)}

CONTRACT: dict[str, dict[str, dict[str, Any]]] = {
    "inventory": {
        "tradeurl": option(STRING, **REQUIRED),
        "provider": option(STRING, "assetpay", "assetpay_client", "assetpay_legacy", "skinsback", "all"),
        "game": option(STRING, "cs2", "rust", "dota2"),
        "search": option(STRING, min_length=1, max_length=100),
        "sort": option(STRING, "relevance", "price_asc", "price_desc", "name_asc", "name_desc"),
        "min_price": option(NUMBER, min_value=0),
        "max_price": option(NUMBER, min_value=0),
        "refresh": option(BOOLEAN),
    },
    "trades": {
        "scope": option(STRING, "active", "all"),
        "member": option(USER),
        "steam_id": option(STRING),
        "provider": option(STRING, "mannco", "assetpay", "skinsback"),
        "reference": option(STRING, min_length=1, max_length=128),
        "tradeurl": option(STRING),
    },
    "resend": {
        "id": option(STRING, autocomplete=True, **REQUIRED),
        "reason": option(STRING, min_length=1, max_length=200),
    },
    "approvals": {},
    "explain": {
        "code": option(STRING, autocomplete=True, min_length=1, max_length=1000, **REQUIRED),
        "provider": option(STRING, *PROVIDERS),
    },
    "link start": {},
    "link set": {"member": option(USER, **REQUIRED), "steam": option(STRING, **REQUIRED)},
    "link status": {},
    "link remove": {},
    "access grant": GRANT,
    "access revoke": GRANT,
    "access list": {},
    "access why": {"member": option(USER, **REQUIRED), "capability": GRANT["capability"]},
    "settings show": {},
    "audit": {
        "member": option(USER),
        "action": option(STRING, autocomplete=True),
        "limit": option(INTEGER, min_value=1, max_value=1000),
    },
    "mydata export": {},
    "mydata forget": {},
    "status": {},
    "settings approvals-channel": A_CHANNEL,
    "settings audit-channel": A_CHANNEL,
    "settings approvals-role": {"role": option(ROLE, required=True)},
    "settings language": {"language": option(STRING, "default", *LANGUAGES, **REQUIRED)},
}


MENUS = {"Show trades": 2, "Explain error codes": 3}
"""Context menus by name, with Discord's number for their kind: on a user, on a message."""


def synced(scene: Scene) -> list[Mapping[str, Any]]:
    """Return the definitions in the one sync there is."""
    (sync,) = [call for call in calls(scene.env.http_requests) if call.kind is Kind.GLOBAL_COMMANDS]
    return list(sync.body)


def leaves(definitions: list[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return each command's options by its whole name, subcommands taken apart."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for command in definitions:
        options = command.get("options") or []
        branches = [each for each in options if each["type"] == SUBCOMMAND]
        for branch in branches:
            found[f"{command['name']} {branch['name']}"] = branch.get("options") or []
        if not branches:
            found[command["name"]] = options
    return found


def essence(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an option promises: everything but its texts."""
    found = {
        name: value
        for name, value in definition.items()
        if name not in ("name", "description", "name_localizations", "description_localizations")
        and value is not None
        and value is not False
    }
    if "choices" in found:
        found["choices"] = [choice["value"] for choice in found["choices"]]
    return found


async def test_names_options_and_choices(scene: Scene) -> None:
    """Every command has the options of the contract, in order, with the literal values of choices."""
    found = leaves(synced(scene))

    for name, options in CONTRACT.items():
        assert {each["name"]: essence(each) for each in found[name]} == options, name
        assert [each["name"] for each in found[name]] == list(options), name


WHO = re.compile(r"^(?:Staff|Moderators|Administrators): [a-z]")
JARGON = re.compile(r"(?i)\b(?:api|endpoint|cache|payload|json|jwt|capabilit(?:y|ies)|boolean|query|dialect|sync)\b")


def described(definitions: list[Mapping[str, Any]]) -> dict[str, str]:
    """Return every text in Discord's picker by the command, option or choice that shows it."""
    found = {}
    for name, options in leaves(definitions).items():
        for each in options:
            found[f"{name} {each['name']}"] = each["description"]
            for choice in each.get("choices") or []:
                found[f"{name} {each['name']} {choice['value']}"] = choice["name"]
    return found


async def test_picker_texts(scene: Scene) -> None:
    """The texts in the picker are short and plain, and name the group that a command is for."""
    texts = described(synced(scene))
    for each in scene.client.tree.get_commands(type=discord.AppCommandType.chat_input):
        for command in commands_in(each):
            assert isinstance(command, app_commands.Command)
            needed = declared(command.callback).capabilities
            texts[command.qualified_name] = command.description
            if needed and not any(capability.value.endswith(".own") for capability in needed):
                assert WHO.search(command.description), command.qualified_name

    for where, text in texts.items():
        assert 1 <= len(text) <= 100, (where, text)
        assert JARGON.search(text) is None, (where, text)
        assert not text.endswith("."), (where, text)


async def test_menus(scene: Scene) -> None:
    """The context menus have exactly these names, on users and on messages."""
    assert {each["name"]: each["type"] for each in synced(scene) if each.get("type", 1) != 1} == MENUS


async def test_who_sees_commands(scene: Scene) -> None:
    """No command narrows who sees it: that is the capabilities' business. All of them are for servers only."""
    for command in synced(scene):
        assert command.get("default_member_permissions") is None
        assert command["contexts"] == [0]
        assert command["integration_types"] == [0]
    assert scene.customer.user.available_commands() == ()


async def test_commands_of_some_servers_only(tmp_path: Path) -> None:
    """With servers in the configuration, the commands are registered in these servers only."""
    discord_settings = {"token": "simulated", "command_guild_ids": [111, 222]}
    async with kept_open(tmp_path, discord=discord_settings) as scene:
        found = [
            call for call in calls(scene.env.http_requests) if call.kind in (Kind.GUILD_COMMANDS, Kind.GLOBAL_COMMANDS)
        ]

        *of_servers, everywhere = found
        assert [call.path.split("/")[-2] for call in of_servers] == ["111", "222"]
        assert (everywhere.kind, everywhere.body) == (Kind.GLOBAL_COMMANDS, [])
        for call in of_servers:
            assert set(CONTRACT) <= set(leaves(call.body))
        assert_clean(scene.env)


TABLES: dict[str, dict[str, str]] = {
    "assetpay": {"api_key": "ap_0123456789abcdef"},
    "assetpay_client": {"client_token": "a-fixed-token"},
    "assetpay_legacy": {"api_key": "ap_0123456789abcdef"},
    "skinsback": {"client_id": "12345", "client_secret": "0123456789abcdef"},
    "mannco": {"api_key": "0123456789abcdef"},
}


@pytest.mark.parametrize(
    "on",
    [
        ["skinsback"],
        ["assetpay_client", "mannco"],
        ["assetpay", "assetpay_legacy", "skinsback"],
        ["mannco"],
        [],
    ],
    ids="+".join,
)
async def test_choices_of_inventory_providers(tmp_path: Path, on: list[str]) -> None:
    """/inventory offers the providers of inventories that are on, and `all`; with none on that is explained."""
    inventories = [name for name in on if name != "mannco"]
    async with kept_open(tmp_path, providers={name: TABLES[name] for name in on}) as scene:
        provider = next(each for each in leaves(synced(scene))["inventory"] if each["name"] == "provider")
        assert [choice["value"] for choice in provider["choices"]] == [
            *(name for name in on if name != "mannco"),
            "all",
        ]

        if "mannco" not in on:
            trades = await scene.customer.slash(scene.channel, "trades", provider="mannco")
            assert "Mannco.store is not switched on here" in text_of(trades)
        if not on:
            trades = await scene.customer.slash(scene.channel, "trades")
            assert "No provider that can do this is switched on here" in text_of(trades)
        if not inventories:
            for options in ({}, {"provider": "all"}):
                result = await scene.customer.slash(
                    scene.channel, "inventory", tradeurl=scene.world.customer.trade_url, **options
                )
                assert "No provider that can do this is switched on here" in text_of(result)
        assert_clean(scene.env)
