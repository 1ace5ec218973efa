"""The sign-in site; none of its tokens may be in a log or in the database."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.sign_in_site import SignInSite, open_site


@pytest.fixture
async def site(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> AsyncIterator[SignInSite]:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("aiosqlite").setLevel(logging.WARNING)
    async with open_site(tmp_path) as opened:
        yield opened
    # After the test, caplog.text is empty again.
    text = "\n".join(caplog.handler.format(record) for record in caplog.get_records("call"))
    for secret in opened.secrets:
        assert secret not in text
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("*"))
    assert not any(secret.encode() in kept for secret in opened.secrets)
