"""An embed always fits Discord's limits."""

import re

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simcord.types import HttpLogEntry

from bot.languages import LANGUAGES, in_language
from bot.ui.kit.layout import ROOM, Field, Tone, card, fit
from bot.ui.kit.text import code, outside, utf16_length
from tests.support.hostile_text import hostile, rendered
from tests.support.payload_audit import audit_requests

fields = st.lists(
    st.builds(Field, hostile.map(outside), (hostile.map(outside) | st.just("v" * 1500)), st.booleans()), max_size=40
)


def violations(*embeds: discord.Embed) -> list[str]:
    body = {"embeds": [embed.to_dict() for embed in embeds], "allowed_mentions": {"parse": []}}
    return audit_requests([HttpLogEntry("POST", "/channels/1/messages", {}, body, None)])


@given(
    title=hostile.map(lambda text: outside(text) * 3),
    description=st.lists(hostile.map(outside), max_size=60).map("\n".join),
    wanted=fields,
    footer=st.text(st.characters(categories=["L"]), max_size=3000),
    cards=st.integers(1, 10),
)
def test_any_card(title, description, wanted, footer, cards):
    """Discord accepts every card, and every message of several cards."""
    shown = [
        card(title=title, description=description, fields=wanted, footer=footer, room=ROOM // cards)
        for _ in range(cards)
    ]

    assert violations(*shown) == []


@given(first=hostile, second=hostile, third=hostile, repeats=st.integers(1, 12), limit=st.integers(1, 300))
def test_cut_markup(first, second, third, repeats, limit):
    """Markup is cut between its pieces, never inside an escape, a timestamp, code or a link."""
    line = f"**{outside(first)}** {code(second)} <t:1:R> [more](https://steamcommunity.com/my) {outside(third)}"
    markup = "\n".join([line] * repeats)

    shown = fit(markup, limit)

    assert 1 <= utf16_length(shown) <= limit
    if shown == markup:
        return
    kept, ellipsis, closing = shown.rpartition("…")
    pieces = re.finditer(r"`[^`\n]+`|\\.|<t:1:R>|\[more\]\(https://steamcommunity.com/my\)", markup)
    assert ellipsis
    assert closing in {"", "**"}
    assert markup.startswith(kept)
    assert not any(match.start() < len(kept) < match.end() for match in pieces)
    kinds, _ = rendered(shown, "embed_description")
    assert set(kinds) <= {
        *("paragraph", "inline", "text", "break", "strong_open", "strong_close"),
        *("code", "timestamp", "link_open", "link_close"),
    }
    assert kinds.count("strong_open") == kinds.count("strong_close")


@pytest.mark.parametrize(
    ("markup", "limit", "shown"),
    [
        ("short", 5, "short"),
        ("one line\nanother line\na third", 25, "one line\nanother line\n…"),
        ("head\n" + "x" * 40, 20, "head\n" + "x" * 14 + "…"),
        ("**bold words**", 10, "**bold…**"),
        ("a __b **c d", 10, "a __b…__"),
        (r"a\*b\*c", 5, r"a\*b…"),
        (r"a\*b\*c", 6, r"a\*b…"),
        ("in <t:1700000000:R> or", 16, "in…"),
        ("`x` `yyyyyyyy` z", 9, "`x`…"),
        ("see https://steamcommunity.com/my", 20, "see…"),
        ("say ```py\nx\n``` so", 12, "say…"),
        ("\\*\ufe0f\u20e3 x", 4, "…"),
        ("ab👍🏽cd", 6, "ab…"),
        ("<t:1700000000:R>", 5, "…"),
    ],
)
def test_fit(markup, limit, shown):
    """Whole lines are left out first; otherwise the cut is between pieces, and open emphasis is closed."""
    assert fit(markup, limit) == shown


def test_long_description():
    """A long description leaves half of the room to fields, and takes all of it if there are none."""
    lines = "\n".join(["a line of text"] * 600)
    few = card(title="t", description=lines, fields=[Field("n", "v" * 900)] * 3)
    none = card(title="t", description=lines)

    assert len(few.fields) == 3
    assert re.search(r"text\n…and \d{3} more lines$", few.description or "")
    assert utf16_length(none.description or "") > 4000


@given(
    lines=st.lists(st.sampled_from(["a line", "", "**bold**", "x" * 90]), min_size=1, max_size=200),
    limit=st.integers(512, 4096),
)
def test_lines_left_out(lines, limit):
    """The shown lines and the count of the others add up to all lines."""
    shown = fit("\n".join(lines), limit)
    kept, counted, note = shown.partition("…and ")

    assert utf16_length(shown) <= limit
    if counted:
        said = sum(bool(line) for line in lines)
        assert sum(bool(line) for line in kept.split("\n")) + int(note.split()[0].replace(",", "")) == said
    else:
        assert shown == "\n".join(lines)


@pytest.mark.parametrize(
    ("count", "size", "footer", "shown", "note"),
    [
        (25, 10, "Page 1", 25, "Page 1"),
        (28, 10, "Page 1", 25, "…and 3 more · Page 1"),
        (28, 10, "", 25, "…and 3 more"),
        (12, 1000, "", 5, "…and 7 more"),
    ],
)
def test_fields_left_out(count, size, footer, shown, note):
    """Fields that do not fit are counted in the footer."""
    embed = card(title="t", fields=[Field(f"{place}", "v" * size) for place in range(count)], footer=footer)

    assert [field.name for field in embed.fields] == [f"{place}" for place in range(shown)]
    assert embed.footer.text == note
    assert violations(embed) == []


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
@given(
    size=st.integers(0, 1024),
    amount=st.integers(1, 60),
    lines=st.integers(0, 900),
    footer=st.integers(0, 2500),
    room=st.sampled_from([512, 3000, ROOM]),
)
def test_counts_fit_in_every_language(language, size, amount, lines, footer, room):
    """What is left out is counted within Discord's limits, however long the words for it are."""
    with in_language(language):
        shown = card(
            title="t" * 300,
            description="a line\n" * lines,
            fields=[Field("n", "v" * size)] * amount,
            footer="f" * footer,
            room=room,
        )

    assert len(shown) <= room
    assert violations(shown) == []


def test_room_for_the_count():
    """A field that would leave no room for the count is left out too."""
    embed = card(title="t", fields=[Field("n" * 175, "v" * 1024)] * 6)

    assert len(embed.fields) == 4
    assert embed.footer.text == "…and 2 more"


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_room_for_the_count_in_every_language(language):
    """The room for the count is that of the reader's language, to the last character."""
    full = [Field("n", "v" * 1000)] * 5
    with in_language(language):
        shown = [card(title="t", fields=[*full, Field("n", "v" * (993 - left)), *full]) for left in range(60)]

    assert [len(embed) for embed in shown if len(embed) > ROOM] == []
    assert all(embed.footer.text for embed in shown)


def test_empty_texts():
    """Discord refuses empty texts, so a dash replaces them."""
    embed = card(title=" ", description="\n", fields=[Field("", " ")])

    assert (embed.title, embed.description) == ("–", None)
    assert (embed.fields[0].name, embed.fields[0].value) == ("–", "–")
    assert violations(embed) == []


def test_parts_besides_text():
    """A card shows its pictures, its colour and inline fields."""
    address = "https://community.fastly.steamstatic.com/economy/image/abc/96fx96f"
    embed = card(
        title="t", fields=[Field("n", "v", inline=True)], colour=Tone.GOOD, image=address, thumbnail=address
    ).to_dict()

    assert (embed["color"], embed["image"], embed["thumbnail"]) == (Tone.GOOD, {"url": address}, {"url": address})
    assert embed["fields"] == [{"name": "n", "value": "v", "inline": True}]
