"""Two processes on one PostgreSQL database: each interaction is answered once, and one takes over from the other."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator, Callable, Iterator

import psycopg
import pytest

from bot.demo.providers.steam import SimulatedSteam
from bot.exit_codes import ExitCode
from tests.e2e.live_bot import STOPS_WITHIN, LiveBot, answer_of
from tests.e2e.long_jobs import LOOKUP
from tests.support import postgres
from tests.support.bot_process import BotProcess
from tests.support.loopback_discord.messages import nested
from tests.support.loopback_discord.records import InteractionRecord
from tests.support.plain_browser import PlainBrowser

TAKES_OVER_WITHIN = 10.0
LEADS = "leads duty=all"
_UNFINISHED = "SELECT id FROM interaction_claims WHERE NOT is_finished"


@pytest.fixture
def url() -> Iterator[str]:
    with postgres.database() as address:
        yield address


@pytest.fixture
async def pair(live: LiveBot, url: str) -> AsyncIterator[tuple[BotProcess, BotProcess]]:
    """Two processes, set up; the first one leads."""
    async with live.bot(database__url=url) as first:
        await first.wait_ready()
        await live.set_up()
        async with live.bot(database__url=url) as second:
            await second.wait_ready()
            yield first, second


async def use_all(live: LiveBot, count: int, every: float = 0.02) -> list[InteractionRecord]:
    """Begin commands, a suggestion among five, one every some milliseconds."""
    records = []
    for number in range(count):
        if number % 5:
            records.append(await live.begin(live.owner, "access list" if number % 2 else "settings show"))
        else:
            begun = live.server.autocomplete(live.guild, live.channel, live.owner, "explain", "code", code="3")
            records.append(await begun)
        await asyncio.sleep(every)
    return records


def answered_twice(records: list[InteractionRecord]) -> list[InteractionRecord]:
    """Return the interactions of which Discord refused a second answer."""
    return [record for record in records if record.refusals]


async def test_kill_and_stop(live: LiveBot, url: str, pair: tuple[BotProcess, BotProcess]):
    """After a kill the other process leads within 10 s, and names what was cut off; after a stop, at once."""
    first, second = pair
    await first.wait_line(LEADS)
    both = await use_all(live, 40)
    second.send_signal(signal.SIGSTOP)  # the first one is to have it
    cut_off = await live.begin(live.agent, "inventory", tradeurl=live.world.hanging.trade_url)
    await live.providers.assetpay.called(LOOKUP)
    second.send_signal(signal.SIGCONT)
    async with asyncio.timeout(30):
        while postgres.rows(url, _UNFINISHED) != [(cut_off.id,)]:  # noqa: ASYNC110 -- other processes finish them
            await asyncio.sleep(0.05)

    killed_at = second.turns.seconds
    await first.kill()
    meanwhile = await use_all(live, 40)
    await second.wait_line(LEADS)
    named = await second.wait_line("interactions of a dead process not answered")
    assert second.turns.seconds - killed_at < TAKES_OVER_WITHIN
    assert re.findall(r"ids=(\S+)", named) == [str(cut_off.id)]

    async with live.bot(database__url=url) as third:
        await third.wait_ready()
        before = await use_all(live, 20)
        second.send_signal(signal.SIGTERM)
        stopped_at = third.turns.seconds
        during = await use_all(live, 40)
        await third.wait_line(LEADS)
        assert third.turns.seconds - stopped_at < STOPS_WITHIN  # a process that was killed counts as alive for six
        records = [*both, *meanwhile, *before, *during]
        for record in records:
            await record.finished()
        assert answered_twice(records) == []
        texts = [record.message.text for record in records if record.message is not None]
        assert [text for text in texts if "restart" in text or "nothing was changed" in text] == []
        assert await second.wait() == ExitCode.OK
        assert await third.terminate(STOPS_WITHIN) == ExitCode.OK
    live.assert_sound(unfinished=(cut_off,))


async def test_other_process(live: LiveBot, url: str, pair: tuple[BotProcess, BotProcess]):
    """A page opened by one process is turned by another; there a revocation counts on the next click."""
    first, _ = pair
    page = answer_of(
        await (await live.begin(live.agent, "inventory", tradeurl=live.world.customer.trade_url)).finished()
    )
    begins = page.text
    with psycopg.connect(url, autocommit=True) as connection:
        while not connection.execute("SELECT id FROM snapshots").fetchall():  # noqa: ASYNC110 -- another process writes it
            await asyncio.sleep(0.01)

    first.send_signal(signal.SIGSTOP)
    turned = await live.turn_page(page, live.agent)
    assert turned != begins
    first.send_signal(signal.SIGCONT)
    await live.use(live.owner, "access revoke", role=live.support, capability="inventory.any")
    first.send_signal(signal.SIGSTOP)
    clicked = await live.server.click(page, page.custom_ids[0], live.agent)
    refused = [*(await clicked.finished()).followups, answer_of(clicked)][0]
    first.send_signal(signal.SIGCONT)
    assert "inventory.any" in refused.text
    assert answered_twice(live.server.interactions.records) == []


async def test_sign_in_page(live: LiveBot, url: str, unused_tcp_port_factory: Callable[[], int]):
    """A sign-in that one process has begun is finished on the page of another; the link counts in both."""
    one, other = unused_tcp_port_factory(), unused_tcp_port_factory()
    async with SimulatedSteam(live.world) as steam, PlainBrowser(steam) as browser:
        links = {
            "links__public_url": f"http://127.0.0.1:{other}",
            "links__steam_openid_url": steam.openid_url,
            "database__url": url,
        }
        async with live.bot(links__listen=f"127.0.0.1:{one}", **links) as first:
            await first.wait_ready()
            await live.set_up()
            async with live.bot(links__listen=f"127.0.0.1:{other}", **links) as second:
                await second.wait_ready()
                message = await live.use(live.moderator, "link start")
                [address] = [component["url"] for component in nested(message.components) if "url" in component]

                await browser.go_on(address)
                assert "Your Steam account is linked" in await browser.be(live.world.other_customer)

                await second.wait_line("signed in")
                status = await live.use(live.moderator, "link status")
                assert str(live.world.other_customer.steam_id) in status.text
