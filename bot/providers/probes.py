"""Asks a provider for next to nothing, to learn whether it answers and takes the credentials.

No call here changes anything, and but for a fixed client token's and Mannco.store's none reads anybody's data. Where a
provider has no call for that, its own call is left incomplete: it is refused for what is missing, after the
credentials were looked at. A provider that looked at the contents first would not notice wrong credentials; it is
said of a good answer that the credentials were *not refused*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bot.domain.errors import ProviderError
from bot.domain.failures import Dialect, FailureKind
from bot.providers.assetpay_wire import read_data
from bot.providers.reading import read
from bot.providers.skinsback import read_status, signature

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.domain.secrets import Secret
    from bot.providers.answer import Answer
    from bot.providers.transport import Transport

_INCOMPLETE = frozenset({"VALIDATION_FAILED", "INVALID_TRADEURL", "invalid_game"})
"""What is answered to an incomplete call once the credentials are accepted (seeds 000 and 003; providers.md, 1.3)."""


async def probe_assetpay(transport: Transport, api_key: Secret) -> None:
    """Ask for an inventory without saying whose: 1001 or 13 with a good key, 19xx with another. Steam is not asked."""
    answer = await transport.request("GET", "/secure/inventory", headers={"api-key": api_key.reveal()})
    await _accepted(answer, (api_key,))


async def probe_client_tokens(transport: Transport, api_key: Secret) -> None:
    """Ask for a client token without saying whose: refused with 1001, so that not even a token is made.

    Making one would change nothing either: tokens are not stored (providers.md, 1.2).
    """
    answer = await transport.request(
        "POST", "/auth/authenticate-client", headers={"api-key": api_key.reveal()}, json={}
    )
    await _accepted(answer, (api_key,))


async def probe_client_token(
    transport: Transport, dialect: Dialect, token: Secret, authorization: Literal["raw", "bearer"]
) -> None:
    """Ask for one item of the inventory that a fixed token opens, as AssetPay has it: Steam is not asked anew."""
    of_a_page = "perPage" if dialect is Dialect.ASSETPAY_LEGACY else "limit"
    prefix = "Bearer " if authorization == "bearer" else ""
    answer = await transport.request(
        "GET",
        "/client/inventory",
        query=(("page", "1"), (of_a_page, "1")),
        headers={"Authorization": f"{prefix}{token.reveal()}"},
    )
    await _accepted(answer, (token,))


async def probe_skinsback(
    transport: Transport, client_id: str, client_secret: Secret, auth: Literal["headers", "signature"]
) -> None:
    """Ask for an inventory without game and account: 1 invalid_game; wrong credentials have negative numbers.

    Balance and market calls are documented too, but have rights of their own (-6), and say more than is needed here.
    """
    form = [("method", "user_inventory")]
    headers = {}
    if auth == "headers":
        headers = {"X-CLIENT-ID": client_id, "X-CLIENT-SECRET": client_secret.reveal()}
    else:
        form.append(("shopid", client_id))
        form.append(("sign", signature(form, client_secret)))
    answer = await transport.request("POST", headers=headers, form=form)
    try:
        await read(answer, read_status, secrets=(client_secret,))
    except ProviderError as error:
        _unless_incomplete(error)


async def _accepted(answer: Answer, secrets: Iterable[Secret]) -> None:
    try:
        await read(answer, read_data, secrets=secrets)
    except ProviderError as error:
        _unless_incomplete(error)


def _unless_incomplete(error: ProviderError) -> None:
    if error.failure.kind is not FailureKind.REFUSED or error.failure.key not in _INCOMPLETE:
        raise error
