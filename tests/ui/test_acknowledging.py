"""Discord hears of an interaction in time: by its answer, or that there will be one; never both, never neither."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from discord import HTTPException, InteractionResponseType

from bot.ui.interaction import acknowledgement
from bot.ui.interaction.acknowledgement import acknowledge_in_time, acknowledgement_of
from bot.ui.interaction.interactions import is_thinking, is_unconfirmed


def refusal(status: int, code: int) -> HTTPException:
    answer: Any = SimpleNamespace(status=status, reason="")
    return HTTPException(answer, {"code": code, "message": ""})


class Discord:
    """Discord's side of one interaction, as far as it counts here."""

    def __init__(self, *, takes: float = 0.0, error: Exception | None = None) -> None:
        self.told: list[dict[str, bool]] = []
        self.interaction: Any = SimpleNamespace(response=self, extras={})
        self._takes = takes
        self._error = error
        self._done = False

    @property
    def type(self) -> InteractionResponseType | None:
        return InteractionResponseType.deferred_channel_message if self._done else None

    def is_done(self) -> bool:
        return self._done

    async def defer(self, **how: bool) -> None:
        self.told.append(how)
        await asyncio.sleep(self._takes)
        if self._error is not None:
            raise self._error
        self._done = True

    def answer(self) -> None:
        self._done = True


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acknowledgement, "QUICK", 0.005)


async def settled(discord: Discord) -> None:
    acknowledgement = acknowledgement_of(discord.interaction)
    assert acknowledgement is not None
    await acknowledgement.settled()


async def test_quick_answer() -> None:
    """An answer that is there at once is the first thing Discord hears, and the only one."""
    discord = Discord()
    acknowledge_in_time(discord.interaction)
    await settled(discord)
    discord.answer()
    await asyncio.sleep(0.02)

    assert discord.told == []


@pytest.mark.parametrize("thinking", [True, False])
async def test_slow_answer(*, thinking: bool) -> None:
    """Where the answer takes longer Discord is told once that there will be one; only then comes the answer."""
    discord = Discord(takes=0.02)
    acknowledge_in_time(discord.interaction, thinking=thinking)
    await asyncio.sleep(0.01)
    assert not discord.is_done()

    await settled(discord)
    assert discord.is_done()
    assert discord.told == [{"ephemeral": thinking, "thinking": thinking}]


async def test_answer_whose_caller_goes_away() -> None:
    """Being cancelled while Discord is told cuts nothing off: what is on its way arrives."""
    discord = Discord(takes=0.02)
    acknowledge_in_time(discord.interaction)
    await asyncio.sleep(0.01)
    waiting = asyncio.create_task(settled(discord))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    await settled(discord)
    assert (discord.is_done(), len(discord.told)) == (True, 1)


async def test_deferral_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever answers then meets what Discord has to say; until then it is a line in the log, without its words."""
    caplog.set_level("INFO")
    discord = Discord(error=ConnectionResetError("in https://discord.test/interactions/1/tOkEn/callback"))
    acknowledge_in_time(discord.interaction)
    await asyncio.sleep(0.01)
    await settled(discord)

    assert not discord.is_done()
    assert caplog.messages == ["acknowledgement failed error=ConnectionResetError"]


@pytest.mark.parametrize(
    ("error", "in_doubt"),
    [
        (ConnectionResetError(), True),
        (refusal(503, 0), True),
        (refusal(400, 40060), True),
        (refusal(404, 10062), False),
        (refusal(400, 50035), False),
    ],
)
@pytest.mark.parametrize("thinking", [True, False])
async def test_deferral_that_may_have_got_there(*, error: Exception, in_doubt: bool, thinking: bool) -> None:
    """Where Discord may have taken it all the same that is known, and that "thinking…" may be shown."""
    discord = Discord(error=error)
    acknowledge_in_time(discord.interaction, thinking=thinking)
    await asyncio.sleep(0.01)
    await settled(discord)

    assert is_unconfirmed(discord.interaction) is in_doubt
    assert is_thinking(discord.interaction) is (in_doubt and thinking)


async def test_beginning_early() -> None:
    """Work that ends without an answer has Discord told at once, and only once."""
    discord = Discord()
    acknowledge_in_time(discord.interaction)
    acknowledgement = acknowledgement_of(discord.interaction)
    assert acknowledgement is not None
    acknowledgement.begin()
    acknowledgement.begin()
    await acknowledgement.settled()
    await asyncio.sleep(0.01)

    assert len(discord.told) == 1
