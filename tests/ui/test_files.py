"""What becomes of a file whose answer Discord takes only the second time."""

from typing import Any

import discord

from bot.ui.interaction.error_handler import _send
from bot.ui.interaction.interactions import PendingReply
from bot.ui.kit.csv import csv_file


class Asked:
    """An interaction that nothing has answered yet; it keeps what each attempt to answer it uploads."""

    def __init__(self) -> None:
        self.response = self
        self.extras: dict[str, object] = {}
        self.uploaded: list[bytes] = []

    def is_done(self) -> bool:
        return False

    async def send_message(self, *, file: discord.File, **_: Any) -> None:
        self.uploaded.append(file.fp.read())


async def test_again() -> None:
    """The second attempt has the whole file, not what the first one left of it."""
    asked: Any = Asked()
    answer = PendingReply(discord.Embed(title="The record"), None, csv_file("audit", ["number"], [[1], [2]]))
    for _ in range(2):
        await _send(asked, answer)

    assert asked.uploaded == ["\ufeffnumber\r\n1\r\n2\r\n".encode()] * 2
