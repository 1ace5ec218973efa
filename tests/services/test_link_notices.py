"""Messages to former holders of Steam accounts: no one waits for them."""

import asyncio
from datetime import datetime

import pytest

from bot.domain.links import HandOver, HandOverReason, Link, LinkSource
from bot.domain.steam import SteamId
from bot.services.link_notices import LinkNotices
from tests.fakes.link_messages import FakeLinkMessages

_ACCOUNT = SteamId.from_account_id(5)


class SlowDiscord:
    """Takes messages and answers never, or with an error."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked = 0
        self._error = error

    async def tell(self, hand_over: HandOver) -> None:
        self.asked += 1
        if self._error is not None:
            raise self._error
        await asyncio.Event().wait()


@pytest.mark.parametrize("error", [None, OSError("no route")])
async def test_slow_or_broken_discord(error: Exception | None, caplog: pytest.LogCaptureFixture) -> None:
    """A change does not wait for a message; there are at most a hundred, and a stop ends them."""
    told = HandOver(1, 2, _ACCOUNT, HandOverReason.ENDED)
    now = datetime.now().astimezone()
    changed = Link(1, 2, _ACCOUNT, LinkSource.STAFF, 3, now, hand_overs=(told,))
    discord = SlowDiscord(error)
    notices = LinkNotices(messages=discord, show_on_cards=FakeLinkMessages().show)

    for _ in range(150):
        notices.begin(changed)
    await asyncio.sleep(0.01)
    await asyncio.wait_for(notices.close(within=0.01), 5)

    assert discord.asked == 100
    assert caplog.text.count("former holder not told guild=1 user=2") == (50 if error is None else 150)
