"""Shows staff everything about a customer, and keeps their notes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import attrs

from bot.domain.access import Actor, Capability, Viewer
from bot.domain.audit import AuditAction, AuditRow
from bot.domain.customers import VIEWS_OF_CUSTOMERS, Customer, CustomerKey, NoteList, is_self
from bot.domain.errors import AccessDenied, InvalidInput, NoteNotFound, ProviderOff, TooManyNotes
from bot.domain.links import Link
from bot.domain.notes import MAX_NOTE, NOTES_AT_MOST, Note
from bot.domain.references import KEPT_FOR, ErrorReference
from bot.domain.secrets import mask_trade_urls
from bot.domain.snapshots import TradesAnswer
from bot.domain.steam import SteamId
from bot.domain.steam_ids import read_steam_id
from bot.domain.trades import Scope
from bot.ports import AuditRepository, Clock, LinkRepository
from bot.ports.notes import NoteRepository
from bot.ports.references import ReferenceRepository
from bot.ports.resends import ResendRepository
from bot.services.access import AccessService
from bot.services.audit import AuditService
from bot.services.trades import TradeService, TradesRequest

_RESENDS_READ = 20
_ROWS_READ = 50
"""The newest audit rows about a customer among which their views are looked for."""
_VIEWS_KEPT = 10


@dataclass(frozen=True, slots=True)
class CustomerRequest:
    """The options of ``/customer``, as they were typed: ``steam_id`` may hold a trade token."""

    member_id: int | None = None
    steam_id: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, key: CustomerKey) -> "CustomerRequest":
        """Return the request that shows a customer again."""
        if key.user_id is not None:
            return cls(member_id=key.user_id)
        return cls(steam_id=str(key.steam_id))


@attrs.define(kw_only=True, eq=False)
class CustomerService:
    """Customers, for holders of ``trades.any`` alone. A view is logged before anything is shown."""

    _access: AccessService
    _links: LinkRepository
    _trades: TradeService
    _resends: ResendRepository
    _notes: NoteRepository
    _errors: ReferenceRepository
    _rows: AuditRepository
    _audit: AuditService
    _clock: Clock

    async def show(self, request: CustomerRequest, *, by: Actor) -> Customer:
        """Return everything about a customer; a provider that fails is a part of the answer.

        The providers have as long as for ``/trades``; everything else is read from the database.
        """
        viewer = await self._viewer(by)
        key, link = await self._named(request, by.guild_id)
        now = self._clock.now()
        views = await self._views(by.guild_id, key)  # without this one
        await self._log(key, link, by=by)
        holders = (
            await self._links.holders(by.guild_id, key.steam_id, user_ids=(), at=now)
            if key.steam_id is not None
            else frozenset()
        )
        answer = None if key.steam_id is None else await self._answer(request, key.steam_id, by=viewer)
        viewer = await self._viewer(by)  # rights may have changed during the reading
        return Customer(
            key=key,
            link=link,
            holders=holders,
            answer=answer,
            resends=await self._resends.of_customer(
                by.guild_id, owner=key.steam_id, user_id=key.user_id, limit=_RESENDS_READ
            ),
            notes=await self._note_list(key, link, by=viewer),
            errors=await self._errors_of(by.guild_id, key),
            views=views,
            may_ask=Capability.RESEND_ANY in viewer.capabilities,
            read_at=now,
        )

    async def trades_of(self, key: CustomerKey, *, by: Actor) -> TradesRequest:
        """Return the request for all trades of a customer's account, if the actor may see customers."""
        await self._viewer(by)
        return TradesRequest(scope=Scope.ALL, steam_id=str(key.steam_id))

    async def check_inventory(self, *, by: Actor) -> None:
        """Raise AccessDenied unless the actor may see customers and their inventories."""
        viewer = await self._viewer(by)
        if Capability.INVENTORY_ANY not in viewer.capabilities:
            raise AccessDenied(Capability.INVENTORY_ANY)

    async def check(self, *, by: Actor) -> None:
        """Raise AccessDenied unless the actor may see customers: for forms, before they are opened."""
        await self._viewer(by)

    async def notes(self, key: CustomerKey, *, by: Actor) -> NoteList:
        """Return all notes on a customer."""
        viewer = await self._viewer(by)
        link = await self._link_of(key, by.guild_id)
        await self._log(key, link, by=by)
        return await self._note_list(key, link, by=viewer)

    async def add_note(self, key: CustomerKey, text: str, *, by: Actor) -> NoteList:
        """Add a note and return all notes on the customer. Trade tokens are masked.

        InvalidInput for an empty or too long note, TooManyNotes if there are :data:`NOTES_AT_MOST`.
        """
        viewer = await self._viewer(by)
        kept = mask_trade_urls(text.strip())
        if not kept:
            raise InvalidInput("note", "no_text")
        if len(kept) > MAX_NOTE:
            raise InvalidInput("note", "too_long")
        note = Note(0, by.guild_id, key.user_id, key.steam_id, by.user_id, kept, self._clock.now())
        if await self._notes.add(note, at_most=NOTES_AT_MOST) is None:
            raise TooManyNotes
        return await self._note_list(key, await self._link_of(key, by.guild_id), by=viewer)

    async def remove_note(self, key: CustomerKey, note_id: int, *, by: Actor) -> NoteList:
        """Remove a note of one's own and return the others on the customer.

        Holders of ``access.manage`` may remove anyone's. NoteNotFound for another's, as if there was none.
        """
        viewer = await self._viewer(by)
        removed = await self._notes.remove(
            by.guild_id, note_id, by=by.user_id, of_anyone=_may_remove_all(viewer), at=self._clock.now()
        )
        if removed is None:
            raise NoteNotFound
        return await self._note_list(key, await self._link_of(key, by.guild_id), by=viewer)

    async def _viewer(self, actor: Actor) -> Viewer:
        viewer = await self._access.viewer(actor)
        if Capability.TRADES_ANY not in viewer.capabilities:
            raise AccessDenied(Capability.TRADES_ANY)
        return viewer

    async def _named(self, request: CustomerRequest, guild_id: int) -> tuple[CustomerKey, Link | None]:
        """Return whom a request names, and their link."""
        if request.member_id is not None and request.steam_id is not None:
            raise InvalidInput("steam_id", "member_and_steam_id")
        if request.steam_id is not None:
            key = CustomerKey(steam_id=read_steam_id(request.steam_id, option="steam_id"))
        elif request.member_id is not None:
            key = CustomerKey(user_id=request.member_id)
        else:
            raise InvalidInput("member", "no_customer")
        link = await self._link_of(key, guild_id)
        return (key, None) if link is None else (CustomerKey(link.user_id, link.steam_id), link)

    async def _link_of(self, key: CustomerKey, guild_id: int) -> Link | None:
        if key.user_id is not None:
            return await self._links.of_user(guild_id, key.user_id)
        return None if key.steam_id is None else await self._links.of_steam_id(guild_id, key.steam_id)

    async def _log(self, key: CustomerKey, link: Link | None, *, by: Actor) -> None:
        """Append the view, unless the actor looks at themselves."""
        if not is_self(key, link, by):
            await self._audit.view_subject(AuditAction.CUSTOMER_VIEWED, key.subject, key.steam_id, by=by)

    async def _answer(self, request: CustomerRequest, account: SteamId, *, by: Viewer) -> TradesAnswer | None:
        """Return what the providers say; the view is logged already."""
        wanted = TradesRequest(scope=Scope.ALL, steam_id=request.steam_id or str(account))
        try:
            return await self._trades.read_for(wanted, by=by)
        except ProviderOff:
            return None

    async def _views(self, guild_id: int, key: CustomerKey) -> tuple[AuditRow, ...]:
        """Return the newest views of the member and of the account."""
        subjects = {key.subject, *([] if key.steam_id is None else [f"steam:{key.steam_id}"])}
        rows: list[AuditRow] = []
        for subject in subjects:
            rows += await self._rows.newest(guild_id, limit=_ROWS_READ, subject=subject)
        views = (row for row in rows if row.action in VIEWS_OF_CUSTOMERS)
        return tuple(sorted(views, key=lambda row: row.number, reverse=True)[:_VIEWS_KEPT])

    async def _errors_of(self, guild_id: int, key: CustomerKey) -> tuple[ErrorReference, ...]:
        if key.user_id is None:
            return ()
        return tuple(await self._errors.of_user(guild_id, key.user_id, since=self._clock.now() - KEPT_FOR))

    async def _note_list(self, key: CustomerKey, link: Link | None, *, by: Viewer) -> NoteList:
        notes: Sequence[Note] = await self._notes.of_customer(by.actor.guild_id, key)
        removable = (note.id for note in notes if _may_remove_all(by) or note.author_id == by.actor.user_id)
        return NoteList(key, tuple(notes), frozenset(removable), hides_authors=is_self(key, link, by.actor))


def _may_remove_all(viewer: Viewer) -> bool:
    return Capability.MANAGE_ACCESS in viewer.capabilities
