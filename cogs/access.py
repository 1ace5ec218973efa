"""/access: which role may do what, and why."""

from dataclasses import replace

import discord
from discord import app_commands
from discord.app_commands import Choice, locale_str
from discord.ext import commands

from bot.domain.access import Capability
from bot.domain.access_doctor import Concern, caused_by
from bot.ui.access import (
    deleted_roles_view,
    granted_embed,
    list_embed,
    revoked_embed,
    why_embed,
)
from bot.ui.interaction.rights import requires
from bot.ui.interaction.session import Interaction, actor_from, session_of
from bot.ui.roles import role_facts, role_names

_CHOICES = [
    Choice(name=locale_str("inventory.own: look up their own inventory"), value="inventory.own"),
    Choice(name=locale_str("inventory.any: look up anyone's inventory"), value="inventory.any"),
    Choice(name=locale_str("trades.own: see their own trades"), value="trades.own"),
    Choice(name=locale_str("trades.any: see everyone's trades"), value="trades.any"),
    Choice(name=locale_str("resend.own: ask for resends of their own trades"), value="resend.own"),
    Choice(name=locale_str("resend.any: ask for resends of anyone's trades"), value="resend.any"),
    Choice(name=locale_str("resend.approve: approve and deny resends"), value="resend.approve"),
    Choice(name=locale_str("links.manage: link Steam accounts to members"), value="links.manage"),
    Choice(name=locale_str("access.manage: decide which role may do what"), value="access.manage"),
    Choice(name=locale_str("settings.manage: change this server's settings"), value="settings.manage"),
    Choice(name=locale_str("audit.read: read the audit log"), value="audit.read"),
]


class AccessCog(commands.GroupCog, group_name="access", group_description=locale_str("Decide which role may do what")):
    """Grants, revocations and the reasons for a right."""

    @app_commands.command(name="grant", description=locale_str("Administrators: let a role do something"))
    @app_commands.describe(
        role=locale_str("Which role; everyone who has it"), capability=locale_str("What they may do from now on")
    )
    @app_commands.choices(capability=_CHOICES)
    @requires(Capability.MANAGE_ACCESS)
    async def grant(self, interaction: Interaction, role: discord.Role, capability: str) -> None:
        """Grant, and warn of unintended holders."""
        session = session_of(interaction)
        await session.defer()
        services, actor = session.services, session.actor
        change = await services.access.grant(role.id, Capability(capability), by=actor)
        findings = None
        if session.guild is not None:
            review = await services.access.review(role_facts(session.guild), by=actor)
            findings = caused_by(change.grant, review.findings)
        names = role_names(session.guild, actor.guild_id)
        await session.reply(granted_embed(change, findings, names))

    @app_commands.command(name="revoke", description=locale_str("Administrators: no longer let a role do something"))
    @app_commands.describe(
        role=locale_str("Which role; everyone who has it"), capability=locale_str("What they may no longer do")
    )
    @app_commands.choices(capability=_CHOICES)
    @requires(Capability.MANAGE_ACCESS)
    async def revoke(self, interaction: Interaction, role: discord.Role, capability: str) -> None:
        """Revoke."""
        session = session_of(interaction)
        await session.defer()
        services, actor = session.services, session.actor
        change = await services.access.revoke(role.id, Capability(capability), by=actor)
        names = role_names(session.guild, actor.guild_id)
        await session.reply(revoked_embed(change, names))

    @app_commands.command(
        name="list", description=locale_str("Administrators: see which role may do what, and what is worth a look")
    )
    @requires(Capability.MANAGE_ACCESS)
    async def list(self, interaction: Interaction) -> None:
        """Show all grants and warnings about them."""
        session = session_of(interaction)
        session.defer_if_slow()
        actor = session.actor
        guild = session.require_guild()
        review = await session.services.access.review(role_facts(guild), by=actor)
        names = role_names(guild, actor.guild_id)
        if not session.knows_all_roles:  # one that looks deleted may be one that could not be read
            found = tuple(finding for finding in review.findings if finding.concern is not Concern.DELETED)
            review, names = replace(review, findings=found), role_names(None, actor.guild_id)
        embed = list_embed(review, names, actor.guild_id)
        await session.reply(embed, view=deleted_roles_view(review.findings))

    @app_commands.command(
        name="why", description=locale_str("Administrators: see why a member may do something, or what is missing")
    )
    @app_commands.describe(member=locale_str("Whose rights"), capability=locale_str("To do what"))
    @app_commands.choices(capability=_CHOICES)
    @requires(Capability.MANAGE_ACCESS)
    async def why(self, interaction: Interaction, member: discord.Member, capability: str) -> None:
        """Show the roles behind a right, or how to grant it."""
        session = session_of(interaction)
        session.defer_if_slow()
        guild, actor = session.require_guild(), session.actor
        subject = actor_from(member, guild.id)
        why = await session.services.access.why(subject, Capability(capability), by=actor)
        names = role_names(guild, actor.guild_id)
        await session.reply(why_embed(why, subject, member, names))


async def setup(client: commands.Bot) -> None:
    """Add the cog."""
    await client.add_cog(AccessCog())
