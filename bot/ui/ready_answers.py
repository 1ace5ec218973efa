"""*Copy for the customer*: the customer's version of an explanation as plain text that a phone can copy."""

from bot.domain.failures import Explanation, Repeat, StatusExplanation
from bot.ui.explain import meaning_of, title_of, without_reference
from bot.ui.kit.text import count

_MINUTE = 60
_HOUR = 3600


def ready_answer(entry: Explanation | StatusExplanation) -> str:
    """Return an explanation as staff may send it to a customer: no keys, no settings, nothing confidential."""
    if isinstance(entry, StatusExplanation):
        ends = "It does not change any more." if entry.is_final else "It can still change."
        return f"{entry.customer_title or entry.title}. {ends}\n\n{entry.customer}"
    hidden = entry.confidential
    meaning = meaning_of(entry, hidden=hidden).removeprefix(f"{entry.key}: ")  # Steam's errors begin with their name
    return (
        f"{title_of(entry, hidden=hidden)}. {meaning[:1].upper()}{meaning[1:]}\n\n"
        f"{without_reference(entry.customer)}\n\nTry again: {_when(entry)}"
    )


def _when(explanation: Explanation) -> str:
    """Return when a repeat makes sense, without a timestamp: the text may leave Discord."""
    wait = explanation.repeat_after
    if explanation.repeat is Repeat.NEVER:
        return "it would end the same way again."
    if wait is None:
        return "in a few minutes." if explanation.repeat is Repeat.LATER else "once that is done."
    seconds = int(wait.total_seconds())
    if seconds >= _HOUR:
        return f"in about {count(round(seconds / _HOUR), 'hour')}."
    return f"in about {count(max(round(seconds / _MINUTE), 1), 'minute')}."
