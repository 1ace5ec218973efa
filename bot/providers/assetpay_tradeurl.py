"""AssetPay's check of a trade URL: why an account cannot trade (trades.md, 1.8)."""

from collections.abc import Iterator

from bot.domain.failures import TradeUrlCheck
from bot.domain.secrets import Secret
from bot.domain.steam import TradeUrl
from bot.providers.assetpay_answers import details_of, read_data
from bot.providers.reading import Fields, Unreadable, masked_details, read
from bot.providers.transport import Transport


class AssetPayTradeUrls:
    """Checks trade URLs with the merchant's API key. AssetPay keeps an answer for an hour."""

    def __init__(self, transport: Transport, api_key: Secret) -> None:
        self._transport = transport
        self._api_key = api_key

    async def check(self, trade_url: TradeUrl) -> TradeUrlCheck:
        """Ask about an account; ProviderError otherwise, and for an answer about another account."""
        response = await self._transport.request(
            "POST",
            "/secure/check-tradeurl",
            headers={"api-key": self._api_key.reveal()},
            json={"tradeurl": trade_url.canonical()},
        )
        secrets = (self._api_key, trade_url.token)

        def read_check(answer: Fields) -> TradeUrlCheck:
            data = read_data(answer)
            state = data.integer("state")
            if state is None:
                raise Unreadable(data.at("state"))
            if data.optional_id("steamid") not in ("", str(trade_url.steam_id)):
                raise Unreadable(data.at("steamid"))
            return TradeUrlCheck(str(state), tuple(masked_details(_facts(data), secrets)))

        return await read(response, read_check, secrets=secrets)


def _facts(data: Fields) -> Iterator[tuple[str, str]]:
    """Yield what the answer says besides the state: whether the account can trade, escrow days, bans."""
    yield from details_of(data.values.get("canTrade"), "canTrade")
    yield from details_of(data.values.get("reason"))
    yield from details_of(data.values.get("bans"))
    yield from details_of(data.values.get("message"), "message")
