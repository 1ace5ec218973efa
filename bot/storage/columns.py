"""How values look in columns: moments as integers, outside words as text that every engine takes."""

from datetime import UTC, datetime, timedelta

from bot.domain.masking import mask_trade_urls

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LARGEST = 2**63 - 1


def to_ms(moment: datetime) -> int:
    """Return whole milliseconds since 1970, UTC; what is finer is dropped. TypeError for a naive moment."""
    return (moment - _EPOCH) // _MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    """Return the moment, aware, in UTC."""
    return _EPOCH + milliseconds * _MILLISECOND


def from_ms_or_none(milliseconds: int | None) -> datetime | None:
    """Return the moment, or None for a NULL."""
    return None if milliseconds is None else from_ms(milliseconds)


def words(text: str | None) -> str | None:
    """Return people's or a provider's words fit for a text column.

    Trade tokens are masked; half a surrogate pair and NUL, which JSON can carry and engines refuse, are replaced.
    """
    if text is None:
        return None
    return mask_trade_urls(text).encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def fits(number: int) -> bool:
    """Say whether an integer column can hold ``number``: what cannot be there need not be looked for."""
    return -_LARGEST <= number <= _LARGEST
