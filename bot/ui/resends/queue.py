"""The answer to /approvals: the open requests, oldest first, with what one can do about each."""

import re
from datetime import timedelta
from typing import Self

import discord

from bot.domain.access import Capability
from bot.domain.resend_queue import ResendCounts, ResendQueue
from bot.domain.resends import Resend, ResendState
from bot.languages import Message, number, t, tn, tp
from bot.ports import Explanations
from bot.ui.interaction.error_handler import handle
from bot.ui.interaction.rights import requires
from bot.ui.interaction.session import Interaction, InteractionSession
from bot.ui.kit.layout import Page, Tone, card, page_at
from bot.ui.kit.text import code, relative
from bot.ui.resends.buttons import PauseButton, ResumeButton, WithdrawButton
from bot.ui.resends.card import link_to_card
from bot.ui.resends.facts import last_error_line
from bot.ui.resends.messages import pause_sentences
from bot.ui.resends.states import state_sentences, taken_sentence

REQUESTS_A_PAGE = 6

_LABELS = {
    "first": (Message("First", "button"), "⏮️"),
    "previous": (Message("Previous", "button"), "◀️"),
    "next": (Message("Next", "button"), "▶️"),
    "last": (Message("Last", "button"), "⏭️"),
    "refresh": (Message("Refresh", "button"), "🔄"),
}
_ENDED = {
    # Translators: how many requests of the last 24 hours ended so
    ResendState.CANCELLED: Message("cancelled: {number}"),
    ResendState.DENIED: Message("denied: {number}"),
    ResendState.EXPIRED: Message("expired: {number}"),
    ResendState.FAILED: Message("failed: {number}"),
    ResendState.SENT: Message("sent: {number}"),
}


def queue_page(
    queue: ResendQueue, index: int, *, reader: int, explanations: Explanations
) -> tuple[discord.Embed, discord.ui.View]:
    """Return a page of the open requests for ``reader``, and its buttons."""
    page = page_at(queue.requests, index, REQUESTS_A_PAGE)
    lines = [] if queue.pause is None else [f"🛑 {sentence}" for sentence in pause_sentences(queue.pause)]
    lines.append(_counts(queue.counts))
    blocks = [_block(resend, explanations) for resend in page.items] or [t("No request waits for a decision.")]
    embed = card(
        title=t("Open resends: {number}", number=number(len(queue.requests))),
        description="\n\n".join(["\n".join(lines), *blocks]),
        colour=Tone.BAD if queue.pause is not None else Tone.WAITING if queue.requests else Tone.GOOD,
        footer=t("Page {page} of {pages}", page=number(page.index + 1), pages=number(page.count))
        if page.count > 1
        else "",
    )
    return embed, _view(queue, page, reader)


def _counts(counts: ResendCounts) -> str:
    """Return what became of the requests of the last day, and how long a decision takes."""
    asked = sum(counts.states.values())
    facts = [t("Asked for in the last 24 hours: {number}", number=number(asked))]
    facts += [text(number=number(counts.states[state])) for state, text in _ENDED.items() if state in counts.states]
    if counts.median_wait is not None:
        wait = _duration(counts.median_wait)
        facts.append(t("median time to a decision over 7 days: {duration}", duration=wait))
    return " · ".join(facts)


def _duration(wait: timedelta) -> str:
    minutes = round(wait.total_seconds() / 60)
    if minutes < 1:
        return t("under a minute")
    hours, minutes = divmod(minutes, 60)
    if not hours:
        # Translators: the unit of time, shortened
        return t("{minutes} min", minutes=minutes)
    # Translators: the units of time, shortened
    return t("{hours} h {minutes} min", hours=number(hours), minutes=minutes)


def _block(resend: Resend, explanations: Explanations) -> str:
    """Return a request in three lines or four: whose it is, its times, why the trade failed, and who is on it."""
    owner = f"<@{resend.owner_user_id}>" if resend.owner_user_id is not None else code(str(resend.owner), 24)
    link = link_to_card(resend)
    head = [
        f"**{t('Resend {id}', id=resend.id)}**",
        owner,
        t("trade #{trade}", trade=resend.trade_id),
        tn("{count} item", "{count} items", len(resend.facts.items_send)),
        t("[open the card]({link})", link=link) if link is not None else t("its card is not posted yet"),
    ]
    asked = relative(resend.requested_at)
    if resend.state is ResendState.PENDING:
        # Translators: a request; {asked} is like "5 minutes ago", {expires} like "in 5 minutes"
        times = t("Asked {asked} · expires {expires}", asked=asked, expires=relative(resend.expires_at))
    else:
        # Translators: a request; {asked} is like "5 minutes ago"
        times = t("Asked {asked}", asked=asked)
    lines = [" · ".join(head), times, last_error_line(resend, resend.facts, explanations)]
    if resend.state is not ResendState.PENDING:
        lines.append(f"⚠️ {state_sentences(resend)}")
    if resend.taken_by is not None:
        lines.append(f"👀 {taken_sentence(resend)}")
    return "\n".join(lines)


def _view(queue: ResendQueue, page: Page[Resend], reader: int) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    if page.count > 1:
        last = page.count - 1
        targets = {"first": 0, "previous": max(page.index - 1, 0), "next": min(page.index + 1, last), "last": last}
        for action, target in targets.items():
            view.add_item(QueueButton(action, target, disabled=target == page.index))
    view.add_item(QueueButton("refresh", page.index))
    for resend in page.items:
        if resend.may_be_withdrawn_by(reader):
            view.add_item(WithdrawButton(resend.id, tp("a resend request", "Withdraw {id}", id=resend.id)))
    view.add_item(PauseButton() if queue.pause is None else ResumeButton(queue.pause.number))
    return view


@requires(Capability.APPROVE_RESEND)
class QueueButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"approvals:(?P<action>first|previous|next|last|refresh):(?P<page>\d{1,6})",
):
    """Shows a page of the open requests as they are when it is pressed."""

    def __init__(self, action: str, page: int, *, disabled: bool = False) -> None:
        label, emoji = _LABELS[action]
        custom_id = f"approvals:{action}:{page}"
        super().__init__(discord.ui.Button(label=label(), emoji=emoji, custom_id=custom_id, disabled=disabled))
        self._page = page

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, _item: discord.ui.Item[discord.ui.View], match: re.Match[str], /
    ) -> Self:
        """Rebuild the pressed button."""
        return cls(match["action"], int(match["page"]))

    async def callback(self, interaction: Interaction) -> None:
        """Show the page."""
        await handle(interaction, self._show)

    async def _show(self, session: InteractionSession) -> None:
        session.defer_if_slow(thinking=False)
        services = session.services
        queue = await services.resend_queue.read(by=session.actor)
        embed, view = queue_page(queue, self._page, reader=session.actor.user_id, explanations=services.explanations)
        await session.show(embed, view)
