"""Opens the demo's scene for tests."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from bot.demo.scene import Scene, staged
from bot.languages import ENGLISH, Language


def kept_open(
    folder: Path, language: Language = ENGLISH, /, **tables: Mapping[str, Any]
) -> AbstractAsyncContextManager[Scene]:
    """Open a scene as :func:`_kept` does; ``tables`` are those of the configuration."""
    return _kept(staged(folder, check_errors=False, sign_in=False, per_user_paths=False, language=language, **tables))


def kept_open_per_user(folder: Path) -> AbstractAsyncContextManager[Scene]:
    """Open a scene that asks Mannco.store for one account's trades on their own path."""
    return _kept(staged(folder, check_errors=False, per_user_paths=True))


def kept_open_with_sign_in(folder: Path) -> AbstractAsyncContextManager[Scene]:
    """Open a scene with Steam sign-in as :func:`_kept` does."""
    return _kept(staged(folder, check_errors=False, sign_in=True))


@asynccontextmanager
async def _kept(scenery: AbstractAsyncContextManager[Scene]) -> AsyncIterator[Scene]:
    """Open a scene in a task of its own: SimCord must be closed in the context that opened it.

    A fixture's two halves run in different contexts. SimCord's check for raised errors is off, because refusals are
    raised by design; unexpected errors are logged, and the fixtures check the log.
    """
    opened: asyncio.Future[Scene] = asyncio.get_running_loop().create_future()
    done = asyncio.Event()

    async def keep() -> None:
        try:
            async with scenery as scene:
                opened.set_result(scene)
                await done.wait()
        except BaseException as error:
            if opened.done():
                raise
            opened.set_exception(error)

    task = asyncio.create_task(keep())
    try:
        yield await opened
    finally:
        done.set()
        await task


def secrets_of(scene: Scene) -> list[str]:
    """Return every trade token and credential of the scene."""
    credentials = scene.world.credentials
    return [
        *(person.token for person in scene.world.people),
        *(getattr(credentials, name) for name in credentials.__slots__ if name != "skinsback_client_id"),
    ]
