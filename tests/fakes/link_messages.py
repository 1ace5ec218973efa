"""Direct messages about links, in memory."""

from bot.domain.links import HandOver, Link


class FakeLinkMessages:
    """``told`` has the messages, in order."""

    def __init__(self) -> None:
        self.told: list[HandOver] = []

    async def show(self, changed: Link) -> None:
        """Do nothing: there are no cards."""

    async def tell(self, hand_over: HandOver) -> None:
        """Keep the message."""
        self.told.append(hand_over)
