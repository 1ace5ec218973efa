"""A desk on whose page people sign in, and in whose log no token may stand."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.sign_in_site import SignInDesk, sign_in_desk


@pytest.fixture
async def services(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> AsyncIterator[SignInDesk]:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("aiosqlite").setLevel(logging.WARNING)
    async with sign_in_desk(tmp_path) as opened:
        yield opened
    for secret in opened.secrets:
        assert secret not in caplog.text
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("*"))
    assert not any(secret.encode() in kept for secret in opened.secrets)
