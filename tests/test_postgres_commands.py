"""The commands on PostgreSQL: what they print, their exit codes, and a password that is never in it."""

import asyncio
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.exit_codes import ExitCode
from bot.storage.postgres.database import PostgresDatabase
from bot.storage.postgres.metrics import PostgresMetrics
from tests.storage.databases import fill, filled, names
from tests.support import postgres
from tests.support.command_line import GOOD, ROOT, configure, skindesk

WITHOUT_PSYCOPG = """
import sys
sys.modules["psycopg"] = None
from bot.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Configure a database with data, and return its address."""

    async def opened(address: str) -> None:
        async with PostgresDatabase.open(address) as db:
            await fill(db)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", postgres.search_path())
    with postgres.database() as address:
        asyncio.run(opened(address))
        configure(f"{GOOD}database.url = {json.dumps(address)}\n")
        yield address


async def last_backup(url: str) -> float:
    async with PostgresDatabase.open(url) as db:
        return await PostgresMetrics(db).last_backup()


def test_there_and_back(url: str, capsys: pytest.CaptureFixture[str]):
    """A backup is verified, noted and rotated; a restore and a recovery say what they did."""
    Path("copies").mkdir()
    for _ in range(2):
        assert main(["backup", "copies", "--keep", "1"]) == ExitCode.OK
    output = capsys.readouterr().out
    assert "audit log rows" in output
    assert "ok deleted copies/" in output
    [copy] = Path("copies").iterdir()
    assert asyncio.run(last_backup(url)) > 0

    assert main(["restore", str(copy)]) == ExitCode.OK
    output = capsys.readouterr().out
    assert "ok resends open then are unknown now: 3\nok servers whose resends are stopped: 1\n" in output
    assert "ok the replaced database is kept: " in output
    assert main(["restore", "--after-recovery"]) == ExitCode.OK
    output = capsys.readouterr().out
    assert "prepared as after a restore\nok resends open then are unknown now: 0\n" in output
    assert main(["check", "--json", "--offline"]) == ExitCode.OK
    output = capsys.readouterr().out
    assert {each["id"] for each in json.loads(output)["findings"]} >= {"database", "database.tls"}


def test_rehearsal(tmp_path: Path):
    """The line of the restore rehearsal in docs/operations.md restores the newest copy elsewhere."""
    assert main(["backup", str(tmp_path)]) == ExitCode.OK
    Path("config.toml").unlink()
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    [line] = [line for line in text.splitlines() if line.startswith("createdb ")]
    line = line.replace("/var/backups/skindesk", str(tmp_path))
    ended = subprocess.run(  # noqa: S603 -- our own page
        ["/bin/sh", "-c", line.replace(" skindesk restore", f" {shlex.quote(sys.executable)} -m bot restore")],
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "PGHOST": str(postgres.server().folder), "PGUSER": "skindesk"}
        | {"PGPASSWORD": postgres.PASSWORD},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "rehearsal: restored and verified" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "change", "code", "words"),
    [
        (["backup", "copy.dump"], ("PATH", "/nowhere"), ExitCode.UNAVAILABLE, "pg_dump is not in PATH: install"),
        (["restore", "copy.dump"], ("PATH", "/nowhere"), ExitCode.UNAVAILABLE, "pg_restore is not in PATH: install"),
        (["restore", "copy.db"], ("PATH", ""), ExitCode.DATA, "skindesk migrate"),
        (["restore", "config.toml"], ("PATH", ""), ExitCode.DATA, "config.toml cannot be used: pg_restore: "),
        (["backup", "none"], ("PATH", ""), ExitCode.CANNOT_CREATE, "like none.dump"),
        (["backup", "copy.dump"], ("URL", "127.0.0.1:1"), ExitCode.UNAVAILABLE, "cannot connect to PostgreSQL at "),
        (["restore", "copy.dump"], ("URL", ""), ExitCode.DATA, "skindesk migrate"),
    ],
)
def test_refused(
    arguments: list[str],
    change: tuple[str, str],
    code: ExitCode,
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    """A refusal is one line that says what to do, and leaves no file."""
    Path("copy.db").write_bytes(b"SQLite format 3\0" + bytes(4000))
    if arguments[0] == "restore":
        Path("copy.dump").write_bytes(b"PGDMP" + bytes(4000))
    match change:
        case ("PATH", path) if path:
            monkeypatch.setenv("PATH", path)
        case ("URL", address):
            value = f"postgresql://desk:{postgres.PASSWORD}@{address}/desk" if address else ""
            configure(f"{GOOD}database.url = {json.dumps(value)}\n")
    before = names(Path())

    assert main(arguments) == code

    output = capsys.readouterr()
    assert words in output.err
    assert output.err.count("\n") == 1
    assert postgres.PASSWORD not in output.out + output.err
    assert names(Path()) == before


@pytest.mark.parametrize("command", [["backup", "copy.dump"], ["restore", "--after-recovery"], ["check", "--offline"]])
@pytest.mark.parametrize("part", ["%zz@127.0.0.1/desk", "@127.0.0.1/desk?sslmod=require"])
def test_address_not_understood(command: list[str], part: str):
    """An address that libpq does not understand, and would quote, is a mistake in the configuration."""
    configure(f"{GOOD}database.url = {json.dumps(f'postgresql://desk:{postgres.PASSWORD}{part}')}\n")

    ended = skindesk(*command)

    assert ended.returncode == ExitCode.CONFIG
    assert ended.stderr.count("\n") == 1
    assert "does not understand the database's address" in ended.stderr
    assert postgres.PASSWORD not in ended.stdout + ended.stderr


def test_without_the_extra():
    """Without psycopg each command names the extra."""
    for arguments in (["backup", "copy.dump"], ["restore", "--after-recovery"], ["check", "--offline"]):
        ended = skindesk(*arguments, program=("-c", WITHOUT_PSYCOPG))
        assert ended.returncode == ExitCode.CONFIG
        assert "pip install 'skindesk[postgres]'" in ended.stderr
        assert ended.stderr.count("\n") == 1


def test_recovered_file(capsys: pytest.CaptureFixture[str]):
    """A SQLite file that was put back by other means is prepared, too; one that is missing is not made."""
    configure(GOOD)
    assert main(["restore", "--after-recovery"]) == ExitCode.DATA
    assert "there is none" in capsys.readouterr().err
    asyncio.run(filled(Path("skindesk.db").absolute()))

    assert main(["restore", "--after-recovery"]) == ExitCode.OK
    assert "ok resends open then are unknown now: 3\n" in capsys.readouterr().out
