"""The work on text from outside grows with its length and no faster, whatever the text is made of."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from bot.domain.errors import SkinDeskError
from bot.domain.failures import ProviderName
from bot.domain.inventory import InventoryFilter
from bot.domain.pasted import plain
from bot.domain.secrets import mask_trade_urls
from bot.domain.steam_ids import read_steam_id
from bot.domain.steam_links import inspect_url, market_url
from bot.domain.trade_url import parse_trade_url
from bot.domain.typed import folded, price_from, straight
from bot.observability.redaction import redact
from bot.providers import pasted, pasted_steam, reading
from bot.providers.explanations import Catalogue
from bot.providers.response import Response
from bot.ui.kit import text as shown
from bot.ui.kit.csv import guarded_cell
from bot.ui.kit.layout import fit
from bot.ui.kit.markup import without_markup
from tests.domain.builders import item

CATALOGUE = Catalogue.load()
TYPED_LENGTH = 3_000
SENT_LENGTH = 12_000
NOISE = 0.002
"""Seconds of work that say nothing about its growth. Quadratic, they are 8 ms for the 6,000 characters people type."""

# A line each: letters and digits; escapes and markup; invisible and joined characters; links and secrets; messages.
PARTS = """
a|1| |\t|; |=;|-|_|_a|aB|a.|1.|1,|0x|e_|E |A|é|\u017f|İ|[|(|(1|. (|{|*|`|~|"|@|#|//
\\|\\u003d|%|%25|%e2%80|&|&amp;|&#1|&lt;|<|<t:|<a |<!--|</b>|[b]|[a](|||```|\\"|@everyone|/\\|key: |'secret', |
\u200b|\u200d|\ufe0f|\u202e|\u0301\u0327|\u0f73|\ufdfa|\u1100\u1161|🇩|👩\u200d
token|token=|token :|&token=a|/tradeoffer|/tradeoffer/new|steam.com/|a.steam.com|//a/|https://|?partner=|eyJ|ap_
U:1:|STEAM_0:1:|7656|/id/|$1|1 000|error (|error |errors 1,|error 1 and |hata|kód |错误|http/1.1 |status |status a
trade offer |steam |eresult |"success":|cloudflare |ray |10:|<br>|assetpay|"error_|provider=|INVENTORY_|trade-
"""


def texts(length: int) -> Iterator[tuple[str, str]]:
    """Yield texts of this length, each with its name: one part again and again, all parts mixed, different words."""
    parts = [part for line in PARTS.strip("\n").split("\n") for part in line.split("|") if part]
    for part in (*parts, "|", "||"):
        yield repr(part), (part * length)[:length]
    chance = random.Random(1)  # noqa: S311 -- no secret
    mixed = "".join(chance.choice(parts) for _ in range(length))
    yield "mixed", mixed[:length]
    for label in ("status w", "error ", "key_", "a;"):
        yield f"{label}…", " ".join(f"{label}{number}" for number in range(length))[:length]


def search(text: str) -> object:
    """Filter and sort an inventory by what a user typed, and by what a provider sent."""
    named = InventoryFilter.of(search="redline").apply([item(text[:1_000])] * 8)
    return named, InventoryFilter.of(search=text)


def wait_of(text: str) -> object:
    headers = {"retry-after": text, "date": text}
    return Response(ProviderName.ASSETPAY, 200, headers, b"", datetime.now(UTC)).retry_after


def json_of(text: str) -> object:
    """Read text as JSON, and as a text in JSON."""
    with suppress(reading.Unreadable):
        reading.parse_json(text.encode("utf-8", "replace"))
    return reading.Fields({"name": text, "number": text}).text("name"), reading.plain_number(text)


def markup(text: str) -> str:
    return fit(text, 200)


def outside(text: str) -> str:
    return shown.outside(text, 200)


def steam_id(text: str) -> object:
    return read_steam_id(text, option="steam")


def price(text: str) -> object:
    return price_from("min_price", text)


def market_page(text: str) -> object:
    return market_url(730, text)


TYPED = (
    *(plain, mask_trade_urls, parse_trade_url, straight, folded, search, steam_id, price, markup, outside),
    *(pasted.tidied, pasted.numbers_alone, pasted.labelled_numbers, pasted.only_number, pasted.http_statuses),
    *(pasted.providers_named, pasted.plain_key, pasted.as_key, pasted.possible_statuses, pasted_steam.steam_results),
    *(pasted_steam.result_names, pasted_steam.is_about_offers, pasted_steam.cloudflare_numbers),
    *(CATALOGUE.find, CATALOGUE.find_statuses, CATALOGUE.suggest),
)
"""Readers of what people type, and of texts that are cut to such a length before."""
SENT = (
    *(guarded_cell, redact, shown.plain, shown.code, without_markup, reading.masked, json_of, wait_of),
    *(market_page, inspect_url),
)
"""Readers of what providers send."""
READERS = [
    *((read, TYPED_LENGTH) for read in TYPED),
    *((read, SENT_LENGTH) for read in SENT),
]


def seconds(read: Callable[[str], object], text: str) -> float:
    """Return the least processor time of this thread: other programs do not count."""
    least = float("inf")
    for _ in range(2):
        begun = time.thread_time()
        with suppress(SkinDeskError):
            read(text)
        least = min(least, time.thread_time() - begun)
    return least


def growth(read: Callable[[str], object], part: str, short: str, long: str) -> str | None:
    """Return what grows too fast: four times the text is less than ten times the work, where sixteen is its square."""
    begun = time.thread_time()
    with suppress(SkinDeskError):
        read(long)
    if time.thread_time() - begun < NOISE:
        return None
    slow, quick = seconds(read, long), seconds(read, short)
    if slow < NOISE or slow <= 10 * quick:
        return None
    return f"{part}: {quick * 1000:.1f} ms, then {slow * 1000:.1f} ms"


@pytest.mark.parametrize(("read", "longest"), READERS, ids=lambda each: getattr(each, "__qualname__", ""))
def test_growth(read: Callable[[str], object], longest: int) -> None:
    """No text makes a reader's work grow faster than the text."""
    pairs = zip(texts(longest // 4), texts(longest), strict=True)
    assert [found for (part, short), (_, long) in pairs if (found := growth(read, part, short, long))] == []
