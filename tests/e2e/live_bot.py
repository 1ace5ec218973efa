"""The program as a process, with the loopback Discord and the simulated providers around it."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.demo.providers import SimulatedProviders
from bot.exit_codes import ExitCode
from tests.support import postgres
from tests.support.bot_process import RUN, BotProcess
from tests.support.discord_server import LoopbackDiscord
from tests.support.loopback_discord.guilds import Member
from tests.support.loopback_discord.messages import Message, nested
from tests.support.loopback_discord.records import InteractionRecord
from tests.support.payload_audit import audit_requests, find_secrets

STOPS_WITHIN = 5.0
"""Seconds that a stop may take."""

_AGENT_CAPABILITIES = ("inventory.any", "trades.any", "resend.any", "links.manage")
_SHORTEST_TOKEN = 8


class LiveBot:
    """A guild with an owner, a customer, an agent and a moderator. :meth:`set_up` grants their rights.

    ``url`` is the address of a PostgreSQL database; without it the database is SQLite's.
    """

    def __init__(self, server: LoopbackDiscord, providers: SimulatedProviders, folder: Path, *, url: str = "") -> None:
        self.server = server
        self.providers = providers
        self.world = providers.world
        self.folder = folder
        self.database = folder / "skindesk.db"
        self.url = url
        self.guild = server.add_guild("Skin Market")
        self.channel = self.guild.add_channel("support")
        self.approvals = self.guild.add_channel("approvals")
        self.audit = self.guild.add_channel("audit")
        self.support = self.guild.add_role("Support")
        self.moderators = self.guild.add_role("Moderators")
        self.owner = self.guild.owner
        self.customer = self.guild.add_member("mia")
        self.agent = self.guild.add_member("alex", self.support)
        self.moderator = self.guild.add_member("robin", self.moderators)
        self._processes: list[BotProcess] = []
        self._first_codes = self._codes()

    def bot(self, *arguments: str, program: str = RUN, **settings: str) -> BotProcess:
        """Return the program, to be started by ``async with``; ``table__key="…"`` sets a setting.

        ``arguments`` are the command line, ``run`` by default.
        """
        variables = {"SKINDESK_OBSERVABILITY__LOG_LEVEL": "debug"}
        for provider, table in self.providers.settings().items():
            variables |= {f"SKINDESK_PROVIDERS__{provider}__{key}".upper(): value for key, value in table.items()}
        if self.url:
            variables["SKINDESK_DATABASE__URL"] = self.url
        variables |= {f"SKINDESK_{name}".upper(): value for name, value in settings.items()}
        process = BotProcess(
            self.server, cwd=self.folder, settings=variables, arguments=arguments or ("run",), program=program
        )
        self._processes.append(process)
        return process

    @asynccontextmanager
    async def running(self, *, set_up: bool = True, **settings: str) -> AsyncIterator[BotProcess]:
        """Run the program, ready and set up; it stops in order at the end, unless the test has killed it."""
        async with self.bot(**settings) as bot:
            await bot.wait_ready()
            if set_up:
                await self.set_up()
            yield bot
            if bot.returncode is None:
                assert await bot.terminate(STOPS_WITHIN) == ExitCode.OK

    async def set_up(self) -> None:
        """Grant rights, set the channels, and link the customer; wait for its post, as a slow one may come later."""
        for capability in _AGENT_CAPABILITIES:
            await self.use(self.owner, "access grant", role=self.support, capability=capability)
        await self.use(self.owner, "access grant", role=self.moderators, capability="resend.approve")
        await self.use(self.owner, "settings approvals-channel", channel=self.approvals)
        await self.use(self.owner, "settings audit-channel", channel=self.audit)
        await self.use(self.agent, "link set", member=self.customer, steam=str(self.world.customer.steam_id))
        await self.server.until(lambda: any("link.set" in post.text for post in self.audit.messages))

    async def begin(self, who: Member, command: str, /, **options: Any) -> InteractionRecord:
        """Use a command in the support channel without waiting for the answer."""
        return await self.server.slash(self.guild, self.channel, who, command, **options)

    async def use(self, who: Member, command: str, /, **options: Any) -> Message:
        """Use a command and return the answer."""
        return answer_of(await (await self.begin(who, command, **options)).finished())

    async def turn_page(self, page: Message, who: Member, action: str = "next") -> str:
        """Press a button of the pager and return the page's text."""
        custom_id = next(custom_id for custom_id in page.custom_ids if f":{action}:" in custom_id)
        await (await self.server.click(page, custom_id, who)).finished()
        return page.text

    async def requested(self, trade_id: int) -> Message:
        """Let the agent request a resend and return its card, for which a slow Discord lets the answer not wait."""
        before = len(self.approvals.messages)
        answer = await self.use(self.agent, "resend", id=str(trade_id), reason="The customer asked for it")
        try:
            await self.server.until(lambda: len(self.approvals.messages) > before)
        except TimeoutError:
            raise AssertionError(answer.text) from None
        assert len(self.approvals.messages) == before + 1, answer.text
        return self.approvals.messages[-1]

    async def decide(self, card: Message, action: str = "approve") -> InteractionRecord:
        """Let the moderator press a button of the card."""
        custom_id = next(custom_id for custom_id in card.custom_ids if custom_id.endswith(f":{action}"))
        return await self.server.click(card, custom_id, self.moderator)

    async def give_reason(self, opened: InteractionRecord, reason: str) -> None:
        """Submit the modal that a button opened, after *Other reason…* in a denial's menu, and wait for the answer."""
        if opened.message is not None and opened.source is not opened.message:
            [menu] = opened.message.custom_ids
            opened = await (await self.server.select(opened.message, menu, opened.member, "other")).finished()
        [custom_id] = [each["custom_id"] for each in nested(opened.modal["components"]) if "custom_id" in each]
        await (await self.server.submit_modal(opened, {custom_id: reason})).finished()

    async def card_shows(self, card: Message, state: str, within: float = 30.0) -> None:
        """Wait until the card's title has ``state``."""
        await self.server.until(lambda: f"· {state}\n" in card.text, within)

    def resend_states(self) -> list[str]:
        """Return the states of all resends in the database; no process may have it open, if it is SQLite's."""
        if self.url:
            return [state for (state,) in postgres.rows(self.url, "SELECT state FROM resends ORDER BY id")]
        with closing(sqlite3.connect(self.database)) as connection:
            return [state for (state,) in connection.execute("SELECT state FROM resends ORDER BY id")]

    def kept_views(self) -> list[str | None]:
        """Return the sort order and filter of all stored snapshots."""
        with closing(sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True)) as connection:
            return [view for (view,) in connection.execute("SELECT view FROM snapshots ORDER BY seq")]

    def assert_sound(self, *, unfinished: tuple[InteractionRecord, ...] = (), allowed: tuple[str, ...] = ()) -> None:
        """Fail if an interaction was not finished, a payload breaks a rule, or a secret got out.

        ``unfinished`` are the interactions that a crash cut off, ``allowed`` parts of the violations a fault causes.
        """
        assert [record for record in self.server.interactions.records if not record.is_finished] == list(unfinished)
        assert self.server.unknown_requests == []
        assert self.server.gateway.unknown == []
        allowed = (*allowed, "never finished") if unfinished else allowed
        violations = audit_requests(self.server.requests)
        assert [each for each in violations if not any(part in each for part in allowed)] == []
        self.assert_secrets_kept()

    def assert_secrets_kept(self) -> None:
        """Fail if a secret is in a log, in the database or, unless it belongs there, in a message."""
        secrets = self.secrets()
        codes = sorted(self._first_codes | self._codes())
        logged = "\n".join(process.stderr for process in self._processes)
        files = [path.read_bytes() for path in self.folder.glob("skindesk.db*")]
        kept = b"".join([*files, postgres.dump(self.url)] if self.url else files)
        staff = tuple(f"/channels/{channel.id}/" for channel in (self.approvals, self.audit))
        interactions = [record.token for record in self.server.interactions.records]
        leaks = [
            *(f"log, secret {n}" for n, secret in enumerate(secrets + codes + interactions) if secret in logged),
            *(f"database, secret {n}" for n, secret in enumerate(secrets + codes) if secret.encode() in kept),
            *find_secrets(self.server.requests, secrets),
            *find_secrets([request for request in self.server.requests if request.path.startswith(staff)], codes),
        ]
        assert leaks == []

    def secrets(self) -> list[str]:
        """Return the program's credentials, those it received for them, and the tokens of people's trade URLs."""
        password = urlsplit(self.url).password
        return [
            *self._credentials(),
            *([password] if password else []),
            *(person.token for person in self.world.people),
        ]

    def _codes(self) -> set[str]:
        return {trade.code for trade in self.world.trades if trade.code != "COMPLETED"}

    def _credentials(self) -> Iterator[str]:
        """Go through the program's credentials, and the JWTs and client tokens it received for them."""
        yield self.server.token
        credentials = self.world.credentials
        for name in credentials.__slots__:
            if len(value := getattr(credentials, name)) >= _SHORTEST_TOKEN:
                yield value
        for provider in (self.providers.assetpay, self.providers.assetpay_legacy, self.providers.mannco):
            for asked in provider.asked:
                if "Authorization" in asked.headers:
                    yield asked.headers["Authorization"].split()[-1]


def answer_of(record: InteractionRecord) -> Message:
    """Return the answer of a finished interaction."""
    assert record.message is not None
    return record.message
