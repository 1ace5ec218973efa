"""An audit channel in memory."""

from bot.domain.audit import AuditEntry, AuditRow


class FakeAuditChannel:
    """``posts`` is everything that was posted, in order, ``rows`` what each is a copy of."""

    def __init__(self) -> None:
        self.posts: list[AuditEntry] = []
        self.rows: list[AuditRow | None] = []

    async def post(self, entry: AuditEntry, *, channel_id: int, row: AuditRow | None = None) -> None:
        """Keep the post."""
        self.posts.append(entry)
        self.rows.append(row)
