"""Every command says in one line what is wrong with a database that cannot be used, and how to go on."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.exit_codes import ExitCode
from bot.storage.sqlite.lock import lock_of
from tests.storage.databases import edit, filled, query
from tests.support.command_line import GOOD, ROOT, configure, skindesk

DATABASE = Path("skindesk.db")
ROOM = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
from bot.__main__ import main
sys.exit(main(sys.argv[2:]))
"""
"""The program, which can write files up to a size only."""


@pytest.fixture(autouse=True)
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a database that SkinDesk has used, and return the path of its backup."""
    monkeypatch.chdir(tmp_path)
    configure(GOOD)
    asyncio.run(filled(DATABASE.absolute()))
    lock_of(DATABASE.absolute()).write_bytes(b"")
    Path("copies").mkdir()
    assert main(["backup", "copies"]) == 0
    [made] = Path("copies").absolute().iterdir()
    return made


def page(name: str) -> Callable[[bytes], bytes]:
    """Overwrite the first page of a table or an index."""

    def damage(content: bytes) -> bytes:
        [(root,)] = query(DATABASE.absolute(), f"SELECT rootpage FROM sqlite_schema WHERE name = '{name}'")  # noqa: S608 -- a test's own name
        return content[: (root - 1) * 4096] + b"\xa5" * 4096 + content[root * 4096 :]

    return damage


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "header": lambda content: bytes(100) + content[100:],
    "schema": lambda content: content[:100] + b"\xa5" * 3996 + content[4096:],
    "table": page("audit"),
    "index": page("audit_by_guild"),
    "cut off": lambda content: content[:-5000],
    "text": lambda _: b"the notes of last week's meeting\n" * 40,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged(damage: str, copy: Path, capsys: pytest.CaptureFixture[str]):
    """Backup, start and check name the newest copy; a restore from a damaged file names another one."""
    damaged = DAMAGES[damage](DATABASE.read_bytes())
    DATABASE.write_bytes(damaged)
    way_back = f"skindesk restore {copy}"

    assert main(["backup", "copies"]) == ExitCode.DATA
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("skindesk backup: skindesk.db cannot be used: ")
    assert line.endswith(f". Stop SkinDesk and put a copy back: {way_back}")
    assert main(["check", "--offline"]) == ExitCode.CONFIG
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("problem database")
    assert line.endswith(way_back)
    started = skindesk("run")
    assert started.returncode == ExitCode.DATA
    [line] = started.stderr.splitlines()
    assert line.endswith(way_back)
    assert DATABASE.read_bytes() == damaged

    DATABASE.rename("damaged.db")
    shutil.copy(copy, DATABASE)
    assert main(["restore", "damaged.db"]) == ExitCode.DATA
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("skindesk restore: damaged.db cannot be used: ")
    assert line.endswith(f". Take another copy: {way_back}")
    assert DATABASE.read_bytes() == copy.read_bytes()


def test_of_another_program(capsys: pytest.CaptureFixture[str]):
    """For another program's database no copy is offered: the path is wrong."""
    DATABASE.unlink()
    edit(DATABASE.absolute(), "CREATE TABLE bookmarks (url TEXT)")

    for command in (["backup", "copies"], ["restore", "copies/none.db"], ["check", "--offline"]):
        main(command)
    errors = capsys.readouterr().err
    started = skindesk("run")

    assert "a database of another program. Name SkinDesk's own file in database.path\n" in errors
    assert "a database of another program. Fix: name another file in database.path\n" in errors
    assert started.returncode == ExitCode.DATA
    assert "a database of another program. Name SkinDesk's own file" in started.stderr


@pytest.mark.parametrize("content", [None, b""])
def test_gone(content: bytes | None, copy: Path, capsys: pytest.CaptureFixture[str]):
    """Check finds that the database is gone, as a start does, and names the newest copy and the other way."""
    DATABASE.unlink()
    if content is not None:
        DATABASE.write_bytes(content)

    assert main(["check", "--offline", "--json"]) == ExitCode.CONFIG
    [finding] = [each for each in json.loads(capsys.readouterr().out)["findings"] if each["level"] == "problem"]
    assert finding["id"] == "database.identity"
    assert finding["fix"] == (
        f"put a copy back: skindesk restore {copy}; or go on with what is there: skindesk run --new-database"
    )
    started = skindesk("run")
    assert started.returncode == ExitCode.DATA
    assert f"skindesk restore {copy}. Or go on with what is there: skindesk run --new-database" in started.stderr
    assert DATABASE.exists() == (content is not None)


@pytest.mark.parametrize(
    "command", [["backup", "full.db"], ["restore", "copies/copy.db"], ["run"]], ids=lambda it: it[0]
)
def test_full(command: list[str], copy: Path):
    """Without room every command ends with 73 in one line, and the database is as it was."""
    copy.rename("copies/copy.db")
    before = DATABASE.read_bytes()
    for room in (20_000, 280_000) if command[0] == "restore" else (20_000,):
        ended = subprocess.run(  # noqa: S603 -- our own program
            [sys.executable, "-c", ROOM, str(room), *command],
            env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},  # it would cut those files off, too
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

        assert ended.returncode == ExitCode.CANNOT_CREATE
        [line] = ended.stderr.splitlines()
        assert "cannot write" in line
        assert DATABASE.read_bytes()[100:] == before[100:]


class TestKeep:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ("copies --keep 0", "argument --keep: should be 1 or more: the new copy counts"),
            ("copies --keep -1", "argument --keep: should be 1 or more: the new copy counts"),
            ("copies --keep all", "argument --keep: should be 1 or more: the new copy counts"),
            ("copy.db --keep 3", "--keep needs a folder, and copy.db is none"),
        ],
    )
    def test_not_understood(self, arguments: str, said: str, copy: Path):
        ended = skindesk("backup", *arguments.split())

        assert ended.returncode == ExitCode.USAGE
        assert ended.stderr.splitlines()[-1].endswith(said)
        assert [path.absolute() for path in Path("copies").iterdir()] == [copy]
        assert not Path("copy.db").exists()

    def test_deleted(self, copy: Path, capsys: pytest.CaptureFixture[str]):
        """What was deleted is printed; if the new copy fails, nothing is deleted."""
        old = copy.rename(copy.with_name("skindesk-20200101T000000Z.db"))
        assert main(["backup", "copies", "--keep", "1"]) == 0
        made, deleted = capsys.readouterr().out.splitlines()[-2:]
        assert made.startswith("ok copies/skindesk-20")
        assert deleted == f"ok deleted copies/{old.name}"
        kept = list(Path("copies").iterdir())
        assert len(kept) == 1

        DATABASE.write_bytes(DAMAGES["table"](DATABASE.read_bytes()))
        assert main(["backup", "copies", "--keep", "1"]) == ExitCode.DATA
        assert list(Path("copies").iterdir()) == kept
