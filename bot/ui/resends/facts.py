"""The facts on an approval card: owner, requester, items, failure, and earlier requests."""

import re

from bot.domain.links import RELINK_COOL_DOWN, Link, LinkSource
from bot.domain.resends import Resend, ResendState, TradeFacts
from bot.domain.steam import SteamId
from bot.domain.steam_links import profile_url
from bot.ports import Explanations
from bot.ui.explain import error_name
from bot.ui.kit.layout import Field
from bot.ui.kit.markup import without_markup
from bot.ui.kit.text import code, count, outside, relative

_ITEMS_SHOWN = 8
"""Items of which a field shows links: each takes about 100 of its 1,024 characters."""

_ASSET_ID = re.compile(r"[0-9]{1,20}", re.ASCII)
_CONTEXT = 2
"""Steam's inventory context that holds the items of all games that SkinDesk knows."""


def owner_field(resend: Resend) -> Field:
    """Return whose trade it is: the member, how their link was made and how fresh it is, then the account."""
    account = f"SteamID {_account(resend.owner)}"
    if resend.context is None:
        return Field("Owner", account)
    link = resend.context.owner_link
    if link is None:
        return Field("Owner", f"⚠️ Linked to no member\n{account}")
    lines = [f"<@{link.user_id}>, {_proof(link)}"]
    if link.waits_at(resend.requested_at):
        lines.append("⚠️ Account or member were linked differently not long before.")
    elif link.source is LinkSource.STAFF and resend.requested_at < link.linked_at + RELINK_COOL_DOWN:
        lines.append("⚠️ A fresh link: less than 72 hours old when this was asked for.")
    return Field("Owner", "\n".join([*lines, account]))


def _proof(link: Link) -> str:
    if link.source is LinkSource.SIGN_IN:
        return f"proven by Steam sign-in {relative(link.linked_at)}"
    if link.is_self_made:
        return f"⚠️ linked by themselves as staff {relative(link.linked_at)}, which proves nothing"
    return f"set by the staff: <@{link.linked_by}> {relative(link.linked_at)}"


def asker_field(resend: Resend) -> Field:
    """Return who asked, whether they are the owner, when and why."""
    link = resend.context.owner_link if resend.context is not None else None
    owners = {resend.owner_user_id, link.user_id if link is not None else None}
    whose = "the owner" if resend.requested_by in owners else "not the owner"
    reason = f"“{outside(resend.reason, 400)}”" if resend.reason else "No reason given"
    return Field("Asked by", f"<@{resend.requested_by}>, {whose}, {relative(resend.requested_at)}\n{reason}")


def trade_field(resend: Resend, explanations: Explanations) -> Field:
    """Return the trade's number, direction, game and age, and while the request is open its status."""
    facts = resend.facts
    moves = [f"Withdrawal of {count(len(facts.items_send), 'item')}"]
    if facts.items_received:
        moves.append(f"{count(len(facts.items_received), 'item')} from the customer")
    if facts.game is not None:
        moves.append(facts.game.label)
    if facts.created_at is not None:
        moves.append(f"made {relative(facts.created_at)}")
    head = f"#{resend.trade_id} at {resend.provider.label}"
    if resend.state.is_open:
        head += f" · {_status(resend, facts, explanations)}"
    return Field("Trade", f"{head}\n{' · '.join(moves)}")


def item_fields(resend: Resend) -> list[Field]:
    """Return the items, each with a link into the inventory that holds it. Mannco.store names no items, only ids."""
    facts = resend.facts
    fields = [Field(f"Items to send: {len(facts.items_send)}", _items(facts.items_send, facts, facts.bot))]
    if facts.items_received:
        received = _items(facts.items_received, facts, resend.owner)
        fields.append(Field(f"Items to receive: {len(facts.items_received)}", received))
    return fields


def bot_field(resend: Resend) -> Field:
    """Return the bot, and while the request is open the number of the offer in Steam."""
    bot = _account(resend.facts.bot) if resend.facts.bot is not None else "not named"
    return Field("Bot", f"{bot} · Steam offer {_offer(resend.facts)}" if resend.state.is_open else bot)


def last_error_fields(resend: Resend, explanations: Explanations) -> list[Field]:
    """Return the trade's last error as it came and what it means, and what that means for sending the offer again."""
    if not resend.facts.last_error:
        return [Field("Last error", "none")]
    raw = outside(without_markup(resend.facts.last_error), 400)
    cause = explanations.trade_error(resend.provider.dialect, resend.facts.last_error)
    if cause is None:
        return [Field("Last error", raw)]
    fields = [Field("Last error", f"**{cause.title}** · {error_name(cause)}\n{cause.meaning}\nAs it came: {raw}")]
    if resend.state is ResendState.PENDING and cause.resend:
        fields.append(Field("⚠️ Before you approve", cause.resend))
    return fields


def short_error(resend: Resend, explanations: Explanations) -> str:
    """Return the last error in a few words."""
    return _short_error(resend, resend.facts, explanations)


def then_and_now(resend: Resend, explanations: Explanations) -> list[Field]:
    """Return the trade of an ended request: as it was when asked for, and now."""
    asked = resend.asked_facts or resend.facts
    if resend.state is ResendState.SENT:
        now = "Sent again as a new offer, with a new code. "
    elif asked.differences(resend.facts):
        now = f"{_as_it_was(resend, resend.facts, explanations)}\n"
    else:
        now = "Nothing was sent. "
    return [
        Field("When it was asked for", _as_it_was(resend, asked, explanations)),
        Field("Now", f"{now}`/trades reference:{resend.trade_id}` shows where it stands."),
    ]


def _as_it_was(resend: Resend, facts: TradeFacts, explanations: Explanations) -> str:
    offer = f"Steam offer {_offer(facts)}"
    error = f"Last error: {_short_error(resend, facts, explanations)}"
    return f"{_status(resend, facts, explanations)} · {offer}\n{error}"


def _short_error(resend: Resend, facts: TradeFacts, explanations: Explanations) -> str:
    if not facts.last_error:
        return "none"
    cause = explanations.trade_error(resend.provider.dialect, facts.last_error)
    return cause.title if cause is not None else outside(without_markup(facts.last_error), 120)


def _status(resend: Resend, facts: TradeFacts, explanations: Explanations) -> str:
    title = explanations.status(resend.provider.dialect, str(facts.status)).title
    is_in_title = f"status {facts.status}" in title
    return title if is_in_title else f"{title} ({code(str(facts.status), 8)})"


def _offer(facts: TradeFacts) -> str:
    return code(facts.offer_id, 32) if facts.offer_id else "none"


def _account(steam_id: SteamId) -> str:
    return f"[`{steam_id}`]({profile_url(steam_id)})"


def _items(asset_ids: tuple[str, ...], facts: TradeFacts, holder: SteamId | None) -> str:
    shown = [_item(asset_id, facts, holder) for asset_id in asset_ids[:_ITEMS_SHOWN]]
    left = len(asset_ids) - len(shown)
    return " ".join(shown) + (f" and {count(left, 'more item')}" if left else "") or "none"


def _item(asset_id: str, facts: TradeFacts, holder: SteamId | None) -> str:
    name = code(asset_id, 32)
    if holder is None or facts.game is None or _ASSET_ID.fullmatch(asset_id) is None:
        return name
    return f"[{name}]({profile_url(holder)}/inventory/#{facts.game.value}_{_CONTEXT}_{asset_id})"
