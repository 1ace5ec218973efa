"""*Copy for the customer*: the customer's version of an explanation as plain text that a phone can copy."""

from bot.domain.failures import Explanation, Repeat, StatusExplanation
from bot.languages import t, tn
from bot.ui.explain import ends_or_not, meaning_of, title_of

_MINUTE = 60
_HOUR = 3600


def ready_answer(entry: Explanation | StatusExplanation) -> str:
    """Return an explanation as staff may send it to a customer: no keys, no settings, nothing confidential."""
    if isinstance(entry, StatusExplanation):
        return f"{entry.customer_title or entry.title}\n{ends_or_not(entry)}\n\n{entry.customer}"
    title, meaning = title_of(entry, hidden=entry.confidential), meaning_of(entry, hidden=entry.confidential)
    return f"{title}\n{meaning}\n\n{entry.customer}\n\n{_when(entry)}"


def _when(explanation: Explanation) -> str:
    """Return when a repeat makes sense, without a timestamp: the text may leave Discord."""
    if explanation.repeat is Repeat.NEVER:
        return t("Trying again would end the same way.")
    if explanation.repeat_after is None:
        if explanation.repeat is Repeat.LATER:
            return t("Try again: in a few minutes.")
        return t("Try again: once that is done.")
    seconds = int(explanation.repeat_after.total_seconds())
    if seconds >= _HOUR:
        return tn("Try again: in about {count} hour.", "Try again: in about {count} hours.", round(seconds / _HOUR))
    minutes = max(round(seconds / _MINUTE), 1)
    return tn("Try again: in about {count} minute.", "Try again: in about {count} minutes.", minutes)
