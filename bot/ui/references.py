"""The facts behind the reference of an error, for the staff."""

import discord

from bot.domain.references import ErrorReference
from bot.domain.snapshots import Audience
from bot.languages import current, t, translated
from bot.ports import Explanations
from bot.ui.errors import heading, message_of
from bot.ui.explain import explanation_embed, failure_facts
from bot.ui.interaction.error_handler import copy_view
from bot.ui.kit.layout import Field, Tone, card
from bot.ui.kit.text import code, relative


def reference_page(
    error: ErrorReference, *, explanations: Explanations
) -> tuple[discord.Embed, discord.ui.View | None]:
    """Return what a user was shown, whose it was and when, with the explanation for staff."""
    about = t(
        "{user} saw this after {command} ({when}).",
        user=f"<@{error.user_id}>",
        command=code(error.command, 60),
        when=relative(error.at),
    )
    if error.failure is not None:
        explanation = explanations.explain(error.failure)
        embed = explanation_embed(
            explanation,
            audience=Audience.STAFF,
            provider=error.failure.provider.label,
            facts=failure_facts(error.failure),
            reference=error.reference,
            # From when on a repeat made sense: that may be over.
            retry_after=explanation.repeat_after and error.at + explanation.repeat_after - discord.utils.utcnow(),
        )
        embed.insert_field_at(0, name=t("Who and when"), value=about, inline=False)
        return embed, copy_view(explanation.id, explanations, Audience.STAFF)
    is_expected, message = message_of(error.error)
    if message is not None:
        fields = [
            Field(t("What they were told"), str(message.what)),
            Field(t("What they can do"), str(message.step)),
        ]
    elif is_expected:
        fields = [Field(t("What you can do"), t("Ask them what they entered: SkinDesk does not store it."))]
    else:
        fields = [
            Field(t("Why it happens"), t("This is an unexpected error in SkinDesk, not a mistake of the user.")),
            Field(t("Who can fix it"), t("The operator: the log has this error under the same reference.")),
        ]
    embed = card(
        title=title_for_reader(error) if message is None else heading(message),
        description=about,
        fields=[*fields, Field(t("For staff"), t("kind {kind}", kind=code(error.error, 80)))],
        colour=Tone.NEUTRAL,
        footer=t("Reference {reference}", reference=error.reference),
    )
    return embed, None


def title_for_reader(error: ErrorReference) -> str:
    """Return the stored title in the reader's language; one that names something stays English."""
    sign, _, english = error.title.partition(" ")
    message = current().messages.gettext(english)
    return f"{sign} {translated(english) if message == english else message}"
