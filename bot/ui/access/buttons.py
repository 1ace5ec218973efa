"""The button under ``/access list`` that takes their grants from deleted roles."""

import re
from typing import Self

import discord

from bot.domain.access import Capability
from bot.domain.access_doctor import Concern, Finding
from bot.ui.access.page import revoked_embed, role_facts, unknown_roles_embed
from bot.ui.interaction.error_handler import handle
from bot.ui.interaction.rights import requires
from bot.ui.interaction.session import Interaction, InteractionSession


def deleted_roles_view(findings: tuple[Finding, ...]) -> discord.ui.View | None:
    """Return the button where there is something for it to do."""
    if not any(finding.concern is Concern.DELETED for finding in findings):
        return None
    view = discord.ui.View(timeout=None)
    view.add_item(RevokeDeletedButton())
    return view


@requires(Capability.MANAGE_ACCESS)
class RevokeDeletedButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"access:revoke-deleted"
):
    """Revokes what deleted roles hold: no command can, because Discord lets nobody choose such a role."""

    def __init__(self) -> None:
        super().__init__(
            discord.ui.Button(
                label="Revoke deleted roles",
                emoji="🧹",
                style=discord.ButtonStyle.secondary,
                custom_id="access:revoke-deleted",
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, _item: discord.ui.Item[discord.ui.View], _match: re.Match[str], /
    ) -> Self:
        """Rebuild the button that was pressed."""
        return cls()

    async def callback(self, interaction: Interaction) -> None:
        """Revoke, and say how much that was."""
        await handle(interaction, self._revoke)

    async def _revoke(self, session: InteractionSession) -> None:
        await session.defer()
        existing = {role.role_id for role in role_facts(session.interaction.guild)}
        if not existing:
            await session.reply(unknown_roles_embed())
            return
        grants = await session.services.access.revoke_deleted(existing, by=session.actor)
        await session.reply(revoked_embed(grants))
