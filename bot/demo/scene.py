"""The real bot in a simulated Discord, with a server, three people, grants and links."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import discord
import simcord

from bot.app import assembled
from bot.client import SkinDeskClient
from bot.config import Settings
from bot.demo.providers import SimulatedProviders
from bot.demo.providers.steam import SimulatedSteam
from bot.demo.world import World
from bot.domain.access import Actor, Capability
from bot.languages import ENGLISH, Language

AGENT_CAPABILITIES = (
    Capability.INVENTORY_ANY,
    Capability.TRADES_ANY,
    Capability.RESEND_ANY,
    Capability.MANAGE_LINKS,
)
MODERATOR_CAPABILITIES = (*AGENT_CAPABILITIES, Capability.APPROVE_RESEND, Capability.READ_AUDIT)

_SIMULATION_BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
_LOOPBACK = "127.0.0.1"
_PATIENCE = 30.0
"""Seconds that the simulation waits for the bot: longer than the longest lookup."""


class SceneClock:
    """The simulated Discord's clock, so that relative times agree everywhere on the page."""

    def __init__(self) -> None:
        self._read: Callable[[], datetime] = lambda: _SIMULATION_BEGINS

    def follow(self, read: Callable[[], datetime]) -> None:
        """Take the time from ``read``."""
        self._read = read

    def now(self) -> datetime:
        """Return the simulated time."""
        return self._read()

    def monotonic(self) -> float:
        """Return the simulated time, which is never set back."""
        return self._read().timestamp()


@dataclass(frozen=True, slots=True)
class Scene:
    """The running demo. Only ``customer`` is linked, to the world's first customer."""

    env: simcord.Env
    client: SkinDeskClient
    providers: SimulatedProviders
    world: World
    clock: SceneClock
    guild: simcord.GuildHandle
    channel: simcord.ChannelHandle
    customer: simcord.MemberActor
    agent: simcord.MemberActor
    moderator: simcord.MemberActor
    support: simcord.RoleHandle
    moderators: simcord.RoleHandle
    steam: SimulatedSteam | None = None
    """None without sign-in."""

    @property
    def owner(self) -> Actor:
        """The server's owner, who has all rights for the set-up."""
        return Actor(self.guild.id, self.guild.owner.id, frozenset({self.guild.id}), administers=True)


def scene_settings(providers: SimulatedProviders, database: Path, /, **tables: Mapping[str, Any]) -> Settings:
    """Return the configuration of a scene; ``tables`` replace tables of the same name."""
    return Settings.model_validate(
        {
            "discord": {"token": "simulated"},
            "database": {"path": str(database)},
            "providers": providers.settings(),
            **tables,
        }
    )


@asynccontextmanager
async def staged(
    folder: Path,
    *,
    check_errors: bool = True,
    sign_in: bool = False,
    per_user_paths: bool = False,
    language: Language = ENGLISH,
    **tables: Mapping[str, Any],
) -> AsyncIterator[Scene]:
    """Start providers, bot and Discord, and set them up as in the README; ``sign_in`` adds a simulated Steam.

    The key of Mannco.store is an administrator's; ``per_user_paths`` is its setting. People and server have the
    ``language``.
    """
    clock = SceneClock()
    world = World(now=clock.now)
    async with (
        SimulatedProviders(world, mannco_as_admin=True, per_user_paths=per_user_paths) as providers,
        AsyncExitStack() as stack,
    ):
        steam = listening = None
        if sign_in:
            steam = await stack.enter_async_context(SimulatedSteam(world))
            listening = stack.enter_context(socket.create_server((_LOOPBACK, 0)))
            tables = {**tables, "links": _links_table(listening, steam)}
        settings = scene_settings(providers, folder / "skindesk.db", **tables)
        async with (
            assembled(settings, clock=clock, web_socket=listening) as client,
            simcord.run(client, shard_count=1, settle_timeout=_PATIENCE, check_errors=check_errors) as env,
        ):
            clock.follow(env.now)
            if client.user is not None:
                await client.user.edit(username="SkinDesk")
            scene = replace(_people(env, client, providers, clock), steam=steam)
            await _rights(scene)
            await _speak(scene, language)
            yield scene


def _links_table(listening: socket.socket, steam: SimulatedSteam) -> dict[str, str]:
    port = listening.getsockname()[1]
    return {
        # Another site than Steam's to a browser, so that cookies behave as in production.
        "public_url": f"http://localhost:{port}",
        "listen": f"{_LOOPBACK}:{port}",
        "steam_openid_url": steam.openid_url,
    }


def _people(env: simcord.Env, client: SkinDeskClient, providers: SimulatedProviders, clock: SceneClock) -> Scene:
    guild = env.create_guild("Skin Market")
    channel = guild.create_text_channel("support-desk", topic="Ask SkinDesk: type / to see what it can do.")
    support = guild.create_role("Support", color=0x3B6EA5)
    moderators = guild.create_role("Moderators", color=0x2E9E5B)
    return Scene(
        env=env,
        client=client,
        providers=providers,
        world=providers.world,
        clock=clock,
        guild=guild,
        channel=channel,
        customer=guild.add_member(env.create_user("mia", global_name="Mia (customer)")),
        agent=guild.add_member(env.create_user("alex", global_name="Alex (support agent)"), roles=[support]),
        moderator=guild.add_member(env.create_user("robin", global_name="Robin (moderator)"), roles=[moderators]),
        support=support,
        moderators=moderators,
    )


def discord_locale(language: Language) -> str:
    """Return a locale of Discord whose readers get a language, or the same language of another country."""
    root = language.code.partition("-")[0]
    of_other_countries = [each.value for each in discord.Locale if each.value.partition("-")[0] == root]
    return [*of_other_countries, *language.formats.locales][-1]


async def _speak(scene: Scene, language: Language) -> None:
    """Let people and server have a language: the simulated Discord itself knows English only."""
    if language is ENGLISH:
        return
    locale = discord_locale(language)
    parsers = scene.client._connection.parsers  # noqa: SLF001 -- as bot/ui/interaction/incoming.py does
    parse = parsers["INTERACTION_CREATE"]
    parsers["INTERACTION_CREATE"] = lambda data: parse({**data, "locale": locale})
    for commands in scene.env.backend.commands.values():
        for command in commands.values():
            _describe(command, locale)
    await scene.client.services.settings.set_language(language.code, by=scene.owner)


def _describe(part: dict[str, Any], locale: str) -> None:
    """Give a command, its options and their choices the texts of a locale, as Discord shows them."""
    for text in ("name", "description"):
        translated = (part.get(f"{text}_localizations") or {}).get(locale)
        if translated is not None:
            part[text] = translated
    for each in (*part.get("options", ()), *part.get("choices", ())):
        _describe(each, locale)


async def _rights(scene: Scene) -> None:
    services = scene.client.services
    for role, capabilities in ((scene.support, AGENT_CAPABILITIES), (scene.moderators, MODERATOR_CAPABILITIES)):
        for capability in capabilities:
            await services.access.grant(role.id, capability, by=scene.owner)
    await services.settings.set_approvals_channel(scene.channel.id, by=scene.owner)
    linker = Actor(scene.guild.id, scene.agent.id, frozenset({scene.guild.id, scene.support.id}))
    await services.links.set_for(scene.customer.id, str(scene.world.customer.steam_id), by=linker)
