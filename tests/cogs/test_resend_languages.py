"""Cards are in the server's language, private answers in the reader's, and the requester is told in theirs."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import discord
import msgspec
import pytest
import simcord

from bot.demo.scene import Scene
from bot.domain.errors import DatabaseUnavailable
from bot.domain.health import DatabaseFault
from bot.domain.resends import PostedCard, Resend
from bot.languages import ENGLISH, LANGUAGES, Language, in_language
from bot.storage.resends import SqlResendRepository
from bot.ui.resends.card import version_on
from tests.cogs.approvals import (
    another_moderator,
    buttons,
    choose_reason,
    direct_messages,
    face,
    failed_trade,
    followups,
    give_reason,
    newest_card,
    now,
    refreshed,
    requested,
)
from tests.cogs.test_access import owner_of
from tests.cogs.test_settings import say
from tests.support.made_up import WITHOUT_LANGUAGE, Saying
from tests.support.seen import extra_text_of, text_of

SERVER, AGENT, MODERATOR = "§", "¤", "¥"
"""What stands before each message in the made-up languages of the server and of two people."""

_LOCALES = dict(zip((SERVER, AGENT, MODERATOR), WITHOUT_LANGUAGE, strict=False))
"""Locales of Discord that no language has."""


def _made_up(mark: str) -> Language:
    language = Language(Path(f"x{_LOCALES[mark]}"))
    said = Saying(mark.__add__)
    formats = msgspec.structs.replace(ENGLISH.formats, locales=(_LOCALES[mark],))
    language.__dict__ |= {"formats": formats, "messages": said, "explanations": said}
    return language


@pytest.fixture(autouse=True)
async def languages(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> dict[str, Language]:
    """Let the server, the agent and the moderator have a language each; the rest read English."""
    languages = {mark: _made_up(mark) for mark in _LOCALES}
    for language in languages.values():
        monkeypatch.setitem(LANGUAGES, language.code, language)
    locales = {scene.agent.id: _LOCALES[AGENT], scene.moderator.id: _LOCALES[MODERATOR]}
    parse = discord.Interaction._from_data

    def parse_with_locale(interaction: discord.Interaction, data: Any) -> None:
        parse(interaction, data)
        interaction.locale = discord.Locale(locales.get(interaction.user.id, "en-US"))

    monkeypatch.setattr(discord.Interaction, "_from_data", parse_with_locale)
    await scene.client.services.settings.set_language(languages[SERVER].code, by=scene.owner)
    return languages


def _are_in(mark: str, *texts: str) -> bool:
    """Return whether texts are in one language alone."""
    others = {SERVER, AGENT, MODERATOR} - {mark}
    return all(mark in text and not any(other in text for other in others) for text in texts)


async def test_card_and_answers(scene: Scene) -> None:
    """Whoever clicks, the card is in the server's language; each private answer is in its reader's."""
    asked = await scene.agent.slash(scene.channel, "resend", id=str(failed_trade(scene).id))
    card = newest_card(scene)
    assert _are_in(AGENT, text_of(asked))
    assert _are_in(SERVER, face(scene, card), *buttons(scene, card))
    assert card.embeds[0].title == f"⏳ {SERVER}Resend 1 · pending"

    assert _are_in(MODERATOR, text_of(await scene.moderator.slash(scene.channel, "approvals")))
    taken = await scene.moderator.click(card, label=f"{SERVER}Take")
    assert _are_in(MODERATOR, text_of(taken))
    assert _are_in(SERVER, face(scene, card), *buttons(scene, card))
    approved = await scene.moderator.click(now(scene, card), label=f"{SERVER}Approve")

    assert _are_in(MODERATOR, text_of(approved))
    assert _are_in(SERVER, face(scene, card))
    assert now(scene, card).embeds[0].title == f"✅ {SERVER}Resend 1 · sent"
    assert _are_in(AGENT, *followups(asked))
    assert _are_in(SERVER, *direct_messages(scene.customer))
    assert len(followups(asked)) == len(direct_messages(scene.customer)) == 1


async def test_changed_language(scene: Scene) -> None:
    """A changed language of the server is on its open cards without anyone's click."""
    card = await requested(scene, failed_trade(scene))
    assert _are_in(SERVER, face(scene, card), *buttons(scene, card))

    await say(scene, owner_of(scene), "language", language="de")
    await refreshed(scene)

    assert now(scene, card).embeds[0].title == "⏳ Neuversand 1 · wartet"


async def test_changed_language_not_shown(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the open cards cannot be read, the language is changed all the same, and its answer says so."""

    async def no_answer(*_: object) -> tuple[Resend, ...]:
        raise DatabaseUnavailable(DatabaseFault.NO_ANSWER)

    card = await requested(scene, failed_trade(scene))
    with monkeypatch.context() as patch:
        patch.setattr(SqlResendRepository, "open_in_guild", no_answer)
        answer = await say(scene, owner_of(scene), "language", language="de")
    assert "Deutsch · set here" in answer

    await say(scene, owner_of(scene), "language", language="de")
    await refreshed(scene)
    assert now(scene, card).embeds[0].title == "⏳ Neuversand 1 · wartet"


async def test_reminder(scene: Scene) -> None:
    """The reminder, which no one asks for, is in the server's language."""
    card = await requested(scene, failed_trade(scene))
    scene.env.backend.advance_clock(13 * 3600)
    await refreshed(scene)

    assert newest_card(scene).id != card.id
    assert f"{SERVER}**Still waiting" in face(scene, newest_card(scene))
    assert _are_in(SERVER, face(scene, newest_card(scene)), *buttons(scene, newest_card(scene)))


async def test_late_click(scene: Scene) -> None:
    """What a late click shows on the card is in the server's language, and its answer in the reader's."""
    card = await requested(scene, failed_trade(scene))
    scene.env.inject_error("PATCH", "/channels/*/messages/*", status=403, code=50013, times=None)
    await another_moderator(scene).click(card, label=f"{SERVER}Approve")
    scene.env.backend.faults.clear()

    late = await scene.moderator.click(card, label=f"{SERVER}Approve")

    assert _are_in(SERVER, face(scene, card))
    assert now(scene, card).embeds[0].title == f"✅ {SERVER}Resend 1 · sent"
    assert _are_in(MODERATOR, extra_text_of(late))


@pytest.mark.parametrize(("language", "mark"), [(f"x{_LOCALES[AGENT]}", AGENT), (None, SERVER), ("gone", "")])
async def test_direct_message(scene: Scene, tmp_path: Path, language: str | None, mark: str) -> None:
    """A direct message is in the stored language; in the server's, for a request from before one was stored."""
    await requested(scene, failed_trade(scene))
    scene.client.cards.evict(scene.guild.id, scene.agent.id)
    with closing(sqlite3.connect(tmp_path / "skindesk.db")) as connection, connection:
        connection.execute("UPDATE resends SET language = ?", (language,))

    await scene.moderator.click(newest_card(scene), label=f"{SERVER}Approve")

    (told,) = direct_messages(scene.agent)
    assert f"{mark}Resend 1 · sent" in told
    assert not mark or _are_in(mark, told)


async def test_language_is_stored(scene: Scene) -> None:
    """The requester's language is stored with the request: it is known after a restart."""
    await requested(scene, failed_trade(scene))
    scene.client.cards.evict(scene.guild.id, scene.agent.id)
    (resend,) = await scene.client.services.delivery._repository.open_in_guild(scene.guild.id)
    assert resend.language == f"x{_LOCALES[AGENT]}"

    await scene.moderator.click(newest_card(scene), label=f"{SERVER}Approve")

    assert _are_in(AGENT, *direct_messages(scene.agent))


USUAL = "This was asked for already. The other request counts."


async def _denied(scene: Scene, reason: str) -> tuple[simcord.InteractionResult, discord.Message]:
    """Deny a new request with the usual reason, or with a typed one; return the request's answer and its card."""
    asked = await scene.agent.slash(scene.channel, "resend", id=str(failed_trade(scene).id))
    card = newest_card(scene)
    menu = await scene.moderator.click(card, label=f"{SERVER}Deny")
    assert _are_in(MODERATOR, text_of(menu))
    if reason == USUAL:
        assert _are_in(MODERATOR, text_of(await choose_reason(menu, scene.moderator, "duplicate")))
    else:
        await give_reason(menu, scene.moderator, reason)
    return asked, card


async def test_usual_reason(scene: Scene) -> None:
    """A usual reason is stored in English, whoever chose it, and each reader has it in their own language."""
    asked, card = await _denied(scene, USUAL)

    stored = await scene.client.services.delivery.get(scene.guild.id, 1)
    assert stored.decision_reason == USUAL
    assert f"{SERVER}Reason: {SERVER}{USUAL}" in face(scene, card)
    assert [f"{AGENT}Reason: {AGENT}{USUAL}" in text for text in followups(asked)] == [True]
    assert [f"{SERVER}Reason: {SERVER}{USUAL}" in text for text in direct_messages(scene.customer)] == [True]
    assert f"Reason: {USUAL}" in text_of(await scene.customer.slash(scene.channel, "trades", scope="all"))
    page = await scene.agent.slash(scene.channel, "customer", member=scene.customer)
    assert f"“{AGENT}{USUAL}”" in text_of(page)


async def test_usual_reason_of_an_earlier_version(scene: Scene) -> None:
    """A usual reason that was worded in another way since is still shown in the reader's language."""
    earlier = "The trade URL does not work. Save your current one on the site, then ask again."
    asked, _ = await _denied(scene, earlier)

    assert [f"{AGENT}Reason: {AGENT}{earlier}" in text for text in followups(asked)] == [True]


async def test_typed_reason(scene: Scene) -> None:
    """A typed reason stays as it was typed."""
    asked, card = await _denied(scene, "wait for Monday")

    assert f"{SERVER}Reason: wait for Monday" in face(scene, card)
    assert [f"{AGENT}Reason: wait for Monday" in text for text in followups(asked)] == [True]


@pytest.mark.parametrize("footer", ["Request 1 · version 1 · Approving sends…", "…and 2 more · #1 · v1 · Würfel 7"])
async def test_version_in_every_language(scene: Scene, footer: str) -> None:
    """The version is read from cards in every language, and from those from before there were languages."""
    card = await requested(scene, failed_trade(scene))
    assert version_on(now(scene, card), 1) == 1
    stored = scene.env.backend.get_message(scene.channel.id, card.id)
    stored.embeds = [{**stored.embeds[0], "footer": {"text": footer}}]
    assert now(scene, card).embeds[0].footer.text == footer

    await scene.moderator.click(now(scene, card), label=f"{SERVER}Approve")

    assert now(scene, card).embeds[0].title == f"✅ {SERVER}Resend 1 · sent"


async def test_posted_again(scene: Scene, languages: dict[str, Language], monkeypatch: pytest.MonkeyPatch) -> None:
    """A card that Discord has already is current, whoever posts it; not if it is in the server's former language."""

    async def sent(*_: object, **__: object) -> discord.Message:
        return now(scene, card)  # for its nonce

    async def untouched(_guild_id: int) -> None:
        pass

    card = await requested(scene, failed_trade(scene))
    resend = await scene.client.services.delivery.get(scene.guild.id, 1)
    monkeypatch.setattr(discord.abc.Messageable, "send", sent)
    for acting in (AGENT, MODERATOR):
        with in_language(languages[acting]):
            posted = await scene.client.cards.post(resend, channel_id=scene.channel.id)
            assert posted == PostedCard(card.id, is_current=True)

    scene.client.services.settings._show_language = untouched  # the card stays as it is
    await scene.client.services.settings.set_language(None, by=scene.owner)

    posted = await scene.client.cards.post(resend, channel_id=scene.channel.id)
    assert posted == PostedCard(card.id, is_current=False)
