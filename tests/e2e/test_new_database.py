"""A start without the database that was there before needs a decision, and sends nothing twice after it."""

import pytest

from bot.exit_codes import ExitCode
from tests.e2e.live_bot import LiveBot


@pytest.mark.parametrize("what", ["missing", "younger"])
async def test_new_database(live: LiveBot, what: str):
    """It is refused in one line that names the newest copy; a new one is accepted, and resends are stopped."""
    (live.folder / "copies").mkdir()
    async with live.running(), live.bot("backup", "copies") as backup:
        assert await backup.wait(60.0) == 0
    [copy] = (live.folder / "copies").iterdir()
    live.database.unlink()
    if what == "younger":
        beside = [live.folder / f"skindesk.db.{each}" for each in ("lock", "backups")]
        for file in beside:
            file.rename(f"{file}.kept")
        async with live.running():
            pass
        for file in beside:
            file.with_name(f"{file.name}.kept").rename(file)

    async with live.bot() as refused:
        assert await refused.wait(30.0) == ExitCode.DATA
        [line] = refused.stderr_lines
        assert f"skindesk restore {copy}" in line
        assert "skindesk run --new-database" in line
    assert live.database.exists() == (what == "younger")

    async with live.bot("run", "--new-database") as bot:
        await bot.wait_ready()
        await bot.wait_line("started with a new database: resends are stopped on every server")
        await live.set_up()
        listed = await live.use(live.moderator, "approvals")
        assert "SkinDesk's database was restored from a copy or started new" in listed.text
        assert await bot.terminate() == ExitCode.OK
    async with live.running(set_up=False):
        assert "stopped" in (await live.use(live.moderator, "approvals")).text
