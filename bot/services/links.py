"""Keeps which Steam account belongs to which member, so that "own" means something."""

from bot.domain.access import Actor, Capability
from bot.domain.audit import AuditAction, AuditEntry
from bot.domain.errors import InvalidInput
from bot.domain.links import Link, LinkSource
from bot.domain.steam import SteamId
from bot.domain.trade_url import parse_trade_url
from bot.ports import Clock, LinkRepository
from bot.services.access import AccessService
from bot.services.audit import AuditService


def parse_account(text: str, *, option: str) -> SteamId:
    """Read a SteamID64 or a trade URL; InvalidInput or TradeUrlRejected otherwise."""
    digits = text.strip()
    if digits.isascii() and digits.isdigit():
        try:
            return SteamId.parse(digits)
        except ValueError:
            raise InvalidInput(option, "steam_id") from None
    return parse_trade_url(text).steam_id


class LinkService:
    """Links between Discord users and Steam accounts, one to one per guild."""

    def __init__(self, *, links: LinkRepository, access: AccessService, audit: AuditService, clock: Clock) -> None:
        self._links = links
        self._access = access
        self._audit = audit
        self._clock = clock

    async def steam_id_of(self, actor: Actor) -> SteamId | None:
        """Return the Steam account linked to the actor in their guild."""
        link = await self._links.of_user(actor.guild_id, actor.user_id)
        return link.steam_id if link is not None else None

    async def status(self, *, by: Actor) -> Link | None:
        """Return the caller's own link."""
        return await self._links.of_user(by.guild_id, by.user_id)

    async def set_for(self, user_id: int, account: str, *, by: Actor) -> Link:
        """Link a member to a SteamID64 or a trade URL's account. Needs ``links.manage``.

        SteamAccountTaken where the account is another member's: that link has to be removed first.
        """
        await self._access.require(Capability.MANAGE_LINKS, of=by)
        steam_id = parse_account(account, option="steam")
        now = self._clock.now()
        link = await self._links.put(Link(by.guild_id, user_id, steam_id, LinkSource.STAFF, by.user_id, now))
        await self._announce(AuditAction.LINK_SET, link, by, at_link=True)
        return link

    async def remove_own(self, *, by: Actor) -> Link | None:
        """Remove the caller's own link and return what it was."""
        link = await self._links.remove(by.guild_id, by.user_id, by=by.user_id, at=self._clock.now())
        if link is not None:
            await self._announce(AuditAction.LINK_REMOVED, link, by, at_link=False)
        return link

    async def _announce(self, action: AuditAction, link: Link, by: Actor, *, at_link: bool) -> None:
        at = link.linked_at if at_link else self._clock.now()
        detail = {"steam_id": str(link.steam_id)}
        await self._audit.announce(
            AuditEntry(link.guild_id, at, by.user_id, action, f"user:{link.user_id}", detail),
        )
