"""Counts the project's files and functions that run for one command or button.

``uv run python -m benchmarks.paths`` prints both counts for ``/inventory`` and for Approve; ``--list`` names them. The
bot runs in SimCord against the demo's providers; worker threads and SQLite's thread count. The demo's own code does
not, nor do comprehensions, which newer Pythons inline. ``/inventory`` asks AssetPay (client), the longest path.
"""

import argparse
import asyncio
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from bot.demo.scene import Scene, staged

_ROOT = Path(__file__).resolve().parent.parent
_SETTLE_SECONDS = 0.2
_COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")


class Recorder:
    """Notes each call of a function of the project, on every thread started after its installation."""

    def __init__(self) -> None:
        self.called: set[tuple[str, str, int]] = set()
        self._is_on = False

    def install(self) -> None:
        """Watch this thread and those that start later."""
        threading.setprofile(self._note)
        sys.setprofile(self._note)

    @contextmanager
    def recording(self) -> Iterator[set[tuple[str, str, int]]]:
        """Collect the functions called meanwhile: file, name and line."""
        self.called = set()
        self._is_on = True
        try:
            yield self.called
        finally:
            self._is_on = False

    def _note(self, frame: FrameType, event: str, _argument: Any) -> None:
        if self._is_on and event == "call":
            code = frame.f_code
            path = code.co_filename
            is_ours = path.startswith((f"{_ROOT}/bot/", f"{_ROOT}/cogs/")) and "/bot/demo/" not in path
            if is_ours and not code.co_name.endswith(_COMPREHENSIONS):
                self.called.add((path[len(str(_ROOT)) + 1 :], code.co_qualname, code.co_firstlineno))


@asynccontextmanager
async def _scene() -> AsyncIterator[Scene]:
    with tempfile.TemporaryDirectory() as folder:
        async with staged(Path(folder), check_errors=False, sign_in=False) as scene:
            yield scene


async def _paths(recorder: Recorder) -> dict[str, set[tuple[str, str, int]]]:
    found: dict[str, set[tuple[str, str, int]]] = {}
    async with _scene() as scene:
        url = scene.world.customer.trade_url
        with recorder.recording() as called:
            await scene.customer.slash(scene.channel, "inventory", tradeurl=url, provider="assetpay_client")
            await asyncio.sleep(_SETTLE_SECONDS)
        found["/inventory"] = called
        trade = scene.world.trades_of(scene.world.customer)[0]
        await scene.agent.slash(scene.channel, "resend", id=str(trade.id), reason="the bot was offline")
        with recorder.recording() as called:
            await scene.moderator.click(scene.channel.history()[-1], label="Approve")
            await asyncio.sleep(_SETTLE_SECONDS)
        found["Approve"] = called
    return found


def main() -> int:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="name the files and functions")
    options = parser.parse_args()
    recorder = Recorder()
    recorder.install()
    for what, called in asyncio.run(_paths(recorder)).items():
        files = sorted({path for path, _, _ in called})
        print(f"{what}: {len(files)} files, {len(called)} functions")
        for path in files if options.list else ():
            print(f"  {path}: {', '.join(sorted(name for where, name, _ in called if where == path))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
