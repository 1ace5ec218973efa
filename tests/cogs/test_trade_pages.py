"""The controls under /trades and under a trade, through the simulated Discord and the simulated providers."""

from dataclasses import replace

import pytest
import simcord

from bot.client import SkinDeskClient
from bot.demo.scene import Scene
from bot.domain.access import Actor, Capability
from tests.cogs.test_inventory import answer_of
from tests.support.confirming import remove_link
from tests.support.seen import buttons_of, extra_text_of, options_of, text_of

FAILED = "480101"
"""The customer's newest failed withdrawal at Mannco.store."""


async def trades(scene: Scene, actor: simcord.MemberActor, **options: object) -> simcord.InteractionResult:
    return await actor.slash(scene.channel, "trades", **({"provider": "mannco", "scope": "all"} | options))


async def details(
    actor: simcord.MemberActor, page: simcord.InteractionResult, number: str = FAILED
) -> simcord.InteractionResult:
    """Open a trade of the shown page."""
    options = options_of(answer_of(page).message)
    value = next(option.value for option in options if number in str(option.description))
    return await actor.select(answer_of(page), [value])


async def ask(actor: simcord.MemberActor, opened: simcord.InteractionResult, reason: str = "I declined it") -> str:
    """Press *Ask to resend* under a trade, fill in the form, and return the answer."""
    form = await actor.click(answer_of(opened), label="Ask to resend")
    return extra_text_of(await actor.submit_modal(form, {"reason": reason}))


async def restart(scene: Scene) -> None:
    """Restart with everything that was in memory gone."""
    services = scene.client.services
    await services.snapshots.saved()
    services.snapshots.evict(scene.guild.id, scene.customer.id)
    await scene.env.restart_bot(SkinDeskClient(services=services, cards=scene.client.cards))


async def test_refresh(scene: Scene) -> None:
    """*Refresh* asks the providers again and stays on its page; *Show ended ones too* asks for those as well."""
    page = await trades(scene, scene.customer, scope="active", provider="skinsback")
    shown = text_of(page)
    scene.world.deposits[:] = [
        replace(each, status="success") if each.status == "in_hold" else each for each in scene.world.deposits
    ]
    await scene.env.advance_time(61)  # SkinsBack's list is kept for a minute

    refreshed = text_of(await scene.customer.click(answer_of(page), label="Refresh"))
    everything = text_of(await scene.customer.click(answer_of(page), label="Show ended ones too"))

    assert "under Steam's trade protection" in shown
    assert "under Steam's trade protection" not in refreshed
    assert "active trades** · your own" in refreshed
    assert "✅ **Paid**" in everything
    assert "Show ended ones too" not in buttons_of(answer_of(page).message)


async def test_only_failed(scene: Scene) -> None:
    """*Only failed* leaves out the others until *All*, on every page, after a refresh and after a restart too."""
    page = await trades(scene, scene.customer)

    failed = await scene.customer.click(answer_of(page), label="Only failed")
    refreshed = await scene.customer.click(answer_of(page), label="Refresh")
    for shown in (failed, refreshed):
        assert "**9 of 57 trades failed**" in text_of(shown)
    last = text_of(await scene.customer.click(answer_of(page), label="Last"))
    assert "✅" not in text_of(failed) + last
    await restart(scene)
    assert "**9 of 57 trades failed**" in text_of(await scene.customer.click(answer_of(page), label="First"))
    assert "**57 trades** · your own" in text_of(await scene.customer.click(answer_of(page), label="All"))


async def test_after_a_restart(scene: Scene) -> None:
    """Pages and details are still there, without a code; *Refresh* says to use the command again."""
    page = await trades(scene, scene.customer, scope="active")
    number = next(option for option in options_of(answer_of(page).message) if "withdrawal" in str(option.description))
    before = await details(scene.customer, page, str(number.description))
    await restart(scene)
    after = await details(scene.customer, page, str(number.description))
    refused = await scene.customer.click(answer_of(page), label="Refresh")

    assert "Your code: `" in text_of(before)
    assert "Your code is no longer here" in text_of(after)
    assert {"Notify me", "Open the offer in Steam", "The bot's profile"} <= {*buttons_of(answer_of(after).message)}
    assert "Run the command again, with its options." in extra_text_of(refused)


async def test_changed_link(scene: Scene) -> None:
    """Menu and buttons of trades of an account that is no longer one's own show nothing."""
    page, services = await trades(scene, scene.customer), scene.client.services
    linker = Actor(scene.guild.id, scene.agent.id, frozenset({scene.support.id}))
    await services.links.set_for(scene.customer.id, str(scene.world.empty.steam_id), by=linker)

    assert "(`trades.any`)" in extra_text_of(await details(scene.customer, page))
    for label in ("Only failed", "Refresh", "Next"):
        assert "(`trades.any`)" in extra_text_of(await scene.customer.click(answer_of(page), label=label))


async def test_resend_is_asked_for_and_denied(scene: Scene) -> None:
    """The button opens the form; the request, then its denial with the reason, stand under the trade."""
    opened = await details(scene.customer, await trades(scene, scene.customer))
    assert "The moderators have been asked" in await ask(scene.customer, opened)

    for actor in (scene.customer, scene.agent):
        page = await trades(scene, actor, **({} if actor is scene.customer else {"member": scene.customer}))
        pending = await details(actor, page)
        for text in (text_of(page), text_of(pending)):
            assert "⏳ **Resend asked for** <t:" in text
        assert "Ask to resend" not in buttons_of(answer_of(pending).message)
    assert "You have already asked for" in await ask(scene.customer, opened)

    moderator = Actor(scene.guild.id, scene.moderator.id, frozenset({scene.guild.id, scene.moderators.id}))
    services = scene.client.services
    (waiting,) = (await services.resend_queue.read(by=moderator)).requests
    await services.resends.deny(waiting.id, by=moderator, reason="Your trade URL is not right")
    page = await trades(scene, scene.customer)
    denied = await details(scene.customer, page)
    for text in (text_of(page), text_of(denied)):
        assert "⛔ **Resend denied** · <t:" in text
        assert "Reason: Your trade URL is not right" in text
        assert str(scene.moderator.id) not in text
    seen = await details(scene.agent, await trades(scene, scene.agent, member=scene.customer))
    assert f"⛔ **Resend denied** · by <@{scene.moderator.id}> · <t:" in text_of(seen)
    assert "The moderators have been asked" in await ask(scene.customer, denied)


@pytest.mark.parametrize("right", [Capability.RESEND_OWN, None])
async def test_no_button_without_the_right(scene: Scene, right: Capability | None) -> None:
    """*Ask to resend* is offered to those who may ask, and checks it again when it is pressed."""
    opened = await details(scene.customer, await trades(scene, scene.customer))
    if right is None:
        await remove_link(scene, scene.customer)
    else:
        await scene.client.services.access.revoke(scene.guild.id, right, by=scene.owner)

    refused = extra_text_of(await scene.customer.click(answer_of(opened), label="Ask to resend"))

    assert ("resend.own" if right is not None else "No Steam account is linked to you") in refused
    if right is not None:
        again = await details(scene.customer, await trades(scene, scene.customer))
        assert "Ask to resend" not in buttons_of(answer_of(again).message)


async def test_no_button_under_others_trades(scene: Scene) -> None:
    """Staff who may ask for resends of their own trades alone are offered none of another's."""
    await scene.client.services.access.revoke(scene.support.id, Capability.RESEND_ANY, by=scene.owner)
    opened = await details(scene.agent, await trades(scene, scene.agent, member=scene.customer))

    assert "Ask to resend" not in buttons_of(answer_of(opened).message)


async def test_former_holders_request(scene: Scene) -> None:
    """Who has the account by now is not shown how its former holder's request ended, nor why."""
    opened = await details(scene.customer, await trades(scene, scene.customer))
    await ask(scene.customer, opened)
    moderator = Actor(scene.guild.id, scene.moderator.id, frozenset({scene.guild.id, scene.moderators.id}))
    services, heir = scene.client.services, scene.guild.add_member(scene.env.create_user("nora"))
    (waiting,) = (await services.resend_queue.read(by=moderator)).requests
    await services.resends.deny(waiting.id, by=moderator, reason="Talk to us first")
    await remove_link(scene, scene.customer)
    linker = Actor(scene.guild.id, scene.agent.id, frozenset({scene.support.id}))
    await services.links.set_for(heir.id, str(scene.world.customer.steam_id), by=linker)

    page = await trades(scene, heir)
    for text in (text_of(page), text_of(await details(heir, page))):
        assert FAILED in text
        assert "Resend denied" not in text
    assert "Talk to us first" in text_of(await trades(scene, scene.agent, member=heir))
