"""The independent reader finds markup that Discord acts on, and nothing in plain text."""

import pytest

from tests.support.discord_markdown import Construct, constructs

BLOCKS = {"heading", "subtext", "quote", "list"}
LIVE = [
    ("<@12> <@!12> <@&12>", ["mention"] * 3),
    ("@everyone and \\@here", ["everybody"] * 2),
    ("@every\u200bone", ["everybody", "hidden"]),
    ("<#12>", ["channel"]),
    ("<id:customize>", ["place"]),
    ("</trades:1> </link set:2>", ["command"] * 2),
    ("<t:0> <t:-5:R>", ["timestamp"] * 2),
    ("<:knife:12> <a:knife:12>", ["emoji"] * 2),
    (":smile:", ["shortcode"]),
    ("https://evil.example/x and steam://run/1", ["address"] * 2),
    ("<https://evil.example> <mailto:a@b.example> <a@b.example>", ["address"] * 3),
    ("[a [b] \\] c](<https://b.example> 'title')", ["link"]),
    ("discord.gg/abc", ["invite"]),
    ("# a\n## b\n### c", ["heading"] * 3),
    ("-# small", ["subtext"]),
    ("> # a\n>>> b", ["quote", "heading", "quote"]),
    ("- a\n  * b\n+ c\n1. d", ["list"] * 4),
    ("**a** *b*", ["emphasis"] * 6),
    ("__a__ _b_ c_", ["emphasis"] * 4),
    ("~~a~~ ||b||", ["strike"] * 2 + ["spoiler"] * 2),
    ("`a` ``b`c``", ["code"] * 2),
    ("```\na\n``` b", ["code block"]),
    ("\u202egnp.exe a\ud800b", ["hidden"] * 2),
]
DEAD = [
    r"\<\@12\> \<t\:0\:R\> \</trades\:1\> \[a\](https\://evil.example)",
    "\\# a\n\\-# small\n\\> a\n1\\. a",
    r"\*\*a\*\* \_a\_ \~\~ \|\| \`a\`",
    "snake_case, #1 trade, > 3, a - b, 1.5, e@x.example, 12:30, C:\\x, a | b",
    "<not a mention> <@> <t:> </x> <::> [a] (b) [c](d)",
    "👨\u200d👩\u200d👧 🏳️\u200d🌈",
]


@pytest.mark.parametrize(("text", "kinds"), LIVE, ids=lambda each: ascii(each)[:40])
def test_live(text: str, kinds: list[str]) -> None:
    """Each construct is found, at the start of a line and within one."""
    assert sorted(found.kind for found in constructs(text)) == sorted(kinds)
    assert sorted(found.kind for found in constructs(f"so: {text}") if found.kind not in BLOCKS) == sorted(
        kind for kind in kinds if kind not in BLOCKS
    )


@pytest.mark.parametrize("text", DEAD, ids=ascii)
def test_dead(text: str) -> None:
    """Escaped constructs and lookalikes are nothing."""
    assert constructs(text) == []


def test_code_hides_its_content() -> None:
    assert constructs("`<@1> **a** https://x.example` <@2>") == [Construct("code"), Construct("mention", "@2")]
    assert constructs(r"a \` b <@2> \` c") == [Construct("mention", "@2")]
    assert constructs("[a](https://steamcommunity.com/x)") == [Construct("link", "https://steamcommunity.com/x")]
