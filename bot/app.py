"""The composition root: opens all resources in one stack, wires the services, and serves until a signal."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from pydantic import SecretStr

from bot.client import SkinDeskClient
from bot.config import Settings
from bot.exit_codes import ExitCode
from bot.exit_reasons import exit_reason
from bot.gateway import Sharding
from bot.monitoring import Telemetry
from bot.observability.redaction import register_secret
from bot.ports import Clock
from bot.provider_setup import open_providers
from bot.providers.explanations import Catalogue
from bot.reloading import Reloading
from bot.service_manager import ServiceManager
from bot.services.access import AccessService
from bot.services.audit import AuditService
from bot.services.background import background_jobs
from bot.services.container import Services
from bot.services.customers import CustomerService
from bot.services.guilds import ServedGuilds
from bot.services.inventory import InventoryService
from bot.services.link_notices import LinkNotices
from bot.services.links import LinkService
from bot.services.my_data import MyDataService
from bot.services.pauses import PauseService
from bot.services.references import ReferenceService
from bot.services.resend_board import ResendBoard
from bot.services.resend_delivery import ResendDelivery
from bot.services.resend_notifier import ResendNotifier
from bot.services.resend_queue import ResendQueueService
from bot.services.resends import ResendService
from bot.services.settings import SettingsService
from bot.services.snapshots import SnapshotService
from bot.services.status import StatusService
from bot.services.trade_context import TradeContextService
from bot.services.trade_url_hints import TradeUrlHints
from bot.services.trades import TradeService
from bot.services.watches import WatchService
from bot.sign_in_setup import open_sign_in
from bot.storage.repositories import Repositories
from bot.storage_setup import open_storage
from bot.system_clock import SharedClock, SystemClock
from bot.ui.link_messages import DiscordLinkMessages
from bot.ui.resends.channel import DiscordAuditChannel, DiscordResendCards
from bot.ui.watch_messages import DiscordWatchMessages

_log = logging.getLogger(__name__)

_FINISH_WITHIN = 2.5
"""Seconds that shutdown leaves to running interactions and resends, of the five it may take (design.md, 1.3)."""

_TELL_WITHIN = 1.0
"""Seconds after that for answering the remaining callers, even if Discord does not respond."""

_DISCONNECT_WITHIN = 0.7
"""Seconds for disconnecting from Discord; discord.py itself would wait half a minute."""

_LEAVE_WITHIN = 4.5
"""Seconds after which the process exits even if closing hangs; an interrupted write job is rolled back."""

_CLOSE_WITHIN = 0.3
"""Seconds that closing always has."""

_LONGEST_WAIT = 3600.0
"""Seconds that a start waits before it ends, if Discord asks to wait."""


@asynccontextmanager
async def assembled(
    settings: Settings,
    *,
    clock: Clock | None = None,
    web_socket: socket.socket | None = None,
    new_database: bool = False,
) -> AsyncIterator[SkinDeskClient]:
    """Open the database, the providers and the web servers, and yield the client; close everything in reverse.

    StorageError if the database cannot be used, AddressUnusable if an address cannot be listened on. ``web_socket`` is
    a socket that listens for the sign-in page already; ``new_database`` accepts a new database where there was one.
    """
    for secret in settings.secrets():
        register_secret(secret.get_secret_value())
    clock = clock or SystemClock()
    explanations = Catalogue.load()
    async with AsyncExitStack() as stack:
        storage = await open_storage(settings, stack, accepts_new=new_database, at=clock.now())
        clock = SharedClock(clock, storage.workers)
        stored = Repositories.over(storage.database, worker=storage.workers.me, now=clock.now)
        telemetry = Telemetry.new(measures=settings.observability.address is not None)
        providers = await open_providers(
            settings,
            stack,
            clock=clock,
            explanations=explanations,
            observers=telemetry.on_call,
            windows=storage.windows,
        )
        cards, watch_messages = (
            DiscordResendCards(explanations=explanations),
            DiscordWatchMessages(explanations=explanations),
        )
        audit_channel, link_messages = DiscordAuditChannel(), DiscordLinkMessages()
        guilds = ServedGuilds(first=stored.first_guild, clock=clock)
        guilds.use(settings.discord.guild_ids)
        await guilds.load()
        audit = AuditService(
            rows=stored.audit, settings=stored.settings, guilds=guilds, channel=audit_channel, clock=clock
        )
        stack.push_async_callback(audit.close, within=0.0)
        access = AccessService(grants=stored.grants, links=stored.links, rows=stored.audit, audit=audit, clock=clock)
        hints = TradeUrlHints(checker=providers.trade_url_checker, explanations=explanations)
        inventory = InventoryService(
            providers=providers.inventories,
            default=settings.default_provider,
            links=stored.links,
            audit=audit,
            hints=hints,
            clock=clock,
        )
        stack.push_async_callback(inventory.close)
        trades = TradeService(
            sources=providers.sources,
            resending=providers.resending,
            access=access,
            links=stored.links,
            audit=audit,
            hints=hints,
            clock=clock,
        )
        stack.push_async_callback(trades.close)
        snapshots = SnapshotService(
            repository=stored.snapshots,
            inventory=inventory,
            trades=trades,
            access=access,
            clock=clock,
        )
        stack.push_async_callback(snapshots.saved)
        references = ReferenceService(repository=stored.references, access=access, rows=stored.audit, clock=clock)
        stack.push_async_callback(references.saved)
        board = ResendBoard(
            repository=stored.resends,
            settings=stored.settings,
            guilds=guilds,
            cards=cards,
            workers=storage.workers,
            clock=clock,
        )
        notices = LinkNotices(messages=link_messages, show_on_cards=board.show_link)
        stack.push_async_callback(notices.close, within=0.0)
        notifier = ResendNotifier(
            repository=stored.resends,
            links=stored.links,
            guilds=guilds,
            cards=cards,
            board=board,
            audit=audit,
            clock=clock,
        )
        delivery = ResendDelivery(
            repository=stored.resends,
            provider=providers.resending,
            board=board,
            notifier=notifier,
            guilds=guilds,
            pauses=stored.pauses,
            workers=storage.workers,
            clock=clock,
        )
        stack.push_async_callback(delivery.close, within=0.0)
        sign_ins = await open_sign_in(
            settings.links,
            stack,
            sign_ins=stored.sign_ins,
            audit=audit,
            guilds=guilds,
            notices=notices,
            clock=clock,
            listening=web_socket,
        )
        my_data = MyDataService(
            repository=stored.my_data,
            rows=stored.audit,
            snapshots=snapshots,
            references=references,
            inventory=inventory,
            cards=cards,
            sign_ins=sign_ins,
            clock=clock,
        )
        watches = WatchService(
            repository=stored.watches,
            providers=providers.watched,
            access=access,
            links=stored.links,
            audit=audit,
            guilds=guilds,
            workers=storage.workers,
            messages=watch_messages,
            clock=clock,
        )
        stack.push_async_callback(watches.close, within=0.0)
        requests = ResendService(
            repository=stored.resends,
            access=access,
            links=stored.links,
            settings=stored.settings,
            board=board,
            notifier=notifier,
            delivery=delivery,
            trades=trades,
            clock=clock,
            expires_after=settings.resends.expires_after,
            allow_self_approval=settings.resends.allow_self_approval,
        )
        switch = PauseService(pauses=stored.pauses, access=access, audit=audit, clock=clock)
        services = Services(
            workers=storage.workers,
            guilds=guilds,
            access=access,
            audit=audit,
            links=LinkService(links=stored.links, access=access, audit=audit, notices=notices, clock=clock),
            settings=SettingsService(
                settings=stored.settings, access=access, audit=audit, clock=clock, show_language=board.show_language
            ),
            inventory=inventory,
            trades=trades,
            trade_context=TradeContextService(resends=stored.resends, links=stored.links, access=access, clock=clock),
            watches=watches,
            customers=CustomerService(
                access=access,
                links=stored.links,
                trades=trades,
                resends=stored.resends,
                notes=stored.notes,
                errors=stored.references,
                rows=stored.audit,
                audit=audit,
                clock=clock,
            ),
            resends=requests,
            resend_queue=ResendQueueService(
                repository=stored.resends, resends=requests, access=access, pauses=switch, board=board, clock=clock
            ),
            pauses=switch,
            delivery=delivery,
            snapshots=snapshots,
            status=StatusService(sources=providers.health, access=access),
            sign_ins=sign_ins,
            my_data=my_data,
            references=references,
            explanations=explanations,
            clock=clock,
            background=background_jobs(
                delivery=delivery,
                snapshots=snapshots,
                references=references,
                sign_ins=sign_ins,
                my_data=my_data,
                watches=watches,
                check_database=storage.guard.check,
                audit=audit,
            ),
            page_size=settings.inventory.page_size,
        )
        client = SkinDeskClient(
            services=services,
            cards=cards,
            synced=stored.command_syncs,
            command_guild_ids=settings.discord.command_guild_ids,
            sharding=Sharding(settings.discord.shard_group, storage.identify_slots),
            observers=telemetry.on_handled,
            requests=telemetry.requests,
            on_stopping=partial(storage.database.begin_shutdown, within=_FINISH_WITHIN),
        )
        if settings.observability.address is not None:
            await telemetry.serve(
                stack,
                settings.observability.address,
                client=client,
                storage=storage,
                providers=providers.health,
            )
        client.database_fault = lambda: storage.guard.health.fault
        cards.connect(client)
        audit_channel.connect(client)
        link_messages.connect(client)
        watch_messages.connect(client)
        stack.callback(
            storage.database.begin_shutdown, within=_CLOSE_WITHIN
        )  # before anything that still writes is closed
        yield client


async def serve(settings: Settings, *, load: Callable[[], Settings], new_database: bool = False) -> ExitCode:
    """Run until SIGTERM or SIGINT, then finish running work and return within five seconds.

    SIGHUP reloads the configuration with ``load``; the caller may have blocked it until now. ``new_database`` accepts a
    new database where there was one.
    """
    loop = asyncio.get_running_loop()
    closing, stop_requested = asyncio.timeout(None), asyncio.Event()
    manager = ServiceManager(os.environ)
    manager.waits("opening the database")
    try:
        async with closing, assembled(settings, new_database=new_database) as client, manager.watching(client):
            _on_signal(signal.SIGHUP, partial(manager.reload, Reloading(client, settings, load).reload))
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})  # handles a SIGHUP that came during the start
            stopping_since = await _serve(client, settings.discord.token, stop_requested, on_stop=manager.stops)
            closing.reschedule(max(stopping_since + _LEAVE_WITHIN, loop.time() + _CLOSE_WITHIN))
    except Exception as error:
        if closing.expired():
            _log.warning("left before everything was closed in order")
            return ExitCode.OK
        known = exit_reason(error)
        if known is None:
            raise
        _log.error("%s", known.message)
        manager.waits(known.message)
        # The supervisor would try again within seconds. Short sleeps: a signal alone does not always wake the loop.
        until = loop.time() + min(known.retry_after, _LONGEST_WAIT)
        while loop.time() < until and not stop_requested.is_set():  # noqa: ASYNC110 -- see above
            await asyncio.sleep(0.25)
        return ExitCode.OK if stop_requested.is_set() else known.code
    return ExitCode.OK


async def _serve(
    client: SkinDeskClient, token: SecretStr, stop_requested: asyncio.Event, *, on_stop: Callable[[], None]
) -> float:
    """Serve until a signal, call ``on_stop``, finish running work, and return when that began, in the loop's time."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        _on_signal(number, stop_requested.set)
    connection = asyncio.create_task(client.start(token.get_secret_value()), name="discord")
    stop = asyncio.create_task(stop_requested.wait(), name="stop")
    try:
        await asyncio.wait({connection, stop}, return_when=asyncio.FIRST_COMPLETED)
        stopping_since = loop.time()
        if stop.done():
            _log.info("stopping")
            on_stop()
            await _finish(client)
    finally:
        stop.cancel()
        await _disconnect(client, connection)
    if connection.done() and not connection.cancelled() and (error := connection.exception()) is not None:
        raise error
    _log.info("stopped")
    return stopping_since


def _on_signal(number: signal.Signals, act: Callable[[], object]) -> None:
    """Call ``act`` on the event loop for each such signal.

    ``add_signal_handler`` would take the signals' socket away, by which the command line ends a process that hangs.
    """
    loop = asyncio.get_running_loop()
    signal.signal(number, lambda *_: loop.call_soon_threadsafe(act))


async def _finish(client: SkinDeskClient) -> None:
    loop = asyncio.get_running_loop()
    finished_at = loop.time() + _FINISH_WITHIN
    client.services.audit.begin_shutdown()
    try:
        async with asyncio.timeout(_FINISH_WITHIN + _TELL_WITHIN):
            await asyncio.gather(
                client.finish_interactions(within=_FINISH_WITHIN),
                client.services.delivery.finish(within=_FINISH_WITHIN),
                client.services.sign_ins.close(within=_FINISH_WITHIN),
            )
            # Last, because the work above is posted too.
            await client.services.delivery.close(within=_TELL_WITHIN * 0.7)
            await asyncio.gather(
                client.services.audit.close(within=max(_TELL_WITHIN, finished_at - loop.time())),
                client.services.links.close(within=_TELL_WITHIN),
            )
    except TimeoutError:
        _log.warning("stopping without having answered every caller: Discord does not respond")


async def _disconnect(client: SkinDeskClient, connection: asyncio.Task[None]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DISCONNECT_WITHIN):
            await client.close()
    connection.cancel()
    await asyncio.wait({connection}, timeout=_DISCONNECT_WITHIN)
