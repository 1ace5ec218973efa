"""Runs PostgreSQL's own programs. The address, with its password, is in their environment and on no command line."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, cast

from psycopg import pq

from bot.storage.errors import ProgramFailed, ProgramMissing
from bot.storage.postgres.address import parts_of

_VERSION = re.compile(r"\) (\d+)")
_OURS = "SKINDESK_"

_SETTINGS = "-c TimeZone=UTC -c DateStyle=ISO"
"""Rows in a dump are compared with those of a connection that has the same settings."""


def find(program: str, *, server: int | None = None) -> str:
    """Return the path of a program. ProgramMissing if there is none, or if it is older than the ``server``."""
    path = shutil.which(program)
    if path is None:
        raise ProgramMissing(program, server)
    if server is not None:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 -- found above
        version = _VERSION.search(answer.stdout)
        if version is not None and int(version[1]) < server:
            raise ProgramMissing(program, server, found=int(version[1]))
    return path


def run(program: str, arguments: Sequence[str], *, url: str) -> None:
    """Run a program on the database at ``url``; ProgramFailed."""
    with TemporaryFile() as errors:
        ended = subprocess.run(  # noqa: S603 -- found by find()
            [program, *arguments],
            env=_environment(url),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            check=False,
        )
        if ended.returncode:
            raise ProgramFailed(Path(program).name, _masked(_text(errors), url))


@contextmanager
def output(program: str, arguments: Sequence[str]) -> Iterator[IO[bytes]]:
    """Yield what a program prints; ProgramFailed at the end if it failed. It gets no address."""
    with (
        TemporaryFile() as errors,
        subprocess.Popen(  # noqa: S603 -- found by find()
            [program, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
        ) as process,
    ):
        script = cast("IO[bytes]", process.stdout)
        try:
            yield script
        except BaseException:
            process.kill()
            raise
        script.close()
        if process.wait():
            raise ProgramFailed(Path(program).name, _text(errors))


def _environment(url: str) -> dict[str, str]:
    """Return the variables for a program: each part of the address as libpq names it."""
    ours = {name: text for name, text in os.environ.items() if not name.startswith(_OURS)}
    variables = {
        option.keyword.decode(): option.envvar.decode() for option in pq.Conninfo.get_defaults() if option.envvar
    }
    parts = {variables[key]: value for key, value in parts_of(url).items() if key in variables}
    options = f"{parts.get('PGOPTIONS', '')} {_SETTINGS}"
    return ours | parts | {"PGOPTIONS": options, "PGAPPNAME": "skindesk maintenance", "PGCONNECT_TIMEOUT": "10"}


def _text(errors: IO[bytes]) -> str:
    errors.seek(0)
    lines = errors.read(100_000).decode("utf-8", "replace").splitlines()
    return " ".join(lines[:5])


def _masked(text: str, url: str) -> str:
    for secret in (parts_of(url).get(key) for key in ("password", "sslpassword")):
        if secret:
            text = text.replace(secret, "••••")
    return text.replace(url, "••••")
