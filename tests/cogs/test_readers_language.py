"""Errors and explanations are in the language of the person who reads them."""

import re
from collections.abc import Callable

import pytest
import simcord

from bot.demo.scene import Scene
from bot.languages import LANGUAGES
from bot.ui.interaction.rights import public
from bot.ui.interaction.session import Interaction, session_of
from tests.cogs.test_explain import explain, suggested
from tests.cogs.test_references import copied
from tests.support.made_up import FILLING, LOCALE, MadeUpLanguage, made_up
from tests.support.seen import text_of

Speaks = Callable[[simcord.MemberActor], None]


@pytest.fixture
def speaks(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Speaks:
    """Lets one member's Discord be in a made-up language. Its commands were sent before, in the real ones."""
    language = MadeUpLanguage()
    parsers = scene.client._connection.parsers

    def speak(actor: simcord.MemberActor) -> None:
        monkeypatch.setitem(LANGUAGES, language.code, language)
        parse = parsers["INTERACTION_CREATE"]
        parsers["INTERACTION_CREATE"] = lambda data: parse(
            {**data, "locale": LOCALE} if data["member"]["user"]["id"] == str(actor.id) else data
        )

    return speak


async def test_of_the_watch(scene: Scene, speaks: Speaks) -> None:
    """The watch is a task of its own: what it reports is in the reader's language all the same."""

    @scene.client.tree.command(name="silent", description="For a test")
    @public("for a test")
    async def silent(interaction: Interaction) -> None:
        session_of(interaction).defer_if_slow()

    await scene.client.tree.sync()
    speaks(scene.customer)
    result = await scene.customer.slash(scene.channel, "silent")
    await scene.env.advance_time(10)

    assert made_up("This was not finished") in text_of(result)


async def test_behind_a_reference(scene: Scene, speaks: Speaks) -> None:
    """Staff read in their own language what a customer was shown in another one."""
    speaks(scene.customer)
    url = scene.world.error_trade_url(33)
    of_provider = await scene.agent.slash(scene.channel, "inventory", tradeurl=url, provider="assetpay")
    refusals = [
        await scene.customer.slash(scene.channel, "trades", member=scene.agent),
        await scene.customer.slash(scene.channel, "inventory", tradeurl=scene.world.other_customer.trade_url),
    ]
    assert all(FILLING * 3 in text_of(refusal) for refusal in refusals)
    references = [_reference_in(text_of(result)) for result in (of_provider, *refusals)]
    titles = ["Steam is limiting inventory requests", "You may not do that", "You may not do that"]

    for reference, title in zip(references, titles, strict=True):
        in_english = await explain(scene, scene.agent, reference)
        assert title in in_english
        assert FILLING * 3 not in in_english
    speaks(scene.agent)
    for reference, title in zip(references, titles, strict=True):
        assert made_up(title)[: len(title)] in await explain(scene, scene.agent, reference)


def _reference_in(text: str) -> str:
    return str(re.findall(r"\b[0-9a-f]{6}\b", text)[-1])


async def test_suggested(scene: Scene, speaks: Speaks) -> None:
    """Suggestions have the titles of the reader's language, and values that every language can type."""
    speaks(scene.customer)
    of_customer = await suggested(scene, scene.customer, "steam is not")
    of_agent = await suggested(scene, scene.agent, "steam is not")

    assert [each["value"] for each in of_customer] == [each["value"] for each in of_agent]
    assert "Śtéám íś ńót" in of_customer[0]["name"]
    assert "Steam is not" in of_agent[0]["name"]


async def test_copied_for_the_customer(scene: Scene, speaks: Speaks) -> None:
    """The text for a customer is in the server's language, whatever the agent reads."""
    speaks(scene.agent)
    page = await scene.agent.slash(scene.channel, "explain", code="33", provider="assetpay")
    assert made_up("What the customer can do") in text_of(page)

    assert "Steam" in (text := await copied(scene, page))
    assert FILLING not in text
