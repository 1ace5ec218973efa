"""Discord gets a first answer in time, and every reply exactly once."""

import asyncio
from types import SimpleNamespace
from typing import Any

import discord
import pytest
from discord import InteractionType

from bot.observability.discord_http import Attempts
from bot.ui.interaction.error_handler import report
from bot.ui.interaction.session import InteractionSession, Sessions, session_of
from bot.ui.kit.csv import csv_file
from tests.fakes.interaction import FakeInteraction, finished, start

DONE = discord.Embed(title="Done")


def http_error(status: int, code: int) -> discord.HTTPException:
    answer: Any = SimpleNamespace(status=status, reason="")
    return discord.HTTPException(answer, {"code": code, "message": ""})


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.ui.interaction.session.QUICK_SECONDS", 0.005)


@pytest.fixture
def interaction() -> Any:
    return FakeInteraction(Sessions())


async def test_quick_reply(interaction: Any) -> None:
    """A quick reply is the first answer, and the only one."""

    async def work(session: InteractionSession) -> None:
        session.defer_if_slow()
        await session.reply(DONE)
        await asyncio.sleep(0.02)

    await finished(interaction, work)

    assert interaction.sent == [("message", "Done")]


@pytest.mark.parametrize(
    ("thinking", "sent"),
    [(True, [("defer", "thinking"), ("edit", "Done")]), (False, [("defer", ""), ("follow-up", "Done")])],
)
async def test_slow_reply(interaction: Any, sent: list[tuple[str, str]], *, thinking: bool) -> None:
    """A slow reply comes after one deferral, and not before that has arrived."""

    async def slow() -> None:
        await asyncio.sleep(0.02)

    async def work(session: InteractionSession) -> None:
        session.defer_if_slow(thinking=thinking)
        await asyncio.sleep(0.01)
        await session.reply(DONE)

    interaction.trouble["defer"] = slow
    await finished(interaction, work)

    assert interaction.sent == sent


async def test_cancelled_while_the_deferral_is_sent(interaction: Any) -> None:
    """A deferral that is on its way arrives, even if the work is cancelled."""
    arriving = asyncio.Event()

    async def work(session: InteractionSession) -> None:
        session.defer_if_slow()
        await asyncio.sleep(0.01)
        await session.reply(DONE)

    interaction.trouble["defer"] = arriving.wait
    _, task = await start(interaction, work)
    await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    arriving.set()
    await asyncio.sleep(0.01)

    assert interaction.sent == [("defer", "thinking")]


@pytest.mark.parametrize(
    ("error", "may_show_thinking"),
    [
        (ConnectionResetError("in https://discord.test/interactions/1/tOkEn/callback"), True),
        (http_error(503, 0), True),
        (http_error(404, 10062), False),
        (http_error(400, 50035), False),
    ],
)
@pytest.mark.parametrize("thinking", [True, False])
async def test_deferral_that_fails(
    interaction: Any, caplog: pytest.LogCaptureFixture, *, error: Exception, may_show_thinking: bool, thinking: bool
) -> None:
    """If a failed deferral may have arrived, Discord may show "thinking…"; the log has no text of the error."""
    caplog.set_level("INFO")
    interaction.fail("defer", error)
    session = session_of(interaction)
    session.defer_if_slow(thinking=thinking)
    await asyncio.sleep(0.02)

    assert session.is_thinking is (may_show_thinking and thinking)
    assert caplog.messages == [f"deferral failed error={type(error).__name__}"]


ACKNOWLEDGED = http_error(400, 40060)


@pytest.fixture(params=[False, True], ids=["repeated", "another's"])
def is_anothers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether "already acknowledged" cannot be about this request, because discord.py has not repeated it."""
    monkeypatch.setattr(Attempts, "may_have_arrived", not request.param)
    return bool(request.param)


@pytest.mark.parametrize("reports", [True, False])
@pytest.mark.parametrize("kind", [InteractionType.application_command, InteractionType.component])
async def test_acknowledged_already(*, is_anothers: bool, kind: InteractionType, reports: bool) -> None:
    """A first answer that Discord has already is left alone, whoever sent it, and nothing is added."""
    interaction: Any = FakeInteraction(Sessions(), kind=kind)
    interaction.fail("message", ACKNOWLEDGED)

    async def work(session: InteractionSession) -> None:
        if reports:
            await report(session, RuntimeError())
        else:
            await session.reply(DONE)

    session = await finished(interaction, work)

    assert interaction.sent == []
    assert not session.is_left_open


async def test_deferral_that_is_there(*, is_anothers: bool) -> None:
    """Our own "thinking…" is finished without touching what may be another's; with another's answer nothing is done."""
    interaction: Any = FakeInteraction(Sessions())
    interaction.fail("defer", ACKNOWLEDGED)
    done = []

    async def work(session: InteractionSession) -> None:
        try:
            await session.defer()
            done.append(True)
            await session.reply(DONE)
        except Exception as error:  # noqa: BLE001 -- as the error handler does
            await report(session, error)

    session = await finished(interaction, work)

    assert (done, interaction.sent) == (([], []) if is_anothers else ([True], [("follow-up", "Done")]))
    assert not session.is_left_open


@pytest.mark.parametrize("error", [http_error(503, 0), ConnectionResetError()])
async def test_error_after_a_lost_reply(*, is_anothers: bool, error: Exception) -> None:
    """An error never takes the place of a reply that may have arrived."""
    interaction: Any = FakeInteraction(Sessions())
    interaction.fail("message", error, ACKNOWLEDGED)
    interaction.fail("defer", error)

    async def work(session: InteractionSession) -> None:
        try:
            await session.reply(DONE)
        except Exception as failed:  # noqa: BLE001 -- as the error handler does
            await report(session, failed)

    session = await finished(interaction, work)
    if session.pending_reply is not None:
        await session.retry(session.pending_reply)

    assert [kind for kind, _ in interaction.sent] == ["follow-up"]


async def modal_lost() -> tuple[Any, InteractionSession]:
    """Open a form whose confirmation is lost."""
    interaction: Any = FakeInteraction(Sessions(), kind=InteractionType.component)

    async def send_modal(_modal: object) -> None:
        raise ConnectionResetError

    interaction.send_modal = send_modal
    session = session_of(interaction)
    with pytest.raises(ConnectionResetError):
        await session.open_modal(discord.ui.Modal(title="Form"))
    return interaction, session


async def test_modal_whose_confirmation_is_lost() -> None:
    """An error after a form that may be open is a message of its own: it replaces no page."""
    interaction, session = await modal_lost()
    interaction.fail("message", http_error(400, 40060))
    await session.reply(DONE)

    assert interaction.sent == [("follow-up", "Done")]


async def test_deferral_after_a_lost_modal() -> None:
    """If "thinking…" may have followed the form, the reply is sent again later."""
    interaction, session = await modal_lost()
    interaction.fail("message", http_error(503, 0))
    interaction.fail("defer", ConnectionResetError())
    await session.reply(DONE)

    assert session.is_thinking
    assert session.pending_reply is not None


async def test_file_of_a_retry(interaction: Any) -> None:
    """The second attempt uploads the whole file, not the rest of it."""
    interaction.fail("message", ConnectionResetError(), ConnectionResetError())
    interaction.fail("defer", ConnectionResetError(), ConnectionResetError())
    session = session_of(interaction)
    await session.reply(DONE, file=csv_file("audit", ["number"], [[1], [2]]))
    assert session.pending_reply is not None
    await session.retry(session.pending_reply)

    assert interaction.uploaded == ["\ufeffnumber\r\n1\r\n2\r\n".encode()] * 2


@pytest.mark.parametrize(
    ("custom_id", "command"),
    [
        ("page:AbCdEfGhIjKl:next:3", "page:next"),
        ("page:abcdefghijkl:sort", "page:sort"),
        ("resend:41:deny:reason:123456789012345678", "resend:deny:reason"),
        ("<@1>", "component"),
    ],
)
async def test_name_of_a_component(custom_id: str, command: str) -> None:
    """Log and metrics name a component by its action: with ids, every click would be another one."""
    interaction: Any = FakeInteraction(Sessions(), kind=InteractionType.component, custom_id=custom_id)

    assert session_of(interaction).trace.command == command
