"""The audit of a whole test: everything discord.py sent, secrets in it, and Discord's own description."""

from collections.abc import AsyncIterator

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
from tests.support.payload_samples import CLEAN, answered, offered, posted, request, with_embed, with_row


def test_secret_query():
    """A violation does not repeat an address's query."""
    assert "hunter2" not in "".join(audit_requests(posted(content="https://evil.example/?token=hunter2")))


def test_other_hosts():
    """A test that configures an address of its own allows its host."""
    requests = with_row({"type": 2, "style": 5, "label": "Sign in", "url": "https://support.example.com/link"})

    assert audit_requests(requests, hosts={"support.example.com"}) == []


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
    """A secret is found anywhere in a request, also with markdown's backslashes, and is not repeated."""
    (found,) = find_secrets(requests, ["harmless", "aB_c-9Zx"])

    assert "secret 1 of 8 characters" in found
    assert "aB_c-9Zx" not in found.replace("/aB_c-9Zx", "")


with_description = pytest.mark.skipif(not DESCRIPTION.exists(), reason=f"no {DESCRIPTION.name} beside the repository")


@with_description
@pytest.mark.parametrize("requests", CLEAN.values(), ids=CLEAN)
def test_clean_by_description(requests):
    """Discord's own description accepts every clean sample."""
    assert validate_with_openapi(requests) == []


@with_description
@pytest.mark.parametrize(
    ("place", "requests"),
    [
        ("embeds/0/title breaks maxLength", with_embed(title="x" * 257)),
        ("data/title breaks maxLength", [answered(9, {"title": "x" * 46, "custom_id": "a", "components": []})]),
        ("no such operation", [request("POST", "/channels/1/nonsense", {})]),
    ],
)
def test_broken_by_description(place, requests):
    found = validate_with_openapi(requests)

    assert found
    assert any(place in violation for violation in found), found


class RudeBot(discord.Client):
    """Leaves its users waiting."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True), allowed_mentions=discord.AllowedMentions.none())
        self.tree = app_commands.CommandTree(self, allowed_contexts=app_commands.AppCommandContext(guild=True))
        self.tree.add_command(app_commands.Command(name="silent", description="Say nothing", callback=self.silent))
        self.tree.add_command(app_commands.Command(name="lazy", description="Only defer", callback=self.lazy))

    async def setup_hook(self) -> None:
        await self.tree.sync()

    async def silent(self, interaction: discord.Interaction) -> None:
        """Never answer."""

    async def lazy(self, interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)


@pytest.fixture
async def env() -> AsyncIterator[simcord.Env]:
    running = simcord.Env(RudeBot())
    await running.start()
    yield running
    await running.shutdown()


@pytest.mark.parametrize(("command", "violation"), [("silent", "never answered"), ("lazy", "never finished")])
async def test_left_waiting(env: simcord.Env, command: str, violation: str):
    """An unfinished interaction, an allowance that nothing needs, and a secret each fail the test."""
    guild = env.create_guild()
    await guild.add_member(env.create_user("alice")).slash(guild.create_text_channel("support"), command)

    assert_clean(env, allowed=[violation])
    with pytest.raises(AssertionError, match=violation):
        assert_clean(env)
    with pytest.raises(AssertionError, match="did not happen: answered twice"):
        assert_clean(env, allowed=[violation, "answered twice"])
    with pytest.raises(AssertionError, match="secret 0 of 11 characters"):
        assert_no_secret(env, ["Say nothing"])
