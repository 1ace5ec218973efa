"""The demo's page without a browser: lines to paste, ages, and pictures. See also tests/e2e/test_demo_page.py."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import simcord
from discord import app_commands
from PIL import Image

from bot.demo.page import administrator, suggestions, welcome
from bot.demo.pasted import CommandLine, command_line, mentionable
from bot.demo.pictures import pictures
from bot.demo.preview import adapt
from bot.demo.runner import Showing
from bot.demo.scene import Scene
from bot.demo.world import World
from bot.domain.steam import image_url
from tests.support.payload_audit import assert_clean
from tests.support.seen import embed_text
from tests.support.stage import kept_open_with_sign_in


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    logging.getLogger("aiosqlite").setLevel(logging.WARNING)
    async with kept_open_with_sign_in(tmp_path) as opened:
        yield opened


def everyone(scene: Scene) -> dict[str, simcord.MemberActor]:
    """Return the people of the page by the name with which their suggestions begin."""
    kim = administrator(scene)
    return {"Mia": scene.customer, "Robin": scene.moderator, "Alex": scene.agent, "Kim": kim, "Anyone": kim}


async def test_suggested_lines(scene: Scene) -> None:
    """Every suggested line, pasted whole by its person, is answered, and none is refused."""
    people = everyone(scene)
    with scene.env.time_context():
        await scene.client.get_partial_messageable(scene.channel.id).send(embeds=welcome(scene))
    for part in suggestions(scene):
        person = people[part.who.replace(",", "").split()[0]]
        for line, _ in part.lines:
            command = command_line(line, scene.client.tree, mentionable(scene, list(people.values())))
            assert command is not None, line
            await person.slash(scene.channel, command.command, **command.options)
            answer = scene.channel.history(viewer=person)[-1]
            assert "may not do that" not in "".join(map(embed_text, answer.embeds)), line
    assert_clean(scene.env, allowed=["leads to http://localhost"])


@pytest.fixture
def tree(scene: Scene) -> app_commands.CommandTree:
    return scene.client.tree


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("/status", CommandLine("status", {})),
        ("  /access list\n", CommandLine("access list", {})),
        ("/resend id:7 reason:he said: later", CommandLine("resend", {"id": "7", "reason": "he said: later"})),
        (
            "/inventory tradeurl:https://x.example/?a=1 min_price:0.5 refresh:True",
            CommandLine("inventory", {"tradeurl": "https://x.example/?a=1", "min_price": 0.5, "refresh": True}),
        ),
        ("/audit member:@mia limit:5", CommandLine("audit", {"member": "Mia", "limit": 5})),
        ("/trades scope:all", CommandLine("trades", {"scope": "all"})),
        ("/trades scope:some", None),
        ("/audit limit:five", None),
        ("/audit limit:0", None),
        ("/audit limit:9999", None),
        ("/audit member:@nobody", None),
        ("/resend reason:no id", None),
        ("/status of the desk", None),
        ("/access", None),
        ("/nothing", None),
        ("hello", None),
        ("", None),
    ],
)
async def test_pasted_line(tree: app_commands.CommandTree, text: str, read: CommandLine | None) -> None:
    """A line is read as Discord reads it, or stays a message."""
    assert command_line(text, tree, {"@mia": "Mia"}) == read


async def test_ages(scene: Scene) -> None:
    """What the bot says after a while is never in the page's future."""
    async with scene.env.preview(scene.channel, viewers=[scene.customer], layout="channel") as preview:
        showing = Showing(scene, preview, asyncio.Lock())
        for _ in range(3):
            await showing.step(refresh=False)
        answer = await scene.customer.slash(scene.channel, "status")
        assert answer.response is not None
        assert preview.capture_time >= answer.response.message.created_at


def test_pictures() -> None:
    """Every item with a plain icon has a picture of our own at the address that an answer names."""
    world = World()
    drawn = pictures(world)
    items = [item for person in world.people for owned in person.inventories.values() for item in owned]
    assert {image_url(item.icon_hash) for item in items} - {None} == set(drawn)
    assert len({png for _, png in drawn.values()}) > 10
    for png in {png for _, png in drawn.values()}:
        assert Image.open(io.BytesIO(png)).convert("RGB").getcolors(3) is not None


class Posting:
    """A page that posts messages as SimCord's script does."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._address, _, capability = url.partition("#")
        self._headers = {"X-Simcord-Capability": capability}
        self._state: dict[str, Any] = {}

    async def open(self) -> None:
        """Open the page."""
        self._state = await self._post("pages", {})
        self._headers["X-Simcord-Context"] = self._state["context"]["id"]

    async def send(self, content: str, number: int) -> dict[str, Any]:
        """Send the page's message of this number; return the receipt."""
        return await self._post(
            "action",
            {
                "kind": "send_message",
                "content": content,
                "protocol_version": 3,
                "sequence": number,
                "request_id": str(number),
                "generation": self._state["context"]["generation"],
                "bot_generation": self._state["botGeneration"],
                "published_revision": self._state["publishedRevision"],
            },
        )

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self._session.post(f"{self._address}api/{path}", json=body, headers=self._headers) as answer:
            assert answer.status == 200
            return dict(await answer.json())


@pytest.mark.parametrize("line", ["/status", "hello"])
async def test_clock_moves_during_an_action(scene: Scene, line: str) -> None:
    """A line that is sent while the clock moves, from a page that was refreshed since, is answered."""
    preview = scene.env.preview(scene.channel, viewers=[scene.customer], layout="channel")
    lock = adapt(preview, lambda text: command_line(text, scene.client.tree, {}))
    showing = Showing(scene, preview, lock)
    async with preview, aiohttp.ClientSession() as session:
        page = Posting(session, preview.url)
        await page.open()
        for number in range(1, 6):
            _, receipt = await asyncio.gather(showing.step(refresh=True), page.send(line, number))
            assert (receipt["rejected"], receipt["settlement"]) == (False, "settled")
