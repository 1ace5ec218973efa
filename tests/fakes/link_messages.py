"""Direct messages about links, in memory."""

from bot.domain.links import HandOver


class FakeLinkMessages:
    """``told`` has the messages, in order."""

    def __init__(self) -> None:
        self.told: list[HandOver] = []

    async def tell(self, hand_over: HandOver) -> None:
        """Keep the message."""
        self.told.append(hand_over)
