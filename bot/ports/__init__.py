"""The interfaces of everything outside the services: repositories, providers, Discord, and the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from bot.domain.access import Grant
    from bot.domain.audit import AuditAction, AuditEntry, AuditRow, DamagedRow
    from bot.domain.failures import Dialect, Explanation, Failure, ProviderName, StatusExplanation, TradeUrlCheck
    from bot.domain.health import ProviderHealth
    from bot.domain.inventory import Inventory, InventoryFilter, InventoryQuery
    from bot.domain.links import HandOver, Holder, Link, SignIn
    from bot.domain.my_data import Erased, StoredData
    from bot.domain.resends import BeforeSend, Receipt
    from bot.domain.settings import GuildSettings, Setting
    from bot.domain.snapshots import Snapshot, TradesView
    from bot.domain.steam import Game, SteamId, TradeUrl
    from bot.domain.trades import NotAsked, Scope, TradeList, TradeQuery, TradeReading


class Clock(Protocol):
    """The time: ``now`` to show or store, ``monotonic`` for every period that ends with this process."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that only increase, whatever happens to the machine's clock."""


class InventoryProvider(Protocol):
    """A provider that prices Steam inventories."""

    @property
    def name(self) -> ProviderName:
        """The provider."""

    @property
    def games(self) -> frozenset[Game]:
        """The games that it supports."""

    async def look_up(self, query: InventoryQuery) -> Inventory:
        """Return all items that match ``query.filter``, in its order; ProviderError otherwise."""


class TradeProvider(Protocol):
    """A provider that keeps trades and can send a failed offer again."""

    @property
    def name(self) -> ProviderName:
        """The provider."""

    @property
    def per_account(self) -> bool:
        """Whether the trades of one account are asked for alone."""

    async def trades(self, scope: Scope, account: SteamId | None = None) -> TradeList:
        """Return the trades that this desk's key sees, of ``account`` alone if ``per_account``; else ProviderError."""

    def owner_of(self, trade_id: int) -> SteamId | None:
        """Return whose trade this is, if it was listed lately and its owner has to be known to find it again."""

    async def resend(self, trade_id: int, *, before_send: BeforeSend | None = None) -> Receipt:
        """Call the provider exactly once to send the trade's offer again, after the last check ``before_send``.

        ProviderError without a clear confirmation; the failure's kind tells whether the provider may have acted.
        """


class TradeSource(Protocol):
    """A provider, or one of AssetPay's ways to ask, whose trades ``/trades`` shows."""

    @property
    def name(self) -> ProviderName:
        """The provider."""

    def lacks(self, query: TradeQuery) -> NotAsked | None:
        """Return what the query lacks for a call, None if it can be asked."""

    async def read(self, query: TradeQuery) -> TradeReading:
        """Return the trades that answer the query, and maybe others; ProviderError if none could be read.

        A trade that the provider does not know is no error: it is not among the trades.
        """


class TradeUrlChecker(Protocol):
    """A provider that tells why an account cannot trade."""

    async def check(self, trade_url: TradeUrl) -> TradeUrlCheck:
        """Ask about the account and its trade URL; ProviderError otherwise."""


class HealthSource(Protocol):
    """A provider's health."""

    async def health(self) -> ProviderHealth:
        """Return the current health."""


class CallObserver(Protocol):
    """An observer of every call to a provider."""

    def __call__(self, provider: ProviderName, operation: str, /, *, seconds: float, failure: Failure | None) -> None:
        """Record a call's duration and its failure, if it failed."""


class Explanations(Protocol):
    """Explanations of error codes and statuses, also of unknown ones."""

    def explain(self, failure: Failure) -> Explanation:
        """Return the explanation of a failure: by key first, by number only within its dialect and method."""

    def find(self, text: str, dialect: Dialect | None = None) -> tuple[Explanation, ...]:
        """Return the explanations of a number, a key or a pasted message; several if a number is ambiguous."""

    def trade_error(self, dialect: Dialect, text: str) -> Explanation | None:
        """Return the meaning of a trade's or an item's last error at this provider, if it is known."""

    def suggest(self, text: str, dialect: Dialect | None = None, *, limit: int = 25) -> tuple[Explanation, ...]:
        """Return the entries whose code, key or title begins with or contains ``text``, best first."""

    def suggest_statuses(
        self, text: str, dialect: Dialect | None = None, *, limit: int = 25
    ) -> tuple[StatusExplanation, ...]:
        """Return the statuses whose word or title begins with, contains or resembles ``text``."""

    def find_statuses(self, text: str, dialect: Dialect | None = None) -> tuple[StatusExplanation, ...]:
        """Return the statuses that a text names: "status 4", or a status word alone."""

    def entry(self, entry_id: str) -> Explanation | StatusExplanation | None:
        """Return the entry with this id."""

    def status(self, dialect: Dialect, word: str, *, kind: str = "trade") -> StatusExplanation:
        """Return the meaning of a status word, also of an unknown one."""


class GrantRepository(Protocol):
    """Which role of which guild holds which capability. A guild is seeded the first time it is seen."""

    async def of_guild(self, guild_id: int) -> tuple[Grant, ...]:
        """Return the guild's grants, seeding a guild that was never seen."""

    async def grant(self, grant: Grant, *, by: int, at: datetime) -> AuditRow | None:
        """Add a grant and return the audit row; None if it existed already."""

    async def revoke(self, grant: Grant, *, by: int, at: datetime) -> AuditRow | None:
        """Remove a grant and return the audit row; None if there was none."""


class LinkRepository(Protocol):
    """Which Steam account belongs to which Discord user, one to one per guild. A changed link has its audit row."""

    async def of_user(self, guild_id: int, user_id: int) -> Link | None:
        """Return the user's link."""

    async def of_steam_id(self, guild_id: int, steam_id: SteamId) -> Link | None:
        """Return the link of this Steam account."""

    async def holders(
        self, guild_id: int, steam_id: SteamId, *, user_ids: Collection[int], at: datetime
    ) -> frozenset[Holder]:
        """Return who has this account or had it within ``RELINK_COOL_DOWN``, and all accounts of them and the users."""

    async def put(self, link: Link) -> Link:
        """Set the user's link and return it, with ``resends_from`` as the history demands.

        SteamAccountTaken, with nothing changed, if another user of the guild has the account.
        """

    async def remove(self, guild_id: int, user_id: int, *, by: int, at: datetime) -> Link | None:
        """Remove and return the user's link."""


class LinkMessages(Protocol):
    """Direct messages about links."""

    async def tell(self, hand_over: HandOver) -> None:
        """Tell a former holder that they no longer have a Steam account; a refusal is logged, never raised."""


class SignInRepository(Protocol):
    """Steam sign-ins in progress, by the digests of their tokens."""

    async def begin(self, sign_in: SignIn) -> None:
        """Store a sign-in, replacing an earlier one of the same user in the same guild."""

    async def get(self, digest: str, *, at: datetime) -> SignIn | None:
        """Return a sign-in that can still be used."""

    async def complete(self, digest: str, *, steam_id: SteamId, nonce: str, at: datetime) -> Link | None:
        """Use a sign-in up and link its user to the account, in one transaction.

        None, with nothing changed, if it was used already or has expired, or if the ``nonce`` of Steam's answer was
        seen before. SteamAccountTaken if another user of the guild has the account; it is used up then too.
        """

    async def purge(self, *, at: datetime) -> None:
        """Delete expired sign-ins, and nonces too old to be accepted."""


class SteamOpenId(Protocol):
    """Steam's OpenID 2.0 endpoint."""

    async def confirms(self, assertion: Mapping[str, str]) -> bool:
        """Ask Steam (``check_authentication``) whether it made this assertion; SteamUnavailable without an answer."""


class GuildSettingsRepository(Protocol):
    """Each guild's settings."""

    async def of_guild(self, guild_id: int) -> GuildSettings:
        """Return the guild's settings."""

    async def put(
        self, guild_id: int, setting: Setting, value: int | str | None, *, by: int, at: datetime
    ) -> AuditRow | None:
        """Set or clear one of the guild's settings and return the audit row; None if nothing changes."""


class SnapshotRepository(Protocol):
    """Snapshots behind pagers, without any secret, until they expire."""

    is_shared: bool
    """Whether other processes may change or delete them."""

    async def save(self, *snapshots: Snapshot) -> None:
        """Store snapshots, all or none; the oldest are evicted if there are too many."""

    async def load(self, guild_id: int, snapshot_id: str, *, at: datetime) -> Snapshot | None:
        """Return a snapshot of this guild that has not expired."""

    async def remove(self, guild_id: int, snapshot_id: str) -> None:
        """Delete a snapshot, if it is stored."""

    async def set_view(self, guild_id: int, snapshot_id: str, view: InventoryFilter | TradesView | None) -> None:
        """Store how the reader of a snapshot has sorted and filtered it, if it is stored."""

    async def purge(self, *, at: datetime) -> frozenset[str]:
        """Delete expired snapshots; return the ids of those that are stored."""


class AuditRepository(Protocol):
    """The append-only audit log."""

    async def append(self, entry: AuditEntry) -> AuditRow:
        """Append an entry and return its row."""

    async def newest(
        self,
        guild_id: int,
        *,
        limit: int,
        user_id: int | None = None,
        action: AuditAction | None = None,
        subject: str | None = None,
    ) -> Sequence[AuditRow]:
        """Return the guild's rows that match, newest first, without damaged ones.

        ``user_id`` matches actor or subject; ``subject`` matches as :class:`AuditEntry` spells it.
        """

    async def newest_as_found(
        self,
        guild_id: int,
        *,
        limit: int,
        user_id: int | None = None,
        action: AuditAction | None = None,
        subject: str | None = None,
    ) -> Sequence[AuditRow | DamagedRow]:
        """Return the same rows as :meth:`newest`, with damaged ones in their places."""

    async def remove_views(self, *, before: datetime, limit: int, at: datetime) -> int:
        """Remove the oldest views from before a time, ``limit`` at most; return how many.

        In the same transaction each guild gets a row that says so, dated ``at``. Views that are not as they were
        written stay, and so do those that a version without removal wrote.
        """


class MyDataRepository(Protocol):
    """The stored data about one member of a guild."""

    async def of_user(self, guild_id: int, user_id: int) -> StoredData:
        """Return everything the tables hold about a member of this guild."""

    async def erase(self, guild_id: int, user_id: int, *, at: datetime) -> Erased:
        """Erase the member's link, snapshots, ended requests and pseudonyms, with one audit row, in one transaction.

        The audit log can be verified as before. Open requests, and those still counted against the daily limit, stay.
        """

    async def wipe(self) -> None:
        """Remove data erased since the last time from the disk too; call it every few minutes."""


class FirstGuildRepository(Protocol):
    """Which guild was the first one that the desk was in."""

    async def kept(self) -> int | None:
        """Return the first guild, None if there was none yet."""

    async def keep(self, guild_id: int, *, at: datetime) -> int:
        """Keep a guild as the first one unless another one is, and return the first one."""

    async def with_data(self) -> Sequence[int]:
        """Return the guilds that have settings, grants or links."""


class CommandSyncs(Protocol):
    """The digests of the commands last synced to Discord, by scope: an application everywhere, or in one guild."""

    async def digest(self, scope: str) -> str | None:
        """Return the digest of the commands last synced, None if there were none."""

    async def put(self, scope: str, digest: str) -> None:
        """Store the digest of the commands that were synced."""


class AuditChannel(Protocol):
    """The channel in which a guild's staff reads the audit log."""

    async def post(self, row: AuditRow, *, channel_id: int) -> None:
        """Post a row with its number and digest; an unusable channel is logged, never raised."""
