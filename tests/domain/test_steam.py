"""Games, SteamIDs, trade URLs and item images."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.secrets import TradeToken
from bot.domain.steam import Game, SteamId, TradeUrl, image_url
from tests.domain.builders import PROPERTY

FIRST, LAST = 76561197960265729, 76561202255233023  # providers.md, 5.1
HASH = "6TMcQ7eX6E0EZl2byXi7vaVKyDk_zQLX05x6eLCFM9neAckxGDf7qU2e2gu64OnAeQ7835Je5WbEfCk4nReh8DEiv5daOa4_rLI_RPi6S8mOXYo"


def test_documented_account():
    """The documented account number has the documented SteamID."""
    assert SteamId.from_account_id(123456789) == SteamId(76561198083722517)
    assert SteamId(76561198083722517).account_id == 123456789


@pytest.mark.parametrize("value", [FIRST - 1, LAST + 1, 0, -1, 123456789, 103582791429521408, 10**17])
def test_out_of_range(value):
    """Groups and account numbers are no SteamIDs of individual accounts."""
    with pytest.raises(ValueError, match="individual"):
        SteamId(value)


def test_parsed():
    """White space around the 17 digits is ignored."""
    assert str(SteamId.parse(" 76561198083722517\n")) == "76561198083722517"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7656119808372251",
        "765611980837225170",
        "+6561198083722517",
        "76561198083722517.",
        "00000000123456789",
        "99999999999999999",
        "7656119808372251\u0667",
        "\uff17" * 17,
    ],
    ids=ascii,
)
def test_not_parsed(text):
    """Any other text is refused."""
    with pytest.raises(ValueError, match=r"17 digits|individual"):
        SteamId.parse(text)


@PROPERTY
@given(account=st.integers(1, 2**32 - 1))
def test_there_and_back(account):
    """An account number becomes a SteamID and back."""
    assert SteamId.parse(str(SteamId.from_account_id(account))).account_id == account


@PROPERTY
@given(text=st.one_of(st.text(), st.from_regex(r"\d{17}", fullmatch=True)))
def test_any_text(text):
    """Any text gives an individual account or ValueError."""
    try:
        steam_id = SteamId.parse(text)
    except ValueError:
        return
    assert FIRST <= steam_id.value <= LAST


def test_canonical():
    """Providers accept only this spelling: partner first, then the token."""
    url = TradeUrl(SteamId.from_account_id(12345), TradeToken("aB-_EFGH"))

    assert url.canonical() == "https://steamcommunity.com/tradeoffer/new/?partner=12345&token=aB-_EFGH"


@pytest.mark.parametrize(
    ("game", "word", "app_id"),
    [(Game.CS2, "cs2", 730), (Game.RUST, "rust", 252490), (Game.DOTA2, "dota2", 570), (Game.TF2, "tf2", 440)],
)
def test_game(game, word, app_id):
    """A game has the commands' word and Steam's app id."""
    assert game.word == word
    assert game == app_id
    assert Game.from_word(word) is game
    assert Game.from_word(word.upper()) is game
    assert Game.from_app_id(app_id) is game


@pytest.mark.parametrize("word", ["", "csgo", "730", "__class__"])
def test_no_such_game(word):
    with pytest.raises(ValueError, match="no such game"):
        Game.from_word(word)


@pytest.mark.parametrize("app_id", [None, 0, -730, 753])
def test_unknown_app_id(app_id):
    """An unknown game is None, because providers have more games."""
    assert Game.from_app_id(app_id) is None


def test_image():
    """The address has Steam's host, the hash and the size."""
    assert image_url(HASH) == f"https://community.cloudflare.steamstatic.com/economy/image/{HASH}/360fx360f"
    assert image_url(HASH, size=96) == f"https://community.cloudflare.steamstatic.com/economy/image/{HASH}/96fx96f"


@pytest.mark.parametrize(
    "icon_hash",
    [
        None,
        "",
        "-9a81dlWLwJ2UUGcVs_nsVtzdOEdtWwKGZZLQHTxDZ7I56KU0Zwwo4NUX4oFJZEHLbXH5ApeO4Ymlhx...",
        f"{HASH}\u2026",
        f"../{HASH}",
        f"//example.com/{HASH}",
        f"https://example.com/{HASH}",
        f"{HASH}?x=1",
        f"{HASH}@example.com",
        f"{HASH}%2f",
        f"{HASH}é",
        f"{HASH}\n",
        "x" * 15,
        "x" * 513,
    ],
)
def test_no_image(icon_hash):
    """Only a plain hash gives an address: nothing shortened, and nothing that could leave the path."""
    assert image_url(icon_hash) is None
