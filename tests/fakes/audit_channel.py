"""An audit channel in memory."""

from bot.domain.audit import AuditEntry


class FakeAuditChannel:
    """``posts`` is everything that was posted, in order."""

    def __init__(self) -> None:
        self.posts: list[AuditEntry] = []

    async def post(self, entry: AuditEntry, *, channel_id: int) -> None:
        """Keep the entry."""
        self.posts.append(entry)
