"""Texts about what this desk's keys and tokens see, and the error message of a trade that is not found."""

from bot.domain.errors import TradeNotFound
from bot.domain.failures import ProviderName
from bot.domain.secrets import mask_trade_urls
from bot.domain.snapshots import Audience
from bot.domain.trades import KeyLimit
from bot.ui.errors import NOT_AGAIN, ErrorMessage, register_messages
from bot.ui.kit.text import code, count

_KEY_FOR_CUSTOMERS = "This desk can only see the trades of the shop's own account at Mannco.store"
_ASK_STAFF = "Ask the staff: they can look at Mannco.store."
_KEY_STEP = (
    "Look in Mannco's dashboard. An administrator of this desk can change that: with the key of a Mannco.store "
    "administrator and the setting `providers.mannco.per_user_paths = true`, SkinDesk asks for each account's trades."
)


def limit_text(provider: ProviderName, limit: KeyLimit, what: str, *, staff: bool) -> str:
    """Return what this desk's key or client token sees, so that SkinDesk cannot tell ``what``, and the next step."""
    if provider is not ProviderName.MANNCO:
        return _token_text(provider, limit, what, staff=staff)
    if not staff:
        return f"{_KEY_FOR_CUSTOMERS}, so it cannot tell {what}. {_ASK_STAFF}"
    return f"{_key_sees(limit)}, so SkinDesk cannot tell {what}. {_key_step(limit)}"


def _token_text(provider: ProviderName, limit: KeyLimit, what: str, *, staff: bool) -> str:
    """Return the same of a fixed client token at AssetPay."""
    if not staff:
        return (
            f"This desk can only see the trades of one account at AssetPay, so it cannot tell {what}. "
            "Ask the staff: they can look at AssetPay."
        )
    sees = "does not say whose trades it lists"
    if limit.sees_only is not None:
        sees = f"lists only the trades of `{limit.sees_only}`"
    return (
        f"The client token that is set here for {provider.label} {sees}, so SkinDesk cannot tell {what}. With the "
        f"setting `providers.{provider}.api_key` in its place, `/trades` lists an account's trades by its trade URL."
    )


def unread_text(left_out: int) -> str:
    """Return how many trades could not be read."""
    return f"{count(left_out, 'trade')} could not be read and {'is' if left_out == 1 else 'are'} left out."


def _key_step(limit: KeyLimit) -> str:
    if limit.per_account:
        return (
            "`/trades` with `member` or `steam_id` reads that account's trades; after that, `/resend` finds them too."
        )
    return _KEY_STEP


def _key_sees(limit: KeyLimit) -> str:
    """Return for staff what this desk's key sees."""
    if limit.sees_only is None:
        return "Mannco.store lists no trade for this desk's key, and the key does not say which account's it sees"
    if limit.per_account:
        return (
            f"Unless an account is named, this desk's key at Mannco.store sees only the trades of `{limit.sees_only}`"
        )
    return f"This desk's key at Mannco.store sees only the trades of one account, `{limit.sees_only}`"


def _not_found(error: TradeNotFound, audience: Audience) -> ErrorMessage:
    typed = error.trade_id.strip().removeprefix("#")
    trade = f"trade {code(mask_trade_urls(error.trade_id), 40)}"
    if error.limit is None:
        what = f"There is no {trade} among the trades you can ask for."
        step = "Check the number: `/trades scope:all` shows it. Only the newest 500 trades are listed."
        if not (typed.isascii() and typed.isdigit()):
            step = (
                "Only trades of Mannco.store can be resent, and their numbers have digits only: `/trades` shows them."
            )
        again = "With the right number."
    elif audience is Audience.STAFF:
        what, step, again = (
            f"{_key_sees(error.limit)}, and {trade} is not among them.",
            _key_step(error.limit),
            NOT_AGAIN(),
        )
    else:
        what = f"{_KEY_FOR_CUSTOMERS}, so it cannot tell whether {trade} is yours."
        step, again = _ASK_STAFF, NOT_AGAIN()
    if error.left_out:
        what += f" {unread_text(error.left_out)}"
    return ErrorMessage("No such trade" if error.limit is None else "Trade not visible", what, step, again=again)


register_messages({TradeNotFound: _not_found})
