"""/link: which Steam account belongs to which member."""

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.domain.access import Capability
from bot.domain.links import RELINK_COOL_DOWN, Link
from bot.languages import t, tn
from bot.services.links import NO_ACCOUNT, LinkStatus
from bot.ui.confirm import ask_to_unlink, sign_in_page
from bot.ui.interaction.rights import public, requires
from bot.ui.interaction.session import Interaction, session_of
from bot.ui.kit.layout import Tone, card
from bot.ui.links import origin, own_wait, removed_embed, their_wait

_COOL_DOWN_HOURS = int(RELINK_COOL_DOWN.total_seconds() // 3600)


class LinksCog(
    commands.GroupCog, group_name="link", group_description=locale_str("Connect a Steam account with a member")
):
    """The caller's own link, and links set by the staff."""

    @app_commands.command(name="start", description=locale_str("Link your Steam account by signing in at Steam"))
    @public("it links only the caller")
    async def start(self, interaction: Interaction) -> None:
        """Show the link to a sign-in page; a linked member is asked first."""
        session = session_of(interaction)
        await session.defer()
        embed, view = await sign_in_page(session)
        await session.reply(embed, view=view)

    @app_commands.command(
        name="set", description=locale_str("Staff: link a member to their Steam account, or end their link")
    )
    @app_commands.describe(
        member=locale_str("Whose account it is; for a member who left the server, their user id"),
        steam=locale_str("Their SteamID, profile link or trade URL; “none” ends the link"),
    )
    @requires(Capability.MANAGE_LINKS)
    async def set(
        self,
        interaction: Interaction,
        member: discord.Member | discord.User,  # may have left the server
        steam: str,
    ) -> None:
        """Link a member, or end a link."""
        session = session_of(interaction)
        await session.defer()
        if steam.strip().casefold() == NO_ACCOUNT:
            ended = await session.services.links.end_for(member.id, by=session.actor)
            await session.reply(_ended_embed(member.id, ended))
            return
        done = await session.services.links.set_for(member.id, steam, by=session.actor, is_bot=member.bot)
        link = done.link
        mention = f"<@{link.user_id}>"
        lines = [
            t("{member} is SteamID `{account}` on this server from now on.", member=mention, account=link.steam_id)
        ]
        if done.replaced is not None:
            lines.append(t("Until now it was SteamID `{account}`.", account=done.replaced))
        if not isinstance(member, discord.Member):
            lines.append(t("They are not on this server. `/link set` with `steam:none` ends the link."))
        if link.is_self_made:
            lines.append(
                t("A link to yourself is not confirmed, so it shows no codes of trades. `/link start` confirms it.")
            )
        if done.waits:
            lines += [
                t(
                    "⚠️ Not long ago the member had another account, or the account belonged to another member. Check "
                    "that both are still in the same hands."
                ),
                their_wait(link),
            ]
        await session.reply(
            card(title=t("✅ Linked"), description="\n".join(lines), colour=Tone.WAITING if done.waits else Tone.GOOD),
        )

    @app_commands.command(
        name="status", description=locale_str("See which Steam account is linked to you on this server")
    )
    @public("it shows the caller's own link only")
    async def status(self, interaction: Interaction) -> None:
        """Show the caller's link."""
        session = session_of(interaction)
        session.defer_if_slow()
        status = await session.services.links.status(by=session.actor)
        await session.reply(_status_embed(status))

    @app_commands.command(name="remove", description=locale_str("Remove the link between you and your Steam account"))
    @public("it removes the caller's own link only")
    async def remove(self, interaction: Interaction) -> None:
        """Ask whether to remove the caller's link."""
        session = session_of(interaction)
        session.defer_if_slow()
        status = await session.services.links.status(by=session.actor)
        if status is None:
            await session.reply(removed_embed(None))
            return
        embed, question = ask_to_unlink(session, status.link)
        await session.reply(embed, view=question)


def _ended_embed(user_id: int, link: Link | None) -> discord.Embed:
    member = f"<@{user_id}>"
    if link is None:
        return card(
            title=t("No Steam account is linked to them"),
            description=t("{member} has no link on this server that you could end.", member=member),
            colour=Tone.NEUTRAL,
        )
    return card(
        title=t("✅ Link ended"),
        description="\n".join(
            (
                t(
                    "SteamID `{account}` is no longer linked to {member} on this server.",
                    account=link.steam_id,
                    member=member,
                ),
                tn(
                    "You can link it to another member now. If you do that within {count} hour, that "
                    "member has to wait before asking for resends.",
                    "You can link it to another member now. If you do that within {count} hours, that "
                    "member has to wait before asking for resends.",
                    _COOL_DOWN_HOURS,
                ),
            )
        ),
        colour=Tone.GOOD,
    )


def _status_embed(status: LinkStatus | None) -> discord.Embed:
    if status is None:
        return removed_embed(None)
    link = status.link
    lines = [t("SteamID: `{account}`", account=link.steam_id), origin(link)]
    if status.waits:
        lines.append(own_wait(link))
    return card(
        title=t("Your Steam account"),
        description="\n".join(lines),
        colour=Tone.WAITING if status.waits else Tone.NEUTRAL,
    )


async def setup(client: commands.Bot) -> None:
    """Add the cog."""
    await client.add_cog(LinksCog())
