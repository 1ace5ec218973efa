"""docs/provider-facts.md against the documents' samples, the domain, the requests and the catalogue."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from pydantic import BaseModel, TypeAdapter

from bot.domain import failures, inventory, resends, trades
from bot.domain.failures import Dialect, ProviderName
from bot.domain.inventory import InventoryFilter, InventoryQuery, Sort
from bot.domain.secrets import Secret
from bot.domain.steam import Game
from bot.domain.trades import TradeQuery, TradeReference
from bot.providers import assetpay_answers, skinsback
from bot.providers.assetpay import AssetPaySecure
from bot.providers.assetpay_client import AssetPayClient, ClientCalls, FixedClientToken
from bot.providers.assetpay_sources import AssetPayClientSource, AssetPaySource
from bot.providers.assetpay_trades import TradeItemRow, TradeRow
from bot.providers.assetpay_tradeurl import AssetPayTradeUrls
from bot.providers.explanations import Catalogue
from bot.providers.mannco import FixedJwt, Mannco
from bot.providers.skinsback import Shop, SkinsBack
from bot.providers.skinsback_deposits import DepositRow
from bot.providers.skinsback_orders import PageRow
from bot.providers.skinsback_source import SkinsBackDeposits
from tests.architecture.sources import ROOT
from tests.providers.conftest import TRADE_URL
from tests.providers.skinsback_shop import shop_of
from tests.support.loopback import as_json, in_turn

PAGE = (ROOT / "docs" / "provider-facts.md").read_text(encoding="utf-8")
SAMPLES = Path(__file__).parent / "seeds"
DIALECTS = {
    "000": Dialect.ASSETPAY,
    "001": Dialect.ASSETPAY,
    "002": Dialect.ASSETPAY_LEGACY,
    "003": Dialect.SKINSBACK,
    "004": Dialect.MANNCO,
    "orders": Dialect.SKINSBACK,
    "orderstatus": Dialect.SKINSBACK,
    "secure-trades": Dialect.ASSETPAY,
    "client-trades": Dialect.ASSETPAY,
    "legacy-trades": Dialect.ASSETPAY_LEGACY,
    "check-tradeurl": Dialect.ASSETPAY,
}
"""Seeds, and the calls that no seed has."""
INHERITED = {"001": ["000"], "002": ["000", "001"]}
NOT_IN_002 = {
    "data.inventory[].propId",
    "data.inventory[].offer.accepted",
    "data.inventory[].stickers[].marketHashName",
}


def rows(kind: str, seed: str) -> list[list[str]]:
    """Return the cells of a table of the page, without its head."""
    section = PAGE.partition(f"### {kind} of {seed}\n")[2].partition("\n#")[0]
    table = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in table[2:]]


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def paths(value: object, path: str = "") -> set[str]:
    """Return the places of all plain values, and of empty lists, in a sample."""
    if isinstance(value, dict):
        return set().union(*(paths(each, f"{path}.{name}" if path else name) for name, each in value.items()))
    if isinstance(value, list) and value:
        return set().union(*(paths(each, f"{path}[]") for each in value))
    return {path}


@pytest.mark.parametrize("seed", DIALECTS)
def test_fields(seed: str):
    """The page has the fields that the document's samples show, and no others."""
    shown = set()
    for sample in SAMPLES.glob(f"{seed}_*.json"):
        answer = json.loads(sample.read_text(encoding="utf-8"))
        shown |= paths({"data": {"inventory": [answer]}} if "rust" in sample.name else answer)
    listed = {named(row[0])[0] for each in [*INHERITED.get(seed, ()), seed] for row in rows("Fields", each)}
    if seed == "002":
        listed -= NOT_IN_002
    if seed == "orders":
        listed |= {f"items[].{named(row[0])[0]}" for row in rows("Fields", "orderstatus")}
    if any("stickers[]" in path for path in listed):
        listed.discard("data.inventory[].stickers")

    assert shown == listed


ELSEWHERE = {"data.inventory[].previewToken"}
"""The newer documents' name of propId."""
MODELS: dict[str, tuple[type[BaseModel], set[str]]] = {
    "001": (assetpay_answers.InventoryAnswer, ELSEWHERE | {"data.inventory[].accepted", "data.inventory[].amount"}),
    "002": (assetpay_answers.InventoryAnswer, ELSEWHERE),
    "003": (
        skinsback.InventoryAnswer,
        {f"data.items[].stickers[].{name}" for name in ("name", "marketHashName", "slot", "wear")},
    ),
}


def in_schema(node: dict[str, Any], definitions: dict[str, Any], path: str = "") -> set[str]:
    """Return the places of all plain values in a model's JSON schema."""
    if "$ref" in node:
        node = definitions[node["$ref"].rsplit("/", 1)[1]]
    inner = [(each, path) for each in node.get("anyOf", ())]
    inner += [(each, f"{path}.{name}".strip(".")) for name, each in node.get("properties", {}).items()]
    inner += [(node["items"], f"{path}[]")] if "items" in node else []
    found = set[str]().union(*(in_schema(each, definitions, place) for each, place in inner))
    return found or ({path} if node.get("type") != "null" else set())


@pytest.mark.parametrize("seed", MODELS)
def test_models(seed: str):
    """The model of an answer has every field that the page says is kept, and no other one without a reason."""
    model, further = MODELS[seed]
    schema = model.model_json_schema()
    fields = in_schema(schema, schema["$defs"])
    kept = {
        named(row[0])[0]
        for each in [*INHERITED.get(seed, ()), seed]
        for row in rows("Fields", each)
        if row[1] != "not kept" and not named(row[0])[0].startswith("error")
    }
    kept.discard("data.inventory[].stickers" if seed != "003" else "data.items[].stickers")

    assert kept <= fields
    assert fields - kept <= further


def test_rows():
    """The rows of deposits, and the pages of them, have the fields that the page says are read."""
    deposit = {named(row[0])[0].partition("[")[0] for row in rows("Fields", "orderstatus") if "." not in row[0]}
    listed = {named(row[0])[0] for row in rows("Fields", "orders")}

    assert DepositRow.__annotations__.keys() == deposit | {"skins"}
    assert PageRow.__annotations__.keys() == listed - {"status"}


def test_rows_of_assetpays_trades():
    """The rows of a trade and of its items have the fields that the page says are kept."""
    fields = set[str]()
    for shape, place in ((TradeRow, "data"), (TradeItemRow, "data.items[]")):
        schema = TypeAdapter(shape).json_schema()
        fields |= in_schema(schema, schema.get("$defs", {}), place)
    kept = {named(row[0])[0] for row in rows("Fields", "secure-trades") if row[1] != "not kept"}

    assert fields - {"data.items"} == kept - {"requestId", "success"}


def test_kept_where_the_page_says():
    """Each fact is kept in a field that the domain has."""
    modules = (inventory, failures, trades, resends)
    kept = [name for seed in DIALECTS for row in rows("Fields", seed) for name in named(row[1])]

    assert kept
    for name in kept:
        kind, _, field = name.partition(".")
        (owner,) = {getattr(module, kind) for module in modules if hasattr(module, kind)}
        assert hasattr(owner, field) or field in owner.__annotations__, name


@pytest.mark.parametrize("seed", DIALECTS)
def test_errors(seed: str):
    """Each error of the documents has an explanation of its own, found by the key and the code of the page."""
    known = {(each.dialect, each.code, each.key) for each in Catalogue.load().explanations}
    listed = rows("Errors", seed) if seed != "002" else []

    assert bool(listed) is (seed != "002")
    for *code, key in listed:
        assert (DIALECTS[seed], int(code[0]) if code else None, named(key)[0]) in known


WANTED = InventoryFilter(search="ak", sort=Sort.PRICE_ASC, min_price=Decimal(1), max_price=Decimal(2))
QUERY = InventoryQuery(TRADE_URL, Game.CS2, WANTED, refresh=True)
SHOP = {"custom_multiplier": "0.7", "custom_currency": "GEM", "custom_currency_rate": "100"}


async def asked(provider, server, seed: str) -> None:
    """Make the call of a document with every option."""
    match seed:
        case "000":
            await AssetPaySecure(provider(ProviderName.ASSETPAY), Secret("k")).look_up(QUERY)
        case "001" | "002":
            name = ProviderName.ASSETPAY_CLIENT if seed == "001" else ProviderName.ASSETPAY_LEGACY
            calls = ClientCalls(provider(name), DIALECTS[seed], FixedClientToken(name, Secret("t")))
            await AssetPayClient(calls).look_up(QUERY)
        case "003":
            server.script = in_turn(as_json({"status": "success", "data": {"items": []}}))
            transport = provider(ProviderName.SKINSBACK)
            await SkinsBack(Shop(transport, "c", Secret("s")), currency="eur", custom_prices=SHOP).look_up(QUERY)
        case "orders":
            more = {"status": "success", "items": [{}], "has_more": True, "start_from": 1}
            server.script = in_turn(as_json(more), as_json({"status": "success", "items": []}))
            await SkinsBackDeposits(*shop_of(provider)).read(TradeQuery())
        case "orderstatus":
            server.script = in_turn(as_json({"status": "error", "error_code": 4}))
            await SkinsBackDeposits(*shop_of(provider)).read(TradeQuery(reference=TradeReference("5")))
        case "secure-trades":
            await AssetPaySource(provider(ProviderName.ASSETPAY), Secret("k")).find(["5"])
        case "client-trades" | "legacy-trades":
            more = {"items": [], "trades": [{"id": 5, "status": "HOLD"}], "nextCursor": "c"}
            server.script = in_turn(
                *(as_json({"success": True, "data": data}) for data in (more, more | {"nextCursor": None}))
            )
            name = ProviderName.ASSETPAY_CLIENT if seed == "client-trades" else ProviderName.ASSETPAY_LEGACY
            calls = ClientCalls(provider(name), DIALECTS[seed], FixedClientToken(name, Secret("t")))
            await AssetPayClientSource(calls).read(TradeQuery())
        case "check-tradeurl":
            server.script = in_turn(as_json({"success": True, "data": {"state": 1}}))
            await AssetPayTradeUrls(provider(ProviderName.ASSETPAY), Secret("k")).check(TRADE_URL)
        case _:
            server.script = in_turn(as_json({"err": False, "success": True, "content": {"trade_id": 5, "code": "C"}}))
            await Mannco(provider(ProviderName.MANNCO), FixedJwt(Secret("j"))).resend(5)


@pytest.mark.parametrize("seed", DIALECTS)
async def test_parameters(connect, server, seed: str):
    """A call with every option sends the parameters of the page, and no others."""
    server.script = in_turn(as_json({"success": True, "data": {"inventory": [], "count": 0}}))

    await asked(connect, server, seed)

    targets = [urlsplit(request.target).query for request in server.requests]
    bodies = [request.body.decode() for request in server.requests]
    sent = {
        name
        for form in [*targets, *bodies]
        for name in (json.loads(form) if form[:1] == "{" else dict(parse_qsl(form)))
    }
    headers = {name.casefold() for request in server.requests for name, _ in request.headers}
    listed = {named(row[0])[0] for row in rows("Parameters", seed)}
    assert sent == {name for name in listed if name.casefold() not in headers}
    assert {name for name in listed - sent if name.casefold() not in headers} == set()
