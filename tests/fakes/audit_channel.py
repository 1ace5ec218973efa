"""An audit channel in memory."""

from bot.domain.audit import AuditRow


class FakeAuditChannel:
    """``posts`` are the posted rows, in order."""

    def __init__(self) -> None:
        self.posts: list[AuditRow] = []

    async def post(self, row: AuditRow, *, channel_id: int) -> None:
        """Keep the row."""
        self.posts.append(row)
