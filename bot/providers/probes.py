"""Asks a provider for as little as possible, to learn whether it answers and accepts the credentials.

No call changes anything. If a provider has no call for that, its own call is sent incomplete: it is refused for the
missing part after the credentials were checked. A provider that checked the contents first would not notice wrong
credentials, so a good answer only means that the credentials were *not refused*.
"""

from collections.abc import Awaitable
from datetime import timedelta

from bot.domain.errors import ProviderError
from bot.domain.failures import Dialect, FailureKind
from bot.domain.secrets import Secret
from bot.domain.trades import Scope
from bot.providers.assetpay_answers import check_success
from bot.providers.assetpay_client import ClientCalls
from bot.providers.assetpay_sources import AssetPaySource
from bot.providers.mannco import Mannco
from bot.providers.reading import read
from bot.providers.skinsback import Shop, check_status
from bot.providers.skinsback_orders import orders_form, read_page
from bot.providers.transport import Transport

_INCOMPLETE = frozenset({"VALIDATION_FAILED", "INVALID_TRADEURL", "invalid_game"})
"""The refusals of an incomplete call with good credentials (seeds 000 and 003; providers.md, 1.3)."""


async def probe_assetpay(transport: Transport, api_key: Secret) -> None:
    """Ask for an inventory without a trade URL: 1001 or 13 with a good key, 19xx otherwise. Steam is not asked."""
    response = await transport.request("GET", "/secure/inventory", headers={"api-key": api_key.reveal()})
    await _accept(read(response, check_success, secrets=(api_key,)))


async def probe_client_tokens(transport: Transport, api_key: Secret) -> None:
    """Ask for a client token without an account: refused with 1001, and no token is created."""
    response = await transport.request(
        "POST", "/auth/authenticate-client", headers={"api-key": api_key.reveal()}, json={}
    )
    await _accept(read(response, check_success, secrets=(api_key,)))


async def probe_client_token(calls: ClientCalls) -> None:
    """Ask for one item of a fixed token's inventory from AssetPay's memory: Steam is not asked."""
    page_size = "perPage" if calls.dialect is Dialect.ASSETPAY_LEGACY else "limit"
    await _accept(calls.get("/client/inventory", [("page", "1"), (page_size, "1")], None, check_success))


async def probe_trade(transport: Transport, api_key: Secret) -> None:
    """Ask for a trade that does not exist: 21 TRADE_NOT_FOUND with a good key (trades.md, 1.2)."""
    await AssetPaySource(transport, api_key).find(["skindesk-check"])


async def probe_client_trades(calls: ClientCalls) -> None:
    """Ask for one of a fixed token's trades."""
    await calls.get("/client/trades", [("limit", "1")], None, check_success)


async def probe_trade_url_check(transport: Transport, api_key: Secret) -> None:
    """Ask for a check without a trade URL: refused with 1001. Steam is not asked."""
    response = await transport.request("POST", "/secure/check-tradeurl", headers={"api-key": api_key.reveal()}, json={})
    await _accept(read(response, check_success, secrets=(api_key,)))


async def probe_skinsback(shop: Shop) -> None:
    """Ask for an inventory without game and account: 1 invalid_game; wrong credentials have negative numbers.

    Balance and market calls need further rights (-6) and say more than necessary.
    """
    await _accept(shop.ask([("method", "user_inventory")], check_status))


async def probe_deposits(shop: Shop) -> None:
    """Ask for the deposits of one second."""
    now = shop.transport.clock.now()
    await shop.ask(orders_form(now - timedelta(seconds=1), now), read_page)


class NotAdministrator(Exception):
    """The key may not ask for the trades of one account."""


async def probe_mannco(mannco: Mannco) -> str:
    """Read all trades, and one account's if the key is set up as an administrator's; return what the key sees."""
    listed = await mannco.trades(Scope.ALL)
    owners = {trade.owner for trade in listed.trades}
    account = next(iter(owners - {listed.key_owner}), listed.key_owner)
    if mannco.per_account and account is not None:
        try:
            one = await mannco.trades(Scope.ALL, account)
        except ProviderError as error:
            if error.failure.kind not in (FailureKind.REFUSED, FailureKind.NONSENSE):
                raise
            raise NotAdministrator from None
        return f": this key asks for one account's trades alone, and sees {len(one.trades)} of {account}"
    limit = listed.limit_for(None)
    if limit is None:
        return f": this key sees the trades of {len(owners)} accounts"
    if limit.sees_only is None:
        return ": this key lists no trade, and does not say whose it is"
    return f": this key sees only the trades of {limit.sees_only}; for everyone's it has to be an administrator's"


async def _accept(call: Awaitable[object]) -> None:
    """Accept a success, and the refusal of an incomplete call."""
    try:
        await call
    except ProviderError as error:
        if error.failure.kind is not FailureKind.REFUSED or error.failure.key not in _INCOMPLETE:
            raise
