"""The head of a page of trades: its account, each provider's answer, and advice for an empty list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from bot.domain.failures import ProviderName
from bot.domain.snapshots import TradesAnswer, TradesPart
from bot.domain.steam import SteamId
from bot.domain.trades import WINDOW, NotAsked, Scope
from bot.ports import Explanations
from bot.ui.failure_details import check_in_short
from bot.ui.kit.text import code, count, joined, relative
from bot.ui.trades.block import label_for
from bot.ui.trades.messages import limit_text, unread_text

_AGAIN = "Use the command again in a few minutes."
_BY_NUMBER = "If you miss one, give its number or your order's: `/trades` with `reference`."
_NOT_YOURS = (
    "None of your trades was found by this number. Check it: it is the number of the trade, of its Steam offer or of "
    "your order in the shop. If it is right, ask the staff."
)


def head(answer: TradesAnswer, members: Mapping[SteamId, int], *, failed: int | None) -> str:
    """Return what is shown, of whom, and when it was read; ``failed`` is how many are shown if only failed ones are."""
    found = answer.reference is not None
    what = "active trade" if answer.scope is Scope.ACTIVE and not found else "trade"
    whose = "everyone's" if answer.steam_id is None else f"SteamID `{answer.steam_id}`"
    if answer.steam_id is not None and (member := members.get(answer.steam_id)) is not None:
        whose = f"of <@{member}>, {whose}"
    facts = ["your own" if _is_own(answer) else whose, f"read {relative(answer.read_at)}"]
    if answer.reference is not None:
        facts.insert(0, f"number {code(answer.reference.text, 132)}")
        shown = count(len(answer.trades), what) if answer.trades else "No trade found"
    elif answer.trades or (len(_answering(answer)) == len(answer.parts) and not any(p.unread for p in answer.parts)):
        shown = count(len(answer.trades), what)
    else:  # "0 trades" would say that there are none
        shown = f"No {what} visible"
    if failed is not None:
        shown = f"{failed:,} of {shown} failed"
    return " · ".join([f"**{shown}**", *facts])


def notes(answer: TradesAnswer, *, explanations: Explanations, staff: bool) -> list[str]:
    """Return what each provider said beside its trades, and what those that were not asked need for that."""
    is_found = answer.reference is not None and bool(answer.trades)
    if is_found and not staff:
        return []
    lines = list(failures(answer, explanations, staff=staff))
    if not is_found:
        for part in answer.parts:
            lines += _about_list(part, answer, staff=staff)
        lines += _not_asked(answer, staff=staff)
    return lines


def nothing(answer: TradesAnswer, *, staff: bool) -> str:
    """Return the text of an empty list."""
    if answer.reference is not None:
        return _not_found(answer, staff=staff)
    answering = _answering(answer)
    if any(part.unread for part in answering):
        return _none_read(answer)
    if answering:
        at = "" if len(answering) == len(answer.parts) else f" at {_names(answering, staff=staff)}"
        lists_all = not any(part.is_full or part.is_cut or part.since for part in answering)
        return _none_listed(answer, at, lists_all=lists_all) + (f" {_BY_NUMBER}" if _is_own(answer) else "")
    if any(part.failure is not None for part in answer.parts):
        return f"No trade could be read. {_AGAIN}"
    return "" if any(part.limit is not None for part in answer.parts) else "No trade was looked up yet."


def _none_read(answer: TradesAnswer) -> str:
    """Return that none of the trades that could be read is to be listed."""
    whose = "your" if _is_own(answer) else "this account's"
    if answer.scope is Scope.ACTIVE:
        return f"None of {'the' if answer.steam_id is None else whose} trades that could be read is waiting."
    if answer.steam_id is None:
        return "No other trade is listed."
    return f"None of the trades that could be read is {'yours' if _is_own(answer) else whose}."


def _none_listed(answer: TradesAnswer, at: str, *, lists_all: bool) -> str:
    """Return that there is no trade ``at`` the providers that said so, or none listed if they list newer ones only."""
    is_own = _is_own(answer)
    if answer.scope is Scope.ACTIVE:
        whose = "of yours " if is_own else "" if answer.steam_id is None else "of this account "
        return (
            f"No trade {whose}is waiting for anything{at} at the moment. "
            "`/trades` with `scope:all` shows the finished and failed ones too."
        )
    if answer.steam_id is None:
        return f"There is no trade{at} yet." if lists_all else f"No trade is listed{at}."
    if not lists_all:
        return f"None of the trades that are listed{at} is {'yours' if is_own else 'of this account'}."
    if is_own:
        return f"You have no trade{at} yet. One stands here as soon as you deposit or withdraw items."
    return f"This account has no trade{at}. If it should have one, compare the SteamID with the customer's trade URL."


def _is_own(answer: TradesAnswer) -> bool:
    return answer.steam_id is not None and answer.steam_id == answer.viewer


def _answering(answer: TradesAnswer) -> Sequence[TradesPart]:
    """Return the parts that know whether there are trades, and those of the same family."""
    saying = [part for part in answer.parts if part.not_asked is None and part.failure is None and part.limit is None]
    families = {part.provider.family for part in saying}
    others = [part for part in answer.parts if part.not_asked is not None and part.provider.family in families]
    return [part for part in answer.parts if part in saying or part in others]


def _names(parts: Sequence[TradesPart], *, staff: bool) -> str:
    """Return the providers' names: "AssetPay, SkinsBack and Mannco.store"."""
    return joined(dict.fromkeys(label_for(part.provider, staff=staff) for part in parts))


def failures(answer: TradesAnswer, explanations: Explanations, *, staff: bool) -> Iterator[str]:
    """Yield each failure of a provider, with its references in the log."""
    said: dict[tuple[str, str], list[str]] = {}
    for part in answer.parts:
        if part.failure is None:
            continue
        explanation = explanations.explain(part.failure)
        what = "not set up right here" if explanation.confidential and not staff else explanation.title
        what += check_in_short(part.failure, explanations)
        if any(trade.provider is part.provider for trade in answer.trades):
            what += ", so some trades may be missing"
        references = said.setdefault((label_for(part.provider, staff=staff), what), [])
        references += [f"`{part.reference}`"] if part.reference is not None else []
    for (name, what), references in said.items():
        yield f"**{name}**: ⚠️ {what}" + (f" · reference {' '.join(references)}" if references else "")


def _about_list(part: TradesPart, answer: TradesAnswer, *, staff: bool) -> Iterator[str]:
    """Yield what is not in a provider's list."""
    name = label_for(part.provider, staff=staff)
    if part.limit is not None:
        # A reader who may see their own trades alone is not told whose others the key sees.
        is_mannco = part.provider is ProviderName.MANNCO
        to_staff = staff and not (is_mannco and _is_own(answer) and part.limit.sees_only is None)
        whether = "whether you have one" if answer.reference is None else "whether it is yours"
        if to_staff:
            has_some = any(trade.provider is part.provider for trade in answer.trades)
            whether = (
                "whether there are others" if has_some or answer.steam_id is None else "whether this account has one"
            )
        yield limit_text(part.provider, part.limit, whether, staff=to_staff)
    if part.is_full:
        together = "" if part.of_account_alone else ", of all customers together"
        yield (
            f"{name} lists the newest {WINDOW} trades only{together}. "
            f"{'Its dashboard has' if staff else 'The staff can look up'} older ones."
        )
    if part.since is not None:
        yield f"{name}: the last {count(round((answer.read_at - part.since) / timedelta(days=1)), 'day')}."
    if part.is_cut:
        held = sum(trade.provider is part.provider for trade in answer.trades)
        here = f"{count(held, 'trade')} of it {'is' if held == 1 else 'are'} here"
        yield f"{name}'s list was too long to read to its end: {here}, others may be missing."
    if part.unread:
        place = f" The first: {code(part.unread[0].place, 60)}." if staff else ""
        yield f"⚠️ {name}: {unread_text(len(part.unread))}{place}"


def _not_asked(answer: TradesAnswer, *, staff: bool) -> Iterator[str]:
    """Yield the next step for each provider of which no way to ask was possible, a family of dialects once."""
    whose = "the customer's" if staff and not _is_own(answer) else "your"
    for family in dict.fromkeys(part.provider.family for part in answer.parts):
        parts = [part for part in answer.parts if part.provider.family == family]
        name = label_for(parts[0].provider, staff=False)
        lacking = {part.not_asked for part in parts}
        other = [part for part in parts if part.not_asked is NotAsked.OTHER_ACCOUNT]
        if staff and other:
            yield f"{_names(other, staff=True)}: not asked, the client token that is set here is another account's."
        if None in lacking or (staff and lacking == {NotAsked.OTHER_ACCOUNT}):
            continue
        if lacking >= {NotAsked.TRADE_URL, NotAsked.REFERENCE}:
            yield (
                f"For {name} trades give {whose} trade URL or a trade's number: `/trades` with `tradeurl` or "
                "`reference`."
            )
        elif NotAsked.TRADE_URL in lacking:
            yield f"For {name} trades give {whose} trade URL: `/trades` with `tradeurl`."
        elif NotAsked.REFERENCE in lacking:
            yield f"For an {name} trade give its number: `/trades` with `reference`."
        else:
            yield f"{name} trades cannot be looked up here for you: ask the staff."


def _not_found(answer: TradesAnswer, *, staff: bool) -> str:
    """Return the providers that know no such number, and those that could not be asked.

    A customer reads the same whether the trade does not exist or is another's.
    """
    asked = [part for part in answer.parts if part.not_asked is None]
    failed = [part for part in asked if part.failure is not None]
    if staff:
        lines = list(_for_staff(answer, asked, failed))
    else:
        lines = [_NOT_YOURS]
        if failed:
            lines.append(f"It could not be looked for at {_names(failed, staff=False)}: try again in a few minutes.")
    answered = [part for part in asked if part.failure is None]
    with_offers = {part.provider.family for part in answered if part.knows_offers}
    without = [part for part in answered if part.provider.family not in with_offers]
    if without and answer.reference is not None and answer.reference.text.isdecimal():
        step = "give the number of the trade or of the order"
        if any(part.not_asked is NotAsked.TRADE_URL for part in answer.parts):
            step += ", or the trade URL too: `tradeurl`"
        lines.append(f"{_names(without, staff=staff)} cannot be searched by Steam's offer number: {step}.")
    return "\n".join(lines)


def _for_staff(answer: TradesAnswer, asked: Sequence[TradesPart], failed: Sequence[TradesPart]) -> Iterator[str]:
    """Yield the providers that know no such trade, those that failed, and those that were not asked."""
    showing = [part for part in asked if part.failure is None and part.limit is None]
    of = "" if answer.steam_id is None else " of this account"
    if showing:
        yield (
            f"{_names(showing, staff=True)} {'shows' if len(showing) == 1 else 'show'} no such trade{of} to this desk."
        )
    if failed:
        yield f"It could not be looked for at {_names(failed, staff=True)}."
    unasked = [part for part in answer.parts if part.not_asked is not None]
    if unasked:
        yield f"Not asked: {_names(unasked, staff=True)}."
