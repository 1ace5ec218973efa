"""Adapts SimCord's page to newcomers: it runs pasted lines, scrolls to the newest answer, and hides developers' tools.

SimCord has no settings for any of it. Its version is pinned, and tests look at the page.
"""
# ruff: noqa: SLF001 -- see above

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import simcord
from simcord.preview import _markdown
from simcord.preview._pages import _Page
from simcord.preview._server import PreviewServer

from bot.demo.pasted import CommandLine
from bot.domain.errors import SkinDeskError

_SCRIPT = str(Path(__file__).with_name("preview.js"))
_STYLE = str(Path(__file__).with_name("preview.css"))


class _Server(PreviewServer):
    """Serves our script and style sheet in place of SimCord's, which they import."""

    _STATIC_FILES: ClassVar[dict[str, str]] = {
        **PreviewServer._STATIC_FILES,
        "/simcord.js": "app.js",
        "/app.js": _SCRIPT,
        "/simcord.css": "preview.css",
        "/preview.css": _STYLE,
    }
    _STATIC_CONTENT_TYPES: ClassVar[dict[str, str]] = {
        **PreviewServer._STATIC_CONTENT_TYPES,
        _STYLE: "text/css",
    }


def show_as_discord_does() -> None:
    """Show names for mentions in embeds, and answers that refuse something as answers; call it before the scene opens.

    SimCord would report each refusal in red as a failed bot.
    """
    for field in ("embed_description", "embed_field_value"):
        _markdown._FIELD_POLICIES[field] |= {"mentions": True, "commands": True}
    record = simcord.Env._record_error

    def record_unexpected(env: simcord.Env, error: BaseException) -> None:
        if not isinstance(getattr(error, "original", error), SkinDeskError):
            record(env, error)

    setattr(simcord.Env, record.__name__, record_unexpected)


def adapt(preview: simcord.Preview, read: Callable[[str], CommandLine | None]) -> asyncio.Lock:
    """Adapt a preview before it is entered; ``read`` returns the command line that a message is, or None.

    Return the lock that each action of a page holds. Hold it for everything else that moves the simulation.
    """
    preview._server = _Server(preview, preview._server._requested_port)
    _run_lines(preview, read)
    _show_answers(preview)
    lock = asyncio.Lock()
    _serialise(preview, lock)
    return lock


def _serialise(preview: simcord.Preview, lock: asyncio.Lock) -> None:
    """Let an action wait until the simulation is free, and count for the newest version of its page.

    SimCord answers both with an error, after the first of which its page takes no further action.
    """
    act = preview._action

    async def act_alone(context: str | None, body: Mapping[str, Any]) -> dict[str, Any]:
        async with lock:
            page = preview._pages.get(context or "")
            return await act(context, body if page is None else {**body, "published_revision": page.revision})

    setattr(preview, act.__name__, act_alone)


def _run_lines(preview: simcord.Preview, read: Callable[[str], CommandLine | None]) -> None:
    """Run a command line as Discord does: SimCord would post it as a message."""
    prepare = preview._prepare_action

    def prepare_line(page: _Page, kind: str, body: Mapping[str, Any]) -> object:
        line = read(str(body.get("content"))) if kind == "send_message" else None
        if line is None:
            return prepare(page, kind, body)

        async def run(action: Any, cursor: int) -> dict[str, Any]:
            answer = page.viewer.slash(preview.channel, line.command, **line.options)
            return await preview._run_interaction_action(page, action, cursor, answer, republish_all=True)

        return run

    setattr(preview, prepare.__name__, prepare_line)


def _show_answers(preview: simcord.Preview) -> None:
    """Scroll a page to the newest message that its own action brought. Edits and other messages scroll nothing."""
    publish = preview._publish

    def publish_answer(page: _Page, **reason: Any) -> None:
        action = preview._active_action
        if action is not None and page is preview._action_page:
            new = [
                int(each["messageId"])
                for each in action.outcomes
                if each["kind"] != "source_edit" and "messageId" in each
            ]
            if new:
                page.target_id = page.window_end_id = max(new)
        publish(page, **reason)

    setattr(preview, publish.__name__, publish_answer)
