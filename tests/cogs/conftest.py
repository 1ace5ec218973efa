"""A staged desk for every command test, and the audit of everything it sent to Discord."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.demo.scene import Scene
from tests.support.payload_audit import assert_clean, assert_no_secret
from tests.support.stage import kept_open, secrets_of


@pytest.fixture
async def scene(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Scene]:
    """The real bot in a simulated Discord; afterwards every payload is audited and nothing unexpected was logged."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("aiosqlite").setLevel(logging.WARNING)
    async with kept_open(tmp_path) as staged_scene:
        yield staged_scene
        assert_clean(staged_scene.env)
        assert_no_secret(staged_scene.env, secrets_of(staged_scene))
    logged = caplog.get_records("call")  # here, after the test, caplog.records is empty again
    names = dict(staged_scene.client.interaction_names())  # a name that is missing hides its first failure in metrics
    for record in logged:
        if record.getMessage() == "interaction handled":
            command, is_suggestion = vars(record)["command"], record.levelno == logging.DEBUG
            assert names.get(command) in ({True} if is_suggestion else {True, False}), command
    assert [record.getMessage() for record in logged if record.levelno >= logging.ERROR] == []
    text = "\n".join(caplog.handler.format(record) for record in logged)
    for secret in secrets_of(staged_scene):
        assert secret not in text
    await asyncio.sleep(0)
