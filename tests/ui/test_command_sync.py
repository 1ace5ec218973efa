"""Discord gets the commands when they changed, and a slow Discord does not delay the start."""

import asyncio
import logging
from typing import Any

import discord
import pytest

from bot.ui.interaction.rights import public
from bot.ui.interaction.tree import sync_commands


class FakeCommand:
    """A command of a tree."""

    name = "status"

    def __init__(self, description: str = "See the providers") -> None:
        self._description = description

    @staticmethod
    @public("for a test")
    async def callback() -> None:
        """Do nothing."""

    def to_dict(self, _tree: object) -> dict[str, str]:
        return {"name": self.name, "description": self._description}


class FakeTree:
    """A command tree that records its syncs; each waits for ``accepts`` and may fail."""

    def __init__(self, *, error: Exception | None = None) -> None:
        self.client = type("Client", (), {"application_id": 7})
        self.commands: list[Any] = [FakeCommand()]
        self.syncs: list[int | None] = []
        self.accepts = asyncio.Event()
        self.accepts.set()
        self._error = error

    def copy_global_to(self, *, guild: discord.Object) -> None: ...

    def clear_commands(self, *, guild: discord.Object | None) -> None: ...

    def get_commands(self, *, guild: discord.Object | None = None) -> list[Any]:
        return self.commands

    async def fetch_commands(self, *, guild: discord.Object | None = None) -> list[Any]:
        return [type("Synced", (), {"type": discord.AppCommandType.chat_input, "name": FakeCommand.name})]

    async def sync(self, *, guild: discord.Object | None = None) -> list[Any]:
        await self.accepts.wait()
        if self._error is not None:
            raise self._error
        self.syncs.append(guild.id if guild is not None else None)
        return self.commands


class FakeSyncs:
    """Digests in memory."""

    def __init__(self) -> None:
        self.digests: dict[str, str] = {}

    async def digest(self, scope: str) -> str | None:
        return self.digests.get(scope)

    async def put(self, scope: str, digest: str) -> None:
        self.digests[scope] = digest


async def sync(tree: Any, synced: FakeSyncs | None, *guild_ids: int, patience: float = 5.0) -> None:
    await sync_commands(tree, synced, guild_ids=guild_ids, patience=patience)


async def background_sync() -> None:
    """Wait for the sync that goes on after the start."""
    [work] = [task for task in asyncio.all_tasks() if task.get_name() == "command sync"]
    await asyncio.wait({work}, timeout=5.0)
    await asyncio.sleep(0)


async def test_changed_description() -> None:
    """A changed description is synced, once."""
    tree, synced = FakeTree(), FakeSyncs()
    await sync(tree, synced)
    tree.commands = [FakeCommand("See whether the providers work")]
    for _ in range(2):
        await sync(tree, synced)

    assert tree.syncs == [None, None]


async def test_guilds() -> None:
    """Each guild is synced, and global commands are removed."""
    tree, synced = FakeTree(), FakeSyncs()
    await sync(tree, synced, 11, 12)

    assert tree.syncs == [11, 12, None]
    assert set(synced.digests) == {"7:11", "7:12", "7:everywhere"}


async def test_slow(caplog: pytest.LogCaptureFixture) -> None:
    """If Discord is slow, the start goes on, and the sync ends later."""
    caplog.set_level(logging.INFO)
    tree = FakeTree()
    tree.accepts.clear()
    await sync(tree, FakeSyncs(), patience=0.01)
    assert tree.syncs == []
    assert "commands not synced yet: Discord is slow" in caplog.messages

    tree.accepts.set()
    await background_sync()
    assert tree.syncs == [None]


@pytest.mark.parametrize("is_slow", [False, True])
async def test_refused(caplog: pytest.LogCaptureFixture, *, is_slow: bool) -> None:
    """A refusal stops the start; one that comes later is logged. The next start tries again."""
    caplog.set_level(logging.INFO)
    tree, synced = FakeTree(error=LookupError("no")), FakeSyncs()
    if is_slow:
        tree.accepts.clear()
        await sync(tree, synced, patience=0.01)
        tree.accepts.set()
        await background_sync()
        assert "commands not synced error=LookupError" in caplog.messages
    else:
        with pytest.raises(LookupError):
            await sync(tree, synced)

    assert synced.digests == {}
