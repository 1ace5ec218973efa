"""The checks of providers and of Steam, with one harmless call each."""

import asyncio
from typing import Any, NoReturn
from urllib.parse import parse_qsl

import pytest
from aiohttp import web

from bot.checks import discord_account
from bot.checks import providers as checks
from bot.checks.command import _check_services
from bot.checks.findings import Finding, Level
from bot.checks.providers import check_providers, check_steam
from bot.config import Settings
from bot.demo.providers import SimulatedProviders, faults
from bot.domain.failures import ProviderName
from bot.providers.transport import Limits
from tests.checks.conftest import MakeSettings
from tests.support.loop_time import pass_time
from tests.support.loopback import Loopback, Recorded, Reply, as_json, content


async def found(settings: Settings, limits: Limits | None = None) -> dict[str, Finding]:
    findings = await check_providers(settings, lambda _: None, limits)
    return {finding.id.removeprefix("providers."): finding for finding in findings}


async def test_all_work(settings_of_all: MakeSettings, providers: SimulatedProviders):
    """Valid credentials are accepted; no inventory is read and no trade is sent again."""
    findings = await found(settings_of_all())

    assert {name: finding.level for name, finding in findings.items()} == dict.fromkeys(
        ("assetpay", "assetpay_client", "assetpay_legacy", "skinsback", "mannco"), Level.OK
    )
    assert providers.mannco.calls == {"POST /user/login": 1, "GET /trades/all": 1}
    assert providers.assetpay.calls == {
        "GET /secure/inventory": 1, "GET /secure/trades/skindesk-check": 1, "POST /secure/check-tradeurl": 1,
        "POST /auth/authenticate-client": 1,
    }  # fmt: skip
    assert all("tradeUrl" not in asked.query for asked in providers.assetpay.asked)
    assert providers.skinsback.calls == {"POST /api.php": 2}


async def test_signature(settings_of_all: MakeSettings):
    """SkinsBack is called with the configured authentication."""
    right = await found(settings_of_all(providers__skinsback__auth="signature"))
    wrong = await found(
        settings_of_all(providers__skinsback__auth="signature", providers__skinsback__client_secret="x")
    )

    assert (right["skinsback"].level, wrong["skinsback"].level) == (Level.OK, Level.PROBLEM)


async def test_deposits_refused(settings_of_all: MakeSettings):
    """If SkinsBack accepts the credentials and refuses its list of deposits, the warning says what will not work."""
    asked: list[dict[str, str]] = []

    def script(request: Recorded) -> Reply:
        asked.append(dict(parse_qsl(request.body.decode())))
        key = "invalid_game" if asked[-1]["method"] == "user_inventory" else "invalid_method"
        return as_json({"status": "error", "error_code": 1, "error_message": key})

    async with Loopback(script) as shop:
        finding = (await found(settings_of_all(providers__skinsback__base_url=shop.url)))["skinsback"]

    assert finding.level is Level.WARNING
    assert "refuses its list of deposits" in finding.what
    assert "/trades shows no deposits" in str(finding.fix)
    assert int(asked[1]["ending"]) - int(asked[1]["starting"]) == 1


NARROW = as_json({"success": False, "error": {"code": 1908, "key": "INSUFFICIENT_SCOPE"}}, 403)
INCOMPLETE = as_json({"success": False, "error": {"code": 1001, "key": "VALIDATION_FAILED"}}, 400)
FINE = as_json({"success": True, "data": {"inventory": [], "count": 0, "items": []}})


@pytest.mark.parametrize(
    ("name", "token", "path", "refusal", "lost"),
    [
        ("assetpay", None, "/secure/trades/skindesk-check", NARROW, "/trades finds no trade at AssetPay by its number"),
        ("assetpay", None, "/secure/check-tradeurl", NARROW, "without AssetPay's check of the trade URL"),
        ("assetpay_client", "a-token", "/client/trades", NARROW, "/trades lists no trades of AssetPay (client)"),
        (
            "assetpay_legacy",
            "a-token",
            "/client/trades",
            content(b"", 404),
            "/trades lists no trades of AssetPay (.co)",
        ),
    ],
)
async def test_part_refused(settings_of_all: MakeSettings, name, token, path, refusal, lost):
    """If AssetPay accepts the credentials and refuses one of its calls, the warning says what will not work."""
    answers = {"/secure/inventory": INCOMPLETE, path: refusal}
    table = {"api_key": "a-key"} if token is None else {"api_key": "", "client_token": token}
    async with Loopback(lambda asked: answers.get(asked.path, FINE)) as assetpay:
        table["base_url"] = assetpay.url
        settings = settings_of_all(**{f"providers__{name}__{key}": value for key, value in table.items()})
        finding = (await found(settings))[name]

    assert finding.level is Level.WARNING
    assert lost in str(finding.fix)
    assert not any(secret in finding.line() for secret in ("a-key", "a-token"))


async def test_no_currency(settings_of_all: MakeSettings):
    """SkinsBack without a currency is a warning, and the shop's own currency is one."""
    without = await found(settings_of_all(providers__skinsback__currency=""))
    own = {"providers__skinsback__custom_currency": "GEM", "providers__skinsback__custom_currency_rate": "10"}

    assert without["skinsback.currency"].level is Level.WARNING
    assert "skinsback.currency" not in await found(settings_of_all(providers__skinsback__currency="", **own))


async def test_fixed_tokens(settings_of_all: MakeSettings, providers: SimulatedProviders):
    """A fixed client token and a fixed JWT are used as they are; each that is refused is named, without its value."""
    client = providers.assetpay.client_tokens.issue(
        providers.world.customer.steam_id, providers.world.customer.trade_url
    )
    good = settings_of_all(
        providers__assetpay_client__api_key="",
        providers__assetpay_client__client_token=client,
        providers__mannco__api_key="",
        providers__mannco__token=providers.mannco.issue_token(),
    )
    bad = settings_of_all(
        providers__assetpay__api_key="ap_canary",
        providers__assetpay_client__api_key="",
        providers__assetpay_client__client_token="canary",
        providers__assetpay_legacy__api_key="",
        providers__assetpay_legacy__client_token="canary",
        providers__mannco__api_key="",
        providers__mannco__token="canary",
    )

    assert {finding.level for finding in (await found(good)).values()} == {Level.OK}
    refused = await found(bad)
    assert {name: finding.key for name, finding in refused.items() if finding.level is Level.PROBLEM} == {
        name: f"providers.{name}" for name in ("assetpay", "assetpay_client", "assetpay_legacy", "mannco")
    }
    assert not any(finding.is_unreachable or "canary" in finding.line() for finding in refused.values())
    assert "POST /user/login" not in providers.mannco.calls
    assert providers.assetpay.asked[-1].query.get("limit", "1") == "1"


async def test_what_the_key_sees(settings_of_all: MakeSettings, providers: SimulatedProviders):
    """The finding about Mannco.store says whose trades the key sees, whose key it has to be, and no secret."""
    mannco, customer = providers.mannco, providers.world.customer.steam_id
    per_user = {"providers__mannco__per_user_paths": "true"}

    async def line(**changed: str) -> str:
        return (await found(settings_of_all(**changed)))["mannco"].line()

    mannco.key_owner = customer
    own, refused = await line(), await line(**per_user)
    mannco.as_admin = True
    everyones, alone = await line(), await line(**per_user)

    assert f"sees only the trades of {customer}; for everyone's it has to be an administrator's" in own
    assert refused.startswith("problem")
    assert "providers.mannco.per_user_paths" in refused
    assert "sees the trades of 5 accounts" in everyones
    assert "asks for one account's trades alone" in alone
    assert providers.world.credentials.mannco_api_key not in own + refused + everyones + alone


async def test_trouble(settings_of_all: MakeSettings, providers: SimulatedProviders):
    """No answer, an undocumented answer, a rate limit and a redirect are different findings."""

    async def hang(request: web.Request, act: faults.Act) -> web.StreamResponse:
        """Run out of time a moment after the others' answers."""
        asyncio.get_running_loop().call_later(0.5, pass_time, 60.0)
        return await faults.hang(request, act)

    providers.skinsback.faults.append(hang)
    providers.assetpay_legacy.faults.append(faults.throttled())
    providers.mannco.faults.append(faults.html(503))
    providers.assetpay.faults.extend([faults.redirect("https://elsewhere.example.com")] * 2)

    findings = await found(settings_of_all())

    assert {name: (finding.level, finding.is_unreachable) for name, finding in findings.items()} == {
        "assetpay": (Level.PROBLEM, False),
        "assetpay_client": (Level.PROBLEM, False),
        "assetpay_legacy": (Level.WARNING, False),
        "skinsback": (Level.PROBLEM, True),
        "mannco": (Level.PROBLEM, True),
    }
    assert findings["assetpay"].key == "providers.assetpay.base_url"


async def test_unexpected(settings_of_all: MakeSettings, monkeypatch: pytest.MonkeyPatch):
    """A check that raises is a finding, and the others are reported."""
    probe = checks._probe

    async def failing(name: ProviderName, *arguments: Any) -> None:
        if name is ProviderName.SKINSBACK:
            raise UnicodeError
        await probe(name, *arguments)

    async def no_discord(*_: Any) -> NoReturn:
        raise UnicodeError

    monkeypatch.setattr(checks, "_probe", failing)
    monkeypatch.setattr(discord_account, "check_discord", no_discord)

    findings = await _check_services(settings_of_all(), ())

    wrong = {finding.id: finding.what for finding in findings if finding.level is Level.PROBLEM}
    assert wrong == dict.fromkeys(("discord", "providers.skinsback"), "SkinDesk failed to check it (UnicodeError)")
    assert len(findings) == 1 + 5 + 1


async def test_nothing_listens(settings_of_all: MakeSettings, unused_tcp_port: int):
    """A refused connection is an unreachable service."""
    nowhere = f"http://127.0.0.1:{unused_tcp_port}"
    settings = settings_of_all(providers__assetpay__base_url=nowhere, links__steam_openid_url=f"{nowhere}/openid")

    assert (await found(settings))["assetpay"].is_unreachable
    [steam] = await check_steam(settings, lambda _: None)
    assert (steam.is_unreachable, steam.key) == (True, "links.steam_openid_url")


async def test_steam(settings_of_all: MakeSettings, providers: SimulatedProviders):
    """A wrong address for Steam is noticed by the HTTP status."""
    [steam] = await check_steam(
        settings_of_all(links__steam_openid_url=f"{providers.mannco.url}/openid"), lambda _: None
    )

    assert "HTTP 404" in steam.what
