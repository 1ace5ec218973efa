"""What /inventory says while a provider must not or need not be asked, and what no failure of one ever says."""

import gzip
import traceback
from collections.abc import Mapping
from datetime import timedelta

import pytest
import simcord
from aiohttp import web

from bot.demo.providers import faults
from bot.demo.providers.faults import Act, Fault
from bot.demo.providers.server import SimulatedServer
from bot.demo.scene import Scene
from bot.domain.access import Actor
from bot.domain.errors import ProviderError
from bot.domain.trades import Scope
from bot.providers import resilience
from bot.services.inventory import InventoryRequest
from bot.services.trades import TradesRequest
from tests.cogs.test_inventory import wait
from tests.cogs.test_inventory_errors import fields_of
from tests.support.payload_audit import assert_no_secret
from tests.support.seen import text_of
from tests.support.stage import secrets_of

LIMIT_EXCEEDED, BREAKER_OPEN = "Too many look-ups at once", "The provider is having an outage"


async def look_up(scene: Scene, actor: simcord.MemberActor, **options: object) -> simcord.InteractionResult:
    url = scene.world.customer.trade_url
    result = await actor.slash(scene.channel, "inventory", **{"tradeurl": url, **options})
    assert result.ephemeral
    return result


def in_seconds(scene: Scene, seconds: float) -> str:
    """So long from now, as Discord writes it for each reader."""
    return f"<t:{int((scene.env.now() + timedelta(seconds=seconds)).timestamp())}:R>"


def asked(scene: Scene) -> int:
    return scene.providers.assetpay.calls.total()


async def test_provider_said_when_to_come_back(scene: Scene) -> None:
    """Until a provider's Retry-After no lookup reaches it, and each user sees that moment; then it is asked."""
    scene.providers.assetpay.faults.append(faults.throttled(retry_after="90"))
    await look_up(scene, scene.agent)
    assert fields_of(await look_up(scene, scene.customer))["Try again"] == in_seconds(scene, 90)
    wait(scene, 30)

    for actor in (scene.customer, scene.agent):
        result = await look_up(scene, actor, refresh=actor is scene.agent)
        assert LIMIT_EXCEEDED in text_of(result)
        assert fields_of(result)["Try again"] == in_seconds(scene, 60)
        assert ("kind `over_budget`" in text_of(result)) == (actor is scene.agent)
    assert asked(scene) == 1
    comparison = text_of(await look_up(scene, scene.customer, provider="all"))
    assert f"**AssetPay**: ⚠️ {LIMIT_EXCEEDED}" in comparison
    assert "**SkinsBack** (RUB): 53 of 64 items" in comparison

    wait(scene, 60)
    assert "can be deposited" in text_of(await look_up(scene, scene.customer))


async def test_open_breaker(scene: Scene) -> None:
    """While the breaker of a provider is open, each user sees at once when it is asked again for them."""
    people = (scene.world.customer, scene.world.other_customer, scene.world.collector)
    scene.providers.assetpay.faults.extend([faults.html()] * len(people))
    for person in people:
        assert "could not read the provider's answer" in text_of(
            await look_up(scene, scene.agent, tradeurl=person.trade_url)
        )
    wait(scene, 5)

    for actor in (scene.customer, scene.agent):
        result = await look_up(scene, actor)
        assert BREAKER_OPEN in text_of(result)
        assert fields_of(result)["Try again"] == in_seconds(scene, 5)
    assert asked(scene) == len(people)
    assert f"**AssetPay**: ⚠️ {BREAKER_OPEN}" in text_of(await look_up(scene, scene.customer, provider="all"))

    wait(scene, 5)
    assert "can be deposited" in text_of(await look_up(scene, scene.customer))


# Secrets


async def echo(request: web.Request, act: Act) -> web.StreamResponse:
    """Refuse with an error of every provider's form that repeats all that was sent."""
    sent = f"{request.path_qs} {dict(request.headers)} {await request.text()}"
    answer = {"success": False, "error": {"code": 7, "key": sent, "message": sent}, "requestId": sent}
    answer |= {"err": True, "content": sent, "status": "error", "error_code": 5, "error_message": sent}
    return web.json_response(answer, status=400)


async def nonsense(request: web.Request, act: Act) -> web.StreamResponse:
    """Answer with all that was sent, in the wrong names and values."""
    sent = f"{request.path_qs} {dict(request.headers)} {await request.text()}"
    item = {"id": {sent: sent}, sent: sent, "item": sent}
    answer = {"success": True, "data": {"inventory": [item], "items": [item], "token": [sent], sent: sent}}
    answer |= {"err": False, "status": "success", "content": {"trades": [item], "jwt": [sent]}, sent: sent}
    return web.json_response(answer)


async def moved(request: web.Request, act: Act) -> web.StreamResponse:
    """Point elsewhere, with all that was sent in the address and in a cookie."""
    sent = request.headers.get("Authorization", "") + request.headers.get("api-key", "")
    headers = {"Location": f"https://example.org{request.path_qs}&{sent}", "Set-Cookie": f"a={sent}"}
    return web.Response(status=302, headers=headers)


FAULTS: Mapping[str, Fault] = {
    "echo": echo,
    "nonsense": nonsense,
    "moved": moved,
    "lost before": faults.lost_before,
    "lost after": faults.lost_after,
    "half": faults.half,
    "html": faults.html(),
    "502": faults.html(502),
    "500": faults.answer(500, b""),
    "empty": faults.answer(200, b""),
    "cut": faults.answer(200, b'{"success": true, "data": {"inventory": ['),
    "NaN": faults.answer(200, b'{"success": NaN}'),
    "long number": faults.answer(200, b'{"err": ' + b"7" * 5_000 + b"}"),
    "deep": faults.answer(200, b'{"a":' * 100_000),
    "bad gzip": faults.answer(200, b"?", headers={"Content-Encoding": "gzip"}),
    "half a gzip": faults.answer(200, gzip.compress(b"{}")[:-4], headers={"Content-Encoding": "gzip"}),
    "bomb": faults.oversized(9 * 2**20, compressed=True),
    "429": faults.throttled(retry_after="1"),
}


def servers(scene: Scene) -> tuple[SimulatedServer, ...]:
    providers = scene.providers
    return (providers.assetpay, providers.assetpay_legacy, providers.skinsback, providers.mannco)


def faulty(scene: Scene, fault: Fault | None) -> None:
    """Make every provider answer like this from now on; as usual again with None."""
    for server in servers(scene):
        server.faults.clear()
        server.faults.extend([fault] * 50 if fault is not None else [])


def issued(scene: Scene) -> set[str]:
    """Every token that a provider issued and the bot sent back, whole and in its parts."""
    tokens = {
        asked.headers.get("Authorization", "").removeprefix("Bearer ")
        for server in servers(scene)
        for asked in server.asked
    }
    return {part for token in tokens for part in (token, *token.split(".")) if len(part) > 16}


async def use_everything(scene: Scene, *actors: simcord.MemberActor) -> str:
    """Ask the providers for everything they offer, and return the answers inside the services."""
    for actor in actors:
        for provider in ("assetpay", "assetpay_client", "assetpay_legacy", "skinsback"):
            await look_up(scene, actor, provider=provider)
        await actor.slash(scene.channel, "trades", scope="all")
        await actor.slash(scene.channel, "resend", id=str(scene.world.trades_of(scene.world.customer)[0].id))
    await scene.moderator.slash(scene.channel, "status")
    services = scene.client.services
    asker = Actor(scene.guild.id, scene.agent.id, frozenset({scene.guild.id, scene.support.id}))
    agent = await services.access.viewer(asker)
    inside = [
        repr(await services.inventory.look_up(InventoryRequest(scene.world.collector.trade_url, "all"), by=agent))
    ]
    try:
        inside.append(repr(await services.trades.list_for(TradesRequest(Scope.ALL), by=agent)))
    except ProviderError as error:
        inside += [repr(error), repr(error.failure), *traceback.format_exception(error)]
    return "".join(inside)


@pytest.mark.parametrize("name", FAULTS)
async def test_no_secret(
    scene: Scene, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """With any failure of the providers, no credential and no token is shown, logged or part of an error.

    The scene itself searches all payloads and logs for keys and trade tokens; this test searches for issued tokens,
    in the bot's own objects too, before and after the login.
    """
    monkeypatch.setattr(resilience, "_FIRST_WAIT", timedelta(milliseconds=1))
    faulty(scene, FAULTS[name])
    inside = await use_everything(scene, scene.agent)
    faulty(scene, None)
    wait(scene, 301)
    await look_up(scene, scene.agent, provider="all")
    await scene.agent.slash(scene.channel, "trades", scope="all")
    wait(scene, 15 * 60)
    faulty(scene, FAULTS[name])
    inside += await use_everything(scene, scene.customer, scene.agent)

    canaries = issued(scene)
    assert len(canaries) >= 9, "a whole token and two parts or more, of three providers"
    assert_no_secret(scene.env, canaries)
    secrets = canaries | set(secrets_of(scene))
    assert not [number for number, canary in enumerate(sorted(secrets)) if canary in inside]
    assert not [number for number, canary in enumerate(sorted(secrets)) if canary in caplog.text]
