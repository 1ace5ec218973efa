"""The composition root: opens everything in one stack, wires it, serves until told to stop."""

import asyncio
import contextlib
import logging
import signal
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import discord
from pydantic import SecretStr

from bot.client import DeskClient
from bot.config import Settings
from bot.domain.failures import ProviderName
from bot.domain.secrets import Secret
from bot.exit_codes import ExitCode
from bot.observability.logs import register_secret
from bot.ports import Clock, InventoryProvider, TradeProvider
from bot.providers.assetpay import AssetPaySecure
from bot.providers.assetpay_client import AssetPayClient, ClientTokens, FixedClientToken, IssuedClientTokens
from bot.providers.explanations import Catalogue
from bot.providers.mannco import ApiKeyLogin, FixedJwt, Mannco, MerchantLogin
from bot.providers.skinsback import SkinsBack
from bot.providers.transport import Transport
from bot.services.access import AccessService
from bot.services.audit import AuditService
from bot.services.desk import Desk
from bot.services.inventory import InventoryService
from bot.services.links import LinkService
from bot.services.pages import PageService
from bot.services.resend_delivery import ResendDelivery
from bot.services.resends import ResendService
from bot.services.settings import SettingsService
from bot.services.trades import TradeService
from bot.storage.database import Database
from bot.storage.errors import DatabaseInUse, StorageError
from bot.storage.grants import SqliteGrantRepository
from bot.storage.links import SqliteLinkRepository
from bot.storage.pages import SqlitePagesRepository
from bot.storage.resends import SqliteResendRepository
from bot.storage.settings import SqliteGuildSettingsRepository
from bot.ui.cards import DiscordAuditChannel, DiscordResendCards

_log = logging.getLogger(__name__)

_FINISH_WITHIN = 3.0
"""Seconds that a stop leaves to interactions and resends under way, out of the five it may take (design.md, 1.3)."""

_DISCONNECT_WITHIN = 1.0
"""Seconds for saying goodbye to Discord; discord.py alone would wait half a minute for an answer."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment."""
        return datetime.now(UTC)


@asynccontextmanager
async def assembled(settings: Settings, *, clock: Clock | None = None) -> AsyncIterator[DeskClient]:
    """Open the database and the ways to the providers, and give the client that uses them; close them in reverse.

    StorageError where the database cannot be used.
    """
    for secret in settings.secrets():
        register_secret(secret.get_secret_value())
    clock = clock or SystemClock()
    explanations = Catalogue.load()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database.open(settings.database.path))
        inventories, trades = await _providers(settings, stack, clock)
        cards = DiscordResendCards(explanations=explanations)
        audit_channel = DiscordAuditChannel()
        links, guild_settings = SqliteLinkRepository(database), SqliteGuildSettingsRepository(database)
        resends = SqliteResendRepository(database)
        audit = AuditService(settings=guild_settings, channel=audit_channel)
        access = AccessService(grants=SqliteGrantRepository(database), audit=audit, clock=clock)
        link_service = LinkService(links=links, access=access, audit=audit, clock=clock)
        inventory = InventoryService(
            providers=inventories,
            default=settings.default_provider,
            access=access,
            links=link_service,
            link_rows=links,
            clock=clock,
        )
        stack.push_async_callback(inventory.close)
        delivery = ResendDelivery(
            repository=resends, provider=trades, links=links, cards=cards, audit=audit, clock=clock
        )
        stack.push_async_callback(delivery.close, within=0.0)
        desk = Desk(
            access=access,
            links=link_service,
            settings=SettingsService(settings=guild_settings, access=access, audit=audit, clock=clock),
            inventory=inventory,
            trades=TradeService(provider=trades, access=access, links=link_service, link_rows=links, clock=clock),
            resends=ResendService(
                repository=resends,
                provider=trades,
                access=access,
                links=links,
                settings=guild_settings,
                cards=cards,
                delivery=delivery,
                clock=clock,
                expires_after=settings.resends.expires_after,
                allow_self_approval=settings.resends.allow_self_approval,
            ),
            delivery=delivery,
            pages=PageService(
                repository=SqlitePagesRepository(database), access=access, links=link_service, clock=clock
            ),
            explanations=explanations,
            page_size=settings.inventory.page_size,
        )
        client = DeskClient(desk=desk, cards=cards, command_guild_ids=settings.discord.command_guild_ids)
        cards.connect(client)
        audit_channel.connect(client)
        yield client


async def serve(settings: Settings) -> ExitCode:
    """Run until SIGTERM or SIGINT, then finish what can be finished and leave within five seconds."""
    try:
        async with assembled(settings) as client:
            return await _serve(client, settings.discord.token)
    except DatabaseInUse as error:
        _log.error("another SkinDesk uses the database %s: stop it first, or set another database.path", error.path)
        return ExitCode.DATABASE_IN_USE
    except StorageError as error:
        _log.error("the database cannot be used: %s (%s)", error, type(error).__name__)
        return ExitCode.FAILURE
    except discord.LoginFailure:
        _log.error("Discord refused discord.token: copy it anew from the application's Bot page")
        return ExitCode.CONFIG
    except (OSError, discord.HTTPException, discord.GatewayNotFound) as error:
        _log.error("Discord cannot be reached (%s): look at the network and at discordstatus.com", type(error).__name__)
        return ExitCode.UNAVAILABLE


async def _serve(client: DeskClient, token: SecretStr) -> ExitCode:
    loop = asyncio.get_running_loop()
    asked_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked_to_stop.set)
    connection = asyncio.create_task(client.start(token.get_secret_value()), name="discord")
    stop = asyncio.create_task(asked_to_stop.wait(), name="stop")
    try:
        await asyncio.wait({connection, stop}, return_when=asyncio.FIRST_COMPLETED)
        if stop.done():
            _log.info("stopping")
            await asyncio.gather(
                client.finish_interactions(within=_FINISH_WITHIN), client.desk.delivery.close(within=_FINISH_WITHIN)
            )
    finally:
        stop.cancel()
        await _disconnect(client, connection)
    if connection.done() and not connection.cancelled() and (error := connection.exception()) is not None:
        raise error
    _log.info("stopped")
    return ExitCode.OK


async def _disconnect(client: DeskClient, connection: asyncio.Task[None]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DISCONNECT_WITHIN):
            await client.close()
    connection.cancel()
    await asyncio.wait({connection}, timeout=_DISCONNECT_WITHIN)


async def _providers(
    settings: Settings, stack: AsyncExitStack, clock: Clock
) -> tuple[tuple[InventoryProvider, ...], TradeProvider | None]:
    """Return the providers that are on, each with its own transport and one TLS context for all."""
    tls = ssl.create_default_context()
    tables = settings.providers

    async def transport(name: ProviderName) -> Transport:
        return await stack.enter_async_context(Transport(name, tables.table(name).base_url, tls, clock))

    inventories: list[InventoryProvider] = []
    trades: TradeProvider | None = None
    for name in settings.providers_on:
        way = await transport(name)
        match name:
            case ProviderName.ASSETPAY:
                inventories.append(AssetPaySecure(way, _secret(tables.assetpay.api_key)))
            case ProviderName.ASSETPAY_CLIENT | ProviderName.ASSETPAY_LEGACY:
                table = tables.assetpay_client if name is ProviderName.ASSETPAY_CLIENT else tables.assetpay_legacy
                tokens: ClientTokens = (
                    FixedClientToken(name, _secret(table.client_token))
                    if table.client_token
                    else IssuedClientTokens(way, _secret(table.api_key))
                )
                inventories.append(AssetPayClient(way, name.dialect, tokens, authorization=table.authorization))
            case ProviderName.SKINSBACK:
                back = tables.skinsback
                inventories.append(
                    SkinsBack(way, back.client_id, _secret(back.client_secret), auth=back.auth, currency=back.currency)
                )
            case ProviderName.MANNCO:
                store = tables.mannco
                login: MerchantLogin = (
                    FixedJwt(_secret(store.token)) if store.token else ApiKeyLogin(way, _secret(store.api_key))
                )
                trades = Mannco(way, login, resend_parameter=store.resend_parameter)
    return tuple(inventories), trades


def _secret(value: SecretStr) -> Secret:
    return Secret(value.get_secret_value())
