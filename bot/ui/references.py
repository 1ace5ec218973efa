"""The facts behind the reference of an error, for the staff."""

import discord

from bot.domain.references import ErrorReference
from bot.domain.snapshots import Audience
from bot.ports import Explanations
from bot.ui.errors import message_of
from bot.ui.explain import explanation_embed, failure_facts
from bot.ui.interaction.error_handler import copy_view
from bot.ui.kit.layout import Field, Tone, card
from bot.ui.kit.text import code, relative


def reference_page(
    error: ErrorReference, *, explanations: Explanations
) -> tuple[discord.Embed, discord.ui.View | None]:
    """Return what a user was shown, whose it was and when, with the explanation for staff."""
    about = f"<@{error.user_id}> saw this {relative(error.at)}, after {code(error.command, 60)}."
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
        embed.insert_field_at(0, name="Who and when", value=about, inline=False)
        return embed, copy_view(explanation.id, explanations, Audience.STAFF)
    is_expected, message = message_of(error.error)
    if message is not None:
        fields = [Field("What they were told", message.what), Field("What they can do", message.step)]
    elif is_expected:
        fields = [Field("What you can do", "Ask them what they entered: SkinDesk keeps no options of commands.")]
    else:
        fields = [
            Field("Why it happens", "This is an unexpected error in SkinDesk, not a mistake of the user."),
            Field("Who can fix it", "The operator: the log has this error under the same reference."),
        ]
    embed = card(
        title=error.title,
        description=about,
        fields=[*fields, Field("For staff", f"kind {code(error.error, 80)}")],
        colour=Tone.NEUTRAL,
        footer=f"Reference {error.reference}",
    )
    return embed, None
