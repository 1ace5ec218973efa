"""Several providers side by side: each name once, with what every provider offers for its items."""

from collections.abc import Iterator, Sequence

from bot.domain.inventory import Item, name_of
from bot.domain.snapshots import InventoryAnswer, Listing, best_providers, offers_for, price_range
from bot.languages import number, t, tn
from bot.ports import Explanations
from bot.ui.failure_details import check_in_short
from bot.ui.inventory.messages import OTHER_ACCOUNT, best, own_price_of, refused, sum_text
from bot.ui.kit.text import NAME_REACH, NOTHING, code, item_name, labelled, money, outside, relative, utf16_length

_SHORTEST_NAME = 24
_NAME_MARKUP = len("****\n\n")
_BETWEEN = " · "
_NBSP = "\N{NO-BREAK SPACE}"


def provider_lines(listing: Listing, explanations: Explanations) -> Iterator[str]:
    """Yield what each provider of a comparison answered, and the currency of its column."""
    for part in listing.answer.answers:
        name = f"**{part.provider.label}**"
        if part.inventory is not None:
            total = listing.sums[part.provider]
            column = [outside(amount.currency, 12) for amount in total.worth]
            if own_price_of(part.inventory) is not None:
                # Translators: of a provider, in brackets behind its name
                column.insert(0, t("its own prices"))
            if column:
                name += f" ({', '.join(column)})"
            what = f"{sum_text(total)} · {relative(part.inventory.updated_at)}"
            if not part.inventory.owner_certain:
                what += f"\n{OTHER_ACCOUNT}"
        elif part.failure is not None:
            explanation = explanations.explain(part.failure)
            what = f"⚠️ {t('Not set up right here') if explanation.confidential else explanation.title}"
            what += check_in_short(part.failure, explanations)
            if part.reference is not None:
                what += f" · {t('Reference {reference}', reference=code(part.reference))}"
        else:
            continue
        yield labelled(name, what)


def comparison_lines(answer: InventoryAnswer, rows: Sequence[Item], room: int) -> list[str]:
    """Return two lines for each row, its name and the offers, that fit into ``room`` UTF-16 units."""
    offers = offers_for(answer, map(name_of, rows))
    answering = [part.provider for part in answer.answers if part.inventory is not None]
    lines = []
    for row in rows:
        found = offers[name_of(row)]
        best = best_providers(answer, found)
        columns: list[str] = []
        for column in (_full_column, _range, _highest):  # the details have everything as well
            columns = [f"{each.label} {column(found.get(each, ()), is_best=each in best)}" for each in answering]
            if _length(columns) <= room:
                break
        if _length(columns) > room:  # rather fewer columns than fewer rows
            columns = _fewer(columns, [each in best for each in answering], room)
        facts = _BETWEEN.join(columns)
        left = room - utf16_length(facts) - _NAME_MARKUP
        lines.append(f"**{item_name(name_of(row)[:NAME_REACH], min(max(left, _SHORTEST_NAME), 100))}**\n{facts}")
    return lines


def _fewer(columns: Sequence[str], are_best: Sequence[bool], room: int) -> list[str]:
    """Return the columns that fit, the best offers first, and ``+2`` for two others."""
    ordered = [columns[place] for place in sorted(range(len(columns)), key=lambda place: not are_best[place])]
    possible = ([*ordered[:kept], f"+{len(ordered) - kept}"] for kept in range(len(ordered) - 1, 0, -1))
    return next((shown for shown in possible if _length(shown) <= room), ordered[:1])


def _length(columns: Sequence[str]) -> int:
    """Return how much room a row needs at least."""
    return utf16_length(_BETWEEN.join(columns)) + _NAME_MARKUP + _SHORTEST_NAME


def _full_column(items: Sequence[Item], *, is_best: bool) -> str:
    """Return how many pieces a provider takes at what price, and how many it refuses."""
    taken = sum(item.amount for item in items if item.accepted and item.offer is not None)
    left = sum(item.amount for item in items) - taken
    text = _range(items, is_best=is_best, pieces=taken or left)
    if is_best:
        text += f" ({best()})"
    if taken and left:
        text += f" ({tn('{count} refused', '{count} refused', left)})"
    return text


def _range(items: Sequence[Item], *, is_best: bool, pieces: int = 1) -> str:
    """Return from what to what a provider offers; a no-break space keeps sign and words in one line on a phone."""
    if not items:
        return NOTHING
    times, prices = f"{number(pieces)}× " if pieces > 1 else "", price_range(items)
    if prices is None:
        return f"❌{_NBSP}{times}{refused()}"
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
