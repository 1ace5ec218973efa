"""What cannot be undone asks first: forgetting, removing a link, and signing in at Steam while linked."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import simcord

from bot.demo.scene import Scene
from bot.domain.steam import SteamId
from tests.cogs.test_inventory import wait
from tests.cogs.test_resend_life import restarted
from tests.support.confirming import confirmed
from tests.support.seen import extra_text_of, text_of

QUESTIONS = {"mydata forget": "Forget me now", "link remove": "Remove link"}
NEW = str(SteamId.from_account_id(77))


async def is_linked(scene: Scene) -> bool:
    status = text_of(await scene.customer.slash(scene.channel, "link status"))
    return str(scene.world.customer.steam_id) in status


async def ask(scene: Scene, command: str) -> simcord.InteractionResult:
    asked = await scene.customer.slash(scene.channel, command)
    assert asked.ephemeral
    return asked


async def at_once(_scene: Scene) -> None:
    """Press at once."""


async def after_a_restart(scene: Scene) -> None:
    await restarted(scene)


@pytest.mark.parametrize("meanwhile", [at_once, after_a_restart])
@pytest.mark.parametrize("command", QUESTIONS)
async def test_confirmed(scene: Scene, command: str, meanwhile: Callable[[Scene], Coroutine[Any, Any, None]]) -> None:
    """The question names account and waiting time, and nothing happens before the press, after a restart too."""
    asked = await ask(scene, command)
    text = text_of(asked)

    assert f"`{scene.world.customer.steam_id}`" in text
    assert "72 hours" in text
    assert await is_linked(scene)
    await meanwhile(scene)
    done = await confirmed(asked, scene.customer, QUESTIONS[command])
    assert text_of(done).startswith("✅")
    assert done.response is not None
    assert done.response.components == [], "the question is gone"
    assert not await is_linked(scene)


@pytest.mark.parametrize("command", QUESTIONS)
async def test_way_out(scene: Scene, command: str) -> None:
    """The other button changes nothing, and takes the question away."""
    kept = await confirmed(await ask(scene, command), scene.customer, "Keep it as it is")

    assert "Nothing was changed" in text_of(kept)
    assert kept.response is not None
    assert kept.response.components == []
    assert await is_linked(scene)


@pytest.mark.parametrize("command", QUESTIONS)
async def test_too_late(scene: Scene, command: str) -> None:
    """A question that is older than ten minutes is not answered any more: what it says may not be true by then."""
    asked = await ask(scene, command)
    wait(scene, 601)

    late = await confirmed(asked, scene.customer, QUESTIONS[command])

    assert "This page has expired" in extra_text_of(late)
    assert await is_linked(scene)


@pytest.mark.parametrize("command", QUESTIONS)
async def test_another_link(scene: Scene, command: str) -> None:
    """A press removes the link that the question names, and not one that was made after it."""
    asked = await ask(scene, command)
    wait(scene, 2)
    await scene.agent.slash(scene.channel, "link set", member=scene.customer, steam=NEW)

    late = await confirmed(asked, scene.customer, QUESTIONS[command])

    assert "This page has expired" in extra_text_of(late)
    assert NEW in text_of(await scene.customer.slash(scene.channel, "link status"))


async def test_nothing_to_remove(scene: Scene) -> None:
    """Without a link there is nothing to ask about, and an erasure does not speak of one."""
    assert "No Steam account is linked to you" in text_of(await scene.agent.slash(scene.channel, "link remove"))
    asked = text_of(await scene.agent.slash(scene.channel, "mydata forget"))

    assert "SteamID" not in asked
    assert "errors" in asked
