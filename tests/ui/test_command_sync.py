"""Discord is told the commands when they changed, and a slow Discord holds up no start."""

import asyncio
import logging
from typing import Any

import discord
import pytest

from bot.ui.interaction.rights import public
from bot.ui.interaction.tree import sync_commands


class Commands:
    """A command as a tree holds it."""

    name = "status"

    def __init__(self, description: str = "See how it is") -> None:
        self._description = description

    @staticmethod
    @public("it is a test's")
    async def callback() -> None:
        """Do nothing."""

    def to_dict(self, _tree: object) -> dict[str, str]:
        return {"name": self.name, "description": self._description}


class Tree:
    """As much of a command tree as counts here. ``told`` are the syncs; each waits for ``turn`` and may fail."""

    def __init__(self, *, error: Exception | None = None) -> None:
        self.client = type("Client", (), {"application_id": 7})
        self.commands: list[Any] = [Commands()]
        self.at_discord: list[Any] = []
        self.told: list[int | None] = []
        self.turn = asyncio.Event()
        self.turn.set()
        self._error = error

    def copy_global_to(self, *, guild: discord.Object) -> None:
        del guild

    def clear_commands(self, *, guild: discord.Object | None) -> None:
        del guild

    def get_commands(self, *, guild: discord.Object | None = None) -> list[Any]:
        del guild
        return self.commands

    async def fetch_commands(self, *, guild: discord.Object | None = None) -> list[Any]:
        del guild
        return [type("Told", (), {"type": discord.AppCommandType.chat_input, "name": name}) for name in self.at_discord]

    async def sync(self, *, guild: discord.Object | None = None) -> list[Any]:
        await self.turn.wait()
        if self._error is not None:
            raise self._error
        self.told.append(guild.id if guild is not None else None)
        self.at_discord = [command.name for command in self.commands]
        return self.commands


class Synced:
    """Digests in memory."""

    def __init__(self) -> None:
        self.digests: dict[str, str] = {}

    async def digest(self, scope: str) -> str | None:
        return self.digests.get(scope)

    async def put(self, scope: str, digest: str) -> None:
        self.digests[scope] = digest


async def started(tree: Any, synced: Synced | None, *guild_ids: int, patience: float = 5.0) -> None:
    await sync_commands(tree, synced, guild_ids=guild_ids, patience=patience)


async def told_afterwards() -> None:
    """Wait for the work that goes on beside a start, and until its end has been seen."""
    [work] = [task for task in asyncio.all_tasks() if task.get_name() == "command sync"]
    await asyncio.wait({work}, timeout=5.0)
    await asyncio.sleep(0)


async def test_same_commands() -> None:
    """The second start with the same commands tells Discord nothing."""
    tree, synced = Tree(), Synced()
    for _ in range(3):
        await started(tree, synced)

    assert tree.told == [None]


async def test_other_commands() -> None:
    """A changed description is a change, and so is a command that somebody took away at Discord."""
    tree, synced = Tree(), Synced()
    await started(tree, synced)
    tree.commands = [Commands("See how it is now")]
    await started(tree, synced)
    assert tree.told == [None, None]

    tree.at_discord = []
    await started(tree, synced)
    assert tree.told == [None, None, None]


async def test_some_guilds() -> None:
    """Each guild is told by itself, and what was told everywhere is taken back."""
    tree, synced = Tree(), Synced()
    await started(tree, synced, 11, 12)

    assert tree.told == [11, 12, None]
    assert set(synced.digests) == {"7:11", "7:12", "7:everywhere"}


async def test_nothing_to_remember_with() -> None:
    """Without a memory Discord is told each time."""
    tree = Tree()
    for _ in range(2):
        await started(tree, None)

    assert tree.told == [None, None]


async def test_slow(caplog: pytest.LogCaptureFixture) -> None:
    """A start goes on after its patience, and the commands are told when Discord takes them."""
    caplog.set_level(logging.INFO)
    tree, synced = Tree(), Synced()
    tree.turn.clear()
    await started(tree, synced, patience=0.01)
    assert tree.told == []
    assert "commands not synced yet: Discord is slow" in caplog.messages

    tree.turn.set()
    await told_afterwards()
    assert tree.told == [None]


async def test_refused() -> None:
    """A refusal in time ends the start, and nothing is remembered as told."""
    tree, synced = Tree(error=LookupError("no")), Synced()
    with pytest.raises(LookupError):
        await started(tree, synced)
    assert synced.digests == {}


async def test_refused_later(caplog: pytest.LogCaptureFixture) -> None:
    """A refusal after the start is said in the log, and the next start tries again."""
    caplog.set_level(logging.INFO)
    tree, synced = Tree(error=LookupError("no")), Synced()
    tree.turn.clear()
    await started(tree, synced, patience=0.01)
    tree.turn.set()
    await told_afterwards()
    assert "commands not synced error=LookupError" in caplog.messages
    assert synced.digests == {}
