"""Who may ask for which trades to be resent."""

from datetime import datetime

from bot.domain.access import Capability, Viewer
from bot.domain.errors import AccessDenied, LinkTooNew, NotLinked
from bot.domain.steam import SteamId


def account_of(viewer: Viewer, now: datetime) -> SteamId | None:
    """Return the account whose trades the viewer may ask for, None for every account; raise why for none."""
    if Capability.RESEND_ANY in viewer.capabilities:
        return None
    if Capability.RESEND_OWN not in viewer.capabilities:
        raise AccessDenied(Capability.RESEND_OWN)
    if viewer.link is None:
        raise NotLinked
    if (own_from := viewer.link.waits_until(now)) is not None:
        raise LinkTooNew(own_from)
    return viewer.link.steam_id
