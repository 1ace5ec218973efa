"""Checks a condition on an actor's rights inside the transaction that acts on them."""

from datetime import datetime

from bot.domain.access import Condition, Viewer, capabilities
from bot.domain.resends import Resend
from bot.storage.database import Connection
from bot.storage.grants import grants_in
from bot.storage.links import holders_in, link_in


def require(connection: Connection, condition: Condition, resend: Resend, *, at: datetime) -> None:
    """Raise what ``condition`` raises for its actor and ``resend`` with the rights and links of this moment."""
    actor = condition.actor
    held = capabilities(actor, grants_in(connection, actor.guild_id))
    link = link_in(connection, actor.guild_id, actor.user_id)
    holders = holders_in(connection, actor.guild_id, resend.owner, user_ids=resend.people | {actor.user_id}, at=at)
    condition.check(Viewer(actor, held, link), holders)
