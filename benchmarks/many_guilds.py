"""Runs one process with many servers on PostgreSQL, and works out what thousands of servers cost.

``uv run python -m benchmarks.many_guilds`` prints what a process with ``--guilds`` servers holds and does, what an
interaction costs it and the database, and how many write jobs a second several processes get through the one lock.
PostgreSQL writes to the disk as in production (fsync on).
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import psycopg
from typing_extensions import override

from benchmarks.interactions import answer_of_provider, canned_provider, strangers
from benchmarks.measuring import cpu_seconds, percentile, resident_mb
from bot.demo.providers import SimulatedProviders
from bot.demo.world import World
from bot.storage.postgres.schema import bundled, migrate
from tests.e2e.live_bot import answer_of
from tests.support import postgres
from tests.support.bot_process import BotProcess
from tests.support.discord_server import LoopbackDiscord
from tests.support.loopback_discord.guilds import Guild, User
from tests.support.loopback_discord.messages import nested
from tests.support.loopback_discord.records import InteractionRecord
from tests.support.loopback_discord.wire import Json, new_id

_SHARDS = "0-1/8"
_ROLES, _CHANNELS, _EMOJIS, _THREADS = 50, 60, 30, 5
_ACTIVE = 100
"""Servers in which people use commands while the process is watched."""

_WRITE = """
import asyncio, sys, time
from datetime import UTC, datetime
from bot.domain.audit import AuditAction, AuditEntry
from bot.storage.audit.log import SqlAuditRepository
from bot.storage.postgres.database import PostgresDatabase

url, at_once, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])

async def main():
    async with PostgresDatabase.open(url) as db:
        log, done = SqlAuditRepository(db), 0
        print("open", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        until = time.monotonic() + seconds
        async def write(number):
            nonlocal done
            while time.monotonic() < until:
                await log.append(AuditEntry(number + 1, datetime.now(UTC), 1, AuditAction.TRADES_VIEWED, "user:1"))
                done += 1
        await asyncio.gather(*map(write, range(at_once)))
        print(done, flush=True)

asyncio.run(main())
"""

Use = Callable[[], Coroutine[Any, Any, InteractionRecord]]


class LargeGuild(Guild):
    """A server as large communities are, with all that Discord tells about it."""

    def __init__(self, number: int, bot: User) -> None:
        shard = number % 2
        super().__init__(f"Community {number}", owner=User(f"owner-{number}"), bot=bot, guild_id=new_id((shard, 8)))
        self.support = self.add_role("Support")
        self.agent = self.add_member(f"agent-{number}", self.support)
        for each in range(_ROLES - len(self.roles)):
            self.add_role(f"Level {each}")
        for each in range(_CHANNELS):
            self.add_channel(f"channel-{each}").overwrites = [
                {"id": str(role.id), "type": 0, "allow": "1024", "deny": "2048"} for role in self.roles[:3]
            ]

    @override
    def payload(self) -> Json:
        role = {"color": 3447003, "colors": {"primary_color": 3447003}, "hoist": False, "icon": None, "flags": 0}
        payload = super().payload()
        roles = [each | role | {"managed": False, "mentionable": False} for each in payload["roles"]]
        emoji = {"roles": [], "require_colons": True, "managed": False, "animated": False, "available": True}
        return payload | {
            "roles": roles,
            "icon": "a" * 32,
            "description": "A community of people who play together",
            "features": ["COMMUNITY", "NEWS", "ANIMATED_ICON", "INVITE_SPLASH", "THREE_DAY_THREAD_ARCHIVE"],
            "emojis": [{"id": str(self.id + n), "name": f"emoji_{n}", **emoji} for n in range(_EMOJIS)],
            "stickers": [],
            "preferred_locale": "en-US",
        }

    @override
    def arrival(self) -> Json:
        arrival = super().arrival()
        channel = {"topic": "What this channel is for, in a sentence or two.", "nsfw": False, "rate_limit_per_user": 0}
        thread = {
            "type": 11,
            "owner_id": str(self.owner.id),
            "message_count": 9,
            "member_count": 3,
            "guild_id": str(self.id),
        }
        archived = {"archived": False, "auto_archive_duration": 1440, "archive_timestamp": "2026-01-01T00:00:00+00:00"}
        return arrival | {
            "channels": [each | channel | {"last_message_id": str(self.id)} for each in arrival["channels"]],
            "threads": [
                {"id": str(self.id + n), "name": f"thread {n}", "parent_id": str(self.channels[n].id), **thread}
                | {"thread_metadata": archived | {"locked": False}}
                for n in range(_THREADS)
            ],
            "member_count": 5_000,
        }


class Desk:
    """One process with many servers, and the people of some of them."""

    def __init__(self, server: LoopbackDiscord, guilds: int) -> None:
        self.server = server
        self.guilds = [LargeGuild(number, server.world.bot) for number in range(guilds)]
        self.server.world.guilds |= {guild.id: guild for guild in self.guilds}
        self.active = self.guilds[:_ACTIVE]
        self._turns = cycle(self.active)
        self._unknown = strangers()
        self._own = next(self._unknown)

    async def set_up(self) -> None:
        """Give the agents of the active servers their rights, and open a page for each."""
        self.pages = {}
        for guild in self.active:
            for capability in ("inventory.any", "trades.any"):
                await self._use(guild, guild.owner.id, "access grant", role=guild.support, capability=capability)
            shown = await self._use(guild, guild.agent.id, "inventory", tradeurl=self._own)
            self.pages[guild.id] = answer_of(shown)

    def uses(self) -> list[Use]:
        """Return a hundred interactions in the proportions of a support desk."""
        kinds: dict[Use, int] = {
            self.look_up: 20,
            self.look_up_again: 20,
            self.turn_page: 30,
            self.trades: 5,
            self.explain: 15,
            self.refused: 10,
        }
        hundred = [use for use, number in kinds.items() for _ in range(number)]
        random.Random(1).shuffle(hundred)
        return hundred

    async def look_up(self) -> InteractionRecord:
        guild = next(self._turns)
        return await self._begin(guild, guild.agent.id, "inventory", tradeurl=next(self._unknown))

    async def look_up_again(self) -> InteractionRecord:
        guild = next(self._turns)
        return await self._begin(guild, guild.agent.id, "inventory", tradeurl=self._own)

    async def turn_page(self) -> InteractionRecord:
        guild = next(self._turns)
        page = self.pages[guild.id]
        enabled = [str(each.get("custom_id")) for each in nested(page.components) if not each.get("disabled")]
        button = next(each for way in (":next:", ":first:") for each in enabled if way in each)
        return await self.server.click(page, button, guild.agent)

    async def trades(self) -> InteractionRecord:
        guild = next(self._turns)
        return await self._begin(guild, guild.agent.id, "trades", scope="active")

    async def explain(self) -> InteractionRecord:
        guild = next(self._turns)
        return await self._begin(guild, guild.owner.id, "explain", code="26")

    async def refused(self) -> InteractionRecord:
        guild = next(self._turns)
        return await self._begin(guild, guild.agent.id, "access list")

    async def _begin(self, guild: Guild, who: int, command: str, /, **options: Any) -> InteractionRecord:
        return await self.server.slash(guild, guild.channels[0], guild.members[who], command, **options)

    async def _use(self, guild: Guild, who: int, command: str, /, **options: Any) -> InteractionRecord:
        return await (await self._begin(guild, who, command, **options)).finished(30.0)


@asynccontextmanager
async def durable_server() -> AsyncIterator[postgres.Server]:
    """Start a PostgreSQL that writes to the disk before it answers."""
    with postgres.own_server() as server:
        with psycopg.connect(server.url(), autocommit=True) as admin:
            for setting in ("fsync = on", "full_page_writes = on", "autovacuum_naptime = '1min'"):
                admin.execute(f"ALTER SYSTEM SET {setting}".encode())
            admin.execute("SELECT pg_reload_conf()")
            admin.execute("CREATE DATABASE desk")
        with psycopg.connect(server.url("desk"), autocommit=True) as connection:
            migrate(connection, "desk", bundled())
        yield server


class Database:
    """What the server has done so far."""

    def __init__(self, server: postgres.Server) -> None:
        self._url = server.url("desk")
        self._log = server.folder / "log"

    def log_statements(self, which: str) -> None:
        """Log "all" statements, or "none"."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET log_statement = '{which}'".encode())
            connection.execute("SELECT pg_reload_conf()")

    def statements(self) -> int:
        """Return how many statements were logged."""
        return self._log.read_bytes().count(b" statement: ")

    def figures(self) -> dict[str, float]:
        """Return transactions, KiB of its journal, and processor seconds of its processes."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            [(transactions,)] = connection.execute(
                "SELECT xact_commit FROM pg_stat_database WHERE datname = 'desk'"
            ).fetchall()
            [(journal,)] = connection.execute("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')").fetchall()
            pids = [pid for (pid,) in connection.execute("SELECT pid FROM pg_stat_activity").fetchall()]
        return {
            "transactions": float(transactions),
            "journal": float(journal) / 1024,
            "cpu": sum(cpu_seconds(pid) for pid in pids),
        }


async def watched(desk: Desk, bot: BotProcess, database: Database, options: argparse.Namespace) -> None:
    """Let people use commands at a steady rate and print what each costs."""
    hundred = desk.uses()
    for use in hundred:  # warms up
        await (await use()).finished(30.0)
    desk.server.requests.clear()
    before, worked = database.figures(), cpu_seconds(bot.pid)
    await asyncio.sleep(options.idle)
    idle, idle_worked = database.figures(), cpu_seconds(bot.pid)
    records, began = [], time.monotonic()
    for number in range(options.interactions):
        await asyncio.sleep(began + number / options.rate - time.monotonic())
        records.append(await hundred[number % 100]())
    await asyncio.gather(*(record.finished(30.0) for record in records))
    took = time.monotonic() - began
    after, done = database.figures(), cpu_seconds(bot.pid)
    print(f"idle: {100 * (idle_worked - worked) / options.idle:.1f} % of a core; database:", end=" ")
    print(", ".join(f"{(idle[name] - before[name]) / options.idle:.2f} {name}" for name in idle), "a second")
    rest = {name: (idle[name] - before[name]) / options.idle * took for name in idle}
    own = done - idle_worked - (idle_worked - worked) / options.idle * took
    print(f"{len(records)} interactions at {len(records) / took:.0f} a second, without what idling costs:")
    print(f"  process: {own / len(records) * 1000:.2f} ms of processor time each")
    each = {name: (after[name] - idle[name] - rest[name]) / len(records) for name in after}
    print(
        f"  database: {each['transactions']:.1f} transactions, {each['journal']:.1f} KiB of journal,"
        f" {each['cpu'] * 1000:.2f} ms of processor time each"
    )
    answered = [(record.finished_at or 0) - record.dispatched_at for record in records]
    print("  answered after:", ", ".join(f"{p:.0%} {percentile(answered, p) * 1000:.0f} ms" for p in (0.5, 0.95, 0.99)))
    print(f"  memory: {resident_mb(bot.pid):.0f} MB", flush=True)
    await counted(hundred, database, idle=options.idle)


async def counted(hundred: Sequence[Use], database: Database, *, idle: float) -> None:
    """Print how many statements a hundred interactions take; to log each would change the other figures."""
    database.log_statements("all")
    await asyncio.sleep(1)
    before = database.statements()
    await asyncio.sleep(idle)
    between, began = database.statements(), time.monotonic()
    for use in hundred:
        await (await use()).finished(30.0)
    await asyncio.sleep(1)
    rest = (between - before) / idle * (time.monotonic() - began)
    print(f"  statements: {(database.statements() - between - rest) / len(hundred):.1f} each", end="; ")
    print(f"idle {(between - before) / idle:.1f} a second", flush=True)
    database.log_statements("none")


async def one_process(options: argparse.Namespace) -> None:
    """Start a process with many servers and watch it."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(durable_server())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        providers = await stack.enter_async_context(SimulatedProviders(World(), mannco_as_admin=True))
        canned = await stack.enter_async_context(canned_provider(await answer_of_provider(providers, providers.world)))
        discord = await stack.enter_async_context(LoopbackDiscord())
        discord.world.shards, discord.world.session_starts["max_concurrency"] = 8, 16
        for guilds in dict.fromkeys([1, options.guilds]):
            discord.world.guilds.clear()
            desk = Desk(discord, guilds)
            ids = ", ".join(str(guild.id) for guild in desk.guilds)
            (folder / "config.toml").write_text(f"[discord]\nguild_ids = [{ids}]\n", encoding="utf-8")
            settings = {
                f"SKINDESK_PROVIDERS__{provider}__{key}".upper(): value
                for provider, table in providers.settings().items()
                for key, value in table.items()
            } | {
                "SKINDESK_DATABASE__URL": server.url("desk"),
                "SKINDESK_DISCORD__SHARDS": _SHARDS,
                "SKINDESK_PROVIDERS__ASSETPAY__BASE_URL": canned,
                "SKINDESK_PROVIDERS__ASSETPAY__VERIFIED": "true",
            }
            began = time.monotonic()
            async with BotProcess(discord, cwd=folder, settings=settings) as bot:
                await bot.wait_ready(120.0, shards=2)
                await bot.wait_line(f"ready guilds={guilds}", 120.0)
                ready, worked = time.monotonic() - began, cpu_seconds(bot.pid)
                await asyncio.sleep(3)
                size = len(str(desk.guilds[0].arrival()))
                print(f"{guilds} servers: ready after {ready:.1f} s, {worked:.1f} s of processor time,", end=" ")
                print(f"{resident_mb(bot.pid):.0f} MB; GUILD_CREATE has {size / 1000:.0f} kB", flush=True)
                if guilds == options.guilds:
                    await desk.set_up()
                    await watched(desk, bot, Database(server), options)
                assert await bot.terminate() == 0


async def written(url: str, *, processes: int, at_once: int, seconds: float) -> float:
    """Return how many audited writes a second so many processes commit together."""
    running = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", _WRITE, url, str(at_once), str(seconds), stdin=PIPE, stdout=PIPE
        )
        for _ in range(processes)
    ]
    for each in running:
        assert each.stdout is not None
        assert await each.stdout.readline() == b"open\n"
    results = await asyncio.gather(*(each.communicate(b"\n") for each in running))
    return sum(int(out) for out, _ in results) / seconds


async def writes(options: argparse.Namespace) -> None:
    """Print how many write jobs a second the one lock lets through."""
    async with durable_server() as server:
        for processes in (1, 2, 4):
            for at_once in (1, 16, 64):
                rate = await written(server.url("desk"), processes=processes, at_once=at_once, seconds=options.seconds)
                print(f"{processes} processes, {at_once} callers in each: {rate:,.0f} write jobs a second", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--guilds", type=int, default=1_250)
    parser.add_argument("--interactions", type=int, default=1_000)
    parser.add_argument("--rate", type=float, default=20.0, help="interactions a second")
    parser.add_argument("--idle", type=float, default=20.0, help="seconds to watch it idle")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement of the write jobs; 0 for none")
    options = parser.parse_args()
    if options.guilds:
        asyncio.run(one_process(options))
    if options.seconds:
        asyncio.run(writes(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
