"""/status through the simulated Discord: what everybody may know of the providers, and what the audit's readers may."""

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import simcord

from bot.demo.providers import faults
from bot.demo.scene import Scene
from bot.domain.access import Capability
from bot.domain.health import Quota
from cogs.status import _per, _quota_line, _summary
from tests.support.payload_audit import assert_clean
from tests.support.seen import text_of
from tests.support.stage import kept_open

LABELS = ("AssetPay", "AssetPay (client)", "AssetPay (.co)", "SkinsBack", "Mannco.store")
DETAILS = ("Last failure", "calls left", "for staff", "made no sense", "nonsense")
"""What only those see who may read the audit."""
FAILING = "Its last answers were errors or did not come. It is still asked."
RESTING = "It failed several times in a row, so SkinDesk does not ask it for a while."


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


async def test_resting(scene: Scene) -> None:
    """A provider that is left alone is shown with the end of its rest, while that lasts."""
    began = scene.clock.now()
    await fail(scene, 5)
    since = relative(began)

    expected = [
        f"❌ Paused after repeated failures since {since}",
        RESTING,
        f"It is asked again {relative(began + timedelta(seconds=15))}.",
    ]
    assert (await status(scene, scene.customer))["AssetPay"] == expected
    seen = (await status(scene, scene.moderator))["AssetPay"]
    assert seen[:4] == [*expected, "Last failure: The provider's answer made no sense"]

    wait(scene, 15)
    assert (await status(scene, scene.customer))["AssetPay"] == [f"⚠️ Failing since {since}", FAILING]


async def test_summary(scene: Scene) -> None:
    """The first line says whether all is well, and how many are not."""
    assert "✅ All of them work." in text_of(await scene.customer.slash(scene.channel, "status"))
    await fail(scene)
    assert "⚠️ 1 of 5 providers has trouble." in text_of(await scene.customer.slash(scene.channel, "status"))
    assert _summary(5, 4).endswith("; the other providers work.")
    assert _summary(1, 1) == "⚠️ 1 of 1 provider has trouble. Your items and trades are not touched by that."


@pytest.mark.parametrize(
    ("left", "shown"),
    [
        (500, "▫️ requests: 500 of 500 calls left this minute (100 for staff)"),
        (100, "🔻 requests: 100 of 500 calls left this minute (all for staff)"),
        (0, "⛔ requests: 0 of 500 calls left this minute"),
    ],
)
def test_what_is_left(left: int, shown: str) -> None:
    """What is left of a limit is a symbol and words: enough, enough for the staff, nothing."""
    assert _quota_line(Quota("requests", 500, timedelta(minutes=1), left, 100)) == shown


def test_windows() -> None:
    """A window is said in its own unit."""
    windows = [
        timedelta(seconds=1),
        timedelta(minutes=1),
        timedelta(minutes=5),
        timedelta(hours=1),
        timedelta(hours=24),
    ]

    assert [_per(window) for window in windows] == [
        "this second",
        "this minute",
        "in 5 minutes",
        "this hour",
        "in 24 hours",
    ]
    assert _per(timedelta(seconds=0.5)) == "in 0.5 seconds"


async def test_refusals_are_no_failures(scene: Scene) -> None:
    """A provider that says no to one account after the other works."""
    for _ in range(6):
        url = scene.world.private.trade_url
        assert "could not be loaded" in text_of(await scene.agent.slash(scene.channel, "inventory", tradeurl=url))

    assert (await status(scene, scene.customer))["AssetPay"] == ["✅ Working"]


async def test_details_after_a_revocation(scene: Scene) -> None:
    """The details belong to the capability, which counts as it is at the moment."""
    await fail(scene)
    result = await scene.moderator.slash(scene.channel, "status")
    assert all(detail in text_of(result) for detail in DETAILS[:4])

    await scene.client.services.access.revoke(scene.moderators.id, Capability.READ_AUDIT, by=scene.owner)
    for actor in (scene.moderator, scene.customer):
        text = text_of(await actor.slash(scene.channel, "status"))
        assert not any(detail in text for detail in DETAILS)
        assert not re.search(r"\d+ of \d+ calls|`", text)


async def test_no_provider(tmp_path: Path) -> None:
    """A desk without any provider says so."""
    async with kept_open(tmp_path, providers={}) as scene:
        text = text_of(await scene.customer.slash(scene.channel, "status"))
        assert_clean(scene.env)

    assert "No provider is switched on here." in text
