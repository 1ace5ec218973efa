"""/status through the simulated Discord, for everyone and for members with audit.read."""

from datetime import datetime, timedelta
from pathlib import Path

import simcord

from bot.demo.providers import faults
from bot.demo.scene import Scene
from tests.support.payload_audit import assert_clean
from tests.support.seen import text_of
from tests.support.stage import kept_open

LABELS = ("AssetPay", "AssetPay (client)", "AssetPay (.co)", "SkinsBack", "Mannco.store")
FAILING = "Its last answers were errors or did not come. It is still asked."
BREAKER_OPEN = "It failed several times in a row, so SkinDesk does not ask it for a while."


async def status(scene: Scene, actor: simcord.MemberActor) -> dict[str, list[str]]:
    """Return what /status says of each provider, in lines."""
    result = await actor.slash(scene.channel, "status")
    assert result.ephemeral
    assert result.response is not None
    return {str(field.name): str(field.value).split("\n") for field in result.response.embeds[0].fields}


async def fail(scene: Scene, times: int = 1) -> None:
    """Let lookups at AssetPay end in a proxy's page."""
    for _ in range(times):
        scene.providers.assetpay.faults.append(faults.html())
        result = await scene.agent.slash(scene.channel, "inventory", tradeurl=scene.world.customer.trade_url)
        assert "made no sense" in text_of(result)


def wait(scene: Scene, seconds: float) -> None:
    """Let time pass for desk and providers, but not for Discord: that would go through every second of it."""
    later = scene.clock.now() + timedelta(seconds=seconds)
    scene.clock.follow(lambda: later)


def relative(moment: datetime) -> str:
    return f"<t:{int(moment.timestamp())}:R>"


async def test_all_is_well(scene: Scene) -> None:
    """Everybody sees each provider that is on and that it works, and nothing of the merchant's quota."""
    for actor in (scene.customer, scene.agent):
        assert await status(scene, actor) == {label: ["✅ Working"] for label in LABELS}


async def test_quota(scene: Scene) -> None:
    """A reader of the audit sees what is left of each limit, the staff's part of it, and when a spent one is free."""
    for person in (scene.world.customer, scene.world.collector):
        await scene.agent.slash(scene.channel, "inventory", tradeurl=person.trade_url)
    seen = await status(scene, scene.moderator)

    assert seen["AssetPay"] == [
        "✅ Working",
        "▫️ inventories: 9,998 of 10,000 calls left this minute (2,000 for staff)",
    ]
    assert seen["AssetPay (.co)"][1:] == [
        "▫️ inventories: 1,000 of 1,000 calls left this minute (200 for staff)",
        "▫️ client tokens: 1,000,000 of 1,000,000 calls left this hour (200,000 for staff)",
    ]
    assert [line.partition(":")[0] for line in seen["Mannco.store"][1:]] == [
        "▫️ active trades",
        "▫️ all trades",
        "▫️ resends",
        "▫️ logins",
    ]

    scene.providers.skinsback.faults.append(faults.throttled(retry_after="90"))
    url = scene.world.customer.trade_url
    await scene.agent.slash(scene.channel, "inventory", tradeurl=url, provider="skinsback")
    free_at = relative(scene.clock.now() + timedelta(seconds=90))
    assert (await status(scene, scene.moderator))["SkinsBack"] == [
        "✅ Working",
        f"⛔ requests: 0 of 500 calls left this minute, free again {free_at}",
    ]


async def test_failing(scene: Scene) -> None:
    """A failing provider shows since its first failure, to the audit's readers with the last; then since it answers."""
    began = scene.clock.now()
    await fail(scene)
    wait(scene, 100)
    await fail(scene)

    for actor in (scene.customer, scene.agent):
        seen = await status(scene, actor)
        assert seen.pop("AssetPay") == [f"⚠️ Failing since {relative(began)}", FAILING]
        assert set(map(tuple, seen.values())) == {("✅ Working",)}
    assert (await status(scene, scene.moderator))["AssetPay"] == [
        f"⚠️ Failing since {relative(began)}",
        FAILING,
        "Last failure: The provider's answer made no sense",
        "▫️ inventories: 9,999 of 10,000 calls left this minute (2,000 for staff)",
    ]

    wait(scene, 20)
    answered = scene.clock.now()
    await scene.agent.slash(scene.channel, "inventory", tradeurl=scene.world.customer.trade_url)
    assert (await status(scene, scene.customer))["AssetPay"] == [f"✅ Working since {relative(answered)}"]


async def test_open_breaker(scene: Scene) -> None:
    """A provider that is left alone is shown with the end of its rest, while that lasts."""
    began = scene.clock.now()
    await fail(scene, 5)
    since = relative(began)

    expected = [
        f"❌ Paused after repeated failures since {since}",
        BREAKER_OPEN,
        f"It is asked again {relative(began + timedelta(seconds=15))}.",
    ]
    assert (await status(scene, scene.customer))["AssetPay"] == expected
    seen = (await status(scene, scene.moderator))["AssetPay"]
    assert seen[:4] == [*expected, "Last failure: The provider's answer made no sense"]

    wait(scene, 15)
    assert (await status(scene, scene.customer))["AssetPay"] == [f"⚠️ Failing since {since}", FAILING]


async def test_no_provider(tmp_path: Path) -> None:
    """A desk without any provider says so."""
    async with kept_open(tmp_path, providers={}) as scene:
        text = text_of(await scene.customer.slash(scene.channel, "status"))
        assert_clean(scene.env)

    assert "No provider is switched on here." in text
