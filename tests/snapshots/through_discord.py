"""Goes through the desk as customer, agent, moderator and administrator, and keeps every answer as a shot."""

from collections.abc import AsyncIterator
from typing import Any

import discord
import simcord

from bot.demo.providers import faults
from bot.demo.scene import Scene
from bot.demo.trades import WorldTrade
from bot.languages import ENGLISH, Language
from bot.services.links import NO_ACCOUNT
from tests.cogs.approvals import choose_reason
from tests.snapshots.shot import Shot, form_shot
from tests.support.confirming import press

CUSTOMER, AGENT, MODERATOR, ADMINISTRATOR = "customer", "agent", "moderator", "administrator"


_DOWN = [faults.html(503)] * 10
"""More failures in a row than one look-up tries."""


class Walk:
    """One way through a staged desk. ``people`` are the readers by name; the administrator joins for it."""

    def __init__(self, scene: Scene, language: Language = ENGLISH) -> None:
        self.scene = scene
        self._language = language
        administrators = scene.guild.create_role("Admins", permissions=discord.Permissions(administrator=True))
        kim = scene.env.create_user("kim", global_name="Kim (administrator)")
        self.people = {
            CUSTOMER: scene.customer,
            AGENT: scene.agent,
            MODERATOR: scene.moderator,
            ADMINISTRATOR: scene.guild.add_member(kim, roles=[administrators, scene.moderators]),
        }
        self._names = {
            **{actor.id: f"@{actor.user.name}" for actor in self.people.values()},
            **{role.id: f"@{role.name}" for role in (scene.support, scene.moderators, administrators)},
            scene.channel.id: f"#{scene.channel.name}",
            scene.guild.owner.id: "@owner",
        }
        self._audit_channel = scene.guild.create_text_channel("audit")
        self._names[self._audit_channel.id] = "#audit"

    async def steps(self) -> AsyncIterator[Shot]:
        """Do everything once, and give each answer right after it came."""
        for part in (self._inventory, self._controls, self._trades, self._explain, self._links, self._resends):
            async for shot in part():
                yield shot
        # The departed last: what else is shown has its numbers from what was done before it.
        last = self._links_of_the_departed
        for part in (self._settings, self._access, self._audit, self._status, self._customer, self._my_data, last):
            async for shot in part():
                yield shot

    async def _outage(self) -> None:
        """Let SkinsBack fail until its circuit is open, and at the first trial."""
        world, down = self.scene.world, self.scene.providers.skinsback.faults
        down.extend([faults.html()] * 4)
        for reader, person in (
            (AGENT, world.collector),
            (AGENT, world.empty),
            (AGENT, world.unlucky),
            (CUSTOMER, world.customer),
        ):
            options = {"provider": "skinsback", "game": "dota2", "refresh": True}
            await self._use(reader, "inventory", tradeurl=person.trade_url, **options)
        down.clear()

    async def _use(self, reader: str, command: str, **options: Any) -> simcord.InteractionResult:
        return await self.people[reader].slash(self.scene.channel, command, **options)

    async def _ask(self, page: str, situation: str, reader: str, command: str, **options: Any) -> Shot:
        return self._shot(page, situation, reader, await self._use(reader, command, **options))

    def _shot(self, page: str, situation: str, reader: str, result: Any) -> Shot:
        found = result.response if isinstance(result, simcord.InteractionResult) else result
        assert found is not None
        components = (
            found.components
            if isinstance(found, simcord.ResponseMessage)
            else [component.to_dict() for component in found.components]
        )
        return Shot(
            page=page,
            situation=situation,
            reader=reader,
            embeds=found.embeds,
            components=components,
            files=[each.filename for each in found.attachments],
            message=found,
            actor=self.people.get(reader),
            now=self.scene.env.now(),
            names=self._names,
        )

    async def _inventory(self) -> AsyncIterator[Shot]:
        world, down = self.scene.world, self.scene.providers.skinsback.faults
        mine, theirs = world.customer.trade_url, world.other_customer.trade_url
        for situation, reader, url, options in (
            ("one provider", CUSTOMER, mine, {}),
            ("one provider, somebody else's", AGENT, theirs, {}),
            ("at SkinsBack", CUSTOMER, mine, {"provider": "skinsback"}),
            ("at SkinsBack, somebody else's", AGENT, theirs, {"provider": "skinsback", "min_price": 50}),
            ("all side by side", CUSTOMER, mine, {"provider": "all"}),
            ("all side by side, somebody else's", AGENT, theirs, {"provider": "all", "min_price": 1}),
            ("search and sort", CUSTOMER, mine, {"search": "ak", "sort": "price_desc"}),
            ("Rust, with stacks", CUSTOMER, mine, {"game": "rust"}),
            ("empty", AGENT, world.empty.trade_url, {}),
            ("nothing asked for is there", CUSTOMER, mine, {"search": "no such thing"}),
            ("private", AGENT, world.private.trade_url, {}),
            ("private, all side by side", AGENT, world.private.trade_url, {"provider": "all"}),
        ):
            yield await self._ask("inventory", situation, reader, "inventory", tradeurl=url, **options)
        down.extend(_DOWN)
        one_down = "all side by side, one of them fails"
        yield await self._ask("inventory", one_down, CUSTOMER, "inventory", tradeurl=mine, provider="all", game="rust")
        down.clear()
        for situation, url in (
            ("somebody else's inventory", theirs),
            ("not a trade URL", "https://steamcommunity.com/id/mia"),
        ):
            yield await self._ask("errors_live", situation, CUSTOMER, "inventory", tradeurl=url)
        await self._outage()
        of_one = {"tradeurl": mine, "provider": "skinsback", "game": "dota2"}
        for reader in (CUSTOMER, AGENT):
            yield await self._ask("errors_live", "the provider is down", reader, "inventory", **of_one)
        await self._use(MODERATOR, "inventory", **{**of_one, "tradeurl": theirs})  # it answers, which ends the outage
        for code in (1010, 33):
            url = world.error_trade_url(code)
            yield await self._ask("errors_live", f"error {code}", AGENT, "inventory", tradeurl=url)

    async def _controls(self) -> AsyncIterator[Shot]:
        mia = self.scene.customer
        result = await self._use(CUSTOMER, "inventory", tradeurl=self.scene.world.customer.trade_url)
        page = result.response
        assert page is not None
        below = [child for row in page.components for child in row["components"]]
        (menu,) = (child for child in below if child["custom_id"].endswith(":item"))
        for number, situation in ((0, "first item"), (3, "another item")):
            details = await mia.select(page, [menu["options"][number]["value"]], custom_id=menu["custom_id"])
            yield self._shot("item_details", situation, CUSTOMER, _last(details))
        yield form_shot("inventory_controls", "filter form", CUSTOMER, await press(mia, page, "Filter", self._language))
        for situation, typed in (
            ("filtered", {}),
            ("filtered to nothing", {"search": "nothing like that"}),
            ("a price that is none", {"min_price": "much"}),
        ):
            opened = await press(mia, page, "Filter", self._language)
            shown = await mia.submit_modal(opened, {"search": "ak", "min_price": "1", "max_price": ""} | typed)
            yield self._shot("inventory_controls", situation, CUSTOMER, _last(shown))
        table = await press(mia, page, "CSV of all", self._language)
        yield self._shot("inventory_controls", "the table", CUSTOMER, _last(table))
        (again,) = (child["custom_id"] for child in below if child["custom_id"].split(":")[2] == "refresh")
        early = await mia.click(page, custom_id=again)
        yield self._shot("inventory_controls", "refreshed too soon", CUSTOMER, _last(early))

    async def _trades(self) -> AsyncIterator[Shot]:
        world = self.scene.world
        yield await self._ask("trades", "active", CUSTOMER, "trades")
        shown = await self._use(CUSTOMER, "trades", scope="all")
        yield self._shot("trades", "all", CUSTOMER, shown)
        page = shown.response
        assert page is not None
        mia = self.scene.customer
        yield self._shot("trades", "an offer that waits", CUSTOMER, await mia.select(page, ["2"]))
        details = await mia.select(page, ["1"])
        yield self._shot("trades", "a failed withdrawal", CUSTOMER, details)
        assert details.response is not None
        form = await press(mia, details.response, "Ask to resend", self._language)
        yield form_shot("trades", "the form of a resend", CUSTOMER, form)
        yield self._shot("trades", "only failed", CUSTOMER, await press(mia, page, "Only failed", self._language))
        for situation, options in (
            ("everybody's", {}),
            ("of a member", {"member": self.scene.customer, "scope": "all"}),
            ("of nobody known", {"steam_id": str(world.empty.steam_id)}),
        ):
            yield await self._ask("trades", situation, AGENT, "trades", **options)
        world = self.scene.world
        own, others = str(world.held_deposit.shop_reference), world.others_deposit.order_id
        url = world.customer.trade_url
        yield await self._ask("trades", "with the trade URL", CUSTOMER, "trades", tradeurl=url)
        for reader, situation, number in (
            (CUSTOMER, "by the shop's order number", own),
            (AGENT, "by the shop's order number", own),
            (CUSTOMER, "by another's number", others),
            (AGENT, "by a number that is nobody's", "30999"),
        ):
            yield await self._ask("trades", situation, reader, "trades", reference=number)
        yield await self._ask("trades", "of an account with the trade URL", AGENT, "trades", tradeurl=url, scope="all")
        yield await self._ask("trades", "of a member without a link", AGENT, "trades", member=self.people[MODERATOR])
        result = await self.scene.agent.context_menu(self.scene.channel, "Show trades", self.scene.customer)
        yield self._shot("trades", "by the menu Show trades", AGENT, result)

    async def _explain(self) -> AsyncIterator[Shot]:
        for code in ("1010", "33", "7", "no such error", "-17"):
            for reader in (CUSTOMER, AGENT):
                yield await self._ask("explain", code, reader, "explain", code=code)
        secret = next(
            each
            for each in self.scene.client.services.explanations.suggest("", None, limit=10_000)
            if each.confidential and each.key
        )
        for reader in (CUSTOMER, AGENT):
            yield await self._ask("explain", "a confidential one", reader, "explain", code=secret.key)
        for situation, text in (("a message with errors", "I got error 33 and then code 1010?"), ("one without", "Hi")):
            message = await self.scene.agent.send(self.scene.channel, text)
            result = await self.scene.customer.context_menu(self.scene.channel, "Explain error codes", message)
            yield self._shot("explain", situation, CUSTOMER, result)

    async def _links(self) -> AsyncIterator[Shot]:
        yield await self._ask("links", "status, linked", CUSTOMER, "link status")
        yield await self._ask("links", "status, not linked", AGENT, "link status")
        yield await self._ask("links", "start", CUSTOMER, "link start")
        robin, account = self.people[MODERATOR], self.scene.world.other_customer.steam_id
        for situation, steam in (
            ("set", str(account)),
            ("set, to an account that is taken", str(self.scene.world.customer.steam_id)),
            ("set, to another account", str(self.scene.world.collector.steam_id)),
        ):
            yield await self._ask("links", situation, AGENT, "link set", member=robin, steam=steam)
        yield await self._ask("links", "status, waiting", MODERATOR, "link status")
        async for shot in self._confirmed("links", "remove", MODERATOR, "link remove", "Remove link"):
            yield shot
        yield await self._ask("links", "remove, nothing there", MODERATOR, "link remove")

    async def _links_of_the_departed(self) -> AsyncIterator[Shot]:
        gone = self.scene.env.create_user("jo")
        for situation, steam in (
            ("set, of somebody who is not here", str(self.scene.world.other_customer.steam_id)),
            ("set, to none", NO_ACCOUNT),
            ("set, to none, nothing there", NO_ACCOUNT),
        ):
            yield await self._ask("links", situation, AGENT, "link set", member=gone, steam=steam)

    def _card(self) -> discord.Message:
        return self.scene.channel.history()[-1]

    def _failed(self, number: int) -> WorldTrade:
        return self.scene.world.trades_of(self.scene.world.customer)[number]

    async def _resends(self) -> AsyncIterator[Shot]:
        first = str(self._failed(0).id)
        yield await self._ask("approvals", "nothing open", MODERATOR, "approvals")
        asked = await self._use(CUSTOMER, "resend", id=first, reason="the bot was offline")
        yield self._shot("resend", "asked", CUSTOMER, asked)
        card = self._card()
        yield self._shot("resend", "the card", "moderators", card)
        asked = await self._use(CUSTOMER, "resend", id=first)
        yield self._shot("resend", "asked again", CUSTOMER, asked)
        yield await self._ask("resend", "asked for by another", AGENT, "resend", id=first)
        yield await self._ask("resend", "no such trade", CUSTOMER, "resend", id="1")
        done = next(trade for trade in self.scene.world.trades_of(self.scene.world.customer) if trade.status == 3)
        yield await self._ask("resend", "not one to resend", AGENT, "resend", id=str(done.id))
        taken = await press(self.scene.moderator, card, "Take", self._language)
        yield self._shot("resend", "taken", MODERATOR, _last(taken))
        yield self._shot("resend", "the card, taken", "moderators", self._now(card))
        yield await self._ask("approvals", "one open", MODERATOR, "approvals")
        yield await self._ask("approvals", "one open", ADMINISTRATOR, "approvals")
        pressed = await press(self.scene.customer, card, "Approve", self._language)
        yield self._shot("resend", "pressed without the right", CUSTOMER, _last(pressed))
        sent = await press(self.scene.moderator, card, "Approve", self._language)
        yield self._shot("resend", "approved", MODERATOR, _last(sent))
        yield self._shot("resend", "the card, sent", "moderators", self._now(card))
        yield self._shot("resend", "the requester is told", CUSTOMER, asked.followups[-1])
        yield self._shot(
            "resend", "the owner is told in private", "owner", self.scene.customer.user.dm_channel.history()[-1]
        )
        async for shot in self._denials():
            yield shot

    async def _denials(self) -> AsyncIterator[Shot]:
        await self._use(AGENT, "resend", id=str(self._failed(1).id))
        card = self._card()
        asked = await press(self.scene.moderator, card, "Deny", self._language)
        yield self._shot("resend", "the menu to deny", MODERATOR, _last(asked))
        form = await choose_reason(asked, self.scene.moderator, "other")
        yield form_shot("resend", "the form to deny", MODERATOR, form)
        assert form.modal is not None
        ((field,),) = (row["components"] for row in form.modal["components"])
        await self.scene.moderator.submit_modal(form, {field["custom_id"]: "it has arrived"})
        yield self._shot("resend", "the card, denied", "moderators", self._now(card))
        asked = await self._use(AGENT, "resend", id=str(self._failed(1).id))
        card = self._card()
        yield self._shot("resend", "the card, asked for before", "moderators", card)
        assert asked.response is not None
        withdrawn = await press(self.scene.agent, asked.response, "Withdraw", self._language)
        yield self._shot("resend", "withdrawn", AGENT, _last(withdrawn))
        yield self._shot("resend", "the card, withdrawn", "moderators", self._now(card))
        kim = self.people[ADMINISTRATOR]
        shown = await self._use(ADMINISTRATOR, "approvals")
        assert shown.response is not None
        paused = await press(kim, shown.response, "Stop resends", self._language)
        yield self._shot("approvals", "resends stopped", ADMINISTRATOR, _last(paused))
        yield await self._ask("resend", "asked while stopped", CUSTOMER, "resend", id=str(self._failed(0).id))
        shown = await self._use(ADMINISTRATOR, "approvals")
        yield self._shot("approvals", "while stopped", ADMINISTRATOR, shown)
        assert shown.response is not None
        resumed = await press(kim, shown.response, "Resume resends", self._language)
        yield self._shot("approvals", "resumed", ADMINISTRATOR, _last(resumed))

    def _now(self, card: discord.Message) -> discord.Message:
        (found,) = (message for message in self.scene.channel.history() if message.id == card.id)
        return found

    async def _settings(self) -> AsyncIterator[Shot]:
        audit = self._audit_channel
        for situation, command, options in (
            ("show", "settings show", {}),
            ("approvals channel", "settings approvals-channel", {"channel": self.scene.channel}),
            ("audit channel", "settings audit-channel", {"channel": audit}),
            ("approvals role", "settings approvals-role", {"role": self.scene.moderators}),
            ("language as on Discord", "settings language", {"language": "default"}),
            ("language", "settings language", {"language": self._language.code}),
        ):
            yield await self._ask("settings", situation, ADMINISTRATOR, command, **options)
        yield await self._ask("settings", "show", AGENT, "settings show")

    async def _access(self) -> AsyncIterator[Shot]:
        grant = {"role": self.scene.support, "capability": "audit.read"}
        for situation, command, options in (
            ("list", "access list", {}),
            ("grant", "access grant", grant),
            ("grant, held already", "access grant", grant),
            ("revoke", "access revoke", grant),
            ("revoke, not held", "access revoke", grant),
            ("why", "access why", {"member": self.scene.agent, "capability": "trades.any"}),
            ("why not", "access why", {"member": self.scene.customer, "capability": "resend.approve"}),
        ):
            yield await self._ask("access", situation, ADMINISTRATOR, command, **options)
        yield await self._ask("access", "list", CUSTOMER, "access list")

    async def _audit(self) -> AsyncIterator[Shot]:
        yield await self._ask("audit", "newest", MODERATOR, "audit", limit=8)
        of_kim = {"action": "trades.viewed", "member": self.people[ADMINISTRATOR]}
        yield await self._ask("audit", "nothing found", MODERATOR, "audit", **of_kim)
        yield self._shot("audit", "post in the audit channel", "staff", self._audit_channel.history()[-1])

    async def _status(self) -> AsyncIterator[Shot]:
        for reader in (CUSTOMER, MODERATOR):
            yield await self._ask("status", "all work", reader, "status")
        self.scene.env.backend.advance_clock(2)  # since it answered last
        await self._outage()
        for reader in (CUSTOMER, MODERATOR):
            yield await self._ask("status", "one fails", reader, "status")

    async def _customer(self) -> AsyncIterator[Shot]:
        mia, world = self.scene.customer, self.scene.world
        result = await self._use(AGENT, "customer", member=mia)
        yield self._shot("customer", "a member", AGENT, result)
        page = result.response
        assert page is not None
        form = await press(self.scene.agent, page, "Add a note", self._language)
        yield form_shot("customer", "the form for a note", AGENT, form)
        noted = await self.scene.agent.submit_modal(form, {"text": "Speaks German. Her brother uses the account too."})
        yield self._shot("customer", "all notes, after one was added", AGENT, _last(noted))
        yield form_shot(
            "customer",
            "the form for the inventory",
            AGENT,
            await press(self.scene.agent, page, "Inventory", self._language),
        )
        for situation, reader, options in (
            ("with a note", MODERATOR, {"member": mia}),
            ("a member without a link", MODERATOR, {"member": self.people[MODERATOR]}),
            ("an account without a member", AGENT, {"steam_id": str(world.unlucky.steam_id)}),
            ("by trade URL", AGENT, {"steam_id": world.other_customer.trade_url}),
            ("no one named", AGENT, {}),
            ("asked by a customer", CUSTOMER, {"member": mia}),
        ):
            yield await self._ask("customer", situation, reader, "customer", **options)

    async def _my_data(self) -> AsyncIterator[Shot]:
        yield await self._ask("mydata", "export", CUSTOMER, "mydata export")
        async for shot in self._confirmed("mydata", "forget", CUSTOMER, "mydata forget", "Forget me now"):
            yield shot
        yield await self._ask("mydata", "export, nothing there", ADMINISTRATOR, "mydata export")
        themselves, account = self.scene.agent, str(self.scene.world.other_customer.steam_id)
        await self._use(AGENT, "link set", member=themselves, steam=account)
        who, situation = AGENT, "forget, linked by oneself"
        async for shot in self._confirmed("mydata", situation, who, "mydata forget", "Forget me now"):
            yield shot

    async def _confirmed(self, page: str, situation: str, reader: str, command: str, label: str) -> AsyncIterator[Shot]:
        asked = await self._use(reader, command)
        yield self._shot(page, f"{situation}, asked", reader, _last(asked))
        yield self._shot(
            page, situation, reader, _last(await press(self.people[reader], asked.response, label, self._language))
        )


def _last(result: simcord.InteractionResult) -> Any:
    """Return the last answer: a follow-up, if there is one."""
    return result.followups[-1] if result.followups else result
