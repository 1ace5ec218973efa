"""/status through the simulated Discord, for everyone and for members with audit.read."""

from datetime import datetime

import simcord

from bot.demo.people import Person
from bot.demo.providers import faults
from bot.demo.scene import Scene
from tests.cogs.test_inventory import wait
from tests.support.seen import text_of

FAILING = "Its last answers were errors, or none came. SkinDesk still asks it."


async def status(scene: Scene, actor: simcord.MemberActor) -> dict[str, list[str]]:
    """Return what /status says of each provider, in lines."""
    result = await actor.slash(scene.channel, "status")
    assert result.ephemeral
    assert result.response is not None
    return {str(field.name): str(field.value).split("\n") for field in result.response.embeds[0].fields}


async def fail(scene: Scene, *, of: Person | None = None) -> None:
    """Let a lookup at AssetPay end in a proxy's page."""
    scene.providers.assetpay.faults.append(faults.html())
    url = (of or scene.world.customer).trade_url
    assert "could not read the provider's answer" in text_of(
        await scene.agent.slash(scene.channel, "inventory", tradeurl=url)
    )


def relative(moment: datetime) -> str:
    return f"<t:{int(moment.timestamp())}:R>"


async def test_failing(scene: Scene) -> None:
    """A failing provider shows since its first failure, to the audit's readers with the last; then since it answers."""
    began = scene.clock.now()
    await fail(scene)
    wait(scene, 100)
    await fail(scene)

    for actor in (scene.customer, scene.agent):
        seen = await status(scene, actor)
        assert seen.pop("AssetPay") == [f"⚠️ Failing · since: {relative(began)}", FAILING]
        assert set(map(tuple, seen.values())) == {("✅ Working",)}
    assert (await status(scene, scene.moderator))["AssetPay"] == [
        f"⚠️ Failing · since: {relative(began)}",
        FAILING,
        "Last failure: SkinDesk could not read the provider's answer",
        "▫️ Inventories: 9,999 of 10,000 calls left · per minute · 2,000 for the staff only",
        "▫️ Trades: 3,000 of 3,000 calls left · per minute · 600 for the staff only",
        "▫️ Trade URL checks: 100,000 of 100,000 calls left · per hour · 20,000 for the staff only",
    ]

    wait(scene, 20)
    answered = scene.clock.now()
    await scene.agent.slash(scene.channel, "inventory", tradeurl=scene.world.customer.trade_url)
    assert (await status(scene, scene.customer))["AssetPay"] == [f"✅ Working · since: {relative(answered)}"]


async def test_open_breaker(scene: Scene) -> None:
    """A provider that fails for several accounts is shown as paused, and as failing if nobody asks for a while."""
    began = relative(scene.clock.now())
    for person in (scene.world.customer, scene.world.other_customer, scene.world.collector):
        await fail(scene, of=person)

    paused = f"❌ Paused after repeated failures · since: {began}"
    assert (await status(scene, scene.customer))["AssetPay"][0] == paused
    wait(scene, 60)
    assert (await status(scene, scene.customer))["AssetPay"] == [f"⚠️ Failing · since: {began}", FAILING]
