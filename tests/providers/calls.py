"""A call of each provider, by each way to log in; every secret in them contains CANARY."""

from bot.domain.failures import Dialect, ProviderName
from bot.domain.inventory import InventoryQuery
from bot.domain.secrets import Secret, TradeToken
from bot.domain.steam import Game, SteamId, TradeUrl
from bot.domain.trades import Scope, TradeQuery, TradeReference
from bot.providers.assetpay import AssetPaySecure
from bot.providers.assetpay_client import AssetPayClient, ClientCalls, FixedClientToken, IssuedClientTokens
from bot.providers.assetpay_sources import AssetPayClientSource, AssetPaySource
from bot.providers.assetpay_tradeurl import AssetPayTradeUrls
from bot.providers.mannco import ApiKeyLogin, FixedJwt, Mannco
from bot.providers.skinsback import Shop, SkinsBack
from bot.providers.skinsback_orders import orders_form, read_page
from bot.providers.transport import Transport

QUERY = InventoryQuery(TradeUrl(SteamId.from_account_id(1), TradeToken("CANARY-1")), Game.CS2)


def secure(transport: Transport):
    return AssetPaySecure(transport, Secret("CANARY-2")).look_up(QUERY)


def client(transport: Transport):
    tokens = FixedClientToken(ProviderName.ASSETPAY_CLIENT, Secret("CANARY-3"))
    return AssetPayClient(ClientCalls(transport, Dialect.ASSETPAY, tokens)).look_up(QUERY)


def client_by_key(transport: Transport):
    tokens = IssuedClientTokens(transport, Secret("CANARY-4"))
    return AssetPayClient(ClientCalls(transport, Dialect.ASSETPAY_LEGACY, tokens)).look_up(QUERY)


def skinsback(transport: Transport):
    return SkinsBack(Shop(transport, "id", Secret("CANARY-5"))).look_up(QUERY)


def deposits(transport: Transport):
    shop = Shop(transport, "id", Secret("CANARY-9"), "signature")
    return shop.ask(orders_form(transport.clock.now(), transport.clock.now()), read_page)


def trades(transport: Transport):
    return Mannco(transport, FixedJwt(Secret("CANARY-6"))).trades(Scope.ALL)


def trades_by_key(transport: Transport):
    return Mannco(transport, ApiKeyLogin(transport, Secret("CANARY-7"))).trades(Scope.ACTIVE)


def resend(transport: Transport):
    return Mannco(transport, FixedJwt(Secret("CANARY-8"))).resend(5)


def trade_by_reference(transport: Transport):
    query = TradeQuery(reference=TradeReference("CANARY-9"))
    return AssetPaySource(transport, Secret("CANARY-10")).read(query)


def trades_by_token(transport: Transport):
    tokens = FixedClientToken(ProviderName.ASSETPAY_CLIENT, Secret("CANARY-11"))
    return AssetPayClientSource(ClientCalls(transport, Dialect.ASSETPAY, tokens)).read(TradeQuery())


def check_of_trade_url(transport: Transport):
    return AssetPayTradeUrls(transport, Secret("CANARY-12")).check(QUERY.trade_url)


CALLS = {
    secure: ProviderName.ASSETPAY,
    client: ProviderName.ASSETPAY_CLIENT,
    client_by_key: ProviderName.ASSETPAY_LEGACY,
    skinsback: ProviderName.SKINSBACK,
    deposits: ProviderName.SKINSBACK,
    trades: ProviderName.MANNCO,
    trades_by_key: ProviderName.MANNCO,
    resend: ProviderName.MANNCO,
    trade_by_reference: ProviderName.ASSETPAY,
    check_of_trade_url: ProviderName.ASSETPAY,
    trades_by_token: ProviderName.ASSETPAY_CLIENT,
}
