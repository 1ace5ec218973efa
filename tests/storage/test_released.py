"""A database of every released version is brought to the newest schema with everything in it."""

import asyncio
import re
from pathlib import Path

import pytest

from bot.storage.database import Database
from bot.storage.maintenance.inspection import inspect
from bot.storage.maintenance.restore import restore
from bot.storage.resends import SqliteResendRepository
from bot.storage.schema import bundled
from tests.contracts.samples import LATER
from tests.storage.desks import names, query, states
from tests.storage.released import FOLDER, made_of

ROOT = Path(__file__).parent.parent.parent
COUNTS = ("guilds", "grants", "links", "resends", "audit", "pages")


def counts(path: Path) -> list[int]:
    return [query(path, f"SELECT count(*) FROM {table}")[0][0] for table in COUNTS]  # noqa: S608 -- names from above


def test_every_release_is_there():
    """No version is released without a database of it to test with."""
    released = re.findall(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert {f"{version}.sql" for version in ("first", *released)} == names(FOLDER)


@pytest.mark.parametrize("script", sorted(FOLDER.glob("*.sql")), ids=lambda script: script.stem)
class TestReleased:
    async def test_upgraded(self, script: Path, path: Path):
        """Everything is there after the upgrade, sound, and the version before is kept beside it."""
        made_of(script, path)
        [(version,)] = query(path, "PRAGMA user_version")
        before, were = counts(path), states(path)

        async with Database.open(path) as db:
            requests = await SqliteResendRepository(db).all_open()

        assert counts(path) == before
        assert states(path) == were
        assert len(requests) == sum(state in ("pending", "approved", "sending", "unknown") for state in were.values())
        found = inspect(path)
        assert (found.version, found.damage, found.orphans, found.unknown_capabilities) == (len(bundled()), (), (), ())
        assert found.chain is not None
        assert (found.chain.rows, found.chain.faults) == (before[COUNTS.index("audit")], ())
        kept = [name for name in names(path.parent) if ".before-" in name]
        assert len(kept) == (version < len(bundled()))
        for name in kept:
            assert query(path.with_name(name), "PRAGMA user_version") == [(version,)]
            assert counts(path.with_name(name)) == before

    def test_restored(self, script: Path, path: Path, tmp_path: Path):
        """A backup of that version can be restored."""
        backup = tmp_path / "backup.db"
        made_of(script, backup)

        restored = asyncio.run(restore(backup, path, at=LATER))

        assert (restored.version, restored.in_doubt) == (len(bundled()), 3)
        assert inspect(path).damage == ()
