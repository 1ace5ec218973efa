"""The answers to ``/explain`` and to the menu *Explain error codes*, and the menu that asks which meaning it is."""

import re
from collections.abc import Sequence
from typing import Self, TypeAlias

import discord

from bot.domain.errors import PageExpired
from bot.domain.failures import Explanation, StatusExplanation
from bot.domain.secrets import mask_trade_urls
from bot.domain.snapshots import Audience
from bot.languages import listed, number, paragraph, t, tn
from bot.ports import Explanations
from bot.ui.explain import (
    error_name,
    explanation_embed,
    status_embed,
    status_name,
    title_of,
)
from bot.ui.interaction.components import offered, selected
from bot.ui.interaction.error_handler import CopyButton, copy_view, handle
from bot.ui.interaction.rights import public
from bot.ui.interaction.session import Interaction, InteractionSession
from bot.ui.kit.layout import Field, Tone, card
from bot.ui.kit.text import outside, plain

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
            title=t("Not in the catalogue"),
            description=t("“{asked}” is not an error or status that SkinDesk knows.", asked=_quoted(asked)),
            fields=[
                *_did_you_mean(near, audience),
                Field(
                    t("What you can do"),
                    t(
                        "Type the number or the key alone and choose from the list, or leave the provider out. "
                        "If a provider really sent it, tell the staff the whole message."
                    ),
                ),
            ],
        )
        return not_found, None
    if len(distinct) == 1:
        return _embed(*distinct[0], audience), copy_view(distinct[0][0].id, explanations, audience)
    quoted, number_of = _quoted(asked), len(distinct)
    hint = t("Choose the provider, or paste less.")
    if not _same_word(distinct):
        title = tn("{count} error", "{count} errors", number_of)
        what = t("“{asked}” names more than one error.", asked=quoted)
    else:
        title = tn("{count} meaning", "{count} meanings", number_of)
        what = (
            t("“{asked}” means different things. It depends on what was asked for.", asked=quoted)
            if provider_named
            else t("“{asked}” means different things. Which provider was it?", asked=quoted)
        )
    return _several(distinct, title=title, what=what, audience=audience, hint=hint)


def answer_to_message(found: Sequence[Entry], *, said: str, audience: Audience, explanations: Explanations) -> Answer:
    """Return the answer to the menu on a message: each error named in its text ``said``."""
    distinct = _distinct(found, audience)
    if not distinct:
        not_found = card(
            title=t("No error code in this message"),
            description=(
                t("“{said}” names no error that SkinDesk knows.", said=_quoted(said))
                if said.strip()
                else t("This message has no text. SkinDesk cannot read a picture of an error.")
            ),
            fields=[
                Field(
                    t("What you can do"),
                    t(
                        "Give the number or the key to `/explain`. In a message, SkinDesk looks for numbers behind a "
                        "word such as “error” or “code”."
                    ),
                )
            ],
        )
        return not_found, None
    if len(distinct) == 1:
        return _embed(*distinct[0], audience), copy_view(distinct[0][0].id, explanations, audience)
    hint = t("`/explain` with the provider shows the rest.")
    if _same_word(distinct):
        title = tn("{count} meaning in this message", "{count} meanings in this message", len(distinct))
        return _several(distinct, title=title, what=t("Which provider was it?"), audience=audience, hint=hint)
    title = tn("{count} error in this message", "{count} errors in this message", len(distinct))
    what = t("Here is what to do about each of them.")
    return _several(distinct, title=title, what=what, audience=audience, hint=hint)


@public("the meaning of an error is no secret; confidential parts are left out")
class MeaningSelect(discord.ui.DynamicItem[_AnySelect], template="explain:meaning"):
    """Shows one of several meanings in place of the answer. The options are all its state."""

    def __init__(self, options: list[discord.SelectOption]) -> None:
        super().__init__(
            discord.ui.Select(placeholder=t("Which one is it?"), options=options, custom_id="explain:meaning")
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
        await session.show(_embed(entry, entry.dialect.label, audience), view)


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
    return [Field(t("Did you mean"), "\n".join(lines[:_NEAR_SHOWN]))] if lines else []


def _several(distinct: Sequence[tuple[Entry, str]], *, title: str, what: str, audience: Audience, hint: str) -> Answer:
    left = len(distinct) - _SHOWN
    shown = {"shown": number(_SHOWN), "all": number(len(distinct))}
    if left > 0 and len(distinct) <= _IN_MENU:
        what += "\n" + t("Shown here: {shown} of {all}. The menu has all of them.", **shown)
    elif left > 0:
        what += "\n" + paragraph(t("Shown here: {shown} of {all}.", **shown), hint)
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
        owners.setdefault(said, {})[each.dialect.label] = None
    return [(entry, listed(owners[said])) for said, entry in first.items()]


def _field(entry: Entry, owner: str, audience: Audience) -> Field:
    method = entry.method if isinstance(entry, Explanation) else None
    step = entry.agent if audience is Audience.STAFF else entry.customer
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
