"""Several providers side by side: each name once, with what every provider offers for its items."""

from collections.abc import Iterator, Sequence

from bot.domain.inventory import Item, name_of
from bot.domain.snapshots import InventoryAnswer, Listing, best_providers, offers_for, price_range
from bot.ports import Explanations
from bot.ui.failure_details import check_in_short
from bot.ui.inventory.messages import OTHER_ACCOUNT, own_price_of, sum_text
from bot.ui.kit.text import NAME_REACH, NOTHING, item_name, money, outside, relative, utf16_length

_SHORTEST_NAME = 24
_NAME_MARKUP = len("****\n\n")
_NBSP = "\N{NO-BREAK SPACE}"


def provider_lines(listing: Listing, explanations: Explanations) -> Iterator[str]:
    """Yield what each provider of a comparison answered, and the currency of its column."""
    for part in listing.answer.answers:
        name = f"**{part.provider.label}**"
        if part.inventory is not None:
            total = listing.sums[part.provider]
            currency = ", ".join(outside(amount.currency, 12) for amount in total.worth)
            if own_price_of(part.inventory) is not None:
                currency = f"its own prices, {currency}"
            if currency:
                name += f" ({currency})"
            what = f"{sum_text(total)} · as of {relative(part.inventory.updated_at)}"
            if not part.inventory.owner_certain:
                what += f"\n{OTHER_ACCOUNT}"
        elif part.failure is not None:
            explanation = explanations.explain(part.failure)
            what = f"⚠️ {'not set up right here' if explanation.confidential else explanation.title}"
            what += check_in_short(part.failure, explanations)
            if part.reference is not None:
                what += f" · reference `{part.reference}`"
        else:
            continue
        yield f"{name}: {what}"


def comparison_lines(answer: InventoryAnswer, rows: Sequence[Item], room: int) -> list[str]:
    """Return two lines for each row, its name and the offers, that fit into ``room`` UTF-16 units."""
    offers = offers_for(answer, map(name_of, rows))
    answering = [part.provider for part in answer.answers if part.inventory is not None]
    lines = []
    for row in rows:
        found = offers[name_of(row)]
        best = best_providers(answer, found)
        facts = ""
        for column in (_full_column, _range, _highest):  # the details have everything as well
            facts = " · ".join(
                f"{each.label} {column(found.get(each, ()), is_best=each in best)}" for each in answering
            )
            if utf16_length(facts) + _NAME_MARKUP + _SHORTEST_NAME <= room:
                break
        left = room - utf16_length(facts) - _NAME_MARKUP
        lines.append(f"**{item_name(name_of(row)[:NAME_REACH], min(max(left, _SHORTEST_NAME), 100))}**\n{facts}")
    return lines


def _full_column(items: Sequence[Item], *, is_best: bool) -> str:
    """Return how many pieces a provider takes at what price, and how many it refuses."""
    taken = sum(item.amount for item in items if item.accepted and item.offer is not None)
    refused = sum(item.amount for item in items) - taken
    text = _range(items, is_best=is_best, pieces=taken or refused) + (" (best)" if is_best else "")
    return f"{text}, {refused:,} refused" if taken and refused else text


def _range(items: Sequence[Item], *, is_best: bool, pieces: int = 1) -> str:
    """Return from what to what a provider offers; a no-break space keeps sign and words in one line on a phone."""
    if not items:
        return NOTHING
    times, prices = f"{pieces:,}× " if pieces > 1 else "", price_range(items)
    if prices is None:
        return f"❌{_NBSP}{times}refused"
    low, high = prices
    price = money(high) if low == high else f"{money(low)}–{money(high)}"
    return f"{'⭐' if is_best else '✅'}{_NBSP}{times}{price}"


def _highest(items: Sequence[Item], *, is_best: bool) -> str:
    prices = price_range(items)
    return (
        _range(items[:1], is_best=is_best)
        if prices is None or prices[0] == prices[1]
        else (f"{'⭐' if is_best else '✅'}{_NBSP}≤{money(prices[1])}")
    )
