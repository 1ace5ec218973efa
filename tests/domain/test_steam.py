"""Steam's own terms: games, SteamIDs, trade URLs, item images."""

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


@pytest.mark.parametrize("value", [FIRST, LAST])
def test_ends_of_the_range(value):
    """The first and the last individual account are SteamIDs."""
    assert SteamId.parse(str(value)).value == value


@pytest.mark.parametrize("value", [FIRST - 1, LAST + 1, 0, -1, 123456789, 103582791429521408, 10**17])
def test_out_of_range(value):
    """A number that is no individual account (a group, an account number) is no SteamID."""
    with pytest.raises(ValueError, match="individual"):
        SteamId(value)


@pytest.mark.parametrize("account", [0, -1, 2**32])
def test_no_such_account(account):
    """An account number is of 32 bits and not 0."""
    with pytest.raises(ValueError, match="individual"):
        SteamId.from_account_id(account)


@pytest.mark.parametrize("text", ["76561198083722517", " 76561198083722517\n"])
def test_parsed(text):
    """Seventeen digits are read, white space around them aside."""
    assert str(SteamId.parse(text)) == "76561198083722517"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "7656119808372251",
        "765611980837225170",
        "+6561198083722517",
        "7656119_083722517",
        "76561198083722517.",
        "0x561198083722517",
        "00000000123456789",
        "99999999999999999",
        "7656119808372251\u0667",
        "\uff17" * 17,
    ],
    ids=ascii,
)
def test_not_parsed(text):
    """Anything else is refused as a bad value, never read as another account."""
    with pytest.raises(ValueError, match=r"17 digits|individual"):
        SteamId.parse(text)


@PROPERTY
@given(account=st.integers(1, 2**32 - 1))
def test_there_and_back(account):
    """An account number survives being written as a SteamID and read again."""
    assert SteamId.parse(str(SteamId.from_account_id(account))).account_id == account


@PROPERTY
@given(text=st.one_of(st.text(), st.from_regex(r"\d{17}", fullmatch=True)))
def test_any_text(text):
    """Reading any text gives an individual account or ValueError."""
    try:
        steam_id = SteamId.parse(text)
    except ValueError:
        return
    assert FIRST <= steam_id.value <= LAST


def test_canonical():
    """The spelling that providers take: partner first, then the token as it is."""
    url = TradeUrl(SteamId.from_account_id(12345), TradeToken("aB-_EFGH"))

    assert url.canonical() == "https://steamcommunity.com/tradeoffer/new/?partner=12345&token=aB-_EFGH"


@pytest.mark.parametrize(
    ("game", "word", "app_id"),
    [(Game.CS2, "cs2", 730), (Game.RUST, "rust", 252490), (Game.DOTA2, "dota2", 570), (Game.TF2, "tf2", 440)],
)
def test_game(game, word, app_id):
    """A game is known by the word of the commands and by Steam's app id."""
    assert game.word == word
    assert game == app_id
    assert Game.from_word(word) is game
    assert Game.from_word(word.upper()) is game
    assert Game.from_app_id(app_id) is game


@pytest.mark.parametrize("word", ["", "csgo", "730", "cs 2", "word", "__class__"])
def test_no_such_game(word):
    """Another word is no game."""
    with pytest.raises(ValueError, match="no such game"):
        Game.from_word(word)


@pytest.mark.parametrize("app_id", [None, 0, -730, 753])
def test_unknown_app_id(app_id):
    """A game that SkinDesk does not know is None, not a mistake: providers have more."""
    assert Game.from_app_id(app_id) is None


def test_image():
    """A picture's address is Steam's host, the hash and the size."""
    assert image_url(HASH) == f"https://community.cloudflare.steamstatic.com/economy/image/{HASH}/360fx360f"
    assert image_url(HASH, size=96) == f"https://community.cloudflare.steamstatic.com/economy/image/{HASH}/96fx96f"


@pytest.mark.parametrize(
    "icon_hash",
    [
        None,
        "",
        "-9a81dlWLwJ2UUGcVs_nsVtzdOEdtWwKGZZLQHTxDZ7I56KU0Zwwo4NUX4oFJZEHLbXH5ApeO4Ymlhx...",
        f"{HASH}\u2026",
        f"{HASH}/",
        f"../{HASH}",
        f"//example.com/{HASH}",
        f"https://example.com/{HASH}",
        f"https://community.cloudflare.steamstatic.com/economy/image/{HASH}/360fx360f",
        f"{HASH}?x=1",
        f"{HASH}#x",
        f"{HASH}@example.com",
        f"{HASH}%2f",
        f"{HASH}é",
        f"{HASH})",
        f"{HASH}\n",
        f" {HASH}",
        "x" * 15,
        "x" * 513,
    ],
)
def test_no_image(icon_hash):
    """What is not a plain hash (shortened, an address, anything that could leave the path) gives no picture."""
    assert image_url(icon_hash) is None


@PROPERTY
@given(icon_hash=st.one_of(st.text(), st.text(alphabet="aZ09_-./%:?#", min_size=14, max_size=30)))
def test_any_hash(icon_hash):
    """Nothing that a provider sends leads anywhere but to a picture on Steam's own host."""
    address = image_url(icon_hash)

    assert address is None or address == (
        f"https://community.cloudflare.steamstatic.com/economy/image/{icon_hash}/360fx360f"
    )
    assert address is None or icon_hash.replace("_", "a").replace("-", "a").isalnum()
