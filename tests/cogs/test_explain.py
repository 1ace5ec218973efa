"""/explain through the simulated Discord: codes, keys and messages, for each audience."""

import re
from dataclasses import dataclass, field

import discord
import pytest
import simcord

from bot.demo.scene import Scene
from cogs.explain import _text_of
from tests.support.seen import text_of


async def explain(scene: Scene, actor: simcord.MemberActor, code: str, **options: object) -> str:
    result = await actor.slash(scene.channel, "explain", code=code, **options)
    assert result.ephemeral
    return text_of(result)


async def suggested(scene: Scene, actor: simcord.MemberActor, typed: str, **options: object) -> list[dict[str, str]]:
    return await actor.autocomplete(scene.channel, "explain", "code", typed, **options)


@pytest.mark.parametrize(
    "code",
    [
        "33",
        "error 33",
        "STEAM_RATE_LIMITED",
        "steam rate limited",
        '{"success":false,"error":{"code":33,"key":"STEAM_RATE_LIMITED","message":"Steam rate limited"}}',
    ],
)
async def test_one_error_however_it_is_named(scene: Scene, code: str) -> None:
    """A number, a key, and a pasted message lead to the same explanation, without asking a provider."""
    text = await explain(scene, scene.customer, code, provider="assetpay")

    assert "AssetPay (.gg) · code `33` · `STEAM_RATE_LIMITED`" in text
    assert "What you can do" in text
    assert "Who can fix it\nNo one: it clears up on its own" in text
    assert "Why it happens" not in text, "causes are for staff"


async def test_an_ambiguous_number(scene: Scene) -> None:
    """A number that means different things shows each meaning with whose it is; a provider narrows it."""
    both = await explain(scene, scene.customer, "14")
    older = await explain(scene, scene.customer, "14", provider="assetpay_legacy")
    of_methods = await explain(scene, scene.agent, "1", provider="skinsback")

    assert "2 meanings\n“14” means different things. Which provider was it?" in both
    assert "AssetPay (.gg) · code `14` · `LISTING_NOT_FOUND`" in both
    assert "AssetPay (.co) · code `14` · `INVALID_TRADEURL`" in both
    assert "`INVALID_TRADEURL`" in older
    assert "meanings" not in older
    assert "It depends on what was asked for." in of_methods
    assert "SkinsBack · code `1` · `invalid_game` · user_inventory" in of_methods
    assert "Which provider" not in of_methods


@pytest.mark.parametrize(
    ("code", "titles"),
    [
        ("invalid_client_secret", ["SkinsBack does not accept SkinDesk's account"]),
        ("-10", ["SkinsBack does not accept SkinDesk's account"]),
        ("1003", ["SkinDesk's account may not do this"]),
    ],
)
async def test_confidential_errors(scene: Scene, code: str, titles: list[str]) -> None:
    """What concerns the desk's login is explained to staff; a customer sees code and key, and whose matter it is."""
    for_customer = await explain(scene, scene.customer, code)
    for_staff = await explain(scene, scene.agent, code)

    assert "Something is not set up right" in for_customer
    assert re.findall(r"code `.*`", for_customer) == re.findall(r"code `.*`", for_staff) != []
    for title in titles:
        assert title not in for_customer
        assert title in for_staff


async def test_nothing_twice(scene: Scene) -> None:
    """Explanations with the same text for a customer are shown once, with all their providers."""
    text = await explain(scene, scene.customer, "TOO_MANY_ACTIVE_TRADES")

    assert "meanings" not in text
    assert "Error\nAssetPay (.gg) and AssetPay (.co) · code" in text


async def test_choosing_a_meaning(scene: Scene) -> None:
    """A number of several meanings is asked about by a menu, each with its provider; choosing edits the answer."""
    result = await scene.customer.slash(scene.channel, "explain", code="4")
    assert result.response is not None
    menu = result.response.components[0]["components"][0]
    names = {option["label"].split(" · ")[0]: option["value"] for option in menu["options"]}
    assert {"AssetPay (.gg) and AssetPay (.co)", "SkinsBack", "Mannco.store", "Steam"} <= names.keys()

    chosen = await scene.customer.select(result.response, [names["Mannco.store"]], custom_id=menu["custom_id"])

    text = text_of(chosen)
    assert "📖 Failed or cancelled (status 4)" in text
    assert "Status\nMannco.store · trade status `4`" in text
    assert "meanings" not in text


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("-12", "Mannco.store · trade status `-12`"),
        ("hold", "AssetPay (.gg) · trade status `hold`"),
        ("status: HOLD", "AssetPay (.co) · trade status `HOLD`"),
        ("my deposit has the status in_hold", "SkinsBack · deposit status `in_hold`"),
        ("durum reverted", "AssetPay (.gg) · trade status `reverted`"),
        ("Steam offer state 11", "Steam · offer state `11`"),
        ("There was an error sending your trade offer. Please try again later. (26)", "Steam · code `26` · `Revoked`"),
    ],
)
async def test_statuses_and_steam(scene: Scene, code: str, said: str) -> None:
    """Statuses of trades, deposits and offers are explained, and Steam's own errors, with code and key."""
    for reader in (scene.customer, scene.agent):
        text = await explain(scene, reader, code)
        assert said in text
        assert "What you can do" in text


async def test_unknown(scene: Scene) -> None:
    """An unknown error is quoted inert and without a trade token."""
    token = scene.world.customer.token
    text = await explain(scene, scene.customer, f"@everyone {scene.world.customer.trade_url} **boom**")

    assert "Not in the catalogue" in text
    assert token not in text
    assert "token=••••" in text
    assert r"\*\*boom\*\*" in text
    assert "@everyone" not in text
    assert "Not in the catalogue" in await explain(scene, scene.customer, "424242")


async def test_something_near(scene: Scene) -> None:
    """A mistyped key or a part of a message is answered with what may be meant, but not with what is confidential."""
    mistyped = await explain(scene, scene.customer, "STEAM_RATE_LIMTED")
    part = await explain(scene, scene.customer, "conditions not met", provider="mannco")
    confidential = await explain(scene, scene.customer, "invalid_client_secrt")

    assert "Did you mean\nAssetPay (.gg) · code `33` · `STEAM_RATE_LIMITED` · " in mistyped
    assert "Did you mean\nMannco.store · `Failed to resend trade. Trade not found or conditions not met.`" in part
    assert "Did you mean" not in confidential
    assert "`invalid_client_secret`" in await explain(scene, scene.agent, "invalid_client_secrt")
    assert "Did you mean" not in await explain(scene, scene.agent, "no such thing")


async def test_trade_url_with_an_ambiguous_number(scene: Scene) -> None:
    """The token of a pasted trade URL is masked above several meanings too."""
    text = await explain(scene, scene.customer, f"error 14 with {scene.world.customer.trade_url}")

    assert "meanings" in text
    assert scene.world.customer.token not in text


async def menu(scene: Scene, actor: simcord.MemberActor, message: discord.Message) -> str:
    result = await actor.context_menu(scene.channel, "Explain error codes", message)
    assert result.ephemeral
    return text_of(result)


async def test_menu_on_a_message(scene: Scene) -> None:
    """A key or a code in somebody's message is explained, although SkinDesk may read no messages."""
    assert not scene.client.intents.message_content
    by_key = await scene.customer.send(scene.channel, "hi, it says FLEET_DEGRADED when I deposit??")
    by_number = await scene.agent.send(scene.channel, "customer got error 14 again")
    two = await scene.agent.send(scene.channel, "first STEAM_UNAVAILABLE, then NO_BOTS_AVAILABLE")

    assert "code `1011` · `FLEET_DEGRADED`" in await menu(scene, scene.customer, by_key)
    assert "2 meanings in this message\nWhich provider was it?" in await menu(scene, scene.customer, by_number)
    both = await menu(scene, scene.agent, two)
    assert "2 errors in this message" in both
    assert "`STEAM_UNAVAILABLE`" in both
    assert "`NO_BOTS_AVAILABLE`" in both


async def test_menu_on_embeds(scene: Scene) -> None:
    """Text in any part of an embed counts: tools post errors as embeds."""
    channel = scene.client.get_partial_messageable(scene.channel.id)
    for made in (
        discord.Embed(title="Deposit failed: FLEET_DEGRADED"),
        discord.Embed(description='{"error": {"code": 1011, "key": "FLEET_DEGRADED"}}'),
        discord.Embed(title="x").add_field(name="key", value="FLEET_DEGRADED"),
        discord.Embed(title="x").set_footer(text="fleet_degraded"),
        discord.Embed(title="x").set_author(name="FLEET_DEGRADED"),
    ):
        message = await channel.send(embed=made)
        assert "code `1011` · `FLEET_DEGRADED`" in await menu(scene, scene.customer, message)


@dataclass
class Written:
    """As much of a message as its text needs."""

    content: str = ""
    embeds: list[discord.Embed] = field(default_factory=list)
    message_snapshots: list["Written"] = field(default_factory=list)


def test_forwarded() -> None:
    """A forwarded message has its text in a snapshot."""
    forwarded = Written(message_snapshots=[Written("FLEET_DEGRADED", [discord.Embed(title="error 7")])])

    assert _text_of(forwarded) == "FLEET_DEGRADED\nerror 7"  # type: ignore[arg-type]  # the parts that are read


async def test_menu_where_there_is_nothing(scene: Scene) -> None:
    """A message without a code is repeated inert, without the token in it; a picture is said to be one."""
    url = scene.world.customer.trade_url
    nothing = await menu(scene, scene.customer, await scene.agent.send(scene.channel, f"@everyone **hi** {url}"))
    channel = scene.client.get_partial_messageable(scene.channel.id)
    picture = await channel.send(embed=discord.Embed().set_image(url="https://discord.com/x.png"))

    assert "No error code in this message" in nothing
    assert r"\*\*hi\*\*" in nothing
    assert "@everyone" not in nothing
    assert scene.world.customer.token not in nothing
    assert "What you can do" in nothing
    assert "SkinDesk cannot read a picture of an error" in await menu(scene, scene.customer, picture)


async def test_menu_keeps_what_is_confidential(scene: Scene) -> None:
    """What concerns the desk's own login is explained to staff alone, in a message too."""
    message = await scene.agent.send(scene.channel, "invalid_client_secret, FLEET_DEGRADED")

    title = "SkinsBack does not accept SkinDesk's account"
    assert title not in await menu(scene, scene.customer, message)
    assert title in await menu(scene, scene.agent, message)


async def test_more_than_can_be_shown(scene: Scene) -> None:
    """If a text names more errors than fit, their number is shown, and how to see them."""
    text = await explain(scene, scene.agent, " ".join(f"error {number}" for number in range(1, 20)))

    assert re.search(r"Shown here: 8 of \d+\. Choose the provider, or paste less\.", text)


async def test_suggestions(scene: Scene) -> None:
    """Typing offers at most 25 entries by number, key or title; each leads to its entry."""
    everything = await suggested(scene, scene.customer, "")
    by_number = await suggested(scene, scene.customer, "101")
    by_key = await suggested(scene, scene.customer, "no_bots")
    at_skinsback = await suggested(scene, scene.customer, "", provider="skinsback")

    assert 1 <= len(everything) <= 25
    assert {"NO_BOTS_AVAILABLE", "FLEET_DEGRADED"} <= {choice["value"] for choice in by_number}
    assert by_key[0]["name"].startswith("1010 · NO_BOTS_AVAILABLE · AssetPay (.gg) · ")
    assert all(choice["value"].islower() for choice in at_skinsback)
    assert await suggested(scene, scene.customer, "zzzzzz") == []
    assert "NO_BOTS_AVAILABLE" in await explain(scene, scene.customer, by_key[0]["value"], provider="assetpay")


async def test_suggested_statuses(scene: Scene) -> None:
    """What is typed finds statuses too, each word once with its providers; each leads to its explanation."""
    by_number = {choice["value"]: choice["name"] for choice in await suggested(scene, scene.customer, "4")}
    for typed in ("hold", "escrow", "4", "status"):
        offered = await suggested(scene, scene.customer, typed)
        assert len(offered) <= 25
        assert len({choice["value"] for choice in offered}) == len(offered)

    assert by_number["status 4"] == "status 4 · AssetPay (.gg), Mannco.store, and Steam"
    assert "Which provider was it?" in await explain(scene, scene.customer, "status 4")
    (held,) = [each for each in await suggested(scene, scene.customer, "in_hold") if each["value"] == "in_hold"]
    assert held["name"].startswith("in_hold · SkinsBack · Accepted")
    assert "deposit status `in_hold`" in await explain(scene, scene.customer, "in_hold")


async def test_suggestions_keep_what_is_confidential(scene: Scene) -> None:
    """No user is offered a confidential error."""
    for typed in ("key", "secret", "signature", "token", "-3", "19", "14", "ip", "FORBIDDEN", "account"):
        for choice in await suggested(scene, scene.customer, typed):
            explanations = scene.client.services.explanations
            found = explanations.find(choice["value"])
            assert found or explanations.find_statuses(choice["value"]), choice
            assert not found or not all(each.confidential for each in found), choice
