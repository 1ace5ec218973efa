"""The Steam account is found in every common form of a SteamID, and every mistake is named."""

from __future__ import annotations

import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidInput
from bot.domain.steam import SteamId
from bot.domain.steam_ids import read_steam_id
from tests.domain.builders import PROPERTY
from tests.domain.pasting import pasted, trade_urls

ID, OTHER = "76561197960266778", "76561197960266779"
TRADE_URL = "https://steamcommunity.com/tradeoffer/new/?partner=1050"

ACCEPTED = (
    ID,
    f"`{ID}`",
    f"{ID},",
    f" ({ID})\n",
    f"||{ID}||",
    f"SteamID64:{ID}",
    f"他的ID\uff1a{ID}\uff0c谢谢",
    f"{ID[:9]}\u200b{ID[9:]}",
    "\uff17\uff16\uff15\uff16\uff11\uff11\uff19\uff17\uff19\uff16\uff10\uff12\uff16\uff16\uff17\uff17\uff18",
    f'{{"steamid":"{ID}"}}',
    f"{ID} {ID}",
    f"https://steamcommunity.com/profiles/{ID}/",
    f"http://www.steamcommunity.com/profiles/{ID}/inventory/?l=english#730",
    f"steamcommunity.com/profiles/{ID}",
    quote(f"https://steamcommunity.com/profiles/{ID}", safe=""),
    f"https:\\/\\/steamcommunity.com\\/profiles\\/{ID}",
    f"https://steamcommunity.com/id/somebody = {ID}",
    f"https://steamid.io/lookup/{ID}",
    f"steam://url/SteamIDPage/{ID}",
    "STEAM_0:0:525",
    "steam_1:0:525.",
    "STEAM\\_0:0:525",
    "STEAM\uff3f0\uff1a0\uff1a525",
    "STEAM_0:0:525 [U:1:1050] " + ID,
    "[U:1:1050]",
    "u:1:1050",
    "https://steamcommunity.com/profiles/[U:1:1050]/",
    "https://steamcommunity.com/profiles/%5BU%3A1%3A1050%5D",
    f"<{TRADE_URL}&token=AbCd_-9h>",
    f"{TRADE_URL}&token=AbCd",
    TRADE_URL,
)
REFUSED = {
    "steam_id": (
        *("", "hello", "7656119796026677", f"{ID}8", "99999999999999999", "103582791429521412", "\u0667" * 17),
        *("STEAM_2:0:525", "STEAM_0:2:525", "STEAM_0:0:0", "STEAM_0:1:9999999999", "[g:1:1050]", "[U:1:4294967296]"),
        *("[U:1:0]", "https://steamcommunity.com/profiles/1050", "https://steamid.io/", "76561197960265728"),
    ),
    "account_number": ("1050", " `22202` ", "4294967295."),
    "custom_address": (
        *("https://steamcommunity.com/id/somebody", "steamcommunity.com/id/somebody/inventory/", "/id/somebody"),
        *(f"https://steamcommunity.com/id/{ID}", f"https://steamcommunity.com/id/x{ID}/", "/ID/STEAM_0:0:525"),
    ),
    "invitation": (
        "https://s.team/p/abcd-efgh",
        "s.team/p/abcd-efgh/XYZ",
        "https://steamcommunity.com/user/abcd-efgh/X",
    ),
    "several_accounts": (
        *(f"{ID} {OTHER}", f"{ID},STEAM_0:1:525", f"[U:1:1050] {TRADE_URL}1&token=AbCd_-9h"),
        f"{TRADE_URL} {TRADE_URL}1",
    ),
    "too_long": (f"{ID}{' ' * 6000}",),
    "lookalike_host": (
        f"https://steamcommunity.com.example.com/tradeoffer/new/?partner=1050 {ID}",
        "steamcomrnunity.com/tradeoffer/new/?partner=1050&token=AbCd_-9h",
    ),
    "offer_link": ("https://steamcommunity.com/tradeoffer/5678901234",),
    "bad_partner": ("https://steamcommunity.com/tradeoffer/new/?partner=0&token=AbCd_-9h",),
}


@pytest.mark.parametrize("text", ACCEPTED)
def test_accepted(text):
    """Each form names the same account."""
    assert read_steam_id(text, option="steam") == SteamId(int(ID))


@pytest.mark.parametrize(("problem", "text"), [(problem, text) for problem, texts in REFUSED.items() for text in texts])
def test_refused(problem, text):
    """A text without exactly one account is refused with its mistake."""
    with pytest.raises(InvalidInput) as caught:
        read_steam_id(text, option="steam")

    assert caught.value.problem == problem


@PROPERTY
@given(data=st.data(), url=trade_urls())
def test_any_account(data, url):
    """A trade URL in any spelling, and each form of its owner's SteamID, name the same account."""
    number = url.steam_id.account_id
    forms = [data.draw(pasted(url)), f"[U:1:{number}]", f"STEAM_1:{number % 2}:{number // 2}", str(url.steam_id)]

    assert {read_steam_id(form, option="steam") for form in forms} == {url.steam_id}


@pytest.mark.parametrize("piece", ["7656", "STEAM_0:", "U:1:", "/id/", "U : 1 :", "\ufdfa", "%25", "/tradeoffer/new?"])
def test_hostile_length(piece):
    """The longest text that Discord allows is refused quickly."""
    started = time.process_time()
    with pytest.raises(InvalidInput):
        read_steam_id((piece * 6000)[:6000], option="steam")

    assert time.process_time() - started < 2
