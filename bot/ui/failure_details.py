"""Puts the facts of a refusal that a provider names, such as escrow days and bans, into words."""

from collections.abc import Callable
from datetime import UTC, datetime

from bot.domain.failures import Dialect, Failure, StatusExplanation
from bot.languages import number, t, tn
from bot.ports import Explanations
from bot.ui.kit.text import code, labelled, outside, relative

NOTHING_WRONG = "1"
"""AssetPay's state of a trade URL that is in order (trades.md, 1.8)."""
_RAW_SHOWN = 6
_LONGEST_NUMBER = 12


def readable_details(details: tuple[tuple[str, str], ...]) -> list[str]:
    """Return what the details say about the account and the trade, for customers too."""
    said = (_SENTENCES[_last(name)](value.strip()) for name, value in details if _last(name) in _SENTENCES)
    return list(dict.fromkeys(filter(None, said)))


def raw_details(details: tuple[tuple[str, str], ...]) -> str:
    """Return the details that have no sentence, such as refused fields, as the provider sent them: for staff."""
    raw = [(name, value) for name, value in details if _last(name) not in _SENTENCES]
    lines = [labelled(code(name, 60), outside(value, 100)) for name, value in raw[:_RAW_SHOWN]]
    left = len(raw) - _RAW_SHOWN
    return "\n".join([*lines, t("and {more} more", more=number(left))] if left > 0 else lines)


def status_of_check(failure: Failure, explanations: Explanations) -> tuple[str, StatusExplanation] | None:
    """Return the title and the meaning of what AssetPay's check of the trade URL found; None without a check."""
    if (check := failure.trade_url_check) is None:
        return None
    status = explanations.status(Dialect.ASSETPAY, check.state, kind="tradeurl_check")
    return status.title if status.known else labelled(status.title, code(check.state, 40)), status


def facts_of_check(failure: Failure) -> list[str]:
    """Return what the check says about the account beyond the refusal's own details, for customers too."""
    if failure.trade_url_check is None:
        return []
    known = readable_details(failure.details)
    return [fact for fact in readable_details(failure.trade_url_check.details) if fact not in known]


def check_in_short(failure: Failure, explanations: Explanations) -> str:
    """Return what the check found wrong, to follow the failure's title in one line; empty if it found nothing."""
    if (found := status_of_check(failure, explanations)) is None:
        return ""
    title, status = found
    said = [*([] if status.word == NOTHING_WRONG else [title]), *facts_of_check(failure)]
    return "".join(f" · {each}" for each in said)


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _number(value: str) -> int:
    return int(value) if value.isascii() and value.isdigit() and len(value) <= _LONGEST_NUMBER else 0


def _escrow(value: str) -> str:
    if not (days := _number(value)):
        return ""
    return tn("Steam would hold the trade for {count} day.", "Steam would hold the trade for {count} days.", days)


def _vac(value: str) -> str:
    return t("The Steam account has a VAC ban.") if value.casefold() in {"true", "1"} else ""


def _games(value: str) -> str:
    if not (bans := _number(value)):
        return ""
    return tn("The Steam account has {count} game ban.", "The Steam account has {count} game bans.", bans)


def _economy(value: str) -> str:
    if value.casefold() in {"", "none", "false", "0"}:
        return ""
    if value.casefold() == "probation":
        return t("Steam has put the account on probation for trading.")
    return t("Steam has banned the account from trading.")


def _probation(value: str) -> str:
    return t("Steam has put the account on probation for trading.") if value.casefold() in {"true", "1"} else ""


def _cancellable(value: str) -> str:
    try:
        at = datetime.fromtimestamp(_number(value), UTC)
    except (OverflowError, OSError, ValueError):
        return ""
    # Translators: {when} reads "in 5 minutes".
    return t("It can be cancelled ({when}).", when=relative(at)) if _number(value) else ""


_SENTENCES: dict[str, Callable[[str], str]] = {
    "escrowDays": _escrow,
    "vacBanned": _vac,
    "gameBans": _games,
    "economyBan": _economy,
    "probation": _probation,
    "cancellableAt": _cancellable,
}
