"""Checks the bot's account on Discord: token, application, commands, and each server's channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import discord

from bot.checks.findings import Channels, Finding, failed, ok, problem, unreachable, warning
from bot.config_loading import printable
from bot.discord_faults import discord_fault
from bot.observability.discord_http import DiscordRequests

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from types import SimpleNamespace

    from bot.config import Settings

NEEDED = discord.Permissions(view_channel=True, send_messages=True, embed_links=True)
"""The permissions that SkinDesk needs to post; the README's invitation asks for the same."""

_PRIVILEGED = ("gateway_presence", "gateway_guild_members", "gateway_message_content")
_MISSING_SHOWN = 5
_MOST_GUILDS = 2_500
"""Servers that Discord accepts for one shard."""

_NO_ANSWER = (aiohttp.ClientError, OSError, discord.HTTPException, discord.GatewayNotFound)


async def check_discord(
    settings: Settings, channels: Sequence[Channels], on_date: Callable[[str | None], None]
) -> Sequence[Finding]:
    """Check the bot by reading from Discord's REST API only."""
    # SkinDesk does not use voice, so a missing voice library needs no warning.
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    client = discord.Client(intents=discord.Intents(guilds=True), http_trace=_tracing(on_date))
    async with client:
        try:
            await client.login(settings.discord.token.get_secret_value())
        except discord.LoginFailure:
            fix = "copy it again from the application's Bot page (Reset Token)"
            return [problem("discord.token", "Discord refused it", fix, key="discord.token")]
        except _NO_ANSWER as error:
            return [_unreachable("discord", error)]
        findings = [ok("discord.token", f"it is the token of application {client.application_id}")]
        for check in (_application, _shards, _guilds, _commands):
            name = f"discord.{check.__name__.strip('_')}"
            try:
                findings += await check(client, settings, channels)
            except _NO_ANSWER as error:
                findings.append(_unreachable(name, error))
            except Exception as error:  # noqa: BLE001 -- a check that raises is a finding
                findings.append(failed(name, error))
        return findings


def _tracing(on_date: Callable[[str | None], None]) -> aiohttp.TraceConfig:
    trace = DiscordRequests().trace  # a page of a proxy or a login is no answer of Discord, and its clock is not either

    async def on_end(_: aiohttp.ClientSession, __: SimpleNamespace, ended: aiohttp.TraceRequestEndParams) -> None:
        on_date(ended.response.headers.get("Date"))

    trace.on_request_end.append(on_end)
    return trace


async def _application(client: discord.Client, _: Settings, __: Sequence[Channels]) -> list[Finding]:
    application = client.application or await client.application_info()
    name = "discord.application"
    findings = []
    if application.interactions_endpoint_url:
        what = "interactions go to the application's Interactions Endpoint URL, so none reaches SkinDesk"
        fix = "clear that field on the application's General Information page"
        findings.append(problem(f"{name}.endpoint", what, fix))
    if application.bot_public:
        fix = "switch Public Bot off on the application's Bot page"
        findings.append(warning(f"{name}.public", "anyone may invite the bot to their server", fix))
    flags = dict(application.flags)
    asked = [each for each in _PRIVILEGED if flags[each] or flags[f"{each}_limited"]]
    if asked:
        what = f"it has privileged intents that SkinDesk does not use: {', '.join(asked)}"
        fix = "switch the Privileged Gateway Intents off on the application's Bot page"
        findings.append(warning(f"{name}.intents", what, fix))
    return findings or [ok(name, "its settings are those that SkinDesk needs; no privileged intent is on")]


async def _shards(client: discord.Client, settings: Settings, _: Sequence[Channels]) -> list[Finding]:
    """Compare the number of shards with what Discord recommends."""
    application = client.application or await client.application_info()
    recommended = (await client.http.get_bot_gateway())[0]
    name, key, group = "discord.shards", "discord.shards", settings.discord.shard_group
    if group is None or group.count >= recommended:
        own = "as many" if group is None else group
        return [ok(name, f"Discord recommends {recommended}, this process has {own}")]
    what = f"there are {group.count} in all, and Discord recommends {recommended}"
    fix = f"stop all processes, and start them with a part of {recommended} each"
    if application.approximate_guild_count < group.count * _MOST_GUILDS:
        return [warning(name, f"{what}: above {_MOST_GUILDS:,} servers a shard it refuses to connect", fix, key=key)]
    return [problem(name, f"{what}: it refuses to connect more than {_MOST_GUILDS:,} servers a shard", fix, key=key)]


async def _guilds(client: discord.Client, settings: Settings, channels: Sequence[Channels]) -> list[Finding]:
    """Check the servers of the bot, and whether it can use the channels that are set in each."""
    joined = {guild.id: guild async for guild in client.fetch_guilds(limit=None)}
    findings = []
    scopes = ("bot", "applications.commands")
    invite = f"invite it: {discord.utils.oauth_url(client.application_id or 0, permissions=NEEDED, scopes=scopes)}"
    named = {"guild_ids": settings.discord.guild_ids, "command_guild_ids": settings.discord.command_guild_ids}
    for key, guild_ids in named.items():
        absent = [guild_id for guild_id in guild_ids if guild_id not in joined]
        if absent:
            what = f"the bot is not in {_listed(absent)}"
            findings.append(problem("discord.guilds.absent", what, invite, key=f"discord.{key}"))
    served, undecided = _served(settings, channels, joined)
    findings += undecided
    if not joined:
        return findings or [warning("discord.guilds", "the bot is in no server", invite)]
    findings.append(ok("discord.guilds", f"the bot is in {len(joined)} servers"))
    if others := [guild_id for guild_id in joined if served and guild_id not in served]:
        what = f"the bot is in servers that this desk does not serve: {_listed(others)}"
        fix = "let it leave them, or name them in discord.guild_ids if they are the same merchant's"
        findings.append(warning("discord.guilds.unserved", what, fix, key="discord.guild_ids"))
    wanted = {each.guild_id: each for each in channels if each.guild_id in joined and each.guild_id in served}
    without = [
        guild_id
        for guild_id in joined
        if guild_id in served and (guild_id not in wanted or wanted[guild_id].approvals is None)
    ]
    if without:
        what = f"{len(without)} without an approvals channel, so no one can ask for a resend there: {_listed(without)}"
        findings.append(warning("discord.channels", what, "set one there: /settings approvals-channel"))
    for each in wanted.values():
        findings += await _channels(client, each)
    return findings


def _served(
    settings: Settings, channels: Sequence[Channels], joined: Mapping[int, discord.Guild]
) -> tuple[Collection[int], list[Finding]]:
    """Return the servers that the next start serves, and the finding if that is not decided or it is not in one."""
    name, key = "discord.guilds.first", "discord.guild_ids"
    if settings.discord.guild_ids:
        return settings.discord.guild_ids, []
    first = [each.guild_id for each in channels if each.is_first]
    if first:
        what = f"the bot is not in {first[0]}, the first server, which this desk serves as none is named"
        fix = "invite it there again, or name the servers to serve"
        return first, [] if first[0] in joined else [problem(name, what, fix, key=key)]
    known = {**{each.guild_id: "not in it any more" for each in channels}, **{k: v.name for k, v in joined.items()}}
    if len(known) < 2:  # noqa: PLR2004 -- the only one is served
        return known, []
    shown = ", ".join(f"{guild_id} ({printable(name)})" for guild_id, name in known.items())
    what = f"the desk could serve several servers and none is named, so it does not start: {shown}"
    return known, [problem(name, what, "name those that this desk serves", key=key)]


def _listed(guild_ids: Sequence[int]) -> str:
    return ", ".join(map(str, guild_ids[:_MISSING_SHOWN])) + (" …" if len(guild_ids) > _MISSING_SHOWN else "")


async def _channels(client: discord.Client, wanted: Channels) -> list[Finding]:
    assert client.user is not None  # it is logged in  # noqa: S101 -- for the type checker
    set_channels = {"approvals": wanted.approvals, "audit": wanted.audit}
    if not any(set_channels.values()):
        return []
    guild = await client.fetch_guild(wanted.guild_id, with_counts=False)
    member = await guild.fetch_member(client.user.id)
    return [
        await _channel(guild, member, kind, channel_id)
        for kind, channel_id in set_channels.items()
        if channel_id is not None
    ]


async def _channel(guild: discord.Guild, member: discord.Member, kind: str, channel_id: int) -> Finding:
    name = f"discord.channels.{kind}"
    where = f"the {kind} channel {channel_id} of server {guild.id}"
    again = f"set another one there: /settings {kind}-channel"
    try:
        channel = await guild.fetch_channel(channel_id)
    except discord.NotFound:
        return unreachable(name, f"{where} does not exist", again)
    except (discord.Forbidden, discord.InvalidData):
        return unreachable(name, f"SkinDesk may not see {where}", f"give its role View Channel there, or {again}")
    held = channel.permissions_for(member)
    missing = [name.replace("_", " ").title() for name, needed in NEEDED if needed and not getattr(held, name)]
    if missing:
        fix = f"give SkinDesk's role these there, or {again}"
        return unreachable(name, f"SkinDesk lacks {', '.join(missing)} in {where}", fix)
    return ok(name, f"SkinDesk can post in {where}")


async def _commands(client: discord.Client, settings: Settings, _: Sequence[Channels]) -> list[Finding]:
    assert client.application_id is not None  # it is logged in  # noqa: S101 -- for the type checker
    name = "discord.commands"
    everywhere = await client.http.get_global_commands(client.application_id)
    guild_ids = settings.discord.command_guild_ids
    if not guild_ids:
        return [_registered(name, len(everywhere), "")]
    findings = []
    if everywhere:
        what = f"{len(everywhere)} are registered everywhere, beside those of discord.command_guild_ids"
        findings.append(warning(name, what, "start SkinDesk once: it removes them"))
    for guild_id in guild_ids:
        try:
            of_guild = await client.http.get_guild_commands(client.application_id, guild_id)
        except discord.Forbidden:  # the bot is not in that server, which is a finding already
            continue
        findings.append(_registered(name, len(of_guild), f" in server {guild_id}"))
    return findings


def _registered(name: str, count: int, where: str) -> Finding:
    if count:
        return ok(name, f"{count} are registered{where}")
    return warning(name, f"none are registered{where}", "start SkinDesk once: it registers them")


def _unreachable(name: str, error: Exception) -> Finding:
    fault = discord_fault(error)
    what = f"Discord gives no answer ({type(error).__name__})" if fault is None else fault.what
    return unreachable(name, what, "look at the network and at discordstatus.com")
