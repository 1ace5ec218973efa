"""The usual reasons of a denial. They are stored in English, and each reader sees them in their own language."""

from bot.languages import Message

USUAL_REASONS = {
    "on_its_way": (
        # Translators: an option of a menu, at most 100 characters
        Message("The trade is already on its way"),
        # Translators: requester and owner read it; at most 100 characters
        Message("The trade is already on its way. Look for its offer in Steam first."),
    ),
    "trade_url": (
        # Translators: an option of a menu, at most 100 characters
        Message("Ask the customer to fix the trade URL first"),
        # Translators: requester and owner read it; at most 100 characters
        Message("The trade URL does not work. Save your current one in the shop, then ask again."),
    ),
    "check": (
        # Translators: an option of a menu, at most 100 characters; only moderators read it
        Message("Looks like fraud: ask a senior"),
        # Translators: requester and owner read it: it suspects no one; at most 100 characters
        Message("The staff has to check this trade first. Talk to them before you ask again."),
    ),
    "duplicate": (
        # Translators: an option of a menu, at most 100 characters
        Message("Duplicate request"),
        # Translators: requester and owner read it; at most 100 characters
        Message("This was asked for already. The other request counts."),
    ),
}
"""For each usual reason what the moderator chooses, and what requester and owner read: no suspicion of anyone."""

_EARLIER = (
    # Translators: at most 100 characters
    Message("The trade URL does not work. Save your current one on the site, then ask again."),
)
"""What usual reasons were in earlier versions: requests keep what they have."""

_BY_ENGLISH = {sentence.english: sentence for sentence in (*(each for _, each in USUAL_REASONS.values()), *_EARLIER)}
"""The stored reasons."""


def shown_reason(stored: str) -> str:
    """Return the reason of a decision for the reader: a usual one translated, one that was typed as it is."""
    usual = _BY_ENGLISH.get(stored)
    return stored if usual is None else usual()
