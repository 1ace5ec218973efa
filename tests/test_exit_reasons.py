"""Errors are recognised in what wraps them."""

import ssl

import discord
import pytest

from bot.discord_faults import discord_fault
from bot.exit_codes import ExitCode
from bot.exit_reasons import exit_reason


@pytest.mark.parametrize("code", range(4010, 4015))
def test_close_code_for_a_person(code: int):
    """A close code that cannot pass ends the run for a person, and the line names it."""
    known = exit_reason(discord.ConnectionClosed(None, shard_id=0, code=code))  # type: ignore[arg-type]
    assert known is not None
    assert known.code == ExitCode.CONFIG
    assert f"close code {code}" in known.message


def test_wrapped():
    """A cause and a group are seen through; a group with an unknown error is unknown, and so is a file's error."""
    gateway = discord.GatewayNotFound()
    gateway.__cause__ = ssl.SSLError("wrong version")
    assert "not secure" in str(discord_fault(gateway))

    intents = discord.PrivilegedIntentsRequired(0)
    known = exit_reason(ExceptionGroup("start", [TimeoutError(), ExceptionGroup("more", [intents])]))
    assert known is not None
    assert known.code == ExitCode.CONFIG
    assert discord_fault(ExceptionGroup("start", [TimeoutError(), KeyError("id")])) is None
    assert discord_fault(FileNotFoundError(2, "No such file")) is None
