"""Every error of a command, component or suggestion is answered, and the log has it under its reference."""

import asyncio
import contextvars
import logging
import re
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import discord
import pytest
from aiohttp import ServerDisconnectedError

from bot.demo.scene import Scene
from bot.domain.errors import PageExpired
from bot.observability.discord_http import Attempts
from bot.ui.interaction.rights import public
from bot.ui.interaction.session import Interaction, InteractionSession, session_of
from bot.ui.interaction.watch import finish_stuck
from tests.support.payload_audit import assert_clean, assert_no_secret
from tests.support.seen import extra_text_of, text_of
from tests.support.stage import kept_open, secrets_of

INSIDE = "the inside story"
"""The text of every exception raised here; none of it may reach Discord."""


@pytest.fixture
async def scene(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Scene]:
    """Yield a scene in which errors are expected; its requests are audited all the same."""
    caplog.set_level(logging.INFO)
    async with kept_open(tmp_path) as staged_scene:
        yield staged_scene
        assert_clean(staged_scene.env)
        assert_no_secret(staged_scene.env, [INSIDE, *secrets_of(staged_scene)])


class Failing:
    """A service whose methods all fail."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        def fail(*_: object, **__: object) -> NoReturn:
            raise self._error

        return fail


def break_service(scene: Scene, name: str, error: Exception) -> None:
    services: dict[str, Any] = {name: Failing(error)}
    scene.client.services = replace(scene.client.services, **services)


def reference_in(text: str) -> str:
    match = re.search(r"(?m)^Reference ([0-9a-f]{6})$", text)
    assert match is not None, text
    return match[1]


async def test_unexpected_failure(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """The user sees a reference and no text of the exception; the log has both, with the traceback."""
    for service, command in (("snapshots", "trades"), ("sign_ins", "link start"), ("links", "link remove")):
        caplog.clear()
        break_service(scene, service, RuntimeError(INSIDE))
        result = await scene.agent.slash(scene.channel, command)
        text = text_of(result)

        assert result.ephemeral
        assert "Something went wrong in SkinDesk" in text
        assert "An administrator of this server" in text
        (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
        facts = f"command={command} guild={scene.guild.id} user={scene.agent.id}"
        assert record.getMessage() == f"unexpected failure reference={reference_in(text)} {facts}"
        assert record.exc_info is not None
        assert INSIDE in str(record.exc_info[1])


async def test_facts_that_cannot_be_kept(scene: Scene) -> None:
    """An error is shown to its user even if its facts cannot be kept for the staff."""
    break_service(scene, "references", RuntimeError(INSIDE))

    assert "access.manage" in text_of(await scene.customer.slash(scene.channel, "access list"))
    url = scene.world.html.trade_url
    assert "all providers" in text_of(await scene.agent.slash(scene.channel, "inventory", tradeurl=url, provider="all"))


@pytest.mark.parametrize("status", [503, 429, 400])
async def test_trouble_of_discord(scene: Scene, caplog: pytest.LogCaptureFixture, status: int) -> None:
    """What is Discord's own trouble is told as that, and as no mistake of anyone here."""
    answer: Any = SimpleNamespace(status=status, reason="")
    break_service(scene, "snapshots", discord.HTTPException(answer, {"code": 0, "message": INSIDE}))
    text = text_of(await scene.agent.slash(scene.channel, "trades"))

    is_discords = status != 400
    assert ("Discord has trouble right now" in text) == is_discords
    assert ("Something went wrong in SkinDesk" in text) == (not is_discords)
    assert ("An administrator" in text) == (not is_discords)
    assert any(f"reference={reference_in(text)} " in message for message in caplog.messages)
    assert any(message.startswith("Discord in trouble") for message in caplog.messages) == is_discords


async def test_failure_in_suggestions(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """Suggestions that fail are an empty list and a line in the log."""
    break_service(scene, "explanations", RuntimeError(INSIDE))
    break_service(scene, "trades", RuntimeError(INSIDE))

    assert await scene.customer.autocomplete(scene.channel, "explain", "code", "7") == []
    assert await scene.customer.autocomplete(scene.channel, "resend", "id", "4") == []
    assert len([message for message in caplog.messages if message.startswith("no suggestions")]) == 2


async def test_failing_database(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """While rights cannot be read, nothing is allowed and every command is answered as for a customer."""
    scene.client.services.access._grants = Failing(sqlite3.OperationalError(INSIDE))
    for command, options in (("trades", {}), ("access list", {}), ("explain", {"code": "7"})):
        text = text_of(await scene.agent.slash(scene.channel, command, **options))

        assert "Something went wrong in SkinDesk" in text
        assert any(f"reference={reference_in(text)} " in message for message in caplog.messages)
    assert not scene.providers.mannco.calls


def lose_confirmation(monkeypatch: pytest.MonkeyPatch, name: str, *, asked_again: bool) -> None:
    """Let the confirmation of a first answer get lost; with ``asked_again``, discord.py sends the answer twice."""
    real = getattr(discord.InteractionResponse, name)

    async def lost(self: Any, *arguments: Any, **options: Any) -> None:
        await real(self, *arguments, **options)
        self._response_type = None
        if not asked_again:
            raise ServerDisconnectedError
        monkeypatch.setattr(Attempts, "may_have_arrived", True)
        await real(self, *arguments, **options)

    monkeypatch.setattr(discord.InteractionResponse, name, lost)


def break_connection_once(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let one first answer not reach Discord."""

    async def broken(*_: object, **__: object) -> NoReturn:
        monkeypatch.setattr(discord.InteractionResponse, name, real)
        raise ConnectionResetError(INSIDE)

    real = getattr(discord.InteractionResponse, name)
    monkeypatch.setattr(discord.InteractionResponse, name, broken)


def acknowledge_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every reply be too slow for a first answer."""
    defer_if_slow = InteractionSession.defer_if_slow

    def defer_at_once(self: InteractionSession, *, thinking: bool = True) -> None:
        defer_if_slow(self, thinking=thinking)
        self._start_deferral()

    monkeypatch.setattr(InteractionSession, "defer_if_slow", defer_at_once)


@pytest.mark.parametrize("trouble", ["none", "refused", "unreachable", "deferral lost", "early deferral lost", "lost"])
async def test_error_after_a_click(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str) -> None:
    """The error of a click is one message of its own, and its page stays, whichever request fails."""
    async with kept_open(tmp_path) as scene:
        result = await scene.customer.slash(scene.channel, "inventory", tradeurl=scene.world.customer.trade_url)
        assert result.response is not None
        break_service(scene, "snapshots", PageExpired())
        if trouble in ("refused", "deferral lost"):
            scene.env.inject_error("POST", "/interactions/*/*/callback", status=429, code=0)
        if trouble == "unreachable":
            break_connection_once(monkeypatch, "send_message")
        if "deferral lost" in trouble:
            lose_confirmation(monkeypatch, "defer", asked_again=True)
        if trouble == "early deferral lost":
            acknowledge_at_once(monkeypatch)
        if trouble == "lost":
            lose_confirmation(monkeypatch, "send_message", asked_again=True)
        clicked = await scene.customer.click(result.response, label="Next")

        assert extra_text_of(clicked).count("This page has expired") == 1
        assert "Page 1 of 8" in text_of(result)
        assert result.response.components


@pytest.mark.parametrize("asked_again", [True, False])
async def test_error_after_a_page_that_may_have_arrived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, asked_again: bool
) -> None:
    """If a page may have been turned, a later error is a message of its own; if it was, there is no error."""
    async with kept_open(tmp_path) as scene:
        result = await scene.customer.slash(scene.channel, "inventory", tradeurl=scene.world.customer.trade_url)
        assert result.response is not None
        lose_confirmation(monkeypatch, "edit_message", asked_again=asked_again)
        scene.env.inject_error("PATCH", "/webhooks/*/*/messages/@original", status=503, code=0)
        clicked = await scene.customer.click(result.response, label="Next")

        assert ("Discord has trouble right now" in extra_text_of(clicked)) == (not asked_again)
        assert "Page 2 of 8" in text_of(result)


async def test_reply_refused_for_good(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """A reply that Discord refuses for good is one line in the log, and the next command works."""
    scene.env.inject_error("PATCH", "/webhooks/*/*/messages/@original", status=404, code=10015, times=None)
    await scene.agent.slash(scene.channel, "link set", member=scene.customer, steam="none")
    await scene.env.advance_time(30)

    (line,) = [message for message in caplog.messages if "reply failed reference=" in message]
    assert "status=404" in line
    scene.env.backend.faults.clear()
    assert "No Steam account" in text_of(await scene.customer.slash(scene.channel, "link status"))


@pytest.mark.parametrize("command", ["trades", "mydata export"])
async def test_reply_after_a_deferral_that_may_have_arrived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """If Discord may show "thinking…", a reply that it cannot take now is sent again."""
    acknowledge_at_once(monkeypatch)
    lose_confirmation(monkeypatch, "defer", asked_again=False)
    async with kept_open(tmp_path) as scene:
        for method, path in (("POST", "/webhooks/*/*"), ("PATCH", "/webhooks/*/*/messages/@original")):
            scene.env.inject_error(method, path, status=503, code=0, times=None)
        result = await scene.customer.slash(scene.channel, command)
        await scene.env.advance_time(10)
        assert (text_of(result), len(scene.client.sessions.left_open)) == ("", 1)

        scene.env.backend.faults.clear()
        await scene.env.advance_time(10)
        assert ("Trades" if command == "trades" else "Discord has trouble") in text_of(result)
        assert len(scene.client.sessions.left_open) == 0


async def test_work_cancelled_during_its_deferral(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If Discord accepts a deferral and does not confirm it, the user gets a reply in the end."""
    real = discord.InteractionResponse.defer
    hangs: asyncio.Future[contextvars.Context] = asyncio.get_running_loop().create_future()

    async def hanging(self: Any, **how: bool) -> None:
        await real(self, **how)
        self._response_type = None
        hangs.set_result(contextvars.copy_context())
        await asyncio.Event().wait()

    async with kept_open(tmp_path) as scene:
        monkeypatch.setattr(discord.InteractionResponse, "defer", hanging)
        scene.env.inject_error("PATCH", "/webhooks/*/*/messages/@original", status=503, code=0)
        using = asyncio.create_task(scene.customer.slash(scene.channel, "mydata export"))
        inside = await hangs  # the simulated Discord is only known in this context
        for _ in range(2):
            await asyncio.create_task(finish_stuck(scene.client.sessions, longest=0.0), context=inside)

        assert "This was not finished" in text_of(await using)
        assert len(scene.client.sessions.left_open) == 0


async def test_click_after_a_deferral_that_may_have_arrived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The "thinking…" of a button is replaced, and its page stays."""
    async with kept_open(tmp_path) as scene:
        result = await scene.customer.slash(scene.channel, "inventory", tradeurl=scene.world.customer.trade_url)
        assert result.response is not None
        lose_confirmation(monkeypatch, "defer", asked_again=False)
        for method, path in (("POST", "/webhooks/*/*"), ("PATCH", "/webhooks/*/*/messages/@original")):
            scene.env.inject_error(method, path, status=503, code=0)
        clicked = await scene.customer.click(result.response, label="CSV of all")
        await scene.env.advance_time(10)

        assert "Discord has trouble" in text_of(clicked)
        assert "Page 1 of 8" in text_of(result)
        assert len(scene.client.sessions.left_open) == 0


async def test_work_without_an_answer(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """The watch finishes a command that ends without an answer, and logs it."""

    @scene.client.tree.command(name="silent", description="For a test")
    @public("for a test")
    async def silent(interaction: Interaction) -> None:
        session_of(interaction).defer_if_slow()

    await scene.client.tree.sync()
    result = await scene.customer.slash(scene.channel, "silent")
    await scene.env.advance_time(10)

    assert "This was not finished" in text_of(result)
    assert "If you were changing something, it may have been done" in text_of(result)
    assert "interaction finished late command=silent" in caplog.messages


@pytest.mark.parametrize("after", ["at once", "later"])
async def test_dismissed_reply(scene: Scene, caplog: pytest.LogCaptureFixture, after: str) -> None:
    """A user who dismisses "thinking…" gets no other message, and it is no error."""
    edit = ("PATCH", "/webhooks/*/*/messages/@original")
    if after == "later":
        scene.env.inject_error(*edit, status=503, code=0)
    scene.env.inject_error(*edit, status=404, code=10008, times=None)
    result = await scene.customer.slash(scene.channel, "mydata export")
    await scene.env.advance_time(10)

    assert not result.followups
    (line,) = [message for message in caplog.messages if "dismissed" in message]
    assert line == f"answer dismissed command=mydata export guild={scene.guild.id} user={scene.customer.id}"
    (handled,) = [record for record in caplog.records if record.getMessage() == "interaction handled"]
    assert vars(handled)["outcome"] == "ok"
    assert len(scene.client.sessions.left_open) == 0


async def test_page_dismissed_during_a_refresh(
    scene: Scene, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user who dismisses a page during its refresh gets no message, and it is no error."""
    result = await scene.customer.slash(scene.channel, "inventory", tradeurl=scene.world.customer.trade_url)
    assert result.response is not None
    caplog.clear()
    acknowledge_at_once(monkeypatch)
    scene.env.inject_error("PATCH", "/webhooks/*/*/messages/@original", status=404, code=10008)
    clicked = await scene.customer.click(result.response, label="Refresh")

    assert extra_text_of(clicked) == ""
    assert any(message.startswith("answer dismissed command=page:") for message in caplog.messages)
    assert all(record.levelno == logging.INFO for record in caplog.records)


async def test_shutdown(scene: Scene) -> None:
    """During shutdown, commands and buttons ask the user to try again, and suggestions are empty."""
    result = await scene.customer.slash(scene.channel, "inventory", tradeurl=scene.world.customer.trade_url)
    scene.client.is_stopping = True
    refused = await scene.customer.slash(scene.channel, "trades")
    assert result.response is not None
    clicked = await scene.customer.click(result.response, label="Next")

    for text in (text_of(refused), extra_text_of(clicked) or text_of(clicked)):
        assert "SkinDesk is restarting" in text
        assert "Try again in a minute" in text
    assert refused.ephemeral
    assert not scene.providers.mannco.calls
    assert await scene.customer.autocomplete(scene.channel, "explain", "code", "7") == []
