"""The database is deleted, replaced, damaged or made read-only under the running program: it stops deciding."""

import array
import fcntl
import json
import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp import web

from bot.demo.providers.faults import Act
from bot.domain.health import DatabaseFault
from bot.ui.errors import FAULTS
from tests.e2e.live_bot import LiveBot, answer_of
from tests.e2e.test_faults import FULL_DISK, end_link, failed_trades
from tests.e2e.test_watching import fetched, metrics, sample

_GET_FLAGS, _SET_FLAGS, _IMMUTABLE = 0x80086601, 0x40086602, 0x10


def another(database: Path) -> Path:
    """Return a database of the same schema and another history."""
    path = database.with_name("another.db")
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(path)) as copy:
        source.backup(copy)
        copy.execute("UPDATE desk SET probed_at = 1")
        copy.commit()
    return path


def deleted(database: Path) -> None:
    for path in database.parent.glob("skindesk.db*"):
        path.unlink()


def journal_deleted(database: Path) -> None:
    Path(f"{database}-wal").unlink()


def moved_over(database: Path) -> None:
    another(database).rename(database)


def copied_over(database: Path) -> None:
    """Write into the file itself, as ``cp`` does."""
    database.write_bytes(another(database).read_bytes())


def damaged(database: Path) -> None:
    """Overwrite every page but the first three."""
    with database.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(3 * 4096)
        file.write(b"\xa5" * (size - file.tell()))


def set_writable(database: Path, *, is_writable: bool) -> None:
    """Make the file read-only, for root too, or writable again."""
    if os.geteuid() != 0:
        database.chmod(0o600 if is_writable else 0o400)
    else:
        descriptor, flags = os.open(database, os.O_RDONLY), array.array("l", [0])
        try:
            fcntl.ioctl(descriptor, _GET_FLAGS, flags)
            flags[0] = flags[0] & ~_IMMUTABLE | (0 if is_writable else _IMMUTABLE)
            fcntl.ioctl(descriptor, _SET_FLAGS, flags)
        finally:
            os.close(descriptor)


def read_only(database: Path) -> None:
    set_writable(database, is_writable=False)


FAULTY: dict[Callable[[Path], None], str] = {
    deleted: "missing",
    journal_deleted: "missing",
    moved_over: "replaced",
    copied_over: "replaced",
    damaged: "damaged",
    read_only: "read_only",
}


@pytest.mark.parametrize("hurt", FAULTY, ids=lambda hurt: hurt.__name__)
async def test_unusable(live: LiveBot, unused_tcp_port: int, hurt: Callable[[Path], None]) -> None:
    """The next change is refused; user, log, health and metrics name the fault; a read-only database is still read."""
    fault = FAULTY[hurt]
    async with live.running(observability__listen=f"127.0.0.1:{unused_tcp_port}") as bot:
        await bot.wait_line("ready guilds=")
        assert (await fetched(unused_tcp_port, "/readyz"))[0] == 200
        hurt(live.database)
        try:
            refusal = answer_of(await (await end_link(live)).finished()).text
            looked_up = (await live.use(live.customer, "link status")).text
            status, health = await fetched(unused_tcp_port, "/healthz")
            counted = await metrics(unused_tcp_port)
        finally:
            if hurt is read_only:
                set_writable(live.database, is_writable=True)
        assert "SkinDesk cannot use its database" in refusal
        assert "Nothing was changed" in refusal
        assert FAULTS[DatabaseFault(fault)]() in refusal
        assert ("SteamID" in looked_up) == (hurt is read_only)
        assert (status, json.loads(health)["database_fault"]) == (503, fault)
        assert counted[sample("database_usable")] == 0
        assert counted[sample("database_fault", fault=fault)] == 1
        await bot.wait_line(f"database unavailable fault={fault}")
        if hurt is read_only:
            assert counted[sample("database_write_failures_total")] >= 1
            await bot.wait_line("database available again fault=read_only")
            assert "no longer linked" in answer_of(await (await end_link(live)).finished()).text
    assert "Traceback" not in bot.stderr
    live.assert_sound()


async def test_outcome_not_stored(live: LiveBot) -> None:
    """The disk is full once a resend is answered: the moderator is warned, and it is read later, not sent again."""
    trade_id = failed_trades(live)[0]
    async with live.running(program=FULL_DISK) as bot:
        card = await live.requested(trade_id)

        async def filled(request: web.Request, act: Act) -> web.StreamResponse:
            response = await act(request)
            if live.providers.mannco.resend_calls:
                bot.send_signal(signal.SIGUSR2)
                await bot.wait_line("disk full")
            return response

        live.providers.mannco.faults.extend([filled] * 2)  # the read before the call, and the call
        warning = answer_of(await (await live.decide(card)).finished()).text
        assert "Mannco.store has confirmed this resend" in warning
        assert "Do not send it by hand" in warning
        assert f"trade={trade_id} sent=True fault=" in await bot.wait_line("resend outcome not stored")
        live.providers.mannco.faults.clear()
        bot.send_signal(signal.SIGRTMIN)
        await live.card_shows(card, "sent", within=60.0)
    assert live.providers.mannco.resend_calls == {trade_id: 1}
    live.assert_sound()
