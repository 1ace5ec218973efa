"""How /inventory fails: every documented error at every provider, and answers that are none."""

import asyncio
import re
import ssl
from datetime import timedelta

import pytest
import simcord

from bot.demo.providers import faults, skinsback
from bot.demo.providers.assetpay import SimulatedAssetPay
from bot.demo.scene import Scene
from bot.domain.access import Actor
from bot.domain.failures import Dialect, Explanation, Fixer, ProviderName
from bot.domain.inventory import Inventory, InventoryQuery
from bot.domain.secrets import Secret
from bot.domain.steam import Game
from bot.providers.assetpay_client import AssetPayClient, ClientCalls, FixedClientToken
from bot.providers.transport import Transport
from tests.cogs.test_inventory import answer_of, wait
from tests.cogs.test_inventory import look_up as use_command
from tests.support.seen import text_of

UNDOCUMENTED = 4242
ASSETPAY = {
    3: "INVENTORY_FETCH_FAILED",
    7: "USER_NOT_TRADEABLE",
    13: "INVALID_TRADEURL",
    31: "STEAM_UNAVAILABLE",
    33: "STEAM_RATE_LIMITED",
    1010: "NO_BOTS_AVAILABLE",
    1011: "FLEET_DEGRADED",
    UNDOCUMENTED: "SOMETHING_NEW",
}
CLIENT = {code: key for code, key in ASSETPAY.items() if code != 13} | {1102: "INVALID_TOKEN"}
# Seed 002 lists no errors; 1102 is the current dialect's number and means nothing here.
LEGACY = {3: "INVENTORY_FETCH_FAILED", 7: "USER_NOT_TRADEABLE", 1222: "INVALID_TOKEN", 1102: "SOMETHING_NEW"}
SKINSBACK = {**skinsback.ERRORS, UNDOCUMENTED: "something_new"}
ERRORS = {
    ProviderName.ASSETPAY: ASSETPAY,
    ProviderName.ASSETPAY_CLIENT: CLIENT,
    ProviderName.ASSETPAY_LEGACY: LEGACY,
    ProviderName.SKINSBACK: SKINSBACK,
}
CONFIDENTIAL = {"INVALID_TOKEN", "invalid_shopid", "invalid_signature", "shop_not_active", "invalid_method",
                "invalid_ip_address", "invalid_client_secret", "invalid_currency", "invalid_custom_currency",
                "invalid_custom_currency_rate", "invalid_custom_multiplier"}  # fmt: skip
CUSTOMERS_FIXERS = {
    Fixer.CUSTOMER: None,  # the reader: "What you can do" says it
    Fixer.AGENT: "A support agent",
    Fixer.ADMINISTRATOR: "The staff of this server",
    Fixer.PROVIDER: "The provider",
    Fixer.TIME: "No one: it clears up on its own",
}
STAFFS_FIXERS = CUSTOMERS_FIXERS | {
    Fixer.CUSTOMER: "The customer",
    Fixer.AGENT: None,
    Fixer.ADMINISTRATOR: "An administrator of this server",
}
NOT_FOR_CUSTOMERS = re.compile(r"(?i)\b(keys?|signatures?|secrets?|tokens?|credentials?)\b|\bIP\b")


async def look_up(scene: Scene, actor: simcord.MemberActor, url: str, **options: object) -> simcord.InteractionResult:
    # The clients' quota of the lower tier is ten lookups a minute.
    wait(scene, 61)
    return await use_command(scene, actor, url, **options)


def fields_of(result: simcord.InteractionResult) -> dict[str, str]:
    return {str(field.name): str(field.value) for field in answer_of(result).embeds[0].fields}


def reference_of(result: simcord.InteractionResult) -> str:
    match = re.search(r"(?m)^Reference ([0-9a-f]{6})$", text_of(result))
    assert match is not None
    return match[1]


async def link_to_errors(scene: Scene) -> None:
    """Make the account of the error trade URLs the customer's own."""
    linker = Actor(scene.guild.id, scene.agent.id, frozenset({scene.guild.id, scene.support.id}))
    await scene.client.services.links.set_for(scene.customer.id, scene.world.error_trade_url(3), by=linker)


def entry_of(scene: Scene, provider: ProviderName, key: str) -> Explanation | None:
    """Find what the catalogue says of a key in this provider's inventory lookups."""
    found = scene.client.services.explanations.find(key, provider.dialect)
    return next((each for each in found if each.method in (None, "user_inventory")), None)


@pytest.mark.parametrize("provider", ERRORS)
async def test_errors_for_customers(scene: Scene, provider: ProviderName) -> None:
    """A customer learns code, key, meaning, next step and who can fix it; nothing of what concerns the desk's login."""
    await link_to_errors(scene)
    for code, key in ERRORS[provider].items():
        result = await look_up(scene, scene.customer, scene.world.error_trade_url(code), provider=provider.value)
        text, fields, entry = text_of(result), fields_of(result), entry_of(scene, provider, key)

        assert f"{provider.label} · code `{code}`" in fields["Error"]
        assert "For staff" not in fields
        assert fields["Try again"]
        if key in CONFIDENTIAL:
            assert entry is not None
            assert entry.confidential
            assert NOT_FOR_CUSTOMERS.search(text) is None, (code, text)
            assert entry.title not in text
            assert entry.meaning not in text
            assert key not in text
        elif entry is None:
            assert "This error is not documented" in text
            assert f"`{key}`" in fields["Error"]
        else:
            assert f"`{key}`" in fields["Error"]
            assert entry.title in text
            assert entry.meaning in text
            assert fields["What you can do"].startswith(entry.customer)
        assert fields.get("Who can fix it") == CUSTOMERS_FIXERS[entry.fixer if entry is not None else Fixer.AGENT]


@pytest.mark.parametrize("provider", ERRORS)
async def test_errors_for_staff(scene: Scene, caplog: pytest.LogCaptureFixture, provider: ProviderName) -> None:
    """Staff see provider, code, key, HTTP status and request id too, and the reference by which the log has them."""
    for code, key in ERRORS[provider].items():
        result = await look_up(scene, scene.agent, scene.world.error_trade_url(code), provider=provider.value)
        text, fields, entry = text_of(result), fields_of(result), entry_of(scene, provider, key)
        facts = fields["For staff"]

        assert f"{provider.label} · code `{code}` · `{key}`" in fields["Error"]
        assert f"provider `{provider.value}`" in facts
        assert f"code `{code}` · key `{key}`" in facts
        assert re.search(r"HTTP `\d{3}`", facts)
        if provider is not ProviderName.SKINSBACK:
            assert re.search(r"request `[0-9a-f-]{36}`", facts)
        if entry is not None:
            assert entry.meaning in text
            assert fields["Why it happens"] == entry.cause
            assert fields["What you can do"] == entry.agent
            assert fields["What the customer can do"] == entry.customer
            assert fields.get("Who can fix it") == STAFFS_FIXERS[entry.fixer]
        lines = [line for line in caplog.messages if f"reference={reference_of(result)}" in line]
        assert len(lines) == 1
        kind = "throttled" if key == "request_limit_reached" else "refused"
        assert f"provider={provider.value} kind={kind} code={code} key={key}" in lines[0]


async def test_a_proxys_page(scene: Scene) -> None:
    """HTML instead of an answer is explained, and the log has the place of the fault."""
    for provider in ERRORS:
        result = await look_up(scene, scene.agent, scene.world.html.trade_url, provider=provider.value)

        assert "SkinDesk could not read the provider's answer" in text_of(result)
        assert "kind `nonsense` · HTTP `200` · at `body`" in fields_of(result)["For staff"]
        assert "Just a moment" not in text_of(result)


class Hanging:
    """A provider that never answers; SimCord knows that the wait is intended."""

    name = ProviderName.ASSETPAY
    games = frozenset({Game.CS2})

    def __init__(self, env: simcord.Env) -> None:
        self._env = env

    async def look_up(self, query: InventoryQuery) -> Inventory:
        await self._env.external_wait(asyncio.Event().wait(), reason="the provider hangs")
        raise AssertionError


async def test_a_provider_that_never_answers(scene: Scene) -> None:
    """The lookup is answered all the same, within its deadline of less than 15 seconds."""
    inventory = scene.client.services.inventory
    assert inventory._deadline < timedelta(seconds=15)
    inventory._deadline = timedelta(seconds=0.2)
    inventory._providers[ProviderName.ASSETPAY] = Hanging(scene.env)

    alone = await look_up(scene, scene.agent, scene.world.customer.trade_url)
    inventory._deadline = timedelta(seconds=2)
    run_in_worker = await look_up(scene, scene.agent, scene.world.customer.trade_url, provider="all")

    assert "The provider took too long to answer" in text_of(alone)
    assert "took `0.2 s`" in text_of(alone)
    assert "**AssetPay**: ⚠️ The provider took too long to answer" in text_of(run_in_worker)
    assert "**SkinsBack** (RUB): 53 of 64 items" in text_of(run_in_worker)


async def test_references_side_by_side(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """Each provider that fails among others shows the reference under which the log has why."""
    scene.providers.assetpay.faults.append(faults.html())
    run_in_worker = await look_up(scene, scene.agent, scene.world.customer.trade_url, provider="all")
    texts = re.findall(r"⚠️ .+ · Reference `([0-9a-f]{6})`", text_of(run_in_worker))

    assert texts
    for word in texts:
        (line,) = [line for line in caplog.messages if f"reference={word} " in line]
        assert "kind=nonsense" in line
        assert re.search(r"took=\d+\.\ds$", line)


async def with_fixed_token(scene: Scene, token: str) -> Transport:
    server: SimulatedAssetPay = scene.providers.assetpay
    name = ProviderName.ASSETPAY_CLIENT
    transport = Transport(name, server.url, ssl.create_default_context(), scene.clock)
    fixed = FixedClientToken(name, Secret(token))
    scene.client.services.inventory._providers[name] = AssetPayClient(ClientCalls(transport, Dialect.ASSETPAY, fixed))
    return transport


async def test_fixed_token_of_another_account(scene: Scene) -> None:
    """A fixed client token whose claims name another account is refused without a call, in words for each reader."""
    other = scene.world.other_customer
    token = scene.providers.assetpay.client_tokens.issue(other.steam_id, other.trade_url)
    async with await with_fixed_token(scene, token):
        url = scene.world.customer.trade_url
        for_staff = await look_up(scene, scene.agent, url, provider="assetpay_client")
        for_customer = await look_up(scene, scene.customer, url, provider="assetpay_client")

    assert "SkinDesk is set up for another Steam account" in text_of(for_staff)
    assert "Something is not set up right" in text_of(for_customer)
    assert NOT_FOR_CUSTOMERS.search(text_of(for_customer)) is None
    assert not scene.providers.assetpay.calls
