"""Runs the demo: the scene in a browser page, with a running clock."""

import asyncio
import contextlib
import itertools
import signal
import sys
import tempfile
import webbrowser
from pathlib import Path

import simcord

from bot.demo import page
from bot.demo.pasted import command_line, mentionable
from bot.demo.pictures import pictures
from bot.demo.preview import adapt, show_as_discord_does
from bot.demo.providers.steam import CHECK
from bot.demo.scene import Scene, discord_locale, staged
from bot.exit_codes import ExitCode
from bot.languages import Language, of_code

_STEP = 5.0
"""Seconds between two steps of the simulated clock."""
_STEPS_SHOWN = 6
"""Steps after which the page is refreshed although nothing happened, for its relative times."""


def run_demo(port: int | None, open_browser: bool, language: str) -> int:  # noqa: FBT001 -- three words from the command line
    """Serve the demo on ``port`` (None: any free one) until Ctrl+C, SIGTERM or the page ends it."""
    try:
        return asyncio.run(_demo(port, of_code(language), open_browser=open_browser))
    except simcord.SetupError as error:
        if not isinstance(error.__cause__, OSError):
            raise
        sys.stderr.write(f"The demo cannot have port {port}: choose another one with --port, or leave it out\n")
        return ExitCode.UNAVAILABLE


async def _demo(port: int | None, language: Language, *, open_browser: bool) -> int:
    show_as_discord_does()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    with tempfile.TemporaryDirectory(prefix="skindesk-demo-") as folder:
        async with staged(Path(folder), check_errors=False, sign_in=True, language=language) as scene:
            people = [scene.customer, scene.agent, scene.moderator, page.administrator(scene)]
            with scene.env.time_context():
                await scene.client.get_partial_messageable(scene.channel.id).send(embeds=page.welcome(scene))
            preview = scene.env.preview(
                scene.channel,
                viewers=people,
                layout="channel",
                port=port,
                assets=pictures(scene.world),
                locale=discord_locale(language),
            )
            names = mentionable(scene, people)
            lock = adapt(preview, lambda text: command_line(text, scene.client.tree, names))
            async with preview:
                sys.stdout.write(page.for_terminal(scene, preview.url))
                sys.stdout.flush()
                if open_browser:
                    webbrowser.open(preview.url)
                await _until_ended(Showing(scene, preview, lock), preview, ended)
    return ExitCode.OK


class Showing:
    """The scene while the page shows it."""

    def __init__(self, scene: Scene, preview: simcord.Preview, lock: asyncio.Lock) -> None:
        self._scene = scene
        self._preview = preview
        self._lock = lock
        self._signed_in = 0

    async def step(self, *, refresh: bool) -> None:
        """Move the simulated clock, and refresh the page if told to or if the bot did something by itself.

        Refreshes are rare, because they draw messages again in which a user may be selecting text.
        """
        async with self._lock:
            before = len(self._scene.env.http_requests)
            await self._scene.env.advance_time(_STEP)
            # The page tells relative times from its last refresh: a new thing would be "in 5 seconds".
            self._preview.capture_time = self._scene.clock.now()
            # Sign-ins happen on another page, between the steps.
            was_signed_in, self._signed_in = self._signed_in, _sign_ins(self._scene)
            if refresh or len(self._scene.env.http_requests) != before or self._signed_in != was_signed_in:
                await self._preview.refresh()


async def _until_ended(showing: Showing, preview: simcord.Preview, ended: asyncio.Event) -> None:
    """Move the clock until the page is closed or ``ended`` is set."""
    closed = asyncio.create_task(preview.wait_closed())
    stopped = asyncio.create_task(ended.wait())
    try:
        for number in itertools.count(1):
            if (await asyncio.wait({closed, stopped}, timeout=_STEP, return_when=asyncio.FIRST_COMPLETED))[0]:
                break
            # The page may be closed meanwhile, and the bot may take long.
            with contextlib.suppress(simcord.SetupError, TimeoutError):
                await showing.step(refresh=number % _STEPS_SHOWN == 0)
    finally:
        for task in (closed, stopped):
            task.cancel()
        await asyncio.gather(closed, stopped, return_exceptions=True)


def _sign_ins(scene: Scene) -> int:
    return scene.steam.calls[CHECK] if scene.steam is not None else 0
