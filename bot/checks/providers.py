"""Checks each provider that is on, and Steam's sign-in, with harmless calls, all in parallel."""

from __future__ import annotations

import asyncio
import ssl
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import aiohttp

from bot.checks.findings import Finding, failed, ok, problem, unreachable, warning
from bot.config import AssetPayClient as AssetPayClientTable
from bot.domain.errors import ProviderError
from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.secrets import Secret
from bot.provider_setup import assetpay_key, checker_of_trade_urls
from bot.providers.assetpay_client import ClientCalls, FixedClientToken
from bot.providers.explanations import Catalogue
from bot.providers.mannco import ApiKeyLogin, FixedJwt, Mannco
from bot.providers.probes import (
    NotAdministrator,
    probe_assetpay,
    probe_client_token,
    probe_client_tokens,
    probe_client_trades,
    probe_deposits,
    probe_mannco,
    probe_skinsback,
    probe_trade,
    probe_trade_url_check,
)
from bot.providers.skinsback import Shop
from bot.providers.transport import Limits, Transport

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from pydantic import SecretStr

    from bot.config import Settings
    from bot.providers.response import Response

_REFUSED_LOGIN = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_STEAM_KEY = "links.steam_openid_url"


class _Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class _DatedTransport(Transport):
    """Calls ``on_date`` with the Date header of each answer."""

    def __init__(self, *arguments: Any, on_date: Callable[[str | None], None]) -> None:
        super().__init__(*arguments)
        self._on_date = on_date

    async def request(self, *arguments: Any, **named: Any) -> Response:
        response = await super().request(*arguments, **named)
        self._on_date(response.headers.get("date"))
        return response


async def check_providers(
    settings: Settings, on_date: Callable[[str | None], None], limits: Limits | None = None
) -> Sequence[Finding]:
    """Ask each provider that is on, within ``limits``."""
    tls = ssl.create_default_context()
    catalogue = Catalogue.load()

    async def check(name: ProviderName) -> Finding:
        address = settings.providers.table(name).base_url
        try:
            async with (
                _DatedTransport(name, address, tls, _Clock(), limits, on_date=on_date) as transport,
                asyncio.timeout(transport.limits.deadline),
            ):
                sees = await _probe(name, settings, transport)
        except TimeoutError:
            return _finding(Failure(name, FailureKind.TIMED_OUT), catalogue)
        except NotAdministrator:
            what = "Mannco.store refuses one account's trades on their own path: the key is not an administrator's"
            fix = "Use the key of a Mannco.store administrator, or set it to false"
            return problem(f"providers.{name}", what, fix, key="providers.mannco.per_user_paths")
        except _PartRefused as refused:
            explanation = catalogue.explain(refused.failure)
            what = f"{name.label} answers, and refuses {refused.part}: {explanation.title} ({_code(refused.failure)})"
            advice = explanation.cause if explanation.confidential else explanation.agent
            return warning(f"providers.{name}", what, f"{refused.lost}. {advice}", key=f"providers.{name}")
        except ProviderError as error:
            return _finding(error.failure, catalogue)
        except Exception as error:  # noqa: BLE001 -- a check that raises is a finding
            return failed(f"providers.{name}", error)
        return ok(f"providers.{name}", f"{name.label} answers, and did not refuse the credentials{sees or ''}")

    return [*await asyncio.gather(*map(check, settings.providers_on)), *_without_currency(settings)]


def _without_currency(settings: Settings) -> Sequence[Finding]:
    """Warn if SkinsBack is asked for no currency: then it may name only its own price (seed 003)."""
    table = settings.providers.skinsback
    if not table.is_on or table.currency or table.custom_currency:
        return ()
    what = "SkinsBack may name only its own price in USD, not what the shop credits to the customer"
    key = "providers.skinsback.currency"
    return (warning(key, what, "set it to the currency in which customers are credited", key=key),)


class _PartRefused(Exception):
    """A provider accepts the credentials, and refuses a ``part`` of its calls; ``lost`` is what does not work then."""

    def __init__(self, failure: Failure, part: str, lost: str) -> None:
        super().__init__(failure.kind.value)
        self.failure = failure
        self.part = part
        self.lost = lost


async def _part(call: Awaitable[None], part: str, lost: str) -> None:
    """Make the call of a part; _PartRefused if the provider refuses it, or does not know it."""
    try:
        await call
    except ProviderError as error:
        if error.failure.kind not in (FailureKind.REFUSED, FailureKind.BLOCKED):
            raise
        raise _PartRefused(error.failure, part, lost) from None


async def _probe(name: ProviderName, settings: Settings, transport: Transport) -> str | None:
    """Ask a provider; return what the credentials see, if it says so."""
    tables = settings.providers
    match name:
        case ProviderName.ASSETPAY:
            key = assetpay_key(name, settings)
            await probe_assetpay(transport, key)
            lost = "/trades finds no trade at AssetPay by its number"
            await _part(probe_trade(transport, key), "single trades", lost)
        case ProviderName.ASSETPAY_CLIENT:
            await _probe_client(tables.assetpay_client, name, transport)
        case ProviderName.ASSETPAY_LEGACY:
            await _probe_client(tables.assetpay_legacy, name, transport)
        case ProviderName.SKINSBACK:
            table = tables.skinsback
            shop = Shop(transport, table.client_id, _secret(table.client_secret), table.auth)
            await probe_skinsback(shop)
            lost = f"/trades shows no deposits of {name.label} until it allows method=orders"
            await _part(probe_deposits(shop), "its list of deposits", lost)
        case ProviderName.MANNCO:
            # Not /trade/resend: that is a GET too, but it sends.
            token, api_key = tables.mannco.token, tables.mannco.api_key
            login = FixedJwt(_secret(token)) if token else ApiKeyLogin(transport, _secret(api_key))
            return await probe_mannco(Mannco(transport, login, per_account=tables.mannco.per_user_paths))
    if name is checker_of_trade_urls(settings):
        lost = "Failures 3, 7 and 13 are explained without AssetPay's check of the trade URL"
        await _part(probe_trade_url_check(transport, assetpay_key(name, settings)), "checks of trade URLs", lost)
    return None


async def _probe_client(table: AssetPayClientTable, name: ProviderName, transport: Transport) -> None:
    if table.client_token:
        token = FixedClientToken(name, _secret(table.client_token))
        calls = ClientCalls(transport, name.dialect, token, authorization=table.authorization)
        await probe_client_token(calls)
        await _part(probe_client_trades(calls), "its list of trades", f"/trades lists no trades of {name.label}")
    else:
        await probe_client_tokens(transport, _secret(table.api_key))


def _finding(failure: Failure, catalogue: Catalogue) -> Finding:
    name = failure.provider
    key = f"providers.{name}"
    explanation = catalogue.explain(failure)
    refused = f"{name.label} answers: {explanation.title} ({_code(failure)})"
    match failure.kind:
        case FailureKind.REFUSED if explanation.confidential or failure.http_status in _REFUSED_LOGIN:
            fix = f"{explanation.cause} Correct the credentials in [{key}]"
            return problem(key, refused, fix, key=key)
        case FailureKind.REFUSED | FailureKind.THROTTLED:
            return warning(key, refused, f"{explanation.agent} The credentials were not checked", key=key)
        case FailureKind.REDIRECTED:
            what = f"{name.label} points to another address, which SkinDesk does not follow"
            return problem(key, what, f"correct {key}.base_url", key=f"{key}.base_url")
        case _:
            what = f"{name.label} gives no documented answer: {explanation.title} ({_code(failure)})"
            fix = f"look at the network, the provider's own status page and {key}.base_url"
            return unreachable(key, what, fix, key=f"{key}.base_url")


def _code(failure: Failure) -> str:
    """Return the provider's key and code and the HTTP status, but never its message."""
    facts = [failure.key, None if failure.code is None else str(failure.code)]
    if failure.http_status is not None:
        facts.append(f"HTTP {failure.http_status}")
    return " ".join(fact for fact in facts if fact) or failure.kind.value


def _secret(value: SecretStr) -> Secret:
    return Secret(value.get_secret_value())


async def check_steam(settings: Settings, on_date: Callable[[str | None], None]) -> Sequence[Finding]:
    """Ask Steam to verify an empty assertion, which it refuses."""
    question = {"openid.ns": "http://specs.openid.net/auth/2.0", "openid.mode": "check_authentication"}
    try:
        async with (
            aiohttp.ClientSession(trust_env=False, timeout=aiohttp.ClientTimeout(total=13)) as session,
            session.post(settings.links.steam_openid_url, data=question, allow_redirects=False) as answer,
        ):
            on_date(answer.headers.get("Date"))
            status = answer.status
    except (aiohttp.ClientError, OSError) as error:
        what = f"Steam's sign-in page gives no answer ({type(error).__name__})"
    else:
        if status == HTTPStatus.OK:
            return [ok("steam", "Steam's sign-in page answers")]
        what = f"Steam's sign-in page answers with HTTP {status}"
    fix = f"look at the network, at steamstat.us and at {_STEAM_KEY}"
    return [unreachable("steam", what, fix, key=_STEAM_KEY)]
