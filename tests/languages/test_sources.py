"""The code has no text for people outside of its messages, and its messages can be collected and filled."""

import ast
import re

from tests.languages.sources import all_modules, messages, placeholders, raw_texts

ALLOWED = frozenset({"SkinDesk", "Steam", "SteamID", "AssetPay", "SkinsBack", "Mannco.store", "Cloudflare"})
"""Names that every language writes alike."""

OF_HTTP = re.compile(
    r"[A-Z][a-z]+(?:-[A-Z][a-z]+)+|Vary|Server|Location|Strict|Lax|GET, HEAD, POST|noindex, nofollow"
    r"|(?:; [A-Z][\w-]+=?\w*)+"
)
"""Headers, and what stands in them."""


def test_no_text_outside_of_messages():
    """Each text for people goes through the catalogues."""
    found = [
        f"{name}:{line}: {text}"
        for name, tree in all_modules()
        for line, text in raw_texts(tree)
        if text.strip() not in ALLOWED and not (name.startswith("bot/web/") and OF_HTTP.fullmatch(text))
    ]

    assert found == []


def test_messages_are_literals():
    """A message is written out where it is made: one that is put together cannot be collected."""
    found = [
        f"{name}:{call.lineno}: {ast.unparse(call)}"
        for name, tree in all_modules()
        for call, texts in messages(tree)
        if texts is None and name != "bot/ui/interaction/command_translator.py"
    ]

    assert found == []


def test_placeholders_are_filled():
    """Each placeholder has its value, and each value its placeholder."""
    found = [
        f"{name}:{call.lineno}: {text!r} with {sorted(map(str, given))}"
        for name, tree in all_modules()
        for call, texts in messages(tree)
        if (function := ast.unparse(call.func)) in {"t", "tn", "tp"} and texts is not None
        for given in [{keyword.arg for keyword in call.keywords} | ({"count"} if function == "tn" else set())]
        for text in (texts[1:] if function == "tp" else texts)
        if None not in given and (given or "{" in text) and placeholders(text) != given
    ]

    assert found == []


def test_messages_begin_and_end_with_words():
    """No message begins or ends with a space: it would be a part of a sentence."""
    found = [
        f"{name}:{call.lineno}: {text!r}"
        for name, tree in all_modules()
        for call, texts in messages(tree)
        for text in texts or ()
        if text != text.strip()
    ]

    assert found == []
