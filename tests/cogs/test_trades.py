"""/trades at Mannco.store through the simulated Discord, as seed 004 describes it. See also test_trades_everywhere."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import simcord

from bot.demo.people import Person
from bot.demo.scene import Scene
from bot.demo.trades import COMPLETED_STATUS, HIDDEN_STATUS, PENDING_STATUS, WorldTrade
from bot.domain.access import Actor
from tests.cogs.test_inventory import answer_of
from tests.support.confirming import remove_link
from tests.support.payload_audit import find_secrets
from tests.support.seen import buttons_of, extra_text_of, options_of, text_of
from tests.support.stage import kept_open_per_user

NOT_OVER = (PENDING_STATUS, 1, 2, 8, 9)


async def trades(scene: Scene, actor: simcord.MemberActor, **options: object) -> simcord.InteractionResult:
    result = await actor.slash(scene.channel, "trades", provider="mannco", **options)
    assert result.ephemeral
    return result


async def every_page(
    actor: simcord.MemberActor, result: simcord.InteractionResult, *, with_details: bool = False
) -> str:
    """Everything that an answer says, all pages of it with the options of their menus, and what these open."""
    texts = []
    while True:
        message = answer_of(result).message
        texts += [text_of(result), *(f"{each.label}\n{each.description}" for each in options_of(message))]
        if with_details:
            for option in options_of(message):
                texts.append(extra_text_of(await actor.select(answer_of(result), [option.value])))
        buttons = buttons_of(message)
        if "Next" not in buttons or buttons["Next"].disabled:
            return "\n".join(texts)
        await actor.click(answer_of(result), label="Next")


def ids_in(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"(?m)^Mannco\.store [a-z]+ `?(\d+)", text)]


def trades_of(scene: Scene, person: Person | None = None) -> list[WorldTrade]:
    """Return what /trades/all holds of a person, or of everybody, newest first."""
    kept = [
        trade
        for trade in scene.world.trades
        if trade.status != HIDDEN_STATUS and (person is None or trade.user == person.steam_id)
    ]
    return sorted(kept, key=lambda trade: (trade.at, trade.id), reverse=True)


def ids_of(found: list[WorldTrade]) -> list[int]:
    return [trade.id for trade in found]


async def link(scene: Scene, actor: simcord.MemberActor, person: Person) -> None:
    linker = Actor(scene.guild.id, scene.moderator.id, frozenset({scene.guild.id, scene.support.id}))
    await scene.client.services.links.set_for(actor.id, str(person.steam_id), by=linker)


async def test_customers_see_exactly_their_own(scene: Scene) -> None:
    """Without anything named a customer gets their own active trades; with `all` all of their own, newest first."""
    own = trades_of(scene, scene.world.customer)
    active = await every_page(scene.customer, await trades(scene, scene.customer))
    everything = await every_page(scene.customer, await trades(scene, scene.customer, scope="all"))

    assert ids_in(active) == ids_of([trade for trade in own if trade.status == PENDING_STATUS])
    assert "**2 active trades** · your own" in active
    assert ids_in(everything) == ids_of(own)
    assert f"**{len(own)} trades** · your own" in everything


async def test_agents_see_everybodys(scene: Scene) -> None:
    """Without anything named a holder of trades.any gets everybody's, each with its customer."""
    active = await every_page(scene.agent, await trades(scene, scene.agent))
    everything = await every_page(scene.agent, await trades(scene, scene.agent, scope="all"))

    assert ids_in(active) == ids_of([trade for trade in trades_of(scene) if trade.status == PENDING_STATUS])
    assert ids_in(everything) == ids_of(trades_of(scene))
    assert f"\n`{scene.world.unlucky.steam_id}` · Mannco.store" in everything
    assert f"\n<@{scene.customer.id}> · Mannco.store" in everything


async def test_agents_name_whom_they_mean(scene: Scene) -> None:
    """A member, a SteamID or a trade URL narrows the list to that account."""
    other = scene.world.other_customer
    member = await every_page(scene.agent, await trades(scene, scene.agent, scope="all", member=scene.customer))
    steam_id = await every_page(
        scene.agent, await trades(scene, scene.agent, scope="all", steam_id=str(other.steam_id))
    )
    url = await every_page(scene.agent, await trades(scene, scene.agent, scope="all", steam_id=f"<{other.trade_url}>"))

    assert ids_in(member) == ids_of(trades_of(scene, scene.world.customer))
    assert ids_in(steam_id) == ids_in(url) == ids_of(trades_of(scene, other))
    assert f"SteamID `{other.steam_id}`" in steam_id


async def test_unusable_names(scene: Scene) -> None:
    """Two names, a member without a link, and an invalid SteamID are each explained."""
    both = await trades(scene, scene.agent, member=scene.customer, steam_id=str(scene.world.empty.steam_id))
    unlinked = await trades(scene, scene.agent, member=scene.moderator)
    no_steam_id = await trades(scene, scene.agent, steam_id="7656119808372251")
    no_trade_url = await trades(scene, scene.agent, steam_id="https://steamcommunity.com/id/somebody")

    assert "You named both a member and a SteamID." in text_of(both)
    assert "Link one with `/link set`, or give their SteamID" in text_of(unlinked)
    assert "A SteamID has 17 digits" in text_of(no_steam_id)
    assert "profile's own address" in text_of(no_trade_url)
    assert not scene.providers.mannco.calls


async def test_user_who_left(scene: Scene) -> None:
    """A user who is not on the server is no fault of SkinDesk's, and the way round is named."""
    gone = scene.env.create_user("gone")
    result = await trades(scene, scene.agent, member=gone)

    assert "not on this server" in text_of(result)
    assert "SteamID" in text_of(result)


async def show_trades(scene: Scene, actor: simcord.MemberActor, of: simcord.MemberActor) -> str:
    result = await actor.context_menu(scene.channel, "Show trades", of)
    assert result.ephemeral
    return await every_page(actor, result)


async def test_menu_on_a_member(scene: Scene) -> None:
    """The menu on a member answers as the command with that member named; a member without a link is explained."""
    by_menu = await show_trades(scene, scene.agent, scene.customer)
    command = await scene.agent.slash(scene.channel, "trades", member=scene.customer)
    by_command = await every_page(scene.agent, command)

    assert by_menu == by_command
    assert "No Steam account is linked to this member" in await show_trades(scene, scene.agent, scene.moderator)


async def test_menu_on_oneself(scene: Scene) -> None:
    """The menu on oneself shows one's own trades, to staff too; without a link it says how to get one."""
    own = await every_page(scene.customer, await scene.customer.slash(scene.channel, "trades"))
    assert await show_trades(scene, scene.customer, scene.customer) == own

    assert "No Steam account is linked to you" in await show_trades(scene, scene.agent, scene.agent)
    await link(scene, scene.agent, scene.world.other_customer)
    assert "· your own" in await show_trades(scene, scene.agent, scene.agent)


async def test_codes(scene: Scene) -> None:
    """Only the linked owner sees the code of an open trade, neither staff nor other customers."""
    stranger = scene.guild.add_member(scene.env.create_user("stranger"))
    await link(scene, stranger, scene.world.other_customer)
    others = [trade.code for trade in trades_of(scene, scene.world.collector) if trade.status in NOT_OVER]
    own = [trade.code for trade in trades_of(scene, scene.world.customer) if trade.status in NOT_OVER]
    unused = [trade.code for trade in trades_of(scene) if trade.status not in (*NOT_OVER, COMPLETED_STATUS)]

    for scope in ("active", "all"):
        for options in ({}, {"member": scene.customer}):
            shown = await trades(scene, scene.agent, scope=scope, **options)
            await every_page(scene.agent, shown, with_details=scope == "active")
        await every_page(stranger, await trades(scene, stranger, scope=scope), with_details=True)
    assert find_secrets(scene.env.http_requests, own) == []

    text = await every_page(scene.customer, await trades(scene, scene.customer, scope="all"), with_details=True)

    assert sorted(re.findall(r"Your code: `(.+?)`", text)) == sorted(own)
    assert "The staff never asks for your code" in text
    assert find_secrets(scene.env.http_requests, [*unused, *others]) == []


async def test_an_agents_own_code(scene: Scene) -> None:
    """An agent who is a customer too sees their own code among everybody's, until the link is gone."""
    await link(scene, scene.agent, scene.world.other_customer)
    own = [trade.code for trade in trades_of(scene, scene.world.other_customer) if trade.status == PENDING_STATUS]
    result = await trades(scene, scene.agent)

    text = await every_page(scene.agent, result, with_details=True)
    assert sorted(re.findall(r"Your code: `(.+?)`", text)) == sorted(own)

    await remove_link(scene, scene.agent)
    for option in options_of(answer_of(result).message):
        opened = extra_text_of(await scene.agent.select(answer_of(result), [option.value]))
        assert "Mannco.store" in opened
        assert "Your code" not in opened


async def test_a_refused_login(scene: Scene) -> None:
    """A login that Mannco.store refuses is the staff's matter: a customer learns that, and nothing of it."""
    scene.world.credentials = replace(scene.world.credentials, mannco_api_key="another-key-since")
    for_customer = await trades(scene, scene.customer)
    for_staff = await trades(scene, scene.agent)

    assert "Something is not set up right" in text_of(for_customer)
    assert re.search(r"(?i)\b(key|token|jwt|credential)", text_of(for_customer)) is None
    assert "provider `mannco`" in text_of(for_staff)


ONLY_OWN = "This desk can only see the trades of the shop's own account at Mannco.store"


@pytest.mark.parametrize("owner", ["merchant", "other_customer", "hostile"])
@pytest.mark.parametrize("scope", ["active", "all"])
async def test_key_sees_its_own_account_only(scene: Scene, owner: str, scope: str) -> None:
    """A question about another account is answered with what the desk cannot see, never with no trade."""
    mannco = scene.providers.mannco
    mannco.as_admin = False
    mannco.key_owner = getattr(scene.world, owner).steam_id if owner != "merchant" else mannco.key_owner
    own = await every_page(scene.customer, await trades(scene, scene.customer, scope=scope))
    member = await every_page(scene.agent, await trades(scene, scene.agent, scope=scope, member=scene.customer))
    everyones = await every_page(scene.agent, await trades(scene, scene.agent, scope=scope))
    resent = text_of(await scene.customer.slash(scene.channel, "resend", id="480101"))
    not_there = text_of(await scene.customer.slash(scene.channel, "resend", id="999999"))
    by_agent = text_of(await scene.agent.slash(scene.channel, "resend", id="480101"))

    for text in (own, resent, not_there):
        assert ONLY_OWN in text
        assert re.search(r"(?i)\b(key|setting|0 |none)\b", text) is None
    assert resent.replace("480101", "999999").split("Reference")[0] == not_there.split("Reference")[0]
    for text in (member, everyones, by_agent):
        assert f"sees only the trades of one account: `{mannco.key_owner}`" in text
        assert "providers.mannco.per_user_paths" in text
    assert "No trade visible" in member or "No active trade visible" in member
    assert await scene.customer.autocomplete(scene.channel, "resend", "id", "") == []


async def test_key_of_the_account_asked_about(scene: Scene) -> None:
    """Who asks about the key's own account gets its trades, and the real answer if there is none."""
    mannco = scene.providers.mannco
    mannco.as_admin, mannco.key_owner = False, scene.world.customer.steam_id
    assert "**2 active trades** · your own" in text_of(await trades(scene, scene.customer))
    scene.world.trades.clear()
    assert "No trade of yours was found" in text_of(await trades(scene, scene.customer, scope="all"))


async def test_administrators_key(scene: Scene) -> None:
    """Nothing waits, but all trades show that the key sees everyone's: then there is none, for an agent too."""
    scene.world.trades[:] = [trade for trade in scene.world.trades if trade.status != PENDING_STATUS]

    assert "No trade of yours is waiting" in text_of(await trades(scene, scene.customer))
    assert "No trade is waiting" in text_of(await trades(scene, scene.agent))


async def test_per_user_paths(tmp_path: Path) -> None:
    """An administrator's key asks for one account's trades at their own path, and for everyone's at the plain one."""
    async with kept_open_per_user(tmp_path) as scene:
        calls, customer = scene.providers.mannco.calls, scene.world.customer.steam_id
        text = await every_page(scene.customer, await trades(scene, scene.customer, scope="all"))
        assert ids_in(text) == ids_of(trades_of(scene, scene.world.customer))
        await trades(scene, scene.agent, member=scene.customer)
        await trades(scene, scene.agent, scope="all")
        empty = await trades(scene, scene.agent, scope="all", steam_id=str(scene.world.empty.steam_id))
        await scene.customer.autocomplete(scene.channel, "resend", "id", "")

        assert "No trade of this account was found." in text_of(empty)
        del calls["POST /user/login"]
        assert calls == {
            f"GET /trades/all/{customer}": 2,
            f"GET /trades/active/{customer}": 1,
            "GET /trades/all": 1,
            f"GET /trades/all/{scene.world.empty.steam_id}": 1,
        }
        scene.providers.mannco.as_admin = False
        assert "Something is not set up right" in text_of(await trades(scene, scene.customer))


async def test_unreadable_row(scene: Scene) -> None:
    """A row that cannot be read is counted for staff with its place; the owner's other trades can be resent."""
    scene.providers.mannco.odd_rows = {480102: {"user": None}}
    own = await every_page(scene.customer, await trades(scene, scene.customer, scope="all"))
    everyones = text_of(await trades(scene, scene.agent, scope="all"))
    resent = text_of(await scene.agent.slash(scene.channel, "resend", id="480101"))

    assert "could not be read" not in own  # the row may be another customer's
    assert "1 trade could not be read and is left out." in everyones
    assert 480101 in ids_in(own)
    assert re.search(r"The first: `content\.trades\[\d+\]\.user`", everyones)
    assert "480101" in resent
    assert "No such trade" not in resent
