"""Whatever goes wrong in a command, a click or a suggestion: it is answered, and the log knows it by its reference."""

import asyncio
import contextvars
import logging
import re
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import discord
import pytest
import simcord
from aiohttp import ServerDisconnectedError

from bot.demo.scene import Scene
from bot.domain.errors import PageExpired
from bot.ui.interaction.rights import public
from bot.ui.interaction.session import Interaction, InteractionSession, session_of
from bot.ui.interaction.watch import finish_stuck
from tests.support.payload_audit import assert_clean, assert_no_secret
from tests.support.seen import extra_text_of, text_of
from tests.support.stage import kept_open, secrets_of

INSIDE = "the inside story"
"""Stands in every exception that is raised here on purpose: none of it may reach Discord."""


@pytest.fixture
async def scene(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Scene]:
    """Give a desk on which errors are expected; what it sent is audited all the same."""
    caplog.set_level(logging.INFO)
    async with kept_open(tmp_path) as staged_scene:
        yield staged_scene
        assert_clean(staged_scene.env)
        assert_no_secret(staged_scene.env, [INSIDE, *secrets_of(staged_scene)])


class Failing:
    """Anything, of which nothing works."""

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


COMMANDS: list[tuple[str, str, dict[str, str]]] = [
    ("snapshots", "inventory", {"tradeurl": "https://steamcommunity.com/tradeoffer/new/?partner=1&token=AbCdEfGh"}),
    ("trades", "trades", {}),
    ("resends", "resend", {"id": "480101"}),
    ("resends", "approvals", {}),
    ("snapshots", "explain", {"code": "7"}),
    ("sign_ins", "link start", {}),
    ("links", "link status", {}),
    ("links", "link remove", {}),
    ("access", "access list", {}),
    ("settings", "settings show", {}),
]


async def test_an_unexpected_failure_in_any_command(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """The reader gets a reference and no word of the exception; the log has both, with the traceback."""
    services = scene.client.services
    for service, command, options in COMMANDS:
        caplog.clear()
        scene.client.services = services
        break_service(scene, service, RuntimeError(INSIDE))
        result = await scene.agent.slash(scene.channel, command, **options)
        text = text_of(result)

        assert result.ephemeral
        assert "Something went wrong in SkinDesk" in text
        assert "An administrator of this server" in text
        (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
        facts = f"command={command} guild={scene.guild.id} user={scene.agent.id}"
        assert record.getMessage() == f"unexpected failure reference={reference_in(text)} {facts}"
        assert record.exc_info is not None
        assert INSIDE in str(record.exc_info[1])


async def test_an_unexpected_failure_behind_a_button(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """A click is answered beside the page, which stays as it was."""
    result = await scene.customer.slash(scene.channel, "inventory", tradeurl=scene.world.customer.trade_url)
    break_service(scene, "snapshots", RuntimeError(INSIDE))
    assert result.response is not None
    clicked = await scene.customer.click(result.response, label="Next")
    text = extra_text_of(clicked)

    assert "Something went wrong in SkinDesk" in text
    assert any(f"reference={reference_in(text)} command=page:" in message for message in caplog.messages)
    assert "Page 1 of 8" in text_of(result)


async def test_an_unexpected_failure_in_suggestions(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """Suggestions that fail are an empty list, and leave a trace in the log."""
    break_service(scene, "explanations", RuntimeError(INSIDE))
    break_service(scene, "trades", RuntimeError(INSIDE))

    assert await scene.customer.autocomplete(scene.channel, "explain", "code", "7") == []
    assert await scene.customer.autocomplete(scene.channel, "resend", "id", "4") == []
    assert len([message for message in caplog.messages if message.startswith("no suggestions")]) == 2


async def test_a_failing_database(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is allowed and nothing is silent while rights cannot be read: the reader gets a customer's words."""
    scene.client.services.access._grants = Failing(sqlite3.OperationalError(INSIDE))
    for command, options in (("trades", {}), ("access list", {}), ("explain", {"code": "7"})):
        text = text_of(await scene.agent.slash(scene.channel, command, **options))

        assert "Something went wrong in SkinDesk" in text
        assert any(f"reference={reference_in(text)} " in message for message in caplog.messages)
    assert not scene.providers.mannco.calls


async def test_a_refusal_is_no_fault(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """What SkinDesk expects is logged in one line by its reference, without a traceback."""
    text = text_of(await scene.customer.slash(scene.channel, "access list"))

    (record,) = [record for record in caplog.records if vars(record).get("reference") == reference_in(text)]
    assert record.levelno == logging.INFO
    assert (vars(record)["outcome"], vars(record)["reason"]) == ("refused", "AccessDenied")
    assert record.exc_info is None


async def test_a_first_answer_that_discord_does_not_take_yet(tmp_path: Path) -> None:
    """What Discord does not take as the first answer is given as a later one, and says the same."""
    async with kept_open(tmp_path) as scene:
        page = await scene.customer.slash(scene.channel, "inventory", tradeurl=scene.world.customer.trade_url)
        assert page.response is not None

        scene.env.inject_error("POST", "/interactions/*/*/callback", status=429, code=0)
        assert "Your Steam account" in text_of(await scene.customer.slash(scene.channel, "link status"))
        scene.env.inject_error("POST", "/interactions/*/*/callback", status=429, code=0)
        assert "Page 2 of 8" in text_of(await scene.customer.click(page.response, label="Next"))


def lose_confirmation(monkeypatch: pytest.MonkeyPatch, name: str, *, asked_again: bool) -> None:
    """Let Discord carry out a first answer whose confirmation breaks; or is asked for again, as discord.py may do."""
    real = getattr(discord.InteractionResponse, name)

    async def lost(self: Any, *arguments: Any, **options: Any) -> None:
        await real(self, *arguments, **options)
        self._response_type = None
        if not asked_again:
            raise ServerDisconnectedError
        await real(self, *arguments, **options)

    monkeypatch.setattr(discord.InteractionResponse, name, lost)


def break_connection_once(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let Discord not be reached with the next first answer, and be reached again with the one after it."""

    async def broken(*_: object, **__: object) -> NoReturn:
        monkeypatch.setattr(discord.InteractionResponse, name, real)
        raise ConnectionResetError(INSIDE)

    real = getattr(discord.InteractionResponse, name)
    monkeypatch.setattr(discord.InteractionResponse, name, broken)


def acknowledge_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every answer take longer than Discord is left without one."""
    defer_if_slow = InteractionSession.defer_if_slow

    def defer_at_once(self: InteractionSession, *, thinking: bool = True) -> None:
        defer_if_slow(self, thinking=thinking)
        self._start_deferral()

    monkeypatch.setattr(InteractionSession, "defer_if_slow", defer_at_once)


@pytest.mark.parametrize("trouble", ["none", "refused", "unreachable", "deferral lost", "early deferral lost", "lost"])
async def test_an_error_beside_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str) -> None:
    """What a click has to be told stands beside its page, once, whichever way it takes to Discord."""
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


async def test_an_error_after_a_page_that_may_have_got_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a page may have been turned, what failed afterwards is said beside it."""
    async with kept_open(tmp_path) as scene:
        result = await scene.customer.slash(scene.channel, "inventory", tradeurl=scene.world.customer.trade_url)
        assert result.response is not None
        lose_confirmation(monkeypatch, "edit_message", asked_again=True)
        scene.env.inject_error("PATCH", "/webhooks/*/*/messages/@original", status=503, code=0)
        clicked = await scene.customer.click(result.response, label="Next")

        assert "Something went wrong" in extra_text_of(clicked)
        assert "Page 2 of 8" in text_of(result)


async def test_an_answer_that_discord_does_not_take(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """An answer that is refused for good leaves a line in the log, once, and the next command works."""
    scene.env.inject_error("PATCH", "/webhooks/*/*/messages/@original", status=404, code=10015, times=None)
    await scene.customer.slash(scene.channel, "link remove")
    await scene.env.advance_time(30)

    (line,) = [message for message in caplog.messages if "reply failed reference=" in message]
    assert "status=404" in line
    scene.env.backend.faults.clear()
    assert "No Steam account" in text_of(await scene.customer.slash(scene.channel, "link status"))


async def test_an_answer_that_discord_does_not_take_yet(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """An answer that Discord is too troubled to take is given again until it takes it, and is the same answer."""
    scene.env.inject_error("PATCH", "/webhooks/*/*/messages/@original", status=503, code=0, times=None)
    result = await scene.customer.slash(scene.channel, "link remove")
    await scene.env.advance_time(10)
    assert len(scene.client.sessions.left_open) == 1

    scene.env.backend.faults.clear()
    await scene.env.advance_time(10)

    assert "no longer linked" in text_of(result)
    assert len(scene.client.sessions.left_open) == 0
    assert "interaction finished late command=link remove" in caplog.messages


@pytest.mark.parametrize("command", ["trades", "link remove"])
async def test_an_answer_after_a_deferral_that_may_have_got_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Where Discord shows "thinking…" without having confirmed it, an answer it does not take yet is given again."""
    acknowledge_at_once(monkeypatch)
    lose_confirmation(monkeypatch, "defer", asked_again=False)
    async with kept_open(tmp_path) as scene:
        scene.env.inject_error("PATCH", "/webhooks/*/*/messages/@original", status=503, code=0, times=None)
        result = await scene.customer.slash(scene.channel, command)
        await scene.env.advance_time(10)
        assert (text_of(result), len(scene.client.sessions.left_open)) == ("", 1)

        scene.env.backend.faults.clear()
        await scene.env.advance_time(10)
        assert ("Trades" if command == "trades" else "Something went wrong") in text_of(result)
        assert len(scene.client.sessions.left_open) == 0


async def test_work_that_is_cut_off_while_it_defers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Discord has taken a deferral and does not confirm it, whoever waits is told in the end."""
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
        using = asyncio.create_task(scene.customer.slash(scene.channel, "link remove"))
        inside = await hangs  # the simulated Discord is known there only, and lets no time pass meanwhile
        for _ in range(2):
            await asyncio.create_task(finish_stuck(scene.client.sessions, longest=0.0), context=inside)

        assert "This was not finished" in text_of(await using)
        assert len(scene.client.sessions.left_open) == 0


async def test_a_click_after_a_deferral_that_may_have_got_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A button that defers at once has its "thinking…" replaced too, and its page is left alone."""
    async with kept_open(tmp_path) as scene:
        result = await scene.customer.slash(scene.channel, "inventory", tradeurl=scene.world.customer.trade_url)
        assert result.response is not None
        lose_confirmation(monkeypatch, "defer", asked_again=False)
        for method, path in (("POST", "/webhooks/*/*"), ("PATCH", "/webhooks/*/*/messages/@original")):
            scene.env.inject_error(method, path, status=503, code=0)
        clicked = await scene.customer.click(result.response, label="CSV of all")
        await scene.env.advance_time(10)

        assert "Something went wrong" in text_of(clicked)
        assert "Page 1 of 8" in text_of(result)
        assert len(scene.client.sessions.left_open) == 0


async def test_a_connection_that_breaks_beside_a_click(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a click has to be told, and Discord cannot be reached for, ends in a line of the log and nowhere else."""

    async def broken(*_: object) -> NoReturn:
        raise ConnectionResetError(INSIDE)

    async with kept_open(tmp_path) as scene:
        result = await scene.customer.slash(scene.channel, "inventory", tradeurl=scene.world.customer.trade_url)
        monkeypatch.setattr(InteractionSession, "_send", broken)
        break_service(scene, "snapshots", PageExpired())
        assert result.response is not None
        await scene.customer.click(result.response, label="Next")

    (line,) = [message for message in caplog.messages if "reply failed reference=" in message]
    assert "error=ConnectionResetError" in line
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("acknowledged", ["in time", "at once"])
async def test_work_that_forgets_to_answer(scene: Scene, caplog: pytest.LogCaptureFixture, acknowledged: str) -> None:
    """A command that ends while Discord still shows "thinking…" is finished by the watch, and that is reported."""

    @scene.client.tree.command(name="forgetful", description="A test's")
    @public("it is a test's")
    async def forgetful(interaction: Interaction) -> None:
        if acknowledged == "in time":
            session_of(interaction).defer_if_slow()
        else:
            await session_of(interaction).defer()

    await scene.client.tree.sync()
    result = await scene.customer.slash(scene.channel, "forgetful")
    await scene.env.advance_time(10)

    assert "This was not finished" in text_of(result)
    assert "If you were changing something, it may have been done all the same" in text_of(result)
    assert "interaction finished late command=forgetful" in caplog.messages


@pytest.mark.parametrize("after", ["at once", "later"])
async def test_an_answer_whose_message_was_dismissed(
    scene: Scene, caplog: pytest.LogCaptureFixture, after: str
) -> None:
    """Who dismisses "thinking…" is told nothing more, and nothing has failed."""
    edit = ("PATCH", "/webhooks/*/*/messages/@original")
    if after == "later":
        scene.env.inject_error(*edit, status=503, code=0)
    scene.env.inject_error(*edit, status=404, code=10008, times=None)
    result = await scene.customer.slash(scene.channel, "link remove")
    await scene.env.advance_time(10)

    assert not result.followups
    (line,) = [message for message in caplog.messages if "dismissed" in message]
    assert line == f"answer dismissed command=link remove guild={scene.guild.id} user={scene.customer.id}"
    (handled,) = [record for record in caplog.records if record.getMessage() == "interaction handled"]
    assert vars(handled)["outcome"] == "ok"
    assert len(scene.client.sessions.left_open) == 0


async def test_a_page_that_was_dismissed_while_it_was_made_anew(
    scene: Scene, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who dismisses a page while it is refreshed is told nothing: no fault of anybody's, and nothing of it."""
    result = await scene.customer.slash(scene.channel, "inventory", tradeurl=scene.world.customer.trade_url)
    assert result.response is not None
    caplog.clear()
    acknowledge_at_once(monkeypatch)
    scene.env.inject_error("PATCH", "/webhooks/*/*/messages/@original", status=404, code=10008)
    clicked = await scene.customer.click(result.response, label="Refresh")

    assert extra_text_of(clicked) == ""
    assert any(message.startswith("answer dismissed command=page:") for message in caplog.messages)
    assert all(record.levelno == logging.INFO for record in caplog.records)


async def test_an_interaction_that_is_gone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An interaction that Discord no longer knows cannot be answered: that is logged, and the next command works."""
    async with kept_open(tmp_path) as scene:
        scene.env.inject_error("POST", "/interactions/*/*/callback", status=404, code=10062)
        await scene.customer.slash(scene.channel, "link status")

        assert any(
            "refused by Discord reference=" in message and "code=10062" in message for message in caplog.messages
        )
        assert "Your Steam account" in text_of(await scene.customer.slash(scene.channel, "link status"))


async def test_while_stopping(scene: Scene) -> None:
    """Nothing new is begun: commands and buttons are told to ask again, suggestions are empty."""
    result = await scene.customer.slash(scene.channel, "inventory", tradeurl=scene.world.customer.trade_url)
    scene.client.is_stopping = True
    refused = await scene.customer.slash(scene.channel, "trades")
    assert result.response is not None
    clicked = await scene.customer.click(result.response, label="Next")

    for text in (text_of(refused), text_of_first(clicked)):
        assert "SkinDesk is restarting" in text
        assert "Ask again in a minute" in text
    assert refused.ephemeral
    assert not scene.providers.mannco.calls
    assert await scene.customer.autocomplete(scene.channel, "explain", "code", "7") == []


def text_of_first(clicked: simcord.InteractionResult) -> str:
    """Everything written beside a message whose button was pressed; the first answer, where there is one."""
    return extra_text_of(clicked) or text_of(clicked)
