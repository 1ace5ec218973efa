"""Discord gets the commands when they changed, and a slow Discord does not delay the start."""

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import discord
import pytest
from discord import app_commands
from discord.app_commands import TranslationContextLocation as Place

from bot.languages import LANGUAGES
from bot.ui.interaction.command_translator import CommandTranslator
from bot.ui.interaction.rights import NotDeclared, public
from bot.ui.interaction.session import Interaction
from bot.ui.interaction.tree import SkinDeskTree, sync_commands
from tests.support.made_up import Saying


@public("for a test")
async def status(interaction: Interaction) -> None:
    """Answer."""


class RecordedTree(SkinDeskTree):
    """A command tree that records its syncs; each waits for ``accepts`` and may fail."""

    def __init__(self, description: str = "See the providers", *, error: Exception | None = None) -> None:
        super().__init__(discord.Client(intents=discord.Intents(guilds=True)))
        self.add_command(app_commands.Command(name="status", description=description, callback=status))
        self.syncs: list[int | None] = []
        self.accepts = asyncio.Event()
        self._error = error

    async def fetch_commands(self, *, guild: Any = None) -> list[Any]:
        return [
            SimpleNamespace(type=discord.AppCommandType.chat_input, name=command.name)
            for command in self.get_commands(guild=guild)
        ]

    async def sync(self, *, guild: Any = None) -> list[Any]:
        await self.accepts.wait()
        if self._error is not None:
            raise self._error
        self.syncs.append(None if guild is None else guild.id)
        return []


class FakeSyncs(dict[str, str]):
    """Digests in memory."""

    async def digest(self, scope: str) -> str | None:
        return self.get(scope)

    async def put(self, scope: str, digest: str) -> None:
        self[scope] = digest


async def synced(tree: RecordedTree, digests: FakeSyncs, *guild_ids: int) -> list[int | None]:
    """Return the syncs of a start while Discord is quick."""
    tree.accepts.set()
    await sync_commands(tree, digests, guild_ids=guild_ids)
    return tree.syncs


async def test_changed_description() -> None:
    """A changed description is synced, once."""
    digests = FakeSyncs()
    descriptions = ("See the providers", "See the providers", "See whether the providers work")

    assert [await synced(RecordedTree(text), digests) for text in descriptions] == [[None], [], [None]]


async def test_changed_translation(monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed translation alone is synced, once."""
    digests, found = FakeSyncs(), []
    for mark in ("first", "first", "second", "second"):
        monkeypatch.setitem(LANGUAGES["de"].__dict__, "messages", Saying(f"{mark}: {{}}".format))
        found.append(await synced(RecordedTree(), digests))

    assert found == [[None], [], [None], []]


@pytest.mark.parametrize("place", [Place.command_name, Place.group_name, Place.parameter_name])
async def test_names_stay_english(place: Place) -> None:
    """Texts and documents quote the names of commands and options, even if a message is the same word."""
    translator, word = CommandTranslator(), app_commands.locale_str("status")
    of_name: Any = SimpleNamespace(location=place)
    of_choice: Any = SimpleNamespace(location=Place.choice_name)

    assert await translator.translate(word, discord.Locale.russian, of_name) is None
    assert await translator.translate(word, discord.Locale.russian, of_choice) not in (None, "status")


async def test_guilds() -> None:
    """Each guild is synced, and global commands are removed."""
    digests = FakeSyncs()

    assert await synced(RecordedTree(), digests, 11, 12) == [11, 12, None]
    assert await synced(RecordedTree(), digests, 11, 12) == []


async def test_undeclared_although_nothing_changed() -> None:
    """A command without a declaration stops the start, even if Discord has it already."""

    async def late(interaction: Interaction) -> None:
        """Answer."""

    tree, digests = RecordedTree(), FakeSyncs()
    group = app_commands.Group(name="group", description="A group")
    tree.add_command(group)
    group.add_command(app_commands.Command(name="late", description="Late", callback=public("for a test")(late)))
    await synced(tree, digests)
    del late.__skindesk_requirement__  # type: ignore[attr-defined]

    with pytest.raises(NotDeclared):
        await synced(tree, digests)


@pytest.mark.parametrize("error", [None, LookupError("no")])
async def test_slow(caplog: pytest.LogCaptureFixture, error: Exception | None) -> None:
    """If Discord is slow, the start goes on, and the end of the sync is logged."""
    caplog.set_level(logging.INFO)
    tree, digests = RecordedTree(error=error), FakeSyncs()
    await sync_commands(tree, digests, guild_ids=(), patience=0.01)
    assert (tree.syncs, caplog.messages) == ([], ["commands not synced yet: Discord is slow"])

    [work] = [task for task in asyncio.all_tasks() if task.get_name() == "command sync"]
    tree.accepts.set()
    await asyncio.wait({work}, timeout=5.0)
    await asyncio.sleep(0)
    assert len(tree.syncs) == len(digests) == (1 if error is None else 0)
    assert ("commands not synced error=LookupError" in caplog.messages) is (error is not None)


async def test_refused() -> None:
    """A refusal stops the start, and the next start tries again."""
    digests = FakeSyncs()
    with pytest.raises(LookupError):
        await synced(RecordedTree(error=LookupError("no")), digests)

    assert await synced(RecordedTree(), digests) == [None]
