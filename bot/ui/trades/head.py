"""The head of a page of trades: its account, each provider's answer, and advice for an empty list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from bot.domain.failures import ProviderName
from bot.domain.snapshots import TradesAnswer, TradesPart
from bot.domain.steam import SteamId
from bot.domain.trades import WINDOW, NotAsked, Scope
from bot.languages import listed, number, paragraph, t, tn, tp
from bot.ports import Explanations
from bot.ui.failure_details import check_in_short
from bot.ui.kit.text import code, labelled, relative
from bot.ui.trades.facts import label_for
from bot.ui.trades.messages import limit_text, unread_text


def head(answer: TradesAnswer, members: Mapping[SteamId, int], *, failed: int | None) -> str:
    """Return what is shown, of whom, and when it was read; ``failed`` is how many are shown if only failed ones are."""
    facts = [f"**{_shown(answer, failed)}**"]
    if answer.reference is not None:
        # Translators: the number that was typed, of a trade, a Steam offer or an order.
        facts.append(t("Number: {number}", number=code(answer.reference.text, 132)))
    if _is_own(answer):
        facts.append(tp("trades", "your own"))
    elif answer.steam_id is None:
        facts.append(tp("trades", "everyone's"))
    else:
        member = members.get(answer.steam_id)
        facts += [] if member is None else [f"<@{member}>"]
        facts.append(t("SteamID {steam_id}", steam_id=f"`{answer.steam_id}`"))
    # Translators: when the trades were read from the providers; {when} reads "5 minutes ago".
    facts.append(t("Read: {when}", when=relative(answer.read_at)))
    return " · ".join(facts)


def _shown(answer: TradesAnswer, failed: int | None) -> str:
    """Return how many trades are shown."""
    count, is_active = len(answer.trades), answer.scope is Scope.ACTIVE
    if failed is not None:
        return tn("{failed} of {count} trade failed", "{failed} of {count} trades failed", count, failed=number(failed))
    if answer.reference is not None:
        return tn("{count} trade", "{count} trades", count) if count else t("No trade found")
    all_answered = len(_answering(answer)) == len(answer.parts) and not any(part.unread for part in answer.parts)
    if not count and not all_answered:  # "0 trades" would say that there are none
        return t("No active trade visible") if is_active else t("No trade visible")
    if is_active:
        return tn("{count} active trade", "{count} active trades", count)
    return tn("{count} trade", "{count} trades", count)


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
        said = [
            _none_listed(answer, lists_all=not any(part.is_full or part.is_cut or part.since for part in answering))
        ]
        if len(answering) < len(answer.parts):
            said.append(t("Searched only: {providers}.", providers=_names(answering, staff=staff)))
        if _is_own(answer):
            said.append(t("If you miss one, give its number or your order's: `/trades` with `reference`."))
        return paragraph(*said)
    if any(part.failure is not None for part in answer.parts):
        return t("No trade could be read. Use the command again in a few minutes.")
    return "" if any(part.limit is not None for part in answer.parts) else t("No trade was looked up yet.")


def _none_read(answer: TradesAnswer) -> str:
    """Return that none of the trades that could be read is to be listed."""
    if answer.scope is Scope.ACTIVE:
        if answer.steam_id is None:
            return t("None of the trades that could be read is waiting for anything.")
        if _is_own(answer):
            return t("None of your trades that could be read is waiting for anything.")
        return t("None of this account's trades that could be read is waiting for anything.")
    if answer.steam_id is None:
        return t("No other trade is listed.")
    if _is_own(answer):
        return t("None of the trades that could be read is yours.")
    return t("None of the trades that could be read belongs to this account.")


def _none_listed(answer: TradesAnswer, *, lists_all: bool) -> str:
    """Return that the providers that answered have no trade, or list none if they list newer ones only."""
    is_own = _is_own(answer)
    if answer.scope is Scope.ACTIVE:
        if is_own:
            waiting = t("No trade of yours is waiting for anything at the moment.")
        elif answer.steam_id is None:
            waiting = t("No trade is waiting for anything at the moment.")
        else:
            waiting = t("No trade of this account is waiting for anything at the moment.")
        return paragraph(waiting, t("`/trades` with `scope:all` shows the finished and failed ones too."))
    if answer.steam_id is None:
        return t("No trade was found.") if lists_all else t("No trade is listed.")
    if not lists_all:
        if is_own:
            return t("None of the listed trades is yours.")
        return t("None of the listed trades belongs to this account.")
    if is_own:
        return t("No trade of yours was found. Your trades appear here as soon as you deposit or withdraw items.")
    return t(
        "No trade of this account was found. If it should have one, compare the SteamID with the customer's trade URL."
    )


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
    return listed(dict.fromkeys(label_for(part.provider, staff=staff) for part in parts))


def failures(answer: TradesAnswer, explanations: Explanations, *, staff: bool) -> Iterator[str]:
    """Yield each failure of a provider, with its references in the log."""
    said: dict[tuple[str, str], list[str]] = {}
    for part in answer.parts:
        if part.failure is None:
            continue
        explanation = explanations.explain(part.failure)
        is_hidden = explanation.confidential and not staff
        what = tp("provider", "Not set up right here") if is_hidden else explanation.title
        what += check_in_short(part.failure, explanations)
        if any(trade.provider is part.provider for trade in answer.trades):
            what = " · ".join([what, t("Some trades may be missing")])
        references = said.setdefault((label_for(part.provider, staff=staff), what), [])
        references += [f"`{part.reference}`"] if part.reference is not None else []
    for (name, what), references in said.items():
        facts = [labelled(f"**{name}**", f"⚠️ {what}")]
        facts += [t("Reference {reference}", reference=" ".join(references))] if references else []
        yield " · ".join(facts)


def _about_list(part: TradesPart, answer: TradesAnswer, *, staff: bool) -> Iterator[str]:
    """Yield what is not in a provider's list."""
    name = label_for(part.provider, staff=staff)
    if part.limit is not None:
        # A reader who may see their own trades alone is not told whose others the key sees.
        is_mannco = part.provider is ProviderName.MANNCO
        to_staff = staff and not (is_mannco and _is_own(answer) and part.limit.sees_only is None)
        yield limit_text(part.provider, part.limit, _unknown(part, answer, staff=to_staff), staff=to_staff)
    if part.is_full:
        if part.of_account_alone:
            lists = tn(
                "{provider} lists only the newest {count} trade.",
                "{provider} lists only the newest {count} trades.",
                WINDOW,
                provider=name,
            )
        else:
            lists = tn(
                "{provider} lists only the newest {count} trade of all customers together.",
                "{provider} lists only the newest {count} trades of all customers together.",
                WINDOW,
                provider=name,
            )
        older = t("Its dashboard has older ones.") if staff else t("The staff can look up older ones.")
        yield paragraph(lists, older)
    if part.since is not None:
        days = round((answer.read_at - part.since) / timedelta(days=1))
        yield tn("{provider}: the last {count} day.", "{provider}: the last {count} days.", days, provider=name)
    if part.is_cut:
        yield tn(
            "The list of {provider} was too long to read to its end. {count} trade of it is here, others may be "
            "missing.",
            "The list of {provider} was too long to read to its end. {count} trades of it are here, others may be "
            "missing.",
            sum(trade.provider is part.provider for trade in answer.trades),
            provider=name,
        )
    if part.unread:
        said = [labelled(f"⚠️ {name}", unread_text(len(part.unread)))]
        # Translators: the first trade that could not be read; {place} is where it stands in the provider's answer.
        said += [t("The first: {place}.", place=code(part.unread[0].place, 60))] if staff else []
        yield paragraph(*said)


def _unknown(part: TradesPart, answer: TradesAnswer, *, staff: bool) -> str:
    """Return what SkinDesk cannot tell because of what a key or token sees."""
    if staff:
        if answer.steam_id is None or any(trade.provider is part.provider for trade in answer.trades):
            return t("SkinDesk cannot tell whether there are other trades.")
        return t("SkinDesk cannot tell whether this account has a trade there.")
    if answer.reference is not None:
        return t("SkinDesk cannot tell whether this trade is yours.")
    return t("SkinDesk cannot tell whether you have a trade there.")


def _not_asked(answer: TradesAnswer, *, staff: bool) -> Iterator[str]:
    """Yield the next step for each provider of which no way to ask was possible, a family of dialects once."""
    to_owner = not staff or _is_own(answer)
    for family in dict.fromkeys(part.provider.family for part in answer.parts):
        parts = [part for part in answer.parts if part.provider.family == family]
        name = label_for(parts[0].provider, staff=False)
        lacking = {part.not_asked for part in parts}
        other = [part for part in parts if part.not_asked is NotAsked.OTHER_ACCOUNT]
        if staff and other:
            yield t(
                "{providers}: not asked. The client token that is set here belongs to another account.",
                providers=_names(other, staff=True),
            )
        if None in lacking or (staff and lacking == {NotAsked.OTHER_ACCOUNT}):
            continue
        if NotAsked.TRADE_URL in lacking:
            yield _by_trade_url(name, or_number=NotAsked.REFERENCE in lacking, to_owner=to_owner)
        elif NotAsked.REFERENCE in lacking:
            yield t("For a trade of {provider}, give its number: `/trades` with `reference`.", provider=name)
        else:
            yield t("Trades of {provider} cannot be looked up here for you. Ask the staff.", provider=name)


def _by_trade_url(name: str, *, or_number: bool, to_owner: bool) -> str:
    """Return the step for a provider that lists trades by a trade URL, and may find one by its number."""
    if or_number and to_owner:
        return t(
            "For trades of {provider}, give your trade URL or a trade's number: `/trades` with `tradeurl` or "
            "`reference`.",
            provider=name,
        )
    if or_number:
        return t(
            "For trades of {provider}, give the customer's trade URL or a trade's number: `/trades` with `tradeurl` or "
            "`reference`.",
            provider=name,
        )
    if to_owner:
        return t("For trades of {provider}, give your trade URL: `/trades` with `tradeurl`.", provider=name)
    return t("For trades of {provider}, give the customer's trade URL: `/trades` with `tradeurl`.", provider=name)


def _not_found(answer: TradesAnswer, *, staff: bool) -> str:
    """Return the providers that know no such number, and those that could not be asked.

    A customer reads the same whether the trade does not exist or is another's.
    """
    asked = [part for part in answer.parts if part.not_asked is None]
    failed = [part for part in asked if part.failure is not None]
    if staff:
        lines = list(_for_staff(answer, asked, failed))
    else:
        lines = [
            t(
                "None of your trades was found by this number. Check it: it is the number of the trade, of its Steam "
                "offer or of your order in the shop. If it is right, ask the staff."
            )
        ]
        if failed:
            names = _names(failed, staff=False)
            lines.append(t("Could not be searched: {providers}. Try again in a few minutes.", providers=names))
    answered = [part for part in asked if part.failure is None]
    with_offers = {part.provider.family for part in answered if part.knows_offers}
    without = [part for part in answered if part.provider.family not in with_offers]
    if without and answer.reference is not None and answer.reference.text.isdecimal():
        lines.append(_by_other_number(answer, _names(without, staff=staff)))
    return "\n".join(lines)


def _by_other_number(answer: TradesAnswer, names: str) -> str:
    """Return the step for providers that do not know Steam's numbers of offers."""
    if any(part.not_asked is NotAsked.TRADE_URL for part in answer.parts):
        return t(
            "{providers} cannot be searched by the number of a Steam offer. Give the number of the trade or of the "
            "order, or the trade URL too: `tradeurl`.",
            providers=names,
        )
    return t(
        "{providers} cannot be searched by the number of a Steam offer. Give the number of the trade or of the order.",
        providers=names,
    )


def _for_staff(answer: TradesAnswer, asked: Sequence[TradesPart], failed: Sequence[TradesPart]) -> Iterator[str]:
    """Yield the providers that know no such trade, those that failed, and those that were not asked."""
    showing = [part for part in asked if part.failure is None and part.limit is None]
    if showing:
        names = _names(showing, staff=True)
        yield (
            t("This desk sees no such trade at {providers}.", providers=names)
            if answer.steam_id is None
            else t("This desk sees no such trade of this account at {providers}.", providers=names)
        )
    if failed:
        yield t("Could not be searched: {providers}.", providers=_names(failed, staff=True))
    unasked = [part for part in answer.parts if part.not_asked is not None]
    if unasked:
        yield t("Not asked: {providers}.", providers=_names(unasked, staff=True))
