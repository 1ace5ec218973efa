"""/customer through the simulated Discord: one screen about a customer, its buttons, and notes."""

import json
from datetime import UTC, datetime
from typing import Any

import discord
import simcord

from bot.demo.providers import faults
from bot.demo.scene import Scene
from bot.domain.customers import CustomerKey, NoteList
from bot.domain.notes import NOTES_AT_MOST, Note
from bot.ui.customer.page import notes_page
from tests.cogs.approvals import failed_trade, give_reason, requested
from tests.cogs.test_inventory import answer_of
from tests.cogs.test_my_data import my_data, raw_of
from tests.cogs.test_resend_life import restarted
from tests.support.seen import buttons_of, extra_text_of, text_of


async def customer(scene: Scene, actor: simcord.MemberActor, **options: object) -> simcord.InteractionResult:
    result = await actor.slash(scene.channel, "customer", **options)
    assert result.ephemeral
    return result


async def press(actor: simcord.MemberActor, page: simcord.InteractionResult, label: str) -> simcord.InteractionResult:
    return await actor.click(answer_of(page), label=label)


async def noted(actor: simcord.MemberActor, page: simcord.InteractionResult, text: str) -> simcord.InteractionResult:
    """Add a note and return the list of all."""
    return await actor.submit_modal(await press(actor, page, "Add a note"), {"text": text})


async def test_page(scene: Scene) -> None:
    """The page has the person, the link, notes, trades by state, requests with their reasons, and who looked before."""
    account, mia = scene.world.customer.steam_id, scene.customer.mention
    await requested(scene, failed_trade(scene))
    await scene.moderator.slash(scene.channel, "trades", member=scene.customer)
    await noted(scene.moderator, await customer(scene, scene.moderator, member=scene.customer), "is polite")
    text = text_of(await customer(scene, scene.agent, member=scene.customer))

    lines = text.splitlines()
    assert lines[1] == f"{mia} · [Steam profile](https://steamcommunity.com/profiles/{account})"
    assert lines[2].startswith(f"Linked by {scene.agent.mention} (<t:")
    assert f"is polite · {scene.moderator.mention} · <t:" in text
    assert "waiting: " in text
    assert "❌ **failed** · Mannco.store withdrawal `480101` · <t:" in text
    assert "**Resend 1 · pending** · trade `480101` · [card](https://discord.com/channels/" in text
    assert f"asked for by {scene.agent.mention} (<t:" in text
    assert "“the bot was offline”" in text
    assert f"{scene.moderator.mention} · this page · <t:" in text
    assert f"{scene.moderator.mention} · trades · <t:" in text
    assert lines[-1] == f"SteamID `{account}`"


async def test_last_errors(scene: Scene) -> None:
    """An error that the customer was shown is on their page, with the reference that they read."""
    refused = text_of(await scene.customer.slash(scene.channel, "trades", member=scene.agent))
    await scene.client.services.references.saved()
    text = text_of(await customer(scene, scene.agent, member=scene.customer))

    assert f"{refused.splitlines()[0]} · <t:" in text
    assert f" · reference `{refused.split()[-1]}`" in text


async def test_failing_provider(scene: Scene) -> None:
    """A provider that fails is its explanation beside the others' trades."""
    scene.providers.skinsback.faults.extend([faults.html(503)] * 10)
    text = text_of(await customer(scene, scene.agent, member=scene.customer))

    assert "**SkinsBack**: ⚠️" in text
    assert " · Reference `" in text
    assert "withdrawal `480101`" in text


async def test_buttons_after_a_restart(scene: Scene) -> None:
    """Each button works after a restart, for a member as for an account, and no longer once the right is gone."""
    of_member = await customer(scene, scene.agent, member=scene.customer)
    of_account = await customer(scene, scene.agent, steam_id=str(scene.world.other_customer.steam_id))
    await noted(scene.agent, of_member, "is polite")
    await restarted(scene)
    for page, person in ((of_member, scene.world.customer), (of_account, scene.world.other_customer)):
        assert f"SteamID `{person.steam_id}`" in extra_text_of(await press(scene.agent, page, "Trades"))
        form = await press(scene.agent, page, "Inventory")
        assert "Page 1 of" in extra_text_of(await scene.agent.submit_modal(form, {"tradeurl": person.trade_url}))
        assert "To copy" in text_of(await press(scene.agent, page, "Refresh"))
    assert "is polite" in text_of(await press(scene.agent, of_member, "Refresh"))

    member = scene.env.backend.get_member(scene.guild.id, scene.agent.id)
    member.role_ids.clear()
    for label in ("Trades", "Inventory", "Refresh", "Add a note", "All notes"):
        assert "(`trades.any`)" in extra_text_of(await press(scene.agent, of_member, label))


async def test_ask_to_resend(scene: Scene) -> None:
    """The page offers the newest failed trade, and after that the next one."""
    page = await customer(scene, scene.agent, member=scene.customer)
    assert "*Ask to resend* is about trade `480101`" in text_of(page)
    form = await press(scene.agent, page, "Ask to resend")
    asked = await give_reason(form, scene.agent, "the bot was offline")

    assert "The moderators have been asked" in extra_text_of(asked)
    again = text_of(await press(scene.agent, page, "Refresh"))
    assert "· pending** · trade `480101`" in again
    assert "*Ask to resend* is about trade `480101`" not in again


async def test_trade_url_of_another(scene: Scene) -> None:
    """The form for the inventory takes the trade URL of this customer only."""
    form = await press(scene.agent, await customer(scene, scene.agent, member=scene.customer), "Inventory")
    typed = {"tradeurl": scene.world.other_customer.trade_url}

    assert "another Steam account" in extra_text_of(await scene.agent.submit_modal(form, typed))


async def test_notes(scene: Scene) -> None:
    """Authors remove their own notes in the list; colleagues read them and have no menu to remove them."""
    page = await customer(scene, scene.agent, member=scene.customer)
    assert "All notes" not in buttons_of(answer_of(page).message)
    shown = await noted(scene.agent, page, f"uses {scene.world.customer.trade_url}")
    assert "token=••••" in extra_text_of(shown)
    page = await customer(scene, scene.moderator, member=scene.customer)
    of_colleague = await press(scene.moderator, page, "All notes")
    assert scene.agent.mention in extra_text_of(of_colleague)
    assert menus_of(of_colleague) == []

    (menu,) = menus_of(shown)
    removed = await scene.agent.select(answer_of(shown), [menu["options"][0]["value"]], custom_id=menu["custom_id"])
    assert "There is no note." in text_of(removed)
    assert "Notes: 1" not in text_of(await customer(scene, scene.moderator, member=scene.customer))


def menus_of(result: simcord.InteractionResult) -> list[dict[str, Any]]:
    kind = discord.ComponentType.select.value
    return [each for row in answer_of(result).components for each in row["components"] if each["type"] == kind]


def test_notes_of_member_and_account():
    """A member who links an account with notes of its own has more than fit, and no room."""
    note = Note(1, 1, 5, None, 6, "polite", datetime(2026, 1, 1, tzinfo=UTC))
    shown = NoteList(CustomerKey(5), (note,) * (NOTES_AT_MOST + 2), frozenset(), hides_authors=False)

    assert str(notes_page(shown, reader_id=6).footer.text).startswith("There is no room for more notes.")


async def test_my_data(scene: Scene) -> None:
    """The customer gets the notes on them without authors, and erases them; who viewed the page is named."""
    await noted(scene.agent, await customer(scene, scene.agent, member=scene.customer), "is polite")
    export = await my_data(scene, scene.customer, "export")
    content = json.loads(await raw_of(export))

    assert f"{scene.agent.mention} · everything about you · <t:" in text_of(export)
    (note,) = content["notes"]
    assert (note["text"], note["author"]) == ("is polite", "the staff")
    (row,) = (row for row in content["record"] if row["action"] == "note.added")
    assert row["actor"] == "the staff"
    assert "is polite" not in json.dumps(content["record"])

    assert "1 note that the staff wrote" in text_of(await my_data(scene, scene.customer, "forget"))
    assert "is polite" not in text_of(await customer(scene, scene.agent, member=scene.customer))
