"""The answers to ``/explain`` and to the menu *Explain error codes*, and the menu that asks which meaning it is."""

import re
from collections.abc import Sequence
from typing import Self, TypeAlias

import discord

from bot.domain.errors import PageExpired
from bot.domain.failures import Explanation, StatusExplanation
from bot.domain.secrets import mask_trade_urls
from bot.domain.snapshots import Audience
from bot.ports import Explanations
from bot.ui.explain import (
    DIALECT_LABELS,
    error_name,
    explanation_embed,
    status_embed,
    status_name,
    title_of,
    without_reference,
)
from bot.ui.interaction.components import offered, selected
from bot.ui.interaction.error_handler import CopyButton, copy_view, handle
from bot.ui.interaction.rights import public
from bot.ui.interaction.session import Interaction, InteractionSession
from bot.ui.kit.layout import Field, Tone, card
from bot.ui.kit.text import count, outside, plain

Entry: TypeAlias = Explanation | StatusExplanation
Answer: TypeAlias = tuple[discord.Embed, discord.ui.View | None]

_SHOWN = 8
_IN_MENU = 25
_NEAR_SHOWN = 3
_QUOTED = 200

_AnySelect = discord.ui.Select[discord.ui.View]


def answer(
    found: Sequence[Entry],
    *,
    asked: str,
    audience: Audience,
    explanations: Explanations,
    provider_named: bool,
    near: Sequence[Explanation] = (),
) -> Answer:
    """Return the answer to ``/explain``: the meanings of ``asked``, or the ``near`` entries if it has none."""
    distinct = _distinct(found, audience)
    if not distinct:
        not_found = card(
            title="Not in the catalogue",
            description=f"“{_quoted(asked)}” is no error or status that SkinDesk knows.",
            fields=[
                *_did_you_mean(near, audience),
                Field(
                    "What you can do",
                    "Type the number or the key alone and choose from the list, or leave the provider out. "
                    "If a provider really sent it, tell the staff the whole message.",
                ),
            ],
        )
        return not_found, None
    if len(distinct) == 1:
        return _embed(*distinct[0], audience), copy_view(distinct[0][0].id, explanations, audience)
    if _same_word(distinct):
        what = f"“{_quoted(asked)}” means different things. " + (
            "It depends on what was asked for." if provider_named else "Which provider was it?"
        )
        title = f"{len(distinct)} meanings"
    else:
        what = f"“{_quoted(asked)}” names more than one error."
        title = f"{len(distinct)} errors"
    return _several(distinct, title=title, what=what, audience=audience, hint="choose the provider, or paste less")


def answer_to_message(found: Sequence[Entry], *, said: str, audience: Audience, explanations: Explanations) -> Answer:
    """Return the answer to the menu on a message: each error named in its text ``said``."""
    distinct = _distinct(found, audience)
    if not distinct:
        not_found = card(
            title="No error code in this message",
            description=(
                f"“{_quoted(said)}” names no error that SkinDesk knows."
                if said.strip()
                else "It has no text that could be read: a picture of an error cannot be explained."
            ),
            fields=[
                Field(
                    "What you can do",
                    "Give the number or the key to `/explain`. In a message a number counts as a code behind a word "
                    "such as “error” or “code”.",
                )
            ],
        )
        return not_found, None
    if len(distinct) == 1:
        return _embed(*distinct[0], audience), copy_view(distinct[0][0].id, explanations, audience)
    one_word = _same_word(distinct)
    return _several(
        distinct,
        title=f"{len(distinct)} {'meanings' if one_word else 'errors'} in this message",
        what="Which provider was it?" if one_word else "Each with what to do about it.",
        audience=audience,
        hint="`/explain` with the provider shows the rest",
    )


@public("the meaning of an error is no secret; confidential parts are left out")
class MeaningSelect(discord.ui.DynamicItem[_AnySelect], template="explain:meaning"):
    """Shows one of several meanings in place of the answer. The options are all its state."""

    def __init__(self, options: list[discord.SelectOption]) -> None:
        super().__init__(
            discord.ui.Select(placeholder="Which one is it?", options=options, custom_id="explain:meaning")
        )

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, item: discord.ui.Item[discord.ui.View], _match: re.Match[str], /
    ) -> Self:
        """Rebuild the used menu with the options of its message."""
        return cls(offered(item))

    async def callback(self, interaction: Interaction) -> None:
        """Show the selected meaning."""
        await handle(interaction, self._explain)

    async def _explain(self, session: InteractionSession) -> None:
        session.defer_if_slow(thinking=False)
        entry_id = selected(self.item)
        entry = session.services.explanations.entry(entry_id)
        if entry is None:
            raise PageExpired
        audience = await session.services.snapshots.audience_of(session.actor)
        options = [
            discord.SelectOption(
                label=each.label, value=each.value, description=each.description, default=each.value == entry_id
            )
            for each in self.item.options
        ]
        view = _menu(options)
        if audience is Audience.STAFF:
            view.add_item(CopyButton(entry_id))
        await session.show(_embed(entry, DIALECT_LABELS[entry.dialect], audience), view)


def _menu(options: list[discord.SelectOption]) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    view.add_item(MeaningSelect(options))
    return view


def _embed(entry: Entry, owner: str, audience: Audience) -> discord.Embed:
    if isinstance(entry, StatusExplanation):
        return status_embed(entry, audience=audience)
    return explanation_embed(entry, audience=audience, provider=owner)


def _same_word(distinct: Sequence[tuple[Entry, str]]) -> bool:
    """Return whether all meanings are of one number or one word."""
    named = {each.word if isinstance(each, StatusExplanation) else str(each.code) for each, _ in distinct}
    return len(named) == 1


def _did_you_mean(near: Sequence[Explanation], audience: Audience) -> list[Field]:
    lines = [
        f"{owner} · {_name(each)} · {each.title}"
        for each, owner in _distinct(near, audience)
        if _name(each) and (audience is Audience.STAFF or not _is_confidential(each))
    ]
    return [Field("Did you mean", "\n".join(lines[:_NEAR_SHOWN]))] if lines else []


def _several(distinct: Sequence[tuple[Entry, str]], *, title: str, what: str, audience: Audience, hint: str) -> Answer:
    left = len(distinct) - _SHOWN
    if left > 0 and len(distinct) <= _IN_MENU:
        what += f"\nHere are the first {_SHOWN}; the menu has all {len(distinct)}."
    elif left > 0:
        what += f"\nHere are the first {_SHOWN}, {count(left, 'more is', 'more are')} left out: {hint}."
    embed = card(
        title=title,
        description=what,
        fields=[_field(each, owner, audience) for each, owner in distinct[:_SHOWN]],
        colour=Tone.NEUTRAL,
    )
    options = {each.id: _option(each, owner, audience) for each, owner in distinct[:_IN_MENU]}
    return embed, _menu(list(options.values()))


def _option(entry: Entry, owner: str, audience: Audience) -> discord.SelectOption:
    method = entry.method if isinstance(entry, Explanation) else None
    name = " · ".join(filter(None, (_name(entry).replace("`", ""), method)))
    return discord.SelectOption(
        label=plain(f"{owner} · {_title(entry, audience)}", 100),
        value=entry.id,
        description=plain(name, 100) if name else None,
    )


def _distinct(found: Sequence[Entry], audience: Audience) -> list[tuple[Entry, str]]:
    """Return the entries that read differently, each with its providers: AssetPay's dialects share most errors."""
    owners: dict[tuple[object, ...], dict[str, None]] = {}
    first: dict[tuple[object, ...], Entry] = {}
    for each in found:
        said: tuple[object, ...] = (_name(each), _title(each, audience), each.customer)
        if isinstance(each, StatusExplanation):
            said += (each.dialect, each.kind)
        else:
            said += (each.method,) + ((each.meaning, each.agent) if audience is Audience.STAFF else ())
        first.setdefault(said, each)
        owners.setdefault(said, {})[DIALECT_LABELS[each.dialect]] = None
    return [(entry, " and ".join(owners[said])) for said, entry in first.items()]


def _field(entry: Entry, owner: str, audience: Audience) -> Field:
    method = entry.method if isinstance(entry, Explanation) else None
    step = entry.agent if audience is Audience.STAFF else without_reference(entry.customer)
    return Field(" · ".join(filter(None, (owner, _name(entry), method))), f"**{_title(entry, audience)}**\n{step}")


def _name(entry: Entry) -> str:
    return status_name(entry) if isinstance(entry, StatusExplanation) else error_name(entry)


def _title(entry: Entry, audience: Audience) -> str:
    if isinstance(entry, StatusExplanation):
        return entry.title if audience is Audience.STAFF else entry.customer_title or entry.title
    return title_of(entry, hidden=entry.confidential and audience is not Audience.STAFF)


def _is_confidential(entry: Entry) -> bool:
    return isinstance(entry, Explanation) and entry.confidential


def _quoted(text: str) -> str:
    return outside(mask_trade_urls(text), _QUOTED)
