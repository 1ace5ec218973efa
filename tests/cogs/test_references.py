"""References of errors and ready answers through the simulated Discord."""

import json
import re
from datetime import timedelta

import simcord

from bot.demo.scene import Scene
from tests.cogs.approvals import failed_trade
from tests.cogs.test_explain import explain, menu, suggested
from tests.cogs.test_inventory import wait
from tests.cogs.test_my_data import export, my_data
from tests.support.seen import extra_text_of, text_of


def reference_in(text: str) -> str:
    found = re.search(r"[Rr]eference `?([0-9a-f]{6})", text)
    assert found is not None, text
    return found[1]


async def failed(scene: Scene, *, by: simcord.MemberActor | None = None, code: int = 33) -> str:
    """Let a provider refuse a lookup, and return the reference of its error."""
    url, actor = scene.world.error_trade_url(code), by or scene.agent
    return reference_in(text_of(await actor.slash(scene.channel, "inventory", tradeurl=url, provider="assetpay")))


async def test_looked_up(scene: Scene) -> None:
    """The staff sees who had an error, when, after which command, why and what to do; the member sees who looked."""
    refused = text_of(await scene.customer.slash(scene.channel, "trades", member=scene.agent))
    wait(scene, 3600)
    text = await explain(scene, scene.agent, reference_in(refused))
    happened_at = int((scene.clock.now() - timedelta(hours=1)).timestamp())

    assert f"{scene.customer.mention} saw this after `trades` (<t:{happened_at}:R>)." in text
    assert refused.splitlines()[0] in text
    assert "kind `AccessDenied`" in text
    stored = json.dumps((await export(scene, scene.customer))["errors"])
    assert reference_in(refused) in stored
    seen = text_of(await my_data(scene, scene.customer, "export"))
    assert f"{scene.agent.mention} · an error of yours" in seen
    assert "Error looked up" in text_of(await scene.moderator.slash(scene.channel, "audit", limit=5))


async def test_error_of_a_provider(scene: Scene) -> None:
    """The explanation is that for staff, with the facts of the call and when a repeat made sense."""
    reference = await failed(scene)
    by_number = await explain(scene, scene.agent, f"Reference {reference}")
    by_menu = await menu(scene, scene.agent, await scene.customer.send(scene.channel, f"got “Reference {reference}”"))

    assert by_number == by_menu
    for part in ("provider `assetpay`", "code `33`", "key `STEAM_RATE_LIMITED`", "HTTP `", "What the customer can do"):
        assert part in by_number
    assert by_number.endswith(f"Reference {reference}")


async def test_nothing_for_others(scene: Scene) -> None:
    """To anyone else a reference reads like any word that is in no catalogue, whether it exists or not."""
    reference = await failed(scene, by=scene.agent)
    own = reference_in(text_of(await scene.customer.slash(scene.channel, "trades", member=scene.agent)))
    answers = {
        (await explain(scene, scene.customer, asked)).replace(asked, "…") for asked in (reference, own, "f0f0f1")
    }

    assert len(answers) == 1
    assert "Not in the catalogue" in answers.pop()
    for typed in (reference, reference[:3], ""):
        for actor in (scene.customer, scene.agent):
            assert reference not in {choice["value"] for choice in await suggested(scene, actor, typed)}


async def test_every_error_has_one(scene: Scene) -> None:
    """Whatever refuses a customer shows a reference that leads to its facts: commands, buttons, menus and forms."""
    shown = await scene.customer.slash(scene.channel, "inventory", tradeurl=scene.world.customer.trade_url)
    assert shown.response is not None
    form = await scene.customer.click(shown.response, label="Filter")
    others = scene.world.other_customer.trade_url
    wait(scene, 25 * 3600)
    several = await scene.agent.slash(
        scene.channel, "inventory", tradeurl=scene.world.error_trade_url(7), provider="all"
    )
    texts = [
        text_of(await scene.customer.slash(scene.channel, "inventory", tradeurl="hello")),
        text_of(await scene.customer.slash(scene.channel, "inventory", tradeurl=others)),
        text_of(await scene.customer.slash(scene.channel, "resend", id="1")),
        text_of(await scene.customer.slash(scene.channel, "link start")),
        extra_text_of(await scene.customer.click(shown.response, label="Next")),
        extra_text_of(await scene.customer.submit_modal(form, {"max_price": "1"})),
        text_of(several),
    ]

    for text in texts:
        assert "not in the catalogue" not in (found := await explain(scene, scene.agent, reference_in(text)))
        assert "saw this" in found


async def test_forgotten(scene: Scene) -> None:
    """An erasure takes the references too."""
    refused = text_of(await scene.customer.slash(scene.channel, "trades", member=scene.agent))
    gone = text_of(await my_data(scene, scene.customer, "forget"))

    assert "1 error that you were shown" in gone
    assert "Not in the catalogue" in await explain(scene, scene.agent, reference_in(refused))


async def copied(scene: Scene, result: simcord.InteractionResult) -> str:
    """Press *Copy for the customer* and return the plain message that comes."""
    assert result.response is not None
    below = [each.get("custom_id", "") for row in result.response.components for each in row["components"]]
    (copy,) = (each for each in below if each.startswith("copy:"))
    pressed = await scene.agent.click(result.response, custom_id=copy)
    message = pressed.followups[0] if pressed.followups else pressed.response
    assert message is not None
    assert message.ephemeral
    assert message.embeds == []
    return str(message.content)


async def test_ready_answer(scene: Scene) -> None:
    """Staff get the customer's version under what they see explained, as plain text; customers get no such button."""
    url = scene.world.error_trade_url(33)
    shown = [
        await scene.agent.slash(scene.channel, "explain", code="33", provider="assetpay"),
        await scene.agent.slash(scene.channel, "inventory", tradeurl=url, provider="assetpay"),
        await scene.agent.slash(scene.channel, "explain", code=await failed(scene)),
    ]
    first, *others = [await copied(scene, result) for result in shown]

    assert first.startswith("Steam")
    assert "\n\nTry again: in about " in first
    assert "STEAM_RATE_LIMITED" not in first
    assert set(others) == {first}
    for_customer = await scene.customer.slash(scene.channel, "explain", code="33", provider="assetpay")
    assert for_customer.response is not None
    assert for_customer.response.components == []


async def test_ready_answer_of_a_trade(scene: Scene) -> None:
    """Under one trade staff get why it failed as the customer may read it; the customer has no such button."""
    trade = failed_trade(scene)
    for reader, is_staff in ((scene.agent, True), (scene.customer, False)):
        page = await reader.slash(scene.channel, "trades", scope="all", reference=str(trade.id))
        assert page.response is not None
        assert ("Copy for the customer" in str(page.response.components)) is is_staff
        if is_staff:
            text = await copied(scene, page)
            assert "Trying again would end the same way." in text
            assert str(trade.id) not in text


async def test_ready_answer_of_a_meaning(scene: Scene) -> None:
    """The button appears with the meaning that staff choose, and gives nothing of what is confidential."""
    result = await scene.agent.slash(scene.channel, "explain", code="4")
    assert result.response is not None
    menu_of = result.response.components[0]["components"][0]
    chosen = await scene.agent.select(result.response, [menu_of["options"][0]["value"]], custom_id=menu_of["custom_id"])
    assert "Try again: " in await copied(scene, chosen)

    secret = await scene.agent.slash(scene.channel, "explain", code="invalid_client_secret")
    text = await copied(scene, secret)
    assert "Something is not set up right" in text
    assert "account" not in text
