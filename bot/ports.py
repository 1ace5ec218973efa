"""Everything the services need from outside, on one page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.domain.access import Grant
    from bot.domain.audit import AuditAction, AuditEntry, AuditRow, ChainReport, DamagedRow
    from bot.domain.failures import Dialect, Explanation, Failure, ProviderName, StatusExplanation
    from bot.domain.health import ProviderHealth
    from bot.domain.inventory import Inventory, InventoryFilter, InventoryQuery
    from bot.domain.links import Link, SignIn
    from bot.domain.my_data import Erased, StoredData
    from bot.domain.resends import CardEdit, Outcome, Receipt, Resend, ResendPause, TradeFacts
    from bot.domain.secrets import TradeCode
    from bot.domain.settings import GuildSettings, Setting
    from bot.domain.snapshots import Snapshot
    from bot.domain.steam import Game, SteamId
    from bot.domain.trades import Scope, Trade


class Clock(Protocol):
    """The time, and waiting for it."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...


class InventoryProvider(Protocol):
    """A provider that prices Steam inventories."""

    @property
    def name(self) -> ProviderName:
        """Which provider it is."""
        ...

    @property
    def games(self) -> frozenset[Game]:
        """The games it has."""
        ...

    async def look_up(self, query: InventoryQuery) -> Inventory:
        """Ask once and return what matches ``query.filter``, whole and in its order; ProviderError otherwise."""
        ...


class TradeProvider(Protocol):
    """A provider that keeps trades and can send a failed offer again."""

    @property
    def name(self) -> ProviderName:
        """Which provider it is."""
        ...

    async def trades(self, scope: Scope) -> tuple[Trade, ...]:
        """Return the trades of the merchant's account, newest first; ProviderError otherwise."""
        ...

    async def resend(self, trade_id: int) -> Receipt:
        """Ask, exactly once, to send the trade's offer again. It is never repeated by itself.

        ProviderError where there was no clear yes: its failure's kind says whether the provider may have acted.
        """
        ...


class HealthSource(Protocol):
    """Something that knows how a provider is doing."""

    def health(self) -> ProviderHealth:
        """Return how it is doing now."""
        ...


class CallObserver(Protocol):
    """Something that is told of every call to a provider."""

    def __call__(self, provider: ProviderName, operation: str, /, *, seconds: float, failure: Failure | None) -> None:
        """Take note of a call that took so long; ``failure`` is None for an answer."""
        ...


class Explanations(Protocol):
    """Words for codes and statuses. An unknown one has words too."""

    def explain(self, failure: Failure) -> Explanation:
        """Return the explanation of a failure: by key first, by number only within its dialect and method."""
        ...

    def find(self, text: str, dialect: Dialect | None = None) -> tuple[Explanation, ...]:
        """Return what a number, a key or a pasted message can mean; several for an ambiguous number."""
        ...

    def suggest(self, text: str, dialect: Dialect | None = None, *, limit: int = 25) -> tuple[Explanation, ...]:
        """Return the entries whose code, key or title begins with or contains ``text``, best first."""
        ...

    def status(self, dialect: Dialect, word: str, *, kind: str = "trade") -> StatusExplanation:
        """Return the meaning of a status; one that says so for an unknown word."""
        ...


class GrantRepository(Protocol):
    """Which role of which guild holds which capability. A guild is seeded the first time it is seen.

    What was granted or revoked counts with the next reading that begins after it returned, or its caller had gone.
    """

    async def of_guild(self, guild_id: int) -> tuple[Grant, ...]:
        """Return the guild's grants, seeding a guild that was never seen."""
        ...

    async def grant(self, grant: Grant, *, by: int, at: datetime) -> bool:
        """Add a grant with its audit row; False where it was there already."""
        ...

    async def revoke(self, grant: Grant, *, by: int, at: datetime) -> bool:
        """Remove a grant with its audit row; False where there was none."""
        ...


class LinkRepository(Protocol):
    """Which Steam account belongs to which Discord user, one to one per guild."""

    async def of_user(self, guild_id: int, user_id: int) -> Link | None:
        """Return the user's link."""
        ...

    async def of_steam_id(self, guild_id: int, steam_id: SteamId) -> Link | None:
        """Return the link of this Steam account."""
        ...

    async def put(self, link: Link) -> Link:
        """Set the user's link with its audit row and return it, with ``resends_from`` as the history demands.

        SteamAccountTaken where another user of the guild has the account: nothing is changed then.
        """
        ...

    async def remove(self, guild_id: int, user_id: int, *, by: int, at: datetime) -> Link | None:
        """Remove and return the user's link, with its audit row."""
        ...


class SignInRepository(Protocol):
    """Steam sign-ins under way. Their tokens are not kept, only what recognises them again."""

    async def begin(self, sign_in: SignIn) -> None:
        """Keep a new one; an earlier one of the same user in the same guild can no longer be used."""
        ...

    async def get(self, digest: str, *, at: datetime) -> SignIn | None:
        """Return one that can still be used."""
        ...

    async def complete(self, digest: str, *, steam_id: SteamId, nonce: str, at: datetime) -> Link | None:
        """Use it up and link its user to the account, with the audit row, in one transaction.

        None, with nothing changed, where it was used already or is too old, or where the ``nonce`` of Steam's answer
        was seen before. SteamAccountTaken where another user of the guild has the account; it is used up then too.
        """
        ...

    async def purge(self, *, at: datetime) -> None:
        """Forget what can no longer be used, and nonces that are too old to be accepted anyway."""
        ...


class SteamOpenId(Protocol):
    """Steam's OpenID 2.0 endpoint."""

    async def confirms(self, assertion: Mapping[str, str]) -> bool:
        """Ask Steam (``check_authentication``) whether it made this assertion; SteamUnavailable without an answer."""
        ...


class GuildSettingsRepository(Protocol):
    """What each guild has set."""

    async def of_guild(self, guild_id: int) -> GuildSettings:
        """Return the guild's settings, empty ones for a guild that set nothing."""
        ...

    async def set_channel(
        self, guild_id: int, setting: Setting, channel_id: int | None, *, by: int, at: datetime
    ) -> bool:
        """Set or empty one of the guild's channels, with its audit row; False where it was so already.

        The guild's other settings stay as they are, whoever changes them meanwhile.
        """
        ...


class PauseRepository(Protocol):
    """Which guilds' resends are stopped. A stop or its end is one compare-and-set with its audit row.

    SkinDesk's own stop is part of :meth:`ResendRepository.mark_unknown`.
    """

    async def of_guild(self, guild_id: int) -> ResendPause | None:
        """Return the guild's stop, None where its resends go on."""
        ...

    async def pause(self, guild_id: int, *, by: int, at: datetime) -> ResendPause | None:
        """Stop the guild's resends; None where they are stopped already."""
        ...

    async def resume(self, guild_id: int, number: int, *, by: int, at: datetime) -> bool:
        """End the guild's stop of this ``Halt.number``; False where it does not stand."""
        ...


class ResendRepository(Protocol):
    """Resend requests. Every change of state is one compare-and-set with its audit row in one transaction.

    A change returns the request as it is afterwards, or None where it was not in the state it had to be in:
    somebody else was faster. While a guild's resends are stopped none of its requests is opened, approved or sent:
    None, too. ``guild_id`` comes first wherever an interaction can lead: a request of another guild is never read and
    never changed; it is as if there were none.
    """

    async def open(self, draft: Resend, *, at_most: int | None = None) -> Resend | None:
        """Store a new pending request (its ``id`` is ignored); None where the trade has an open one anywhere.

        None, too, where its requester opened ``at_most`` in its guild within ``OPENED_WITHIN`` before it. A request
        whose card could never be posted does not count.
        """
        ...

    async def opened_at(self, guild_id: int, user_id: int, *, limit: int) -> tuple[datetime, ...]:
        """Return when somebody opened their newest requests in a guild, newest first, as :meth:`open` counts them."""
        ...

    async def get(self, guild_id: int, resend_id: int) -> Resend | None:
        """Return a request of this guild."""
        ...

    async def open_for_trade(self, guild_id: int, provider: ProviderName, trade_id: int) -> Resend | None:
        """Return this guild's open request for a trade; None also where another guild has one."""
        ...

    async def open_in_guild(self, guild_id: int) -> tuple[Resend, ...]:
        """Return the guild's open requests, oldest first."""
        ...

    async def all_open(self) -> tuple[Resend, ...]:
        """Return every open request, oldest first: for the work at start and in the background."""
        ...

    async def not_finalised(self) -> tuple[Resend, ...]:
        """Return every ended request without :meth:`conclude`, oldest first: for the work at start."""
        ...

    async def finalise(self, guild_id: int, resend_id: int, *, at: datetime) -> None:
        """Remember that the end of a request has been shown and told to everybody."""
        ...

    async def attach_card(
        self, guild_id: int, resend_id: int, *, channel_id: int, message_id: int, version: int
    ) -> None:
        """Remember where the request's card is, and that it shows this version."""
        ...

    async def card_shows(self, guild_id: int, resend_id: int, *, message_id: int, version: int) -> None:
        """Remember which version the card shows, where it is still this message."""
        ...

    async def add_note(self, guild_id: int, resend_id: int, note: str) -> Resend | None:
        """Add a line for the card."""
        ...

    async def revise(
        self, guild_id: int, resend_id: int, facts: TradeFacts, *, version: int, at: datetime
    ) -> Resend | None:
        """Replace what the card shows while pending and at ``version``; the next version begins.

        What the card showed before is kept as a note: ``TradeFacts.note_of_change``.
        """
        ...

    async def approve(self, guild_id: int, resend_id: int, *, version: int, by: int, at: datetime) -> Resend | None:
        """Move pending → approved, if at ``version`` and the card shows it: decision, audit row and intent in one."""
        ...

    async def begin_sending(self, guild_id: int, resend_id: int, *, at: datetime) -> Resend | None:
        """Move approved → sending. Committed before the call: from here on it may have been made."""
        ...

    async def return_to_pending(self, guild_id: int, resend_id: int, *, note: str, at: datetime) -> Resend | None:
        """Move approved → pending: nothing was sent, somebody has to decide again."""
        ...

    async def deny(self, guild_id: int, resend_id: int, *, by: int, reason: str | None, at: datetime) -> Resend | None:
        """Move pending → denied."""
        ...

    async def expire(self, guild_id: int, resend_id: int, *, at: datetime) -> Resend | None:
        """Move pending → expired."""
        ...

    async def cancel(self, guild_id: int, resend_id: int, *, at: datetime, reason: str) -> Resend | None:
        """Move pending → cancelled."""
        ...

    async def remind(self, guild_id: int, resend_id: int, *, at: datetime) -> Resend | None:
        """Remember that the moderators are reminded of a pending request; None where they were already."""
        ...

    async def mark_unknown(
        self,
        guild_id: int,
        resend_id: int,
        *,
        outcome: Outcome,
        detail: str | None,
        settle_after: datetime,
        at: datetime,
    ) -> Resend | None:
        """Move sending → unknown, to be settled by reading from ``settle_after`` on.

        OTHER_TRADE stops the guild's resends in the same transaction, and leaves the note ``ALARM``.
        """
        ...

    async def settle_later(self, guild_id: int, resend_id: int, *, settle_after: datetime) -> None:
        """Put off the next reading of an unknown request."""
        ...

    async def settle(
        self,
        guild_id: int,
        resend_id: int,
        *,
        sent: bool,
        outcome: Outcome,
        detail: str | None,
        at: datetime,
        by: int | None = None,
    ) -> Resend | None:
        """Move sending or unknown → sent or failed. ``by`` is the moderator who marked it by hand."""
        ...


class SnapshotRepository(Protocol):
    """Snapshots behind pagers, without any secret, until they expire."""

    async def save(self, *snapshots: Snapshot) -> None:
        """Keep snapshots, all of them or none; the oldest go where there are too many."""
        ...

    async def load(self, guild_id: int, snapshot_id: str, *, at: datetime) -> Snapshot | None:
        """Return a snapshot of this guild that has not expired."""
        ...

    async def remove(self, guild_id: int, snapshot_id: str) -> None:
        """Delete a snapshot; nothing happens where it is not kept."""
        ...

    async def set_view(self, guild_id: int, snapshot_id: str, view: InventoryFilter | None) -> None:
        """Keep how the reader of a snapshot has sorted and narrowed it; nothing happens where it is not kept."""
        ...

    async def purge(self, *, at: datetime) -> None:
        """Forget what has expired."""
        ...


class AuditRepository(Protocol):
    """The append-only record."""

    async def append(self, entry: AuditEntry) -> None:
        """Write an entry down."""
        ...

    async def newest(
        self,
        guild_id: int,
        *,
        limit: int,
        user_id: int | None = None,
        action: AuditAction | None = None,
        subject: str | None = None,
    ) -> Sequence[AuditRow]:
        """Return the guild's rows that match, the newest first; those that cannot be read are left out.

        ``user_id`` matches actor or subject; ``subject`` matches as :class:`AuditEntry` spells it.
        """
        ...

    async def newest_as_found(
        self,
        guild_id: int,
        *,
        limit: int,
        user_id: int | None = None,
        action: AuditAction | None = None,
        subject: str | None = None,
    ) -> Sequence[AuditRow | DamagedRow]:
        """Return the same rows as :meth:`newest`, and those that cannot be read in their places."""
        ...

    async def verify(self) -> ChainReport:
        """Read the whole record, of all guilds, and name every row that is not as it was written, or is missing."""
        ...


class MyDataRepository(Protocol):
    """What is kept about one member of a guild."""

    async def of_user(self, guild_id: int, user_id: int) -> StoredData:
        """Return everything the tables hold about a member of this guild."""
        ...

    async def forget(self, guild_id: int, user_id: int, *, at: datetime) -> Erased:
        """Remove the link and snapshots and make ended requests nobody's, with one audit row, in one transaction.

        The record loses who its pseudonyms stood for; it can be verified as before. Open requests, and those still
        counted against the daily limit, stay.
        """
        ...

    async def wipe(self) -> None:
        """Leave nothing on the disk either of what was forgotten since the last time; call it every few minutes."""
        ...


class CommandSyncs(Protocol):
    """Which commands Discord was told last, by scope: an application everywhere, or in one guild."""

    async def digest(self, scope: str) -> str | None:
        """Return the digest of what was told, None where nothing was."""
        ...

    async def put(self, scope: str, digest: str) -> None:
        """Remember what was told."""
        ...


class ResendCards(Protocol):
    """The cards in the approvals channels, and the words to those concerned."""

    async def post(self, resend: Resend, *, channel_id: int) -> int:
        """Post the card and return its message id; ApprovalsChannelUnusable where that cannot be done."""
        ...

    async def update(self, resend: Resend) -> CardEdit:
        """Make the card show the request as it is now and say whether it does; a refusal is logged, never raised."""
        ...

    async def remove(self, resend: Resend) -> None:
        """Delete the card, or take at least its buttons; a card that stays as it is is logged, never raised."""
        ...

    async def tell(self, resend: Resend, user_id: int, *, code: TradeCode | None = None) -> bool:
        """Tell somebody how it stands, by ephemeral follow-up or direct message; False where neither works.

        ``code`` is the trade's new code, for its owner only; it travels by direct message and nowhere else.
        """
        ...

    def forget(self, guild_id: int, user_id: int) -> None:
        """Forget the interactions by which somebody could be followed up; a direct message reaches them yet."""
        ...


class AuditChannel(Protocol):
    """The channel in which a guild's staff reads what was done."""

    async def post(self, entry: AuditEntry, *, channel_id: int, row: AuditRow | None = None) -> None:
        """Post the entry, with number and digest of its ``row``.

        A channel that cannot be posted to is logged, never raised.
        """
        ...
