"""Runs the demo: the scene in a browser page, with a running clock."""

import asyncio
import contextlib
import signal
import sys
import tempfile
import webbrowser
from pathlib import Path

import simcord

from bot.demo.providers.steam import CHECK
from bot.demo.scene import Scene, staged, welcome_embed
from bot.exit_codes import ExitCode

_STEP = 5.0
"""Seconds between two steps of the simulated clock."""
_STEPS_SHOWN = 6
"""Steps after which the page is refreshed although nothing happened, for its relative times."""

_TRY = """
SkinDesk demo: the real bot, simulated providers, no Discord and no account needed.

  Open    {url}

  Be Mia, the customer:   /trades    and /inventory tradeurl:{customer}
                          /trades reference:{order}   (where is my order?)
  Be Alex, the agent:     /inventory tradeurl:{private}   (a private one)
                          /trades reference:{deposit}   (any customer's deposit)
                          /resend id:{trade}
  Be Robin, a moderator:  press Approve on the card
  Not linked yet (Alex):  /link start    and be anyone at a made-up Steam
  Anyone:                 /explain code:7

Ctrl+C ends it. Nothing is kept.
"""


def run_demo(port: int | None, open_browser: bool) -> int:  # noqa: FBT001 -- two words from the command line
    """Serve the demo on ``port`` (None: any free one) until Ctrl+C, SIGTERM or the page ends it."""
    try:
        return asyncio.run(_demo(port, open_browser=open_browser))
    except simcord.SetupError as error:
        if not isinstance(error.__cause__, OSError):
            raise
        sys.stderr.write(f"The demo cannot have port {port}: choose another one with --port, or leave it out\n")
        return ExitCode.UNAVAILABLE


async def _demo(port: int | None, *, open_browser: bool) -> int:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    with tempfile.TemporaryDirectory(prefix="skindesk-demo-") as folder:
        async with staged(Path(folder), check_errors=False, sign_in=True) as scene:
            with scene.env.time_context():
                await scene.client.get_partial_messageable(scene.channel.id).send(embed=welcome_embed(scene))
            viewers = [scene.customer, scene.agent, scene.moderator]
            async with scene.env.preview(scene.channel, viewers=viewers, layout="channel", port=port) as preview:
                _announce(scene, preview.url)
                if open_browser:
                    webbrowser.open(preview.url)
                await _until_ended(scene, preview, ended)
    return ExitCode.OK


def _announce(scene: Scene, url: str) -> None:
    world = scene.world
    trade = world.trades_of(world.customer)[0]
    sys.stdout.write(
        _TRY.format(
            url=url,
            customer=world.customer.trade_url,
            order=world.held_deposit.shop_reference,
            private=world.private.trade_url,
            deposit=world.others_deposit.order_id,
            trade=trade.id,
        )
    )
    sys.stdout.flush()


async def _until_ended(scene: Scene, preview: simcord.Preview, ended: asyncio.Event) -> None:
    """Move the simulated clock, and refresh the page if the bot did something by itself.

    Refreshes are rare, because a click on an older version of the page is refused.
    """
    closed = asyncio.create_task(preview.wait_closed())
    stopped = asyncio.create_task(ended.wait())
    steps = 0
    signed_in = 0
    try:
        while not (await asyncio.wait({closed, stopped}, timeout=_STEP, return_when=asyncio.FIRST_COMPLETED))[0]:
            steps += 1
            # The simulation is busy while a click is processed.
            with contextlib.suppress(simcord.SetupError, TimeoutError):
                before = len(scene.env.http_requests)
                await scene.env.advance_time(_STEP)
                # Sign-ins happen on another page, between the steps.
                was_signed_in, signed_in = signed_in, _sign_ins(scene)
                did_something = len(scene.env.http_requests) != before or signed_in != was_signed_in
                if did_something or steps % _STEPS_SHOWN == 0:
                    await preview.refresh()
    finally:
        for task in (closed, stopped):
            task.cancel()
        await asyncio.gather(closed, stopped, return_exceptions=True)


def _sign_ins(scene: Scene) -> int:
    return scene.steam.calls[CHECK] if scene.steam is not None else 0
