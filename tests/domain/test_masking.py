"""Text from people is shown and stored without trade tokens."""

from __future__ import annotations

import json
import time
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import TradeUrlRejected
from bot.domain.pasted import plain
from bot.domain.secrets import mask_trade_urls
from bot.domain.trade_url import parse_trade_url
from tests.domain.builders import PROPERTY
from tests.domain.pasting import ENCODED, SPELLINGS, TOKEN, URL, pasted, trade_urls

MASK = "••••"

WITHOUT_TOKEN = {
    "nothing": "",
    "words": "The customer's offer expired; please send it again.",
    "an error's key": "3 invalid_trade_token",
    "a partner only": "https://steamcommunity.com/tradeoffer/new/?partner=123456789",
    "an empty token": "https://steamcommunity.com/tradeoffer/new/?partner=123456789&token=&l=english",
    "joined emoji": "thanks \U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f",
    "direction marks": "\u202b\u05e9\u05dc\u05d5\u05dd\u202c (\u200e12\u200e)",
    "markdown": "**bold** _italic_ ||spoiler|| [link](https://example.com) <@1>",
    "masked before": f"steamcommunity.com/tradeoffer/new/?partner=1&token={MASK}",
    "half a surrogate pair": "\ud83d",
}


def hidden(text: str, secret: str = TOKEN) -> bool:
    """Return whether neither ``text`` nor any decoding of it contains the secret, whole or in part."""
    for _ in range(5):
        if secret in text or secret[:5] in text or secret[-5:] in text:
            return False
        text = unquote(text)
    return True


@pytest.mark.parametrize("text", WITHOUT_TOKEN.values(), ids=WITHOUT_TOKEN)
def test_nothing_to_mask(text):
    """A text without a trade token is unchanged, including its invisible characters."""
    assert mask_trade_urls(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (URL, URL.replace(TOKEN, MASK)),
        (f"[mine]({URL}) works", f"[mine]({URL.replace(TOKEN, MASK)}) works"),
        (f"{URL}&l=english", f"{URL.replace(TOKEN, MASK)}&l=english"),
        (f"?token={TOKEN}&partner=1", f"?token={MASK}&partner=1"),
        (f"one {URL} and {URL} two", f"one {URL.replace(TOKEN, MASK)} and {URL.replace(TOKEN, MASK)} two"),
        (f"(token={TOKEN}) was sent", f"(token={MASK}) was sent"),
        (ENCODED, ENCODED.replace(TOKEN, MASK)),
        (f"token: {TOKEN} is it", f"token: {MASK} is it"),
    ],
)
def test_only_the_token_is_masked(text, expected):
    """The text around a token is unchanged."""
    assert mask_trade_urls(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        URL.upper().replace(TOKEN.upper(), TOKEN),
        URL.replace("&", "&amp;"),
        URL.replace("/new/?", "/new?"),
        f"Token = {TOKEN}",
        f"token=\n{TOKEN}",
        f"token => {TOKEN}",
        f"trade_token={TOKEN}",
        f"token\uff1a{TOKEN}",
        f"token\uff1d{TOKEN}",
        f"**token**: `{TOKEN}`",
        f"`token`=`{TOKEN}`",
        f"token=**{TOKEN}**",
        f"token=||{TOKEN}||",
        f"token=<{TOKEN}>",
        f"token=[{TOKEN}]",
        f"token={TOKEN}, thanks",
        json.dumps({"trade_token": TOKEN, "game": "cs2"}),
        json.dumps(json.dumps({"token": TOKEN})),
        json.dumps({"tradeUrl": URL}).replace("=", "\\u003d").replace("&", "\\u0026"),
        str({"token": TOKEN}),
        f"token&#x3D;{TOKEN}",
        f"token&#61;{TOKEN}",
        f"token&equals;{TOKEN}",
        quote(ENCODED, safe=""),
        quote(quote(ENCODED, safe=""), safe=""),
        ENCODED.lower().replace(TOKEN.lower(), TOKEN),
        f"tok%65n={TOKEN}",
        f"%74%6F%6b%65%6E%3D{TOKEN}",
        f"%2574oken%253D{TOKEN}",
        URL.replace(TOKEN, "%41%62%43%64-_9h"),
        URL.replace("token", "to\u200bken"),
        *(f"tok{invisible}en={TOKEN}" for invisible in "\u200b\xad\x00\x7f\u3164\U000e0020"),
        f"to\u212aen={TOKEN}",  # the sign for kelvin counts as a letter
        URL.replace("token", "t\ufe0foke\u034fn"),
        URL.replace("token=", "token\u2060="),
        URL.replace(TOKEN, "\u200b".join(TOKEN)),
        URL.replace(TOKEN, "\ufe0f".join(TOKEN)),
        URL.replace(TOKEN, "\x00".join(TOKEN)),
        f"token=\u3164{TOKEN}",
        URL + "X",
        URL[:-1],
        URL.replace("token=", "token=<b>"),
        *SPELLINGS.values(),
    ],
    ids=ascii,
)
def test_every_spelling(text):
    """A token is masked in any spelling, also if it is mistyped or its name is disguised."""
    masked = mask_trade_urls(f"look: {text} please")

    assert MASK in masked
    assert hidden(masked)
    assert hidden("".join(character for character in masked if character.isascii() and character.isprintable()))


@PROPERTY
@given(data=st.data(), url=trade_urls())
def test_parsable_text_is_masked(data, url):
    """After masking, no trade URL can be read from a text."""
    text = data.draw(pasted(url))
    masked = mask_trade_urls(text)

    assert url.token.reveal() not in plain(masked).text
    with pytest.raises(TradeUrlRejected):
        parse_trade_url(masked)


@PROPERTY
@given(url=trade_urls(), encoded=st.sets(st.integers(0, 120), max_size=80), rounds=st.integers(0, 3))
def test_encoded_character_by_character(url, encoded, rounds):
    """A token is masked with any characters percent-encoded, any number of times."""
    text = "".join(
        f"%{ord(character):02x}" if place in encoded else character for place, character in enumerate(url.canonical())
    )
    for _ in range(rounds):
        text = text.replace("%", "%25")

    masked = mask_trade_urls(text)

    for _ in range(5):
        assert url.token.reveal() not in masked
        masked = unquote(masked)


@PROPERTY
@given(text=st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="&%\\\\")))
def test_text_without_layers(text):
    """Printable ASCII without ``&``, ``%`` and backslashes has no layers: the masking need not look for any."""
    assert plain(text).text == text


PIECES = f"""token TOKEN = : & # ) ] ( " ` * > %3D %25 u003d &#61; partner=1 steamcommunity.com/tradeoffer/new/?
{TOKEN} {MASK}"""
SCRAPS = st.lists(
    st.sampled_from([*PIECES.split(), " ", "\n", "\u200b", "\ufe0f"]),
    max_size=16,
).map("".join)


@PROPERTY
@given(text=st.one_of(SCRAPS, st.text(), st.text(alphabet=st.characters(codec=None))))
def test_masked_twice(text):
    """Masking twice changes nothing."""
    once = mask_trade_urls(text)

    assert mask_trade_urls(once) == once


@PROPERTY
@given(before=st.text(), after=st.text(), url=trade_urls())
def test_in_any_sentence(before, after, url):
    """A token is masked in any surrounding text."""
    masked = mask_trade_urls(f"{before} {url.canonical()} {after}")

    assert url.canonical() not in masked
    assert f"partner={url.steam_id.account_id}&token={MASK}" in masked


@pytest.mark.parametrize(
    "text",
    [
        "token" * 200_000,
        "token " * 100_000,
        "token" + " " * 1_000_000,
        "t%25" * 200_000,
        "t%" + "25" * 500_000,
        "\u200b" * 1_000_000,
        "\\" * 1_000_000,
    ],
    ids=["words", "spaced", "spaces", "encoded", "over-encoded", "invisible", "backslashes"],
)
def test_hostile_length(text):
    """A provider's message of a megabyte is masked quickly."""
    started = time.process_time()
    mask_trade_urls(text)

    assert time.process_time() - started < 5
