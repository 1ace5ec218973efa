"""The answer to /approvals: the open requests, oldest first, with what one can do about each."""

import re
from datetime import timedelta
from typing import Self

import discord

from bot.domain.access import Capability
from bot.domain.resend_queue import ResendCounts, ResendQueue
from bot.domain.resends import Resend, ResendState
from bot.ports import Explanations
from bot.ui.interaction.error_handler import handle
from bot.ui.interaction.rights import requires
from bot.ui.interaction.session import Interaction, InteractionSession
from bot.ui.kit.layout import Page, Tone, card, page_at
from bot.ui.kit.text import code, count, relative
from bot.ui.resends.buttons import PauseButton, ResumeButton, WithdrawButton
from bot.ui.resends.card import capitalised, link_to_card, state_sentence, taken_sentence
from bot.ui.resends.facts import short_error
from bot.ui.resends.messages import pause_sentences

REQUESTS_A_PAGE = 6

_LABELS = {
    "first": ("First", "⏮️"),
    "previous": ("Previous", "◀️"),
    "next": ("Next", "▶️"),
    "last": ("Last", "⏭️"),
    "refresh": ("Refresh", "🔄"),
}


def queue_page(
    queue: ResendQueue, index: int, *, reader: int, explanations: Explanations
) -> tuple[discord.Embed, discord.ui.View]:
    """Return a page of the open requests for ``reader``, and its buttons."""
    page = page_at(queue.requests, index, REQUESTS_A_PAGE)
    lines = [] if queue.pause is None else [f"🛑 {sentence}" for sentence in pause_sentences(queue.pause)]
    lines.append(_counts(queue.counts))
    blocks = [_block(resend, explanations) for resend in page.items] or ["No request waits for a decision."]
    embed = card(
        title=f"Open resends: {len(queue.requests)}",
        description="\n\n".join(["\n".join(lines), *blocks]),
        colour=Tone.BAD if queue.pause is not None else Tone.WAITING if queue.requests else Tone.GOOD,
        footer=f"Page {page.index + 1} of {page.count}" if page.count > 1 else "",
    )
    return embed, _view(queue, page, reader)


def _counts(counts: ResendCounts) -> str:
    """Return what became of the requests of the last day, and how long a decision takes."""
    asked = sum(counts.states.values())
    text = f"Last 24 hours: {asked} asked"
    ended = {state.value: number for state, number in counts.states.items() if not state.is_open}
    if ended:
        text += f", {', '.join(f'{number} {state}' for state, number in sorted(ended.items()))}"
    if counts.median_wait is not None:
        text += f" · median time to a decision over 7 days: {_duration(counts.median_wait)}"
    return text


def _duration(wait: timedelta) -> str:
    minutes = round(wait.total_seconds() / 60)
    if minutes < 1:
        return "under a minute"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _block(resend: Resend, explanations: Explanations) -> str:
    """Return a request in three lines or four: whose it is, its times, why the trade failed, and who is on it."""
    owner = f"<@{resend.owner_user_id}>" if resend.owner_user_id is not None else code(str(resend.owner), 24)
    link = link_to_card(resend)
    head = [
        f"**Resend {resend.id}**",
        owner,
        f"trade #{resend.trade_id}",
        count(len(resend.facts.items_send), "item"),
        f"[open the card]({link})" if link is not None else "its card is not posted yet",
    ]
    times = f"Asked {relative(resend.requested_at)}"
    if resend.state is ResendState.PENDING:
        times += f", expires {relative(resend.expires_at)}"
    lines = [" · ".join(head), times, f"Last error: {short_error(resend, explanations)}"]
    if resend.state is not ResendState.PENDING:
        lines.append(f"⚠️ {capitalised(state_sentence(resend))}")
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
            view.add_item(WithdrawButton(resend.id, f"Withdraw {resend.id}"))
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
        super().__init__(discord.ui.Button(label=label, emoji=emoji, custom_id=custom_id, disabled=disabled))
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
