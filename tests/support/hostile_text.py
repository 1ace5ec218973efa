"""Texts that try to be markup on Discord, and two readers that find out whether one succeeded."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st
from simcord.preview._markdown import markdown_tokens

SPELT_OUT = (
    "@everyone @here @ everyone <@123456789012345678> <@!1> <@&2> <#3> <t:0> <t:1700000000:R> </cmd:1> </a b:2> "
    "<:xx:1> <a:xx:1> <id:customize> <id:home> <https://evil.example> https://evil.example/x http://a.b steam://run/1 "
    "discord.gg/abc www.evil.example mailto:a@b.example [a](https://b.example) ![a](https://b.example) ** __ _ * ~~ || "
    "` ``` \\ \\\\ # ## -# > >>> - + = === 1. 12) | --- |-|- : :smile: &amp; &#64; &lt;@1&gt; ¯\\_(ツ)_/¯ a B_c . "
    "~ ! ( ) AK-47 StatTrak™ ★ é café e\u0301 क्षि 각 각 ﷽ 𒐫 👨‍👩‍👧‍👦 🇩🇪 🇩 👍🏽 1️⃣ ❤️‍🔥 🏴󠁧󠁢󠁥󠁮󠁧󠁿 שלום عربي"
)
SPELT_OUT_HIDDEN = (
    "\u202e \u202d \u2066 \u2069 \u200e \u061c \u200b \u200c \u200d \u2060 \ufeff \u00ad \u034f \u180e \u3164 \u2800 "
    "\u115f \u17b4 \ud800 \udfff \U000e0041 \U000e0100 \ufffe \U0001ffff \ue000 \ufe0f \ufe0e \u20e3 \u0301 \u0336 "
    "\x00 \x1b[31m \x07 \x85 \u2028 \u2029 \u00a0 \n \r\n \t \u1fef \u037e"
)
FRAGMENTS = SPELT_OUT.split(" ")
HIDDEN = SPELT_OUT_HIDDEN.split(" ")

hostile = st.lists(
    # Characters newer than this Python are left out: the two readers would disagree.
    st.sampled_from((*FRAGMENTS, *HIDDEN, " ")) | st.text(st.characters(exclude_categories=["Cn", "Cs"]), max_size=6),
    max_size=24,
).map("".join)

LONG = (
    "`" * 10_000,
    "[" * 5_000,
    "\\" * 3_001,
    "*_~|" * 1_000,
    "q" + "\u0336\u0301\u0489" * 3_000,
    "\u202e" * 2_000 + "gnp.exe",
    "\udc68\ud83d" * 1_000,
    "👨\u200d👩\u200d👧\u200d👦" * 500,
    "🇩🇪1\ufe0f\u20e3👍🏽" * 500,
    "क्षि" * 1_000,
    "\u1100\u1161\u11a8" * 1_000,
    "<@1>" * 2_000,
    "@everyone " * 1_000,
    "</cmd:1><t:0>" * 800,
    "[a](https://b.example)" * 400,
    "https://evil.example/" * 400,
    "\n# a\n> b\n- c" * 500,
    "x" * 10_000,
    " " * 10_000,
)
"""Very long repetitions of one construct."""


def varied(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Draw a few of these texts for an example and put them anywhere: one for each place takes most of the time."""
    few = st.lists(texts, min_size=1, max_size=8)
    return st.shared(few, key=repr(texts)).flatmap(st.sampled_from)


very_hostile = hostile | st.sampled_from(LONG) | st.tuples(hostile, st.sampled_from(LONG), hostile).map("".join)


class Everything(Mapping[str, Any]):
    """A server on which every id exists, so that every mention resolves."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __getitem__(self, key: str) -> Any:
        return self.value

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 1

    def get(self, key: str, default: Any = None) -> Any:
        return self.value


@lru_cache(maxsize=4_096)  # pages repeat most of their texts, and SimCord builds its reader for each
def rendered(text: str, profile: str = "message") -> tuple[tuple[str, ...], str]:
    """Return the kinds of markup that SimCord finds, and the visible text."""
    names = Everything("name")
    context = {
        "users": names,
        "roles": names,
        "channels": names,
        "commands": Everything("cmd"),
        "emojis": Everything({"name": "xx", "animated": False}),
        "everyone": True,
    }
    kinds: list[str] = []
    visible: list[str] = []

    def visit(tokens: list[dict[str, Any]]) -> None:
        for token in tokens:
            if token["type"] == "subtext" and not re.search("(?m)^-# ", text):
                # SimCord looks for subtext after the escapes, Discord before them: an escaped one is none.
                kinds.append("inline")
                visible.append("-# ")
            else:
                kinds.append(token["type"])
            visible.append("\n" if token["type"] == "break" else token.get("content", ""))
            visit(token.get("children", []))

    visit(markdown_tokens(text, profile, context=context))
    return tuple(kinds), "".join(visible)


LIVE = {
    "markup": r"[*`~<>\[\]@\\]",
    "spoiler": r"\|\|",
    "underscore": r"(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])",
    "address or shortcode": r"\w:[^\s\0]",
    "domain": r"[a-zA-Z0-9]\.[a-zA-Z]",
    "line start": r"^(?:#|-|\+|=|>|\||\d+[.)])",
    "entity": r"&#?\w+;",
    "second line": r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]",
}
LIVE_IN_RAW = {
    "everyone": r"(?i)@(everyone|here)",
    "reference": r"<(?:@[!&]?|#)\d+>",
    "scheme": r"(?i)(https?|steam|discord|mailto)://?",
    "invite": r"(?i)discord\.gg",
}
HIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def live(text: str) -> list[str]:
    """Find markup, mentions and hidden characters, without knowing how the renderer works."""
    bare = re.sub(r"\\[^0-9A-Za-z\s]", "\0", text)
    seen_through = "".join(character for character in text if unicodedata.category(character) != "Cf")
    found = [name for name, pattern in LIVE.items() if re.search(pattern, bare)]
    found += [name for name, pattern in LIVE_IN_RAW.items() if re.search(pattern, seen_through)]
    found += [
        f"U+{ord(character):04X}"
        for character in text
        if unicodedata.category(character) in HIDDEN_CATEGORIES and character != "\u200d"
    ]
    return found
