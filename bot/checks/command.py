"""``skindesk check``: asks everybody at the same time, and says everything at once."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from bot.checks.findings import (
    Channels,
    DatabaseChecked,
    Finding,
    Level,
    as_object,
    exit_code,
    failed,
    of_configuration,
    ok,
    unreachable,
    warning,
)
from bot.checks.machine import check_addresses, check_clock, check_room, check_sqlite, path_problems
from bot.config_loading import ConfigurationInvalid, load_database_path, load_settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from bot.config import Settings
    from bot.exit_codes import ExitCode

WITHIN = 20.0
"""Seconds for everybody who is asked, together."""


def run_check(file: Path | None, environ: Mapping[str, str], *, offline: bool, as_json: bool) -> ExitCode:
    """Check everything and say what was found: problems in text on stderr, all else on stdout."""
    settings, findings = _configuration(file, environ)
    findings += check(settings, file, environ, offline=offline)
    secrets = [secret.get_secret_value() for secret in settings.secrets()] if settings is not None else []
    if as_json:
        print(_without(secrets, json.dumps(as_object(findings, skindesk=_version()))))
    else:
        for finding in findings:
            stream = sys.stderr if finding.level is Level.PROBLEM else sys.stdout
            print(_without(secrets, finding.line()), file=stream, flush=True)
    return exit_code(findings)


def check(settings: Settings | None, file: Path | None, environ: Mapping[str, str], *, offline: bool) -> list[Finding]:
    """Return what is found of everything but the configuration, as far as that says where to look.

    A look that fails is a finding too: the others are told all the same.
    """
    findings = [check_sqlite()]
    is_running = False
    channels: tuple[Channels, ...] = ()
    try:
        path = load_database_path(file, environ, read_only=True) if settings is None else settings.database.path
    except ConfigurationInvalid:  # its problems have been named
        path = None
    if path is not None and (wrong := path_problems(path)):
        fix = "name another file, or change who may do what there"
        findings += [replace(of_configuration(each), id="database", fix=fix) for each in wrong]
    elif path is not None:
        checked = _database(path)
        findings += [*checked.findings, *_tried("database.room", lambda: [check_room(path)])]
        is_running, channels = checked.is_running, checked.channels
    if settings is not None:
        addresses = {"links.listen": settings.links.address, "observability.listen": settings.observability.address}
        findings += _tried("addresses", lambda: check_addresses(addresses, is_running=is_running))
        if not settings.providers_on:
            fix = "give one its credentials, or there is nothing to look up"
            findings.append(warning("providers", "no provider is on", fix))
        if not offline:
            findings += asyncio.run(_online(settings, channels))
    elif not offline:
        fix = "correct the configuration, and check again"
        findings.append(warning("online", "nobody was asked: it is not clear with which credentials", fix))
    return findings


def _database(path: Path) -> DatabaseChecked:
    if not path.exists():
        made = ok("database", f"none yet: it is made at the first start at {ascii(str(path))[1:-1]}")
        return DatabaseChecked((made,))
    from bot.checks.database import check_database  # noqa: PLC0415 -- what is not there is answered at once

    try:
        return check_database(path)
    except Exception as error:  # noqa: BLE001 -- whatever it is, the other looks are told
        return DatabaseChecked((failed("database", error),))


def _tried(name: str, look: Callable[[], Sequence[Finding]]) -> Sequence[Finding]:
    try:
        return look()
    except Exception as error:  # noqa: BLE001 -- whatever it is, the other looks are told
        return [failed(name, error)]


def _configuration(file: Path | None, environ: Mapping[str, str]) -> tuple[Settings | None, list[Finding]]:
    try:
        settings = load_settings(file, environ)
    except ConfigurationInvalid as invalid:
        return None, [of_configuration(each) for each in invalid.problems]
    on = ", ".join(settings.providers_on) or "none"
    return settings, [ok("configuration", f"complete; providers on: {on}")]


async def _online(settings: Settings, channels: Sequence[Channels]) -> list[Finding]:
    # Loaded here: without a network none of it is needed.
    from bot.checks.discord_account import check_discord  # noqa: PLC0415 -- see above
    from bot.checks.providers import check_providers  # noqa: PLC0415 -- see above
    from bot.checks.steam import check_steam  # noqa: PLC0415 -- see above

    dates: list[tuple[str | None, datetime]] = []

    def heard(date: str | None) -> None:
        dates.append((date, datetime.now(UTC)))

    asked: dict[str, Awaitable[Sequence[Finding]]] = {
        "discord": check_discord(settings, channels, heard),
        "providers": check_providers(settings, heard),
    }
    if settings.links.address is not None:
        asked["steam"] = check_steam(settings, heard)
    answers = await asyncio.gather(*(_within(name, each) for name, each in asked.items()))
    return [*(finding for answer in answers for finding in answer), check_clock(dates)]


async def _within(name: str, asked: Awaitable[Sequence[Finding]]) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(WITHIN):
            return await asked
    except TimeoutError:
        what = f"no whole answer within {WITHIN:g} seconds"
        return [unreachable(name, what, "look at the network, and check again")]
    except Exception as error:  # noqa: BLE001 -- whatever it is, the other looks are told
        return [failed(name, error)]


def _without(secrets: Sequence[str], text: str) -> str:
    """Return ``text`` as it is: no finding holds a secret. If one ever did, it is masked here."""
    for secret in secrets:
        if len(secret) > _SHORTEST_SECRET:
            text = text.replace(secret, "••••")
    return text


_SHORTEST_SECRET = 5


def _version() -> str:
    try:
        return version("skindesk")
    except PackageNotFoundError:
        return "(not installed)"
