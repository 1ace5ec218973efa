"""The code has no text for people outside of its messages, and its messages can be collected and filled."""

import ast

from tests.languages.sources import all_modules, messages, placeholders, raw_texts

NOT_YET = {
    "bot/ui/access.py",
    "bot/ui/audit.py",
    "bot/ui/confirm.py",
    "bot/ui/customer/controls.py",
    "bot/ui/customer/page.py",
    "bot/ui/errors.py",
    "bot/ui/explain.py",
    "bot/ui/failure_details.py",
    "bot/ui/interaction/error_handler.py",
    "bot/ui/inventory/comparison.py",
    "bot/ui/inventory/controls.py",
    "bot/ui/inventory/details.py",
    "bot/ui/inventory/messages.py",
    "bot/ui/inventory/page.py",
    "bot/ui/inventory_pages.py",
    "bot/ui/kit/layout.py",
    "bot/ui/kit/text.py",
    "bot/ui/link_messages.py",
    "bot/ui/links.py",
    "bot/ui/meanings.py",
    "bot/ui/mydata.py",
    "bot/ui/pager.py",
    "bot/ui/ready_answers.py",
    "bot/ui/references.py",
    "bot/ui/resends/ask.py",
    "bot/ui/resends/asked.py",
    "bot/ui/resends/buttons.py",
    "bot/ui/resends/card.py",
    "bot/ui/resends/facts.py",
    "bot/ui/resends/messages.py",
    "bot/ui/resends/queue.py",
    "bot/ui/resends/reasons.py",
    "bot/ui/trade_pages.py",
    "bot/ui/trades/block.py",
    "bot/ui/trades/head.py",
    "bot/ui/trades/lines.py",
    "bot/ui/trades/messages.py",
    "bot/ui/trades/page.py",
    "bot/ui/watches.py",
    "bot/web/messages.py",
    "bot/web/page.py",
    "bot/web/server.py",
    "bot/web/sign_in.py",
    "cogs/access.py",
    "cogs/audit.py",
    "cogs/customer.py",
    "cogs/explain.py",
    "cogs/inventory.py",
    "cogs/links.py",
    "cogs/mydata.py",
    "cogs/resends.py",
    "cogs/settings.py",
    "cogs/status.py",
    "cogs/trades.py",
}
"""Modules whose texts are still to be taken out."""

ALLOWED = frozenset({"SkinDesk", "Steam", "AssetPay", "SkinsBack", "Mannco.store", "Cloudflare"})
"""Names that every language writes alike."""


def test_no_text_outside_of_messages():
    """Each text for people goes through the catalogues."""
    found = [
        f"{name}:{line}: {text}"
        for name, tree in all_modules()
        if name not in NOT_YET
        for line, text in raw_texts(tree)
        if text.strip() not in ALLOWED
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
