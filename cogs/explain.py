"""/explain and the menu Explain error codes."""

import logging

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.domain.failures import Dialect, Explanation, ProviderName, StatusExplanation
from bot.domain.pasted import LONGEST
from bot.languages import listed, t
from bot.ui.interaction.rights import public
from bot.ui.interaction.session import Interaction, InteractionSession, session_of
from bot.ui.kit.text import plain
from bot.ui.meanings import answer, answer_to_message
from bot.ui.references import reference_page

_PROVIDERS = [app_commands.Choice(name=provider.label, value=provider.value) for provider in ProviderName]
_MAX_TEXT = 1_000
_NEAR = 6
_CHOICES = 25
_STATUSES = 8

_log = logging.getLogger(__name__)


class ExplainCog(commands.Cog):
    """Explanations of codes, keys and messages."""

    @app_commands.command(
        name="explain", description=locale_str("Find out what an error or status means and what you can do about it")
    )
    @app_commands.describe(
        code=locale_str("The number, key or status, or the whole message as you saw it"),
        provider=locale_str("Which provider's error it is, if you know"),
    )
    @app_commands.choices(provider=_PROVIDERS)
    @public("the meaning of an error is no secret; confidential parts are left out", suggesting=["code"])
    async def explain(
        self, interaction: Interaction, code: app_commands.Range[str, 1, _MAX_TEXT], provider: str | None = None
    ) -> None:
        """Explain one error, or list the meanings of a number."""
        session = session_of(interaction)
        session.defer_if_slow()
        services = session.services
        dialect = _dialect(provider)
        if provider is None and await _show_reference(session, code):
            return
        embed, view = answer(
            (*services.explanations.find(code, dialect), *services.explanations.find_statuses(code, dialect)),
            asked=code,
            near=services.explanations.suggest(code, dialect, limit=_NEAR),
            audience=await services.snapshots.audience_of(session.actor),
            explanations=services.explanations,
            provider_named=provider is not None,
        )
        await session.reply(embed, view=view)

    @explain.autocomplete("code")
    async def _codes(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        """Suggest errors and, for what is typed, statuses; nothing if that fails."""
        session = session_of(interaction)
        dialect = _dialect(getattr(interaction.namespace, "provider", None))
        try:
            explanations = session.services.explanations
            statuses = explanations.suggest_statuses(current, dialect, limit=_STATUSES) if current.strip() else ()
            found = explanations.suggest(current, dialect, limit=_CHOICES)
        except Exception:  # noqa: BLE001 -- a suggestion has nowhere to show an error
            _log.exception("no suggestions")
            return []
        by_key: dict[str, list[Explanation]] = {}
        for each in found:
            if not each.confidential:
                by_key.setdefault(each.key[:100], []).append(each)
        errors = [app_commands.Choice(name=_choice_name(alike), value=key) for key, alike in by_key.items()]
        by_word: dict[str, list[StatusExplanation]] = {}
        for status in statuses:
            by_word.setdefault(_status_value(status), []).append(status)
        offered = [
            app_commands.Choice(name=_status_name(alike), value=value)
            for value, alike in by_word.items()
            if value not in by_key
        ]
        return [*errors[: _CHOICES - len(offered)], *offered]


@app_commands.context_menu(name="Explain error codes")
@public("the meaning of an error is no secret; confidential parts are left out")
async def explain_message(interaction: Interaction, message: discord.Message) -> None:
    """Explain every error that a message names, in its text or in that of its embeds."""
    session = session_of(interaction)
    session.defer_if_slow()
    services = session.services
    said = _text_of(message)
    if await _show_reference(session, said):
        return
    embed, view = answer_to_message(
        (*services.explanations.find(said), *services.explanations.find_statuses(said)),
        said=said,
        audience=await services.snapshots.audience_of(session.actor),
        explanations=services.explanations,
    )
    await session.reply(embed, view=view)


async def _show_reference(session: InteractionSession, text: str) -> bool:
    """Show the error behind the reference that a text names, to those who may see it; otherwise False."""
    error = await session.services.references.find(text, by=session.actor)
    if error is None:
        return False
    embed, view = reference_page(error, explanations=session.services.explanations)
    await session.reply(embed, view=view)
    return True


def _text_of(message: discord.Message) -> str:
    """Return the text of a message, its beginning at least. Discord sends it with the click; no intent is required."""
    parts: list[str | None] = []
    forwarded: list[discord.Message | discord.MessageSnapshot] = [message, *message.message_snapshots]
    for each in forwarded:
        parts.append(each.content)
        for embed in each.embeds:
            parts += [embed.title, embed.description, embed.author.name, embed.footer.text]
            parts += [text for field in embed.fields for text in (field.name, field.value)]
    return "\n".join(part for part in parts if part)[:LONGEST]


def _choice_name(alike: list[Explanation]) -> str:
    """Return the label for the entries of one key: number, key, providers and title."""
    first = alike[0]
    whose = listed(dict.fromkeys(each.dialect.label for each in alike))
    code = "" if first.code is None else f"{first.code} · "
    return plain(f"{code}{first.key} · {whose} · {first.title}", 100)


def _status_value(status: StatusExplanation) -> str:
    """Return what to type for a status: a number alone would be an error's code."""
    return "status " + status.word if _is_number(status) else status.word


def _is_number(status: StatusExplanation) -> bool:
    return status.word.lstrip("-").isdecimal()


def _status_name(alike: list[StatusExplanation]) -> str:
    """Return the label for the statuses of one word: the word, providers and, if there is one only, its title."""
    whose = listed(dict.fromkeys(each.dialect.label for each in alike))
    title = "" if len(alike) > 1 else f" · {alike[0].customer_title or alike[0].title}"
    name = t("status {status}", status=alike[0].word) if _is_number(alike[0]) else alike[0].word
    return plain(f"{name} · {whose}{title}", 100)


def _dialect(provider: str | None) -> Dialect | None:
    try:
        return ProviderName(provider).dialect if provider else None
    except ValueError:
        return None


async def setup(client: commands.Bot) -> None:
    """Add the command and the menu."""
    await client.add_cog(ExplainCog())
    client.tree.add_command(explain_message)
