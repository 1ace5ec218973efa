"""The audit of a whole test: what discord.py sent, secrets in it, and Discord's own description."""

from collections.abc import AsyncIterator
from pathlib import Path

import discord
import pytest
import simcord
from discord import app_commands
from simcord.types import HttpLogEntry

from tests.support.openapi_rules import DESCRIPTION
from tests.support.payload_audit import (
    assert_clean,
    assert_no_secret,
    audit_requests,
    find_secrets,
    validate_with_openapi,
)
from tests.support.payload_samples import (
    CLEAN,
    COMMAND,
    answered,
    offered,
    posted,
    request,
    synced,
    with_embed,
    with_row,
)


def test_secret_query():
    """A violation does not repeat what comes behind the host of an address."""
    assert "hunter2" not in "".join(audit_requests(posted(content="https://evil.example/?token=hunter2")))


def test_other_hosts():
    """A test that configures an address of its own allows its host."""
    requests = with_row({"type": 2, "style": 5, "label": "Sign in", "url": "https://desk.example.com/link"})

    assert audit_requests(requests, hosts={"desk.example.com"}) == []


@pytest.mark.parametrize(
    "requests",
    [
        posted(content=r"it is aB\_c-9Zx"),
        with_embed(fields=[{"name": "aB_c-9Zx", "value": "v"}]),
        offered({"name": "x", "value": "?token=aB_c-9Zx"}),
        [HttpLogEntry("GET", "/gateway", {"token": "aB_c-9Zx"}, None, None)],
        [request("GET", "/aB_c-9Zx")],
    ],
    ids=["escaped", "field", "choice", "parameter", "path"],
)
def test_secret(requests):
    """A secret is found wherever it stands, also behind markdown's backslashes, and is not repeated."""
    (found,) = find_secrets(requests, ["harmless", "aB_c-9Zx"])

    assert "secret 1 of 8 characters" in found
    assert "aB_c-9Zx" not in found.replace("/aB_c-9Zx", "")


def test_no_secret():
    """Nothing is found where nothing is, and an empty secret is a mistake of the test."""
    assert find_secrets(posted(content="aB_c-9Z"), ["aB_c-9Zx"]) == []
    with pytest.raises(ValueError, match="everywhere"):
        find_secrets([], [""])


needs_description = pytest.mark.skipif(not DESCRIPTION.exists(), reason=f"no {DESCRIPTION.name} beside the repository")


@needs_description
@pytest.mark.parametrize("requests", CLEAN.values(), ids=CLEAN)
def test_clean_by_description(requests):
    """What the audit takes, Discord's own description takes too."""
    assert validate_with_openapi(requests) == []


@needs_description
@pytest.mark.parametrize(
    ("place", "requests"),
    [
        ("embeds/0/title breaks maxLength", with_embed(title="x" * 257)),
        ("content breaks type", posted(content=1)),
        ("data/title breaks maxLength", [answered(9, {"title": "x" * 46, "custom_id": "a", "components": []})]),
        ("data breaks anyOf", [answered(8)]),
        ("0/options", synced({**COMMAND, "options": [{"type": 99, "name": "a", "description": "b"}]})),
        ("no such operation", [request("POST", "/channels/1/nonsense", {})]),
    ],
)
def test_broken_by_description(place, requests):
    """A body that Discord's description refuses is named with its place."""
    found = validate_with_openapi(requests)

    assert found
    assert any(place in violation for violation in found), found


@needs_description
def test_whole_number_as_id():
    """A whole number passes for an id, because Discord takes it and discord.py sends it."""
    assert validate_with_openapi([request("POST", "/users/@me/channels", {"recipient_id": 1})]) == []


def test_description_absent(tmp_path: Path):
    """Without the description the answer is that nothing was checked, not that all is well."""
    assert validate_with_openapi(posted(content="x"), tmp_path / "absent.json") is None


class Services(discord.Client):
    """A small bot with good and bad manners."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True), allowed_mentions=discord.AllowedMentions.none())
        self.tree = app_commands.CommandTree(self, allowed_contexts=app_commands.AppCommandContext(guild=True))
        self.tree.add_command(app_commands.Command(name="good", description="Answer", callback=self.good))
        self.tree.add_command(app_commands.Command(name="silent", description="Say nothing", callback=self.silent))
        self.tree.add_command(app_commands.Command(name="lazy", description="Only defer", callback=self.lazy))

    async def setup_hook(self) -> None:
        await self.tree.sync()

    async def good(self, interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        view = discord.ui.View(timeout=None)
        view.add_item(discord.ui.Button(label="Next", custom_id="next"))
        await interaction.edit_original_response(embed=discord.Embed(title="Inventory"), view=view)
        await interaction.followup.send("More of it", ephemeral=True)

    async def silent(self, interaction: discord.Interaction) -> None:
        """Leave the person waiting."""

    async def lazy(self, interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)


@pytest.fixture
async def env() -> AsyncIterator[simcord.Env]:
    running = simcord.Env(Services())
    await running.start()
    yield running
    await running.shutdown()


async def use(env: simcord.Env, command: str) -> None:
    guild = env.create_guild()
    member = guild.add_member(env.create_user("alice"))
    await member.slash(guild.create_text_channel("desk"), command)


async def test_good_manners(env):
    """What discord.py sends for a well-behaved command is clean, its commands and their sync included."""
    await use(env, "good")

    assert_clean(env)
    assert_no_secret(env, ["hunter2"])


@pytest.mark.parametrize(("command", "violation"), [("silent", "never answered"), ("lazy", "never finished")])
async def test_bad_manners(env, command, violation):
    """An interaction that is left alone fails the test that ignores it, and only that test."""
    await use(env, command)

    with pytest.raises(AssertionError, match=violation):
        assert_clean(env)
    assert_clean(env, allowed=[violation])


async def test_allowance_unused(env):
    """An allowance that nothing needs fails, so that none outlives its reason."""
    await use(env, "good")

    with pytest.raises(AssertionError, match="did not happen: answered twice"):
        assert_clean(env, allowed=["answered twice"])


async def test_secret_sent(env):
    """A secret in what discord.py sent fails the test."""
    await use(env, "good")

    with pytest.raises(AssertionError, match="secret 0 of 7 characters"):
        assert_no_secret(env, ["More of"])
