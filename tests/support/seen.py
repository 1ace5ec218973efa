"""Reads an answer as a person sees it: the text of its embeds and the labels of its buttons."""

import discord
import simcord


def text_of(result: simcord.InteractionResult) -> str:
    """Return the text of an answer's embeds."""
    assert result.response is not None
    return "\n".join(embed_text(embed) for embed in result.response.embeds)


def extra_text_of(result: simcord.InteractionResult) -> str:
    """Return the text of all ephemeral messages besides the one whose control was used."""
    is_new = result._interaction.response_kind == "message"
    answers = [*filter(None, [result.response] * is_new), *result.followups]
    assert all(answer.ephemeral for answer in answers)
    return "\n".join(embed_text(embed) for answer in answers for embed in answer.embeds)


def embed_text(embed: discord.Embed) -> str:
    """Return the text of an embed."""
    parts = [embed.title, embed.description, *(f"{field.name}\n{field.value}" for field in embed.fields)]
    return "\n".join(part for part in (*parts, embed.footer.text) if part)


def buttons_of(message: discord.Message) -> dict[str, discord.Button]:
    """Return the buttons under a message, by label."""
    return {
        child.label or "": child
        for row in message.components
        if isinstance(row, discord.ActionRow)
        for child in row.children
        if isinstance(child, discord.Button)
    }


def options_of(message: discord.Message) -> list[discord.SelectOption]:
    """Return the options of the first menu under a message."""
    for row in message.components:
        for child in row.children if isinstance(row, discord.ActionRow) else ():
            if isinstance(child, discord.SelectMenu):
                return child.options
    return []
