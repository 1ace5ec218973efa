"""What people pasted in the field is read right; the values are those of ../shared/field/cases.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from bot.domain.errors import TradeUrlRejected
from bot.domain.steam import SteamId, TradeUrlProblem
from bot.domain.steam_ids import read_steam_id
from bot.domain.trade_url import parse_trade_url

CASES = Path(__file__).resolve().parents[2].parent / "shared" / "field" / "cases.toml"
ACCOUNT, URL = SteamId.from_account_id(1050), "https://steamcommunity.com/tradeoffer/new/?partner=1050&token=AbCd_-9h"
TRADE_URLS = [
    f"我的交易链接\uff1a{URL}",
    f"{URL}\uff0c谢谢",
    f"Trade link:{URL}",
    f"[url={URL}]my link[/url]",
    f'{{"tradeUrl":"{URL}"}}',
    URL.replace("/", r"\/"),
    URL.replace("_", r"\_"),
    f"{URL} {URL}",
    f"alex,{URL},yes",
]
HARMLESS = ["steamid.io", "steamdb.info", "steam.tv", "steamgames.com", "community.mannco.store"]
STEAM_IDS = [
    "`76561197960266778`",
    "76561197960266778,",
    "https://steamcommunity.com/profiles/76561197960266778/",
    "STEAM_0:0:525",
]


@pytest.mark.parametrize("text", TRADE_URLS)
def test_trade_urls(text):
    assert parse_trade_url(text).canonical() == URL
    assert read_steam_id(text, option="steam") == ACCOUNT


@pytest.mark.parametrize("host", HARMLESS)
def test_harmless_hosts(host):
    with pytest.raises(TradeUrlRejected) as caught:
        parse_trade_url(f"https://{host}/")

    assert caught.value.trade_url_problem is TradeUrlProblem.OTHER_HOST


@pytest.mark.parametrize("text", STEAM_IDS)
def test_steam_ids(text):
    assert read_steam_id(text, option="steam") == ACCOUNT


@pytest.mark.skipif(not CASES.exists(), reason="lies beside the checkout where SkinDesk is developed")
def test_nothing_is_left_out():
    """The copy above has every case of the file."""
    cases = tomllib.loads(CASES.read_text(encoding="utf-8"))

    assert [case["text"] for case in cases["trade_url"]] == TRADE_URLS
    assert [host for case in cases["harmless_host"] for host in case["hosts"]] == HARMLESS
    assert [case["text"] for case in cases["steam_id"]] == STEAM_IDS
