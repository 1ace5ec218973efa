"""The composition root: opens everything in one stack, wires it, serves until told to stop."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from textwrap import shorten

import aiohttp
import discord
from pydantic import SecretStr

from bot.client import SkinDeskClient
from bot.config import Settings
from bot.exit_codes import ExitCode
from bot.monitoring import Telemetry
from bot.observability.address import AddressUnusable
from bot.observability.logs import register_secret
from bot.ports import Clock
from bot.provider_setup import open_providers
from bot.providers.explanations import Catalogue
from bot.reloading import Reloading
from bot.services.access import AccessService
from bot.services.audit import AuditService
from bot.services.background import background_jobs
from bot.services.container import Services
from bot.services.inventory import InventoryService
from bot.services.links import LinkService
from bot.services.my_data import MyDataService
from bot.services.resend_board import ResendBoard
from bot.services.resend_delivery import ResendDelivery
from bot.services.resends import ResendService
from bot.services.settings import SettingsService
from bot.services.snapshots import SnapshotService
from bot.services.status import StatusService
from bot.services.trades import TradeService
from bot.sign_in_setup import open_sign_in
from bot.storage.audit.log import SqliteAuditRepository
from bot.storage.command_syncs import SqliteCommandSyncs
from bot.storage.database import Database
from bot.storage.errors import BackupNotWritten, DatabaseInUse, DatabaseTooNew, StorageError
from bot.storage.grants import SqliteGrantRepository
from bot.storage.links import SqliteLinkRepository
from bot.storage.my_data import SqliteMyDataRepository
from bot.storage.pauses import SqlitePauseRepository
from bot.storage.resends import SqliteResendRepository
from bot.storage.settings import SqliteGuildSettingsRepository
from bot.storage.sign_ins import SqliteSignInRepository
from bot.storage.snapshots import SqliteSnapshotRepository
from bot.ui.resends.channel import DiscordAuditChannel, DiscordResendCards

_log = logging.getLogger(__name__)

_FINISH_WITHIN = 2.5
"""Seconds that a stop leaves to interactions and resends under way, out of the five it may take (design.md, 1.3)."""

_TELL_WITHIN = 1.0
"""Seconds after that for telling everybody who still waits, also where Discord no longer answers."""

_DISCONNECT_WITHIN = 0.7
"""Seconds for saying goodbye to Discord; discord.py alone would wait half a minute for an answer."""

_LEAVE_WITHIN = 4.5
"""Seconds after which what is being closed is left as it is, whatever hangs; a unit that this cuts off is undone."""

_CLOSE_WITHIN = 0.3
"""Seconds that closing has in any case."""

_DISCORD_GONE = (
    OSError,
    aiohttp.ClientError,  # discord.py lets through what its HTTP library says of a connection
    discord.HTTPException,
    discord.LoginFailure,
    discord.GatewayNotFound,
    discord.ConnectionClosed,
)


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment."""
        return datetime.now(UTC)


@asynccontextmanager
async def assembled(
    settings: Settings, *, clock: Clock | None = None, web_socket: socket.socket | None = None
) -> AsyncIterator[SkinDeskClient]:
    """Open the database, the ways to the providers and the sign-in page, and give the client; close them in reverse.

    Where ``observability.listen`` is set, metrics and health are served meanwhile. AddressUnusable where one of the
    addresses to listen on cannot be had, StorageError where the database cannot be used. ``web_socket`` has the
    address of the sign-in page already where it is given.
    """
    for secret in settings.secrets():
        register_secret(secret.get_secret_value())
    clock = clock or SystemClock()
    explanations = Catalogue.load()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database.open(settings.database.path))
        telemetry = Telemetry.new(measures=settings.observability.address is not None)
        providers = await open_providers(
            settings, stack, clock=clock, explanations=explanations, observers=telemetry.on_call
        )
        cards = DiscordResendCards(explanations=explanations)
        audit_channel = DiscordAuditChannel()
        links, guild_settings = SqliteLinkRepository(database), SqliteGuildSettingsRepository(database)
        resends = SqliteResendRepository(database)
        rows = SqliteAuditRepository(database)
        audit = AuditService(rows=rows, settings=guild_settings, channel=audit_channel, clock=clock)
        stack.push_async_callback(audit.close, within=0.0)
        access = AccessService(grants=SqliteGrantRepository(database), links=links, rows=rows, audit=audit, clock=clock)
        inventory = InventoryService(
            providers=providers.inventories, default=settings.default_provider, links=links, audit=audit, clock=clock
        )
        stack.push_async_callback(inventory.close)
        snapshots = SnapshotService(
            repository=SqliteSnapshotRepository(database), inventory=inventory, access=access, clock=clock
        )
        stack.push_async_callback(snapshots.saved)
        pauses = SqlitePauseRepository(database)
        board = ResendBoard(repository=resends, settings=guild_settings, cards=cards, clock=clock)
        delivery = ResendDelivery(
            repository=resends,
            provider=providers.trades,
            links=links,
            cards=cards,
            board=board,
            pauses=pauses,
            audit=audit,
            clock=clock,
        )
        stack.push_async_callback(delivery.close, within=0.0)
        sign_ins = await open_sign_in(
            settings.links,
            stack,
            sign_ins=SqliteSignInRepository(database),
            audit=audit,
            clock=clock,
            listening=web_socket,
        )
        my_data = MyDataService(
            repository=SqliteMyDataRepository(database),
            rows=rows,
            snapshots=snapshots,
            inventory=inventory,
            cards=cards,
            sign_ins=sign_ins,
            clock=clock,
        )
        services = Services(
            access=access,
            audit=audit,
            links=LinkService(links=links, access=access, audit=audit, clock=clock),
            settings=SettingsService(settings=guild_settings, access=access, audit=audit, clock=clock),
            inventory=inventory,
            trades=TradeService(provider=providers.trades, access=access, links=links, audit=audit, clock=clock),
            resends=ResendService(
                repository=resends,
                provider=providers.trades,
                access=access,
                links=links,
                settings=guild_settings,
                cards=cards,
                board=board,
                delivery=delivery,
                pauses=pauses,
                audit=audit,
                clock=clock,
                expires_after=settings.resends.expires_after,
                allow_self_approval=settings.resends.allow_self_approval,
            ),
            delivery=delivery,
            snapshots=snapshots,
            status=StatusService(sources=providers.health, access=access),
            sign_ins=sign_ins,
            my_data=my_data,
            explanations=explanations,
            background=background_jobs(delivery=delivery, snapshots=snapshots, sign_ins=sign_ins, my_data=my_data),
            page_size=settings.inventory.page_size,
        )
        client = SkinDeskClient(
            services=services,
            cards=cards,
            synced=SqliteCommandSyncs(database),
            command_guild_ids=settings.discord.command_guild_ids,
            observers=telemetry.on_handled,
            requests=telemetry.requests,
            on_stopping=partial(database.hurry, within=_FINISH_WITHIN),
        )
        if settings.observability.address is not None:
            await telemetry.serve(
                stack,
                settings.observability.address,
                client=client,
                database=database,
                providers=providers.health,
            )
        cards.connect(client)
        audit_channel.connect(client)
        stack.callback(database.hurry, within=_CLOSE_WITHIN)  # before anything that still writes is closed
        yield client


async def serve(settings: Settings, *, load: Callable[[], Settings]) -> ExitCode:
    """Run until SIGTERM or SIGINT, then finish what can be finished and leave within five seconds.

    SIGHUP has the configuration read again by ``load``; who calls this may have blocked it until now.
    """
    loop = asyncio.get_running_loop()
    closing = asyncio.timeout(None)
    try:
        async with closing, assembled(settings) as client:
            loop.add_signal_handler(signal.SIGHUP, Reloading(client, settings, load).reload)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})  # one that came during the start counts now
            asked_at = await _serve(client, settings.discord.token)
            closing.reschedule(max(asked_at + _LEAVE_WITHIN, loop.time() + _CLOSE_WITHIN))
    except (StorageError, AddressUnusable, *_DISCORD_GONE) as error:
        if closing.expired():
            _log.warning("left before everything was closed in order")
            return ExitCode.OK
        code, reason = _end_of(error)
        _log.error("%s", reason)
        return code
    return ExitCode.OK


def _end_of(error: Exception) -> tuple[ExitCode, str]:
    """Return what an error that ends the run means to whoever started it."""
    match error:
        case StorageError():
            return _end_of_storage(error)
        case AddressUnusable():
            what = f"{error.address} cannot be listened on ({error.reason}): free it, or set another {error.setting}"
            return ExitCode.UNAVAILABLE, what
        case discord.LoginFailure() | discord.ConnectionClosed(code=4004):  # as REST and gateway say it
            what = "Discord refused discord.token: copy it anew from the application's Bot page"
            return ExitCode.CONFIG, what
        case discord.Forbidden():
            what = "Discord does not let SkinDesk register its commands: invite it to all of discord.command_guild_ids"
            return ExitCode.CONFIG, what
        case discord.HTTPException(status=status) if 400 <= status < 500 and status != 429:  # noqa: PLR2004 -- HTTP's
            asked = "the commands" if error.response.url.path.endswith("/commands") else "a request of the start"
            what = f"Discord refused {asked}: HTTP {status}, code {error.code} ({shorten(error.text, 300)})"
            return ExitCode.UNAVAILABLE, what
        case _:
            what = f"Discord cannot be reached ({type(error).__name__}): look at the network and at discordstatus.com"
            return ExitCode.UNAVAILABLE, what


def _end_of_storage(error: StorageError) -> tuple[ExitCode, str]:
    match error:
        case DatabaseInUse():
            what = f"another SkinDesk uses the database {error.path}: stop it first, or set another database.path"
            return ExitCode.DATABASE_IN_USE, what
        case BackupNotWritten():
            what = (
                f"the database is as it was: it needs an upgrade, and the copy before that cannot be written to "
                f"{error.path} ({error.reason}): make room in its folder and start again"
            )
            return ExitCode.CANNOT_CREATE, what
        case DatabaseTooNew():
            what = (
                f"a later SkinDesk has written {error.path} (schema {error.found}, this one knows {error.newest}): "
                "install that version, or restore an earlier backup with skindesk restore"
            )
            return ExitCode.FAILURE, what
        case _:
            return ExitCode.FAILURE, f"the database cannot be used: {error} ({type(error).__name__})"


async def _serve(client: SkinDeskClient, token: SecretStr) -> float:
    """Serve until told to stop, finish what can be finished, and return when that was, by the loop's clock."""
    loop = asyncio.get_running_loop()
    asked_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked_to_stop.set)
    connection = asyncio.create_task(client.start(token.get_secret_value()), name="discord")
    stop = asyncio.create_task(asked_to_stop.wait(), name="stop")
    try:
        await asyncio.wait({connection, stop}, return_when=asyncio.FIRST_COMPLETED)
        asked_at = loop.time()
        if stop.done():
            _log.info("stopping")
            await _finish(client)
    finally:
        stop.cancel()
        await _disconnect(client, connection)
    if connection.done() and not connection.cancelled() and (error := connection.exception()) is not None:
        raise error
    _log.info("stopped")
    return asked_at


async def _finish(client: SkinDeskClient) -> None:
    try:
        async with asyncio.timeout(_FINISH_WITHIN + _TELL_WITHIN):
            await asyncio.gather(
                client.finish_interactions(within=_FINISH_WITHIN),
                client.services.delivery.close(within=_FINISH_WITHIN),
                client.services.sign_ins.close(within=_FINISH_WITHIN),
            )
            # After them, because what they finished is copied too; with what they left of the time.
            await client.services.audit.close(within=_TELL_WITHIN)
    except TimeoutError:
        _log.warning("stopping without having told everybody who waits: Discord does not answer")


async def _disconnect(client: SkinDeskClient, connection: asyncio.Task[None]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DISCONNECT_WITHIN):
            await client.close()
    connection.cancel()
    await asyncio.wait({connection}, timeout=_DISCONNECT_WITHIN)
