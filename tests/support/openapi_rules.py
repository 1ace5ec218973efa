"""Checks request bodies against Discord's own OpenAPI description, if that file is at hand."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from tests.support.discord_requests import Call, Request, calls, is_object

DESCRIPTION = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "discord-openapi.json"
"""Beside the repository, not in it: a file of 1.2 MB."""


def validate_with_openapi(requests: Iterable[Request], path: Path = DESCRIPTION) -> list[str] | None:
    """Return every deviation from the description, or None if the file is not at hand."""
    if not path.exists():
        return None
    return [violation for call in calls(requests) if call.body is not None for violation in _validate(call, path)]


def _validate(call: Call, path: Path) -> Iterator[str]:
    template = _template(path, call.method, call.path)
    if template is None:
        yield f"{call.where}: Discord describes no such operation"
        return
    kind = call.body.get("type") if call.callback_type is not None and is_object(call.body) else None
    validator = _validator(path, template, call.method.lower(), kind)
    try:
        for error in validator.iter_errors(call.body):
            place = "/".join(map(str, error.instance_path)) or "body"
            yield f"{call.where}: {place} breaks {error.kind.name} of Discord's description"
    except ValueError as error:
        yield f"{call.where}: cannot be sent, {type(error).__name__}"


@cache
def _description(path: Path) -> Any:
    described = json.loads(path.read_text(encoding="utf-8"))
    # Discord accepts integers as ids, although it describes strings, and discord.py sends them.
    described["components"]["schemas"]["SnowflakeType"] = {"type": ["string", "integer"]}
    return described


@cache
def _patterns(path: Path, method: str) -> list[tuple[int, re.Pattern[str], str]]:
    """Return the paths of the description that take a body, the most literal ones first."""
    found = []
    for template, operations in _description(path)["paths"].items():
        if "requestBody" in operations.get(method, {}):
            segments = ["[^/]+" if part.startswith("{") else re.escape(part) for part in template.split("/")]
            found.append((segments.count("[^/]+"), re.compile("/".join(segments)), template))
    return sorted(found, key=lambda each: each[0])


def _template(path: Path, method: str, request_path: str) -> str | None:
    return next(
        (template for _, pattern, template in _patterns(path, method.lower()) if pattern.fullmatch(request_path)),
        None,
    )


@cache
def _validator(path: Path, template: str, method: str, kind: int | None) -> jsonschema_rs.Draft202012Validator:
    description = _description(path)
    schema: Mapping[str, Any] = description["paths"][template][method]["requestBody"]["content"]["application/json"]
    filtered = _of_callback_type(schema["schema"], description["components"]["schemas"], kind)
    return jsonschema_rs.Draft202012Validator({**filtered, "components": description["components"]})


def _of_callback_type(schema: Mapping[str, Any], schemas: Mapping[str, Any], kind: int | None) -> Mapping[str, Any]:
    """Choose the callback type's own schema: a mismatch with all of them at once explains nothing."""
    for variant in schema.get("anyOf", ()) if kind is not None else ():
        name = variant["$ref"].rpartition("/")[2]
        if kind in schemas[name]["properties"]["type"]["enum"]:
            return {"$ref": variant["$ref"]}
    return schema
