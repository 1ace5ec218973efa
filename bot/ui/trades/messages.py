"""Texts about what this desk's keys and tokens see, and the error message of a trade that is not found."""

from bot.domain.errors import TradeNotFound
from bot.domain.failures import ProviderName
from bot.domain.secrets import mask_trade_urls
from bot.domain.snapshots import Audience
from bot.domain.trades import KeyLimit
from bot.languages import Message, paragraph, t, tn
from bot.ui.errors import NOT_AGAIN, ErrorMessage, register_messages
from bot.ui.kit.text import code

_KEY_FOR_CUSTOMERS = Message("This desk can only see the trades of the shop's own account at Mannco.store.")
_ASK_STAFF = Message("Ask the staff: they can look at Mannco.store.")


def limit_text(provider: ProviderName, limit: KeyLimit, unknown: str, *, staff: bool) -> str:
    """Return what this desk's key or client token sees, what is ``unknown`` therefore, and the next step.

    ``unknown`` is a sentence.
    """
    if provider is not ProviderName.MANNCO:
        return paragraph(*_token_sentences(provider, limit, unknown, staff=staff))
    if not staff:
        return paragraph(_KEY_FOR_CUSTOMERS, unknown, _ASK_STAFF)
    return paragraph(_key_sees(limit), unknown, _key_step(limit))


def _token_sentences(provider: ProviderName, limit: KeyLimit, unknown: str, *, staff: bool) -> list[str]:
    """Return the same of a fixed client token at AssetPay."""
    if not staff:
        return [
            t("This desk can only see the trades of one account at AssetPay."),
            unknown,
            t("Ask the staff: they can look at AssetPay."),
        ]
    if limit.sees_only is None:
        sees = t(
            "The client token that is set here for {provider} does not say whose trades it lists.",
            provider=provider.label,
        )
    else:
        sees = t(
            "The client token that is set here for {provider} lists only the trades of {account}.",
            provider=provider.label,
            account=f"`{limit.sees_only}`",
        )
    step = t(
        "An administrator can set {setting} instead. Then `/trades` lists an account's trades by its trade URL.",
        setting=f"`providers.{provider}.api_key`",
    )
    return [sees, unknown, step]


def unread_text(left_out: int) -> str:
    """Return how many trades could not be read."""
    return tn(
        "{count} trade could not be read and is left out.",
        "{count} trades could not be read and are left out.",
        left_out,
    )


def _key_step(limit: KeyLimit) -> str:
    if limit.per_account:
        return t(
            "`/trades` with `member` or `steam_id` reads that account's trades. After that, `/resend` finds them too."
        )
    return t(
        "Look in the dashboard of Mannco.store. An administrator of this desk can change that: with the key of a "
        "Mannco.store administrator and the setting `providers.mannco.per_user_paths = true`, SkinDesk asks for each "
        "account's trades."
    )


def _key_sees(limit: KeyLimit) -> str:
    """Return for staff what this desk's key sees."""
    if limit.sees_only is None:
        return t(
            "Mannco.store lists no trade for this desk's key, and the key does not say which account's trades it sees."
        )
    account = f"`{limit.sees_only}`"
    if limit.per_account:
        return t(
            "If no account is named, this desk's key at Mannco.store sees only the trades of {account}.",
            account=account,
        )
    return t("This desk's key at Mannco.store sees only the trades of one account: {account}.", account=account)


def _not_found(error: TradeNotFound, audience: Audience) -> ErrorMessage:
    typed = error.trade_id.strip().removeprefix("#")
    trade = code(mask_trade_urls(error.trade_id), 40)
    again: str | Message = NOT_AGAIN
    if error.limit is None:
        what = [t("There is no trade {trade} among the trades you can ask for.", trade=trade)]
        step = t("Check the number: `/trades scope:all` shows it. Only the newest 500 trades are listed.")
        if not (typed.isascii() and typed.isdigit()):
            step = t(
                "Only trades of Mannco.store can be resent, and their numbers have digits only: `/trades` shows them."
            )
        again = t("With the right number.")
    elif audience is Audience.STAFF:
        what = [_key_sees(error.limit), t("Trade {trade} is not among them.", trade=trade)]
        step = _key_step(error.limit)
    else:
        what = [_KEY_FOR_CUSTOMERS(), t("SkinDesk cannot tell whether trade {trade} is yours.", trade=trade)]
        step = _ASK_STAFF()
    if error.left_out:
        what.append(unread_text(error.left_out))
    title = t("No such trade") if error.limit is None else t("Trade not visible")
    return ErrorMessage(title, paragraph(*what), step, again=again)


register_messages({TradeNotFound: _not_found})
