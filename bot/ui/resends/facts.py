"""The facts on an approval card: owner, requester, items, failure, and earlier requests."""

import re

from bot.domain.links import RELINK_COOL_DOWN, Link, LinkSource
from bot.domain.resends import Resend, ResendState, TradeFacts
from bot.domain.steam import SteamId
from bot.domain.steam_links import profile_url
from bot.languages import number, paragraph, t, tn, tp
from bot.ports import Explanations
from bot.ui.explain import error_name
from bot.ui.kit.layout import Field
from bot.ui.kit.markup import without_markup
from bot.ui.kit.text import code, outside, quoted, relative

_ITEMS_SHOWN = 8
"""Items of which a field shows links: each takes about 100 of its 1,024 characters."""

_ASSET_ID = re.compile(r"[0-9]{1,20}", re.ASCII)
_CONTEXT = 2
"""Steam's inventory context that holds the items of all games that SkinDesk knows."""


def owner_field(resend: Resend) -> Field:
    """Return whose trade it is: the member, how their link was made and how fresh it is, then the account."""
    account = f"SteamID {_account(resend.owner)}"
    if resend.context is None:
        return Field(t("Owner"), account)
    link = resend.context.owner_link
    if link is None:
        return Field(t("Owner"), "\n".join([t("⚠️ Linked to no member"), account]))
    lines = [_proof(link)]
    if link.waits_at(resend.requested_at):
        lines.append(t("⚠️ Shortly before, this account or this member was linked differently."))
    elif link.source is LinkSource.STAFF and resend.requested_at < link.linked_at + RELINK_COOL_DOWN:
        lines.append(t("⚠️ A fresh link: less than 72 hours old when this was asked for."))
    return Field(t("Owner"), "\n".join([*lines, account]))


def _proof(link: Link) -> str:
    member, when = f"<@{link.user_id}>", relative(link.linked_at)
    if link.source is LinkSource.SIGN_IN:
        # Translators: how a member proved that a Steam account is theirs; {when} is like "5 minutes ago"
        return t("{member}, proven by Steam sign-in {when}", member=member, when=when)
    if link.is_self_made:
        return t("{member}, ⚠️ linked by themselves as staff {when}, which proves nothing", member=member, when=when)
    return t("{member}, set by the staff: {staff} {when}", member=member, staff=f"<@{link.linked_by}>", when=when)


def asker_field(resend: Resend) -> Field:
    """Return who asked, whether they are the owner, when and why."""
    link = resend.context.owner_link if resend.context is not None else None
    member, when = f"<@{resend.requested_by}>", relative(resend.requested_at)
    if resend.requested_by in {resend.owner_user_id, link.user_id if link is not None else None}:
        who = t("{member}, the owner, {when}", member=member, when=when)
    else:
        who = t("{member}, not the owner, {when}", member=member, when=when)
    reason = quoted(outside(resend.reason, 400)) if resend.reason else t("No reason given")
    return Field(t("Asked by"), f"{who}\n{reason}")


def trade_field(resend: Resend, explanations: Explanations) -> Field:
    """Return the trade's number, direction, game and age, and while the request is open its status."""
    facts = resend.facts
    moves = [tn("Withdrawal of {count} item", "Withdrawal of {count} items", len(facts.items_send))]
    if facts.items_received:
        moves.append(tn("{count} item from the customer", "{count} items from the customer", len(facts.items_received)))
    if facts.game is not None:
        moves.append(facts.game.label)
    if facts.created_at is not None:
        # Translators: a trade was made; {when} is like "5 minutes ago"
        moves.append(t("made {when}", when=relative(facts.created_at)))
    head = t("#{trade} at {provider}", trade=resend.trade_id, provider=resend.provider.label)
    if resend.state.is_open:
        head += f" · {_status(resend, facts, explanations)}"
    return Field(t("Trade"), f"{head}\n{' · '.join(moves)}")


def item_fields(resend: Resend) -> list[Field]:
    """Return the items, each with a link into the inventory that holds it. Mannco.store names no items, only ids."""
    facts = resend.facts
    send, received = facts.items_send, facts.items_received
    fields = [Field(t("Items to send: {number}", number=number(len(send))), _items(send, facts, facts.bot))]
    if received:
        name = t("Items to receive: {number}", number=number(len(received)))
        fields.append(Field(name, _items(received, facts, resend.owner)))
    return fields


def bot_field(resend: Resend) -> Field:
    """Return the bot, and while the request is open the number of the offer in Steam."""
    # Translators: the bot of the provider
    bot = _account(resend.facts.bot) if resend.facts.bot is not None else t("Not named")
    return Field(tp("of a provider", "Bot"), f"{bot} · {_offer(resend.facts)}" if resend.state.is_open else bot)


def last_error_fields(resend: Resend, explanations: Explanations) -> list[Field]:
    """Return the trade's last error as it came and what it means, and what that means for sending the offer again."""
    name = t("Last error")
    if not resend.facts.last_error:
        return [Field(name, tp("last error", "none"))]
    raw = outside(without_markup(resend.facts.last_error), 400)
    cause = explanations.trade_error(resend.provider.dialect, resend.facts.last_error)
    if cause is None:
        return [Field(name, raw)]
    # Translators: an error, in the provider's own words
    as_it_came = t("As it came: {error}", error=raw)
    fields = [Field(name, f"**{cause.title}** · {error_name(cause)}\n{cause.meaning}\n{as_it_came}")]
    if resend.state is ResendState.PENDING and cause.resend:
        fields.append(Field(t("⚠️ Before you approve"), cause.resend))
    return fields


def last_error_line(resend: Resend, facts: TradeFacts, explanations: Explanations) -> str:
    """Return the last error in a few words."""
    if not facts.last_error:
        return t("Last error: none")
    cause = explanations.trade_error(resend.provider.dialect, facts.last_error)
    error = cause.title if cause is not None else outside(without_markup(facts.last_error), 120)
    return t("Last error: {error}", error=error)


def then_and_now(resend: Resend, explanations: Explanations) -> list[Field]:
    """Return the trade of an ended request: as it was when asked for, and now."""
    asked = resend.asked_facts or resend.facts
    where = t("`/trades reference:{trade}` shows where it stands.", trade=resend.trade_id)
    if resend.state is ResendState.SENT:
        now = paragraph(t("Sent again as a new offer, with a new code."), where)
    elif asked.differences(resend.facts):
        now = f"{_as_it_was(resend, resend.facts, explanations)}\n{where}"
    else:
        now = paragraph(t("Nothing was sent."), where)
    return [
        Field(t("When it was asked for"), _as_it_was(resend, asked, explanations)),
        # Translators: the name of a field that shows the trade as it is now
        Field(tp("field", "Now"), now),
    ]


def _as_it_was(resend: Resend, facts: TradeFacts, explanations: Explanations) -> str:
    error = last_error_line(resend, facts, explanations)
    return f"{_status(resend, facts, explanations)} · {_offer(facts)}\n{error}"


def _status(resend: Resend, facts: TradeFacts, explanations: Explanations) -> str:
    title = explanations.status(resend.provider.dialect, str(facts.status)).title
    is_in_title = re.search(rf"(?<![-\d]){facts.status}(?!\d)", title) is not None
    return title if is_in_title else f"{title} ({code(str(facts.status), 8)})"


def _offer(facts: TradeFacts) -> str:
    if not facts.offer_id:
        return t("No Steam offer")
    return t("Steam offer {offer}", offer=code(facts.offer_id, 32))


def _account(steam_id: SteamId) -> str:
    return f"[`{steam_id}`]({profile_url(steam_id)})"


def _items(asset_ids: tuple[str, ...], facts: TradeFacts, holder: SteamId | None) -> str:
    shown = [_item(asset_id, facts, holder) for asset_id in asset_ids[:_ITEMS_SHOWN]]
    if left := len(asset_ids) - len(shown):
        # Translators: stands behind the numbers of the first items
        shown.append(tn("and {count} more item", "and {count} more items", left))
    return " ".join(shown) or t("No items")


def _item(asset_id: str, facts: TradeFacts, holder: SteamId | None) -> str:
    name = code(asset_id, 32)
    if holder is None or facts.game is None or _ASSET_ID.fullmatch(asset_id) is None:
        return name
    return f"[{name}]({profile_url(holder)}/inventory/#{facts.game.value}_{_CONTEXT}_{asset_id})"
