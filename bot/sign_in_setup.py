"""Opens Steam sign-in as configured: the connection to Steam, the service, the page."""

import socket
import ssl
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

from bot.config import Links
from bot.domain.failures import Party
from bot.domain.sign_in import SignInPlaces
from bot.ports import Clock, SignInRepository
from bot.providers.steam_openid import LIMITS, HttpSteamOpenId
from bot.providers.transport import Transport
from bot.services.audit import AuditService
from bot.services.guilds import ServedGuilds
from bot.services.link_notices import LinkNotices
from bot.services.sign_in import SignInService


async def open_sign_in(
    settings: Links,
    stack: AsyncExitStack,
    *,
    sign_ins: SignInRepository,
    audit: AuditService,
    guilds: ServedGuilds,
    notices: LinkNotices,
    clock: Clock,
    listening: socket.socket | None = None,
) -> SignInService:
    """Return the service, which is off without a public address; ``stack`` closes the page and the connections.

    Raise AddressUnusable if the page cannot listen.
    """
    address = settings.address
    if address is None:
        return SignInService(sign_ins=sign_ins, audit=audit, guilds=guilds, notices=notices, clock=clock)
    from bot.web.server import pages_served, security_headers  # noqa: PLC0415 -- a web server takes memory and time
    from bot.web.sign_in import SignInSite  # noqa: PLC0415 -- same

    places = SignInPlaces(settings.public_url, settings.steam_openid_url)
    transport = Transport(Party.STEAM, places.steam_url, ssl.create_default_context(), clock, LIMITS)
    await stack.enter_async_context(transport)
    service = SignInService(
        sign_ins=sign_ins,
        audit=audit,
        guilds=guilds,
        notices=notices,
        clock=clock,
        places=places,
        steam=HttpSteamOpenId(transport),
    )
    headers = security_headers(form_origin=places.steam_origin, https=urlsplit(places.public_url).scheme == "https")
    site = SignInSite(service, places, address)
    await stack.enter_async_context(pages_served(site, headers=headers, address=address, listening=listening))
    stack.push_async_callback(service.close, within=0.0)
    return service
