"""``skindesk check``: runs all checks, those of services in parallel, and reports all findings at once."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.checks.findings import (
    Channels,
    DatabaseChecked,
    Finding,
    Level,
    failed,
    of_configuration,
    ok,
    problem,
    unreachable,
    warning,
)
from bot.checks.machine import check_addresses, check_clock, check_room, check_sqlite, path_problems
from bot.config_loading import ConfigurationInvalid, load_database, load_settings
from bot.exit_codes import ExitCode
from bot.storage.files import status_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from bot.config import Database, Settings

WITHIN = 20.0
"""Seconds for all services together."""

FORMAT = 1
"""The version of the JSON object: new keys may appear; another number means that an existing one has changed."""

_SHORTEST_SECRET = 6


def run_check(file: Path | None, environ: Mapping[str, str], *, offline: bool, as_json: bool, version: str) -> ExitCode:
    """Check everything and print the findings: problems as text on stderr, everything else on stdout."""
    settings: Settings | None = None
    try:
        settings = load_settings(file, environ)
        findings = [ok("configuration", f"complete; providers on: {', '.join(settings.providers_on) or 'none'}")]
    except ConfigurationInvalid as invalid:
        findings = [of_configuration(each) for each in invalid.problems]
    findings += check(settings, file, environ, offline=offline)
    code = exit_code(findings)
    facts = {"version": FORMAT, "skindesk": version, "ok": code is ExitCode.OK, "exit_code": int(code)}
    if as_json:
        _print(json.dumps(facts | {"findings": [finding.as_json() for finding in findings]}), Level.OK, settings)
    else:
        for finding in findings:
            _print(finding.line(), finding.level, settings)
    return code


def _print(text: str, level: Level, settings: Settings | None) -> None:
    """Print a line. No finding contains a secret; if one ever does, mask it."""
    for secret in (each.get_secret_value() for each in (settings.secrets() if settings else ())):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "••••")
    print(text, file=sys.stderr if level is Level.PROBLEM else sys.stdout, flush=True)


def exit_code(findings: Iterable[Finding]) -> ExitCode:
    """Return the exit code; problems here come before services that do not answer."""
    problems = [finding for finding in findings if finding.level is Level.PROBLEM]
    if any(not finding.is_unreachable for finding in problems):
        return ExitCode.CONFIG
    return ExitCode.UNAVAILABLE if problems else ExitCode.OK


def check(settings: Settings | None, file: Path | None, environ: Mapping[str, str], *, offline: bool) -> list[Finding]:
    """Run all checks that the valid part of the configuration allows. A check that raises is a finding too."""
    database = DatabaseChecked(())
    try:
        stated = load_database(file, environ, read_only=True) if settings is None else settings.database
        database = _check_postgres(stated, offline=offline) if stated.url else _check_file(stated.path)
    except ConfigurationInvalid:  # its problems are findings already
        pass
    findings = list(database.findings)
    if settings is None:
        if not offline:
            findings.append(warning("online", "not checked: the credentials are in doubt", "correct the configuration"))
        return findings
    addresses = {"links.listen": settings.links.address, "observability.listen": settings.observability.address}
    findings += _run("addresses", lambda: check_addresses(addresses, is_running=database.is_running))
    if served := settings.discord.guild_ids:
        outside = [guild_id for guild_id in settings.discord.command_guild_ids if guild_id not in served]
        if outside:
            shown = ", ".join(map(str, outside))
            what = f"commands are registered in servers that discord.guild_ids does not name: {shown}"
            fix = "name them there too, or take them out here"
            findings.append(problem("discord.guilds.commands", what, fix, key="discord.command_guild_ids"))
    if not settings.providers_on:
        fix = "give one its credentials, or there is nothing to look up"
        findings.append(warning("providers", "no provider is on", fix))
    return findings if offline else findings + asyncio.run(_check_services(settings, database.channels))


def _check_file(path: Path) -> DatabaseChecked:
    if wrong := path_problems(path):
        fix = "name another file, or change the permissions"
        problems = [replace(of_configuration(each), id="database", fix=fix) for each in wrong]
        return DatabaseChecked((check_sqlite(), *problems))
    found = _check_database(path)
    room = _run("database.room", lambda: [check_room(path)])
    return replace(found, findings=(check_sqlite(), *found.findings, *room))


def _check_postgres(stated: Database, *, offline: bool) -> DatabaseChecked:
    from bot.checks.postgres import check_postgres  # noqa: PLC0415 -- not needed on SQLite

    try:
        return check_postgres(stated.url.get_secret_value(), offline=offline)
    except Exception as error:  # noqa: BLE001 -- a check that raises is a finding
        return DatabaseChecked((failed("database", error),))


def _check_database(path: Path) -> DatabaseChecked:
    if status_of(path) is None and not _has_traces(path.resolve()):
        message = f"none yet: the first start creates it at {ascii(str(path))[1:-1]}"
        return DatabaseChecked((ok("database", message),))
    from bot.checks.database import check_database, check_missing  # noqa: PLC0415 -- not needed before the first start

    try:
        return check_database(path) if status_of(path) else check_missing(path)
    except Exception as error:  # noqa: BLE001 -- a check that raises is a finding
        return DatabaseChecked((failed("database", error),))


def _has_traces(path: Path) -> bool:
    """Return whether files of a database are there without it: lock, copies, journal."""
    return any(each.name.startswith((f"{path.name}.", f"{path.name}-")) for each in path.parent.iterdir())


def _run(name: str, run: Callable[[], Sequence[Finding]]) -> Sequence[Finding]:
    try:
        return run()
    except Exception as error:  # noqa: BLE001 -- a check that raises is a finding
        return [failed(name, error)]


async def _check_services(settings: Settings, channels: Sequence[Channels]) -> list[Finding]:
    # Imported here: without a network none of it is needed.
    from bot.checks.discord_account import check_discord  # noqa: PLC0415 -- see above
    from bot.checks.providers import check_providers, check_steam  # noqa: PLC0415 -- see above

    dates: list[tuple[str | None, datetime]] = []

    def on_date(date: str | None) -> None:
        dates.append((date, datetime.now(UTC)))

    checks: dict[str, Awaitable[Sequence[Finding]]] = {
        "discord": check_discord(settings, channels, on_date),
        "providers": check_providers(settings, on_date),
    }
    if settings.links.address is not None:
        checks["steam"] = check_steam(settings, on_date)
    results = await asyncio.gather(*(_within(name, each) for name, each in checks.items()))
    return [*(finding for result in results for finding in result), check_clock(dates)]


async def _within(name: str, check: Awaitable[Sequence[Finding]]) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(WITHIN):
            return await check
    except TimeoutError:
        what = f"no complete answer within {WITHIN:g} seconds"
        return [unreachable(name, what, "look at the network, and check again")]
    except Exception as error:  # noqa: BLE001 -- a check that raises is a finding
        return [failed(name, error)]
