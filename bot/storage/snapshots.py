"""Keeps snapshots of answers, within bounds, until they expire.

An answer is stored as msgpack, compressed. A trade's code is never stored; trade tokens in outside text are masked.
"""

import json
import logging
import weakref
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

import msgspec
from typing_extensions import override

from bot.domain.errors import Overloaded
from bot.domain.failures import Failure, ProviderName
from bot.domain.inventory import Inventory, InventoryFilter
from bot.domain.secrets import Secret
from bot.domain.snapshots import (
    Audience,
    InventoryAnswer,
    ProviderAnswer,
    Snapshot,
    TradesAnswer,
    TradesPart,
    TradesView,
)
from bot.domain.steam import Game, SteamId
from bot.domain.trades import Trade
from bot.ports import SnapshotRepository
from bot.storage.database import Connection, Database, Row, clean_text, from_ms, to_ms
from bot.worker import run_in_worker

_log = logging.getLogger(__name__)

_DELETE = """
DELETE FROM snapshots WHERE seq IN (
    SELECT snapshots.seq FROM json_each(:keys) AS wanted CROSS JOIN snapshots
        ON snapshots.id = json_extract(wanted.value, '$[1]')
        AND snapshots.guild_id = CAST(json_extract(wanted.value, '$[0]') AS BIGINT)
)
"""

_INSERT = """
INSERT INTO snapshots (id, guild_id, user_id, audience, answer, created_at, expires_at, view)
VALUES (:id, :guild_id, :user_id, :audience, :answer, :created_at, :expires_at, :view)
ON CONFLICT (id) DO NOTHING
"""

_EVICT_OF_USER = """
DELETE FROM snapshots
WHERE guild_id = :guild_id AND user_id = :user_id AND seq <= (
    SELECT seq FROM snapshots WHERE guild_id = :guild_id AND user_id = :user_id
    ORDER BY seq DESC LIMIT 1 OFFSET :kept
)
"""

# What a user has beyond the others goes first: how much of their own is newer decides before age does.
_EVICT = """
DELETE FROM snapshots WHERE seq IN (
    SELECT seq FROM (
        SELECT seq, ROW_NUMBER() OVER (PARTITION BY guild_id, user_id ORDER BY seq DESC) AS newer FROM snapshots
    ) ORDER BY newer, seq DESC LIMIT -1 OFFSET :kept
)
"""

_EVICT_BYTES = """
DELETE FROM snapshots WHERE seq IN (
    SELECT seq FROM (
        SELECT seq, SUM(size) OVER (ORDER BY newer, seq DESC) AS bytes FROM (
            SELECT seq, size, SUM(size) OVER (PARTITION BY guild_id, user_id ORDER BY seq DESC) AS newer
            FROM (SELECT seq, guild_id, user_id, length(answer) AS size FROM snapshots)
        )
    ) WHERE bytes > :bytes
)
"""

_COUNT = "SELECT count(*), coalesce(sum(length(answer)), 0) FROM snapshots"

_LOAD = "SELECT * FROM snapshots WHERE guild_id = :guild_id AND id = :id AND expires_at > :at"

_SET_VIEW = "UPDATE snapshots SET view = :view WHERE guild_id = :guild_id AND id = :id"

_PURGE = "DELETE FROM snapshots WHERE expires_at <= :at"

_FORMAT = b"\x07"
"""The first byte of a stored answer; raise it with every change of what is stored. Other formats are not read."""

_PIECE = 1_000
"""Trades that are encoded at once: msgspec holds the interpreter meanwhile, 260 ms for 50,000 trades."""

_SMALL = 50
"""Items or trades up to which an answer is encoded on the event loop: each may have pages of text."""


class _Stored(NamedTuple):
    """An upper bound of how many snapshots are stored, and of their bytes."""

    rows: int
    bytes: int


class SqlSnapshotRepository(SnapshotRepository):
    """Snapshots as rows: at most ``max_rows`` and ``max_bytes_in_all``, of which each user has a share.

    A customer has at most ``max_per_customer`` of a guild, one of the staff ``max_per_staff``; their oldest are evicted
    first. If there are too many of all, the users with most of them lose their oldest.

    A snapshot above ``max_bytes`` is stored without pictures, stickers and inspect certificates; one that is still too
    large is not stored.
    """

    def __init__(
        self,
        db: Database,
        *,
        max_rows: int = 2_000,
        max_per_customer: int = 20,
        max_per_staff: int = 60,
        max_bytes: int = 4 * 1024 * 1024,
        max_bytes_in_all: int = 1024 * 1024 * 1024,
    ) -> None:
        self._db = db
        self.is_shared = db.is_shared
        self._max_rows = max_rows
        self._per_user = {Audience.CUSTOMER: max_per_customer, Audience.STAFF: max_per_staff}
        self._max_bytes = max_bytes
        self._max_bytes_in_all = max_bytes_in_all
        self._stored: _Stored | None = None
        self._packed: dict[int, bytes] = {}
        """The bytes of inventories that are still in memory, by their identity: many users view the same one."""

    @override
    async def save(self, *snapshots: Snapshot) -> None:
        rows = [row for snapshot in snapshots if (row := await self._row(snapshot)) is not None]
        size = sum(len(row["answer"]) for row in rows)
        readers = {(row["guild_id"], row["user_id"]): self._per_user[Audience(row["audience"])] for row in rows}
        keys = json.dumps([(snapshot.guild_id, snapshot.id) for snapshot in snapshots])

        def job(connection: Connection) -> None:
            # As few statements as possible: each one releases and takes Python's global lock.
            connection.execute(_DELETE, {"keys": keys})
            connection.executemany(_INSERT, rows)
            connection.executemany(
                _EVICT_OF_USER,
                [{"guild_id": guild, "user_id": user, "kept": kept} for (guild, user), kept in readers.items()],
            )
            before = self._stored
            if before is None or before.rows + len(rows) > self._max_rows:
                connection.execute(_EVICT, {"kept": self._max_rows})
            if before is not None and before.bytes + size <= self._max_bytes_in_all:
                self._stored = _Stored(min(before.rows + len(rows), self._max_rows), before.bytes + size)
                return
            connection.execute(_EVICT_BYTES, {"bytes": self._max_bytes_in_all})
            self._stored = _Stored(*connection.execute(_COUNT).fetchone())

        try:
            await self._db.write(job)
        except BaseException:
            self._stored = None  # count again: the evictions may have been rolled back
            raise

    async def _row(self, snapshot: Snapshot) -> dict[str, Any] | None:
        """Return the columns of a snapshot; None if it cannot be stored."""
        shown = snapshot.answer
        rows = shown.row_count if isinstance(shown, TradesAnswer) else shown.item_count
        try:
            encoded = partial(encode, shown, packed=self._packed_once)
            answer = encoded() if rows <= _SMALL else await run_in_worker(encoded)
            if len(answer) > self._max_bytes:
                answer = await run_in_worker(encode, shown, packed=partial(pack, lean=True))
        except (ValueError, OverflowError, Overloaded) as error:  # a lone surrogate, or a number of more than 64 bits
            _log.warning("snapshot not encoded guild=%s error=%s", snapshot.guild_id, type(error).__name__)
            return None
        if len(answer) > self._max_bytes:
            _log.warning("snapshot too large to keep guild=%s bytes=%s", snapshot.guild_id, len(answer))
            return None
        return {
            "id": snapshot.id,
            "guild_id": snapshot.guild_id,
            "user_id": snapshot.user_id,
            "audience": snapshot.audience.value,
            "answer": answer,
            "created_at": to_ms(snapshot.created_at),
            "expires_at": to_ms(snapshot.expires_at),
            "view": snapshot.view and _view_column(snapshot.view),
        }

    @override
    async def load(self, guild_id: int, snapshot_id: str, *, at: datetime) -> Snapshot | None:
        for row in await self._db.read(_LOAD, {"guild_id": guild_id, "id": snapshot_id, "at": to_ms(at)}):
            try:
                return await run_in_worker(_snapshot, row)
            except (ValueError, LookupError, zlib.error) as error:  # of another version, or damaged
                _log.warning("snapshot not readable guild=%s error=%s", row["guild_id"], type(error).__name__)
        return None

    @override
    async def remove(self, guild_id: int, snapshot_id: str) -> None:
        await self._execute(_DELETE, {"keys": json.dumps([(guild_id, snapshot_id)])})

    @override
    async def set_view(self, guild_id: int, snapshot_id: str, view: InventoryFilter | TradesView | None) -> None:
        await self._execute(_SET_VIEW, {"id": snapshot_id, "guild_id": guild_id, "view": view and _view_column(view)})

    @override
    async def purge(self, *, at: datetime) -> frozenset[str]:
        await self._execute(_PURGE, {"at": to_ms(at)})
        if self.is_shared:
            self._stored = None  # count again: other processes have stored some, too
        return frozenset(row["id"] for row in await self._db.read("SELECT id FROM snapshots"))

    def _packed_once(self, inventory: Inventory) -> bytes:
        packed = self._packed.get(id(inventory))
        if packed is None:
            packed = self._packed[id(inventory)] = pack(inventory)
            weakref.finalize(inventory, self._packed.pop, id(inventory), None)
        return packed

    async def _execute(self, sql: str, parameters: Mapping[str, object]) -> None:
        def job(connection: Connection) -> None:
            connection.execute(sql, parameters)

        await self._db.write(job)


def pack(inventory: Inventory, *, lean: bool = False) -> bytes:
    """Return an inventory as bytes; if ``lean``, without what only an item's details show.

    Items have positions in a list of icons instead of the hashes, which repeat too far apart for zlib.
    """
    change = msgspec.structs.replace
    icons: dict[str | None, str] = {}
    if lean:
        items = [change(item, icon_hash=None, inspect_certificate=None, stickers=()) for item in inventory.items]
    else:
        items = [change(item, icon_hash=icons.setdefault(item.icon_hash, str(len(icons)))) for item in inventory.items]
    stored = replace(inventory, items=tuple(items)), list(icons)
    return zlib.compress(_encoder.encode(stored), zlib.Z_BEST_SPEED)


def encode(answer: InventoryAnswer | TradesAnswer, *, packed: Callable[[Inventory], bytes] = pack) -> bytes:
    """Return an answer as bytes, without trades' codes."""
    if isinstance(answer, TradesAnswer):
        trades = [
            trade
            if (error := clean_text(trade.last_error) or "") == trade.last_error
            else msgspec.structs.replace(trade, last_error=error)
            for trade in answer.trades
        ]
        pieces = [_encoder.encode(trades[begin : begin + _PIECE]) for begin in range(0, len(trades), _PIECE)]
        said = tuple(replace(part, failure=_storable(part.failure)) for part in answer.parts)
        stored_answer = replace(answer, trades=(), parts=said), pieces
        return _FORMAT + b"t" + zlib.compress(_encoder.encode(stored_answer), zlib.Z_BEST_SPEED)
    parts = [
        (
            part.provider,
            part.inventory and packed(part.inventory),
            _storable(part.failure),
            part.reference,
        )
        for part in answer.answers
    ]
    asked = replace(answer.filter, search=clean_text(answer.filter.search))
    return _FORMAT + b"i" + _encoder.encode((answer.owner, answer.game, asked, answer.linked_user_id, parts))


def decode(data: bytes) -> InventoryAnswer | TradesAnswer:
    """Return the encoded answer; ValueError, LookupError or zlib.error if it is damaged or of another format."""
    if data[:1] != _FORMAT:
        raise ValueError("another format")
    if data[1:2] == b"t":
        answer, pieces = _trades_decoder.decode(zlib.decompress(data[2:]))
        trades = tuple(chain.from_iterable(map(_piece_decoder.decode, pieces)))
        said = tuple(
            TradesPart(**_fields_of(part, TradesPart) | {"failure": _plain_failure(part.failure)})
            for part in answer.parts
        )
        return TradesAnswer(**_fields_of(answer, TradesAnswer) | {"parts": said, "trades": trades})
    owner, game, asked, linked_user_id, parts = _inventory_decoder.decode(data[2:])
    answers = tuple(
        ProviderAnswer(
            provider,
            None if packed is None else _unpacked(packed),
            _plain_failure(failure),
            reference,
        )
        for provider, packed, failure, reference in parts
    )
    return InventoryAnswer(owner, game, asked, answers, linked_user_id)


@dataclass(frozen=True, slots=True)
class _Failure(Failure):
    """A failure of a provider: msgspec cannot tell two kinds of text enum apart."""

    provider: ProviderName


@dataclass(frozen=True, slots=True)
class _TradesPart(TradesPart):
    failure: _Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _TradesAnswer(TradesAnswer):
    parts: tuple[_TradesPart, ...]


_Part = tuple[ProviderName, bytes | None, _Failure | None, str | None]


def _without_secret(value: object) -> None:
    """Return None in place of a trade's code, and of every other secret."""
    if not isinstance(value, Secret):
        raise NotImplementedError


_encoder = msgspec.msgpack.Encoder(enc_hook=_without_secret)
_trades_decoder = msgspec.msgpack.Decoder(tuple[_TradesAnswer, list[bytes]])
_piece_decoder = msgspec.msgpack.Decoder(tuple[Trade, ...])
_inventory_decoder = msgspec.msgpack.Decoder(tuple[SteamId, Game, InventoryFilter, int | None, list[_Part]])
_packed_decoder = msgspec.msgpack.Decoder(tuple[Inventory, list[str | None]])


def _storable(failure: Failure | None) -> Failure | None:
    return failure and replace(failure, message=clean_text(failure.message))


def _plain_failure(failure: _Failure | None) -> Failure | None:
    return failure and Failure(**_fields_of(failure, Failure))


def _fields_of(value: object, kind: type) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(kind)}


def _unpacked(packed: bytes) -> Inventory:
    inventory, icons = _packed_decoder.decode(zlib.decompress(packed))
    if not icons:
        return inventory
    change = msgspec.structs.replace
    return replace(
        inventory, items=tuple([change(item, icon_hash=icons[int(item.icon_hash or 0)]) for item in inventory.items])
    )


def _view_column(view: InventoryFilter | TradesView) -> str:
    stored = view if isinstance(view, TradesView) else replace(view, search=clean_text(view.search))
    return msgspec.json.encode(stored).decode()


def _snapshot(row: Row) -> Snapshot:
    return Snapshot(
        id=row["id"],
        guild_id=row["guild_id"],
        user_id=row["user_id"],
        audience=Audience(row["audience"]),
        answer=decode(row["answer"]),
        created_at=from_ms(row["created_at"]),
        expires_at=from_ms(row["expires_at"]),
        view=None if row["view"] is None else msgspec.json.decode(row["view"], type=InventoryFilter | TradesView),
    )
