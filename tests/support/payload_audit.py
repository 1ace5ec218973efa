"""Audits everything the bot sent to Discord: limits, visibility, secrets, and the life of each interaction."""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import simcord

from tests.support.command_rules import commands
from tests.support.component_rules import choices, modal
from tests.support.discord_requests import Call, Kind, Request, calls
from tests.support.lifecycle_rules import lifecycle
from tests.support.message_rules import message
from tests.support.openapi_rules import validate_with_openapi
from tests.support.payload_texts import HOSTS, hidden_characters

__all__ = ["assert_clean", "assert_no_secret", "audit_requests", "find_secrets", "validate_with_openapi"]

_ESCAPE = re.compile(r"\\(?=[^0-9A-Za-z\s])")


def audit_requests(requests: Iterable[Request], *, hosts: Collection[str] = HOSTS) -> list[str]:
    """Return every violation of Discord's limits and of SkinDesk's own rules in a request log.

    ``hosts`` are the allowed hosts of addresses in messages.
    """
    log = calls(requests)
    found = [f"{call.where}: {violation}" for call in log for violation in _violations(call, hosts)]
    return [*found, *lifecycle(log)]


def assert_clean(env: simcord.Env, *, allowed: Collection[str] = (), hosts: Collection[str] = HOSTS) -> None:
    """Fail with every violation, and every interaction that was never answered.

    ``allowed`` are parts of violations that a test causes on purpose; one that does not happen fails too.
    """
    found = [
        *audit_requests(env.http_requests, hosts=hosts),
        *_unanswered(env),
        *(validate_with_openapi(env.http_requests) or ()),
    ]
    unexpected = [violation for violation in found if not any(part in violation for part in allowed)]
    unexpected += [
        f"allowed, but did not happen: {part}" for part in allowed if not any(part in violation for violation in found)
    ]
    if unexpected:
        raise AssertionError("\n".join(["Discord payloads:", *unexpected]))


def assert_no_secret(env: simcord.Env, canaries: Iterable[str]) -> None:
    """Fail if the bot sent one of these texts; the failure does not repeat it."""
    found = find_secrets(env.http_requests, canaries)
    if found:
        raise AssertionError("\n".join(["secrets sent to Discord:", *found]))


def find_secrets(requests: Iterable[Request], canaries: Iterable[str]) -> list[str]:
    """Return the places of these texts in a request log, plain or escaped for markdown."""
    wanted = list(canaries)
    if not all(wanted):
        raise ValueError("an empty text is everywhere")
    found = []
    for call in calls(requests):
        for path, text in (("path", call.path), *_texts(call.body, "body"), *_texts(call.params, "params")):
            shown = _ESCAPE.sub("", text)
            found += [
                f"{call.where}: {path} holds secret {place} of {len(canary)} characters"
                for place, canary in enumerate(wanted)
                if canary in text or canary in shown
            ]
    return found


def _violations(call: Call, hosts: Collection[str]) -> Iterator[str]:
    if call.kind in (Kind.GLOBAL_COMMANDS, Kind.GUILD_COMMANDS):
        yield from _of_commands(json.dumps(call.body or []), in_guild=call.kind is Kind.GUILD_COMMANDS)
        return
    yield from hidden_characters(call.body)
    match call.kind:
        case Kind.CALLBACK:
            yield from _callback(call, hosts)
        case Kind.FOLLOW_UP | Kind.POST:
            yield from message(call.data, is_new=True, hosts=hosts)
        case Kind.EDIT_RESPONSE | Kind.EDIT:
            yield from message(call.data, is_new=False, hosts=hosts)


@cache
def _of_commands(body: str, *, in_guild: bool) -> tuple[str, ...]:
    """Audit a sync of commands, the same one only once: every scene begins with it."""
    definitions = json.loads(body)
    return (*hidden_characters(definitions), *commands(definitions, in_guild=in_guild))


def _callback(call: Call, hosts: Collection[str]) -> Iterator[str]:
    match call.callback_type:
        case 4:
            yield from message(call.data, is_new=True, hosts=hosts)
        case 7:
            yield from message(call.data, is_new=False, hosts=hosts)
        case 8:
            yield from choices(call.data)
        case 9:
            yield from modal(call.data)
        case 5 | 6:
            pass
        case other:
            yield f"{other} is no kind of answer"


def _unanswered(env: simcord.Env) -> Iterator[str]:
    for record in env.backend.interactions.values():
        if not record.responded:
            what = f"command {record.command_name!r}" if record.command_name else f"type {int(record.type)}"
            yield f"interaction {record.id} ({what}): never answered"


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str | int | float):
        yield path, str(value)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield f"{path}.{name}", str(name)
            yield from _texts(inner, f"{path}.{name}")
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from _texts(inner, f"{path}[{place}]")
