"""The independent reader finds what Discord acts on, and leaves alone what is only text."""

import pytest

from tests.support.discord_markdown import Construct, constructs

LIVE = [
    ("<@12> <@!12> <@&12>", ["mention"] * 3),
    ("@everyone and \\@here", ["everybody"] * 2),
    ("@every\u200bone", ["everybody", "hidden"]),
    ("<#12>", ["channel"]),
    ("<id:customize> <id:home>", ["place"] * 2),
    ("</trades:1> </link set:2>", ["command"] * 2),
    ("<t:0> <t:-5:R>", ["timestamp"] * 2),
    ("<:knife:12> <a:knife:12>", ["emoji"] * 2),
    (":smile:", ["shortcode"]),
    ("https://evil.example/x and steam://run/1", ["address"] * 2),
    ("<https://evil.example>", ["address"]),
    ("<mailto:a@b.example> <a@b.example> <+4912345>", ["address"] * 3),
    ("[a](https://b.example)", ["link"]),
    ("[a [b] \\] c](<https://b.example> 'title')", ["link"]),
    ("discord.gg/abc", ["invite"]),
    ("# a\n## b\n### c", ["heading"] * 3),
    ("-# small", ["subtext"]),
    ("> a\n>>> b", ["quote"] * 2),
    ("> # a", ["quote", "heading"]),
    ("- a\n  * b\n+ c\n1. d", ["list"] * 4),
    ("**a** *b*", ["emphasis"] * 6),
    ("__a__ _b_ c_", ["emphasis"] * 4),
    ("~~a~~ ||b||", ["strike"] * 2 + ["spoiler"] * 2),
    ("`a` ``b`c``", ["code"] * 2),
    ("```\na\n``` b", ["code block"]),
    ("\u202egnp.exe", ["hidden"]),
    ("a\ud800b", ["hidden"]),
]
DEAD = [
    r"\<\@12\> \<t\:0\:R\> \</trades\:1\>",
    r"\[a\](https\://evil.example)",
    r"\# a",
    r"\-# small",
    r"\> a",
    r"1\. a",
    r"\*\*a\*\* \_a\_ \~\~ \|\|",
    r"\`a\`",
    "snake_case and 5 * x = 10".replace("*", "×"),
    "#1 trade, > 3, a - b, 1.5",
    "<not a mention> <@> <t:> </x> <::>",
    "[a] (b) [c](d)",
    "e@x.example, 12:30, C:\\x",
    "👨\u200d👩\u200d👧 🏳️\u200d🌈",
    "a | b",
]


@pytest.mark.parametrize(("text", "kinds"), LIVE, ids=lambda each: ascii(each)[:40])
def test_live(text: str, kinds: list[str]) -> None:
    """Each construct is found, whatever stands around it."""
    assert sorted(found.kind for found in constructs(text)) == sorted(kinds)
    assert sorted(found.kind for found in constructs(f"so: {text}") if found.kind not in BLOCKS) == sorted(
        kind for kind in kinds if kind not in BLOCKS
    )


BLOCKS = {"heading", "subtext", "quote", "list"}


@pytest.mark.parametrize("text", DEAD, ids=ascii)
def test_dead(text: str) -> None:
    """Escaped constructs, and characters that only look like some, are nothing."""
    assert constructs(text) == []


def test_code_hides_the_rest() -> None:
    """Nothing inside a code span or a block counts, and a span that swallows what follows is noticed."""
    assert constructs("`<@1> **a** https://x.example` <@2>") == [Construct("code"), Construct("mention", "@2")]
    assert constructs("```\n# a <@1>\n```") == [Construct("code block")]
    assert constructs("a ` b <@2> ` c") == [Construct("code")]
    assert constructs(r"a \` b <@2> \` c") == [Construct("mention", "@2")]


def test_values() -> None:
    """Where something leads is told, so that a changed target is noticed."""
    assert constructs("[a](https://steamcommunity.com/x) <t:5:R> https://a.example/b") == [
        Construct("link", "https://steamcommunity.com/x"),
        Construct("timestamp", "t:5:R"),
        Construct("address", "https://a.example/b"),
    ]
