"""Links Discord users to Steam accounts, which decides whose inventory and trades are their own."""

from dataclasses import dataclass

import attrs

from bot.domain.access import Actor, Capability
from bot.domain.errors import InvalidInput
from bot.domain.links import Link, LinkSource
from bot.domain.steam import SteamId
from bot.domain.steam_ids import read_steam_id
from bot.ports import Clock, LinkRepository
from bot.services.access import AccessService
from bot.services.audit import AuditService
from bot.services.link_notices import LinkNotices

NO_ACCOUNT = "none"
"""The account that ``/link set`` takes to end a link."""


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """A link. ``waits``: own resends do not count yet. ``replaced`` is the account before, if that changed."""

    link: Link
    waits: bool
    replaced: SteamId | None = None


@attrs.define(kw_only=True, eq=False)
class LinkService:
    """Links between Discord users and Steam accounts, one to one per guild."""

    _links: LinkRepository
    _access: AccessService
    _audit: AuditService
    _notices: LinkNotices
    _clock: Clock

    async def status(self, *, by: Actor) -> LinkStatus | None:
        """Return the actor's own link."""
        link = await self._links.of_user(by.guild_id, by.user_id)
        return LinkStatus(link, waits=link.waits_at(self._clock.now())) if link is not None else None

    async def set_for(self, user_id: int, account: str, *, by: Actor, is_bot: bool = False) -> LinkStatus:
        """Link a user to the account that the text names. Needs ``links.manage``.

        InvalidInput for a bot, which has no Steam account. SteamAccountTaken if the account is another user's: that
        link has to be ended first.
        """
        await self._access.require(Capability.MANAGE_LINKS, of=by)
        if is_bot:
            raise InvalidInput("member", "is_bot")
        steam_id = read_steam_id(account, option="steam")
        now = self._clock.now()
        link = await self._links.put(Link(by.guild_id, user_id, steam_id, LinkSource.STAFF, by.user_id, now))
        self._notices.begin(link)
        replaced = None
        if link.audit_row is not None:
            await self._audit.announce(link.audit_row)
            replaced = link.audit_row.detail.get("instead_of")
        return LinkStatus(link, link.waits_at(now), replaced=None if replaced is None else SteamId.parse(replaced))

    async def remove_own(self, *, by: Actor) -> Link | None:
        """Remove and return the actor's own link."""
        return await self._remove(by.user_id, by=by)

    async def end_for(self, user_id: int, *, by: Actor) -> Link | None:
        """Remove and return the link of a user, who may have left the server. Needs ``links.manage``."""
        await self._access.require(Capability.MANAGE_LINKS, of=by)
        return await self._remove(user_id, by=by)

    async def close(self, *, within: float) -> None:
        """Give messages to former holders ``within`` seconds."""
        await self._notices.close(within=within)

    async def _remove(self, user_id: int, *, by: Actor) -> Link | None:
        link = await self._links.remove(by.guild_id, user_id, by=by.user_id, at=self._clock.now())
        if link is not None:
            self._notices.begin(link)
        if link is not None and link.audit_row is not None:
            await self._audit.announce(link.audit_row, shown={"steam_id": str(link.steam_id)})
        return link
