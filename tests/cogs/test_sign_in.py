"""/link start through the simulated Discord and a browser without scripts."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import simcord

from bot.demo.people import Person
from bot.demo.scene import Scene
from tests.support.confirming import confirmed
from tests.support.payload_audit import assert_clean, assert_no_secret
from tests.support.plain_browser import PlainBrowser
from tests.support.readers import mark, read_in
from tests.support.seen import embed_text, text_of
from tests.support.stage import kept_open_with_sign_in, secrets_of

HANDED_OUT = "which is no known host over https"
"""The only addresses that lead elsewhere are the buttons to the page, here over plain http on this machine."""


@pytest.fixture
async def scene(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Scene]:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("aiosqlite").setLevel(logging.WARNING)
    async with kept_open_with_sign_in(tmp_path) as staged:
        yield staged
        assert_clean(staged.env, allowed=[HANDED_OUT])
        assert_no_secret(staged.env, secrets_of(staged))
        tokens = re.findall(r"/link/([\w-]{43})", str([request.json for request in staged.env.http_requests]))
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert tokens
    assert not any(token in caplog.text for token in tokens)


def address_in(result: simcord.InteractionResult) -> str:
    """Return the address of the button under an answer."""
    assert result.response is not None
    (row,) = result.response.components
    (button,) = row["components"]
    assert button["style"] == 5
    return str(button["url"])


async def sign_in(scene: Scene, address: str, person: Person) -> str:
    """Go the way of a browser from the address to the end and return the last page."""
    assert scene.steam is not None
    async with PlainBrowser(scene.steam) as browser:
        text = await browser.go_on(address)
        if "Simulated Steam" in text:
            text = await browser.be(person)
    service = scene.client.services.sign_ins
    while service._running:
        await asyncio.wait(tuple(service._running))
    return text


async def test_server_that_is_not_served_any_more(scene: Scene) -> None:
    """A sign-in that was started in a server links nothing once the desk no longer serves it."""
    address = address_in(await scene.agent.slash(scene.channel, "link start"))
    scene.client.services.guilds.use([scene.guild.id + 1])

    assert "Linked" not in await sign_in(scene, address, scene.world.collector)
    scene.client.services.guilds.use([scene.guild.id])
    assert "No Steam account" in text_of(await scene.agent.slash(scene.channel, "link status"))


async def test_from_beginning_to_end(scene: Scene) -> None:
    """A member signs in by the button, and the page, a follow-up and the status confirm the link."""
    log = scene.guild.create_text_channel("audit")
    await scene.client.services.settings.set_audit_channel(log.id, by=scene.owner)
    person = scene.world.other_customer
    started = await scene.moderator.slash(scene.channel, "link start")
    assert started.ephemeral
    assert "Give the address to no one" in text_of(started)

    page = await sign_in(scene, address_in(started), person)

    assert "Your Steam account is linked" in page
    followups = [request for request in scene.env.http_requests if "is yours on this server" in str(request.json)]
    assert [(request.json or {})["flags"] for request in followups] == [64]
    status = text_of(await scene.moderator.slash(scene.channel, "link status"))
    assert f"SteamID: `{person.steam_id}`\nLinked by signing in at Steam (<t:" in status
    assert scene.channel.history() == []
    post = embed_text(log.history()[-1].embeds[0])
    about = f"{scene.moderator.mention} · Steam account `{person.steam_id}` · How: `sign_in`"
    assert f"Steam account linked\n{about}\nBy: {scene.moderator.mention} · " in post


async def test_languages(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages are in the browser's language, and what follows in Discord is in the reader's own."""
    mark(monkeypatch, "de")
    read_in(monkeypatch, "de")
    started = await scene.moderator.slash(scene.channel, "link start")
    assert text_of(started).startswith("de: Link your Steam account")

    page = await sign_in(scene, address_in(started), scene.world.other_customer)

    assert "de: " not in page
    assert text_of(started).startswith("de: Link your Steam account\nde: This sign-in is done.")
    [followup] = [each for each in scene.env.http_requests if "is yours on this server" in str(each.json)]
    assert (followup.json or {})["embeds"][0]["title"] == "de: ✅ Your Steam account is linked"


async def test_button_where_a_link_is_missing(scene: Scene) -> None:
    """Without a link the refusal has a button to sign in; once linked, the user is asked first."""
    refused = await scene.moderator.slash(scene.channel, "trades", provider="mannco", scope="all")
    assert refused.response is not None
    assert "No Steam account is linked to you" not in text_of(refused)  # everyone's are listed to staff
    stranger = scene.guild.add_member(scene.env.create_user("stranger"))
    for command in ("trades", "inventory"):
        options = {"tradeurl": scene.world.collector.trade_url} if command == "inventory" else {}
        refused = await stranger.slash(scene.channel, command, **options)
        assert "No Steam account is linked to you" in text_of(refused)
    assert refused.response is not None
    started = await stranger.click(refused.response, label="Sign in at Steam")
    assert "Your Steam account is linked" in await sign_in(scene, address_in(started), scene.world.collector)

    asked = await stranger.click(refused.response, label="Sign in at Steam")
    assert "Sign in at Steam again?" in text_of(asked)


async def test_account_of_another_member(scene: Scene) -> None:
    """Another member's account is refused without naming its owner, and Discord shows nothing."""
    address = address_in(await scene.moderator.slash(scene.channel, "link start"))

    page = await sign_in(scene, address, scene.world.customer)

    assert "linked to another member" in page
    assert "mia" not in page.lower()
    assert not any("is yours on this server" in str(request.json) for request in scene.env.http_requests)
    assert "No Steam account" in text_of(await scene.moderator.slash(scene.channel, "link status"))


async def test_own_other_account(scene: Scene) -> None:
    """A member who signs in with another account sees from when their own resends count."""
    asked = await scene.customer.slash(scene.channel, "link start")
    assert f"SteamID `{scene.world.customer.steam_id}` is linked to you" in text_of(asked)
    assert "have to wait 72 hours" in text_of(asked)
    assert scene.client.services.sign_ins._begun == {}, "nothing is started before"
    started = await confirmed(asked, scene.customer, "Sign in again")

    await sign_in(scene, address_in(started), scene.world.other_customer)

    assert "This sign-in is done" in text_of(started)

    assert "⏳ You can ask for resends of your own trades later:" in text_of(
        await scene.customer.slash(scene.channel, "link status")
    )


async def test_erased_during_a_sign_in(scene: Scene) -> None:
    """A member who erases their data during a sign-in cannot finish it."""
    address = address_in(await scene.moderator.slash(scene.channel, "link start"))
    await scene.agent.slash(scene.channel, "link start")
    forget = await scene.moderator.slash(scene.channel, "mydata forget")
    await confirmed(forget, scene.moderator, "Forget me now")

    begun = scene.client.services.sign_ins._begun.values()
    assert [each.sign_in.user_id for each in begun] == [scene.agent.id], "the others go on"
    assert "can no longer be used" in await sign_in(scene, address, scene.world.other_customer)
