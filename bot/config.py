"""The configuration: read once from a TOML file and the environment, judged as a whole, frozen."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from difflib import SequenceMatcher
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, get_origin
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from bot.domain.failures import ProviderName

PREFIX: Final = "SKINDESK_"
DEFAULT_FILE: Final = Path("config.toml")
INVENTORY_PROVIDERS: Final = (
    ProviderName.ASSETPAY,
    ProviderName.ASSETPAY_CLIENT,
    ProviderName.ASSETPAY_LEGACY,
    ProviderName.SKINSBACK,
)
"""The providers that price inventories, in the order in which they stand in for a default that is off."""

_CENTURY = timedelta(days=36525)
_LONGEST_LABEL = 63


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in the configuration. ``what`` never holds a value, so it cannot hold a secret.

    ``environment_variable`` is None where no variable could say the same: a file, or a key that does not exist.
    """

    key: str
    environment_variable: str | None
    what: str

    def __str__(self) -> str:
        named = f"{self.key} ({self.environment_variable})" if self.environment_variable else self.key
        return f"{named}: {self.what}"


class ConfigurationInvalid(Exception):
    """The configuration cannot be used; ``problems`` are all of them."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


def _web_address(text: str) -> str:
    """Return an https address (http only to this machine) without its trailing slash."""
    if not re.fullmatch(r"[!-~]+", text) or "\\" in text:
        raise ValueError("should be an address like https://example.com, without spaces")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("is not an address") from None
    host = parts.hostname or ""
    is_host = re.fullmatch(r"[a-z0-9._:-]+", host) and _has_labels(host)
    if parts.scheme not in ("http", "https") or not is_host or port == 0:
        raise ValueError("should be an address like https://example.com")
    if "@" in parts.netloc:
        raise ValueError("should not hold a user name or password")
    if "?" in text or "#" in text:
        raise ValueError("should end before ? and #")
    if parts.scheme == "http" and not _is_loopback(host):
        raise ValueError("should begin with https:// (http:// is for this machine only: 127.0.0.1, ::1, localhost)")
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def _has_labels(host: str) -> bool:
    """Say whether there is a name before, between and after the dots, as Python's resolver wants it; it may end in one.

    It raises what nobody expects of it otherwise: a UnicodeError.
    """
    return all(1 <= len(label) <= _LONGEST_LABEL for label in host.removesuffix(".").split("."))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _web_address_or_nothing(text: str) -> str:
    return _web_address(text) if text else ""


def _socket_address(text: str) -> str:
    """Return ``text`` where it is empty or names a host and a port."""
    if text and _host_and_port(text) is None:
        raise ValueError('should be host:port, like 127.0.0.1:9464, or ""')
    return text


def _host_and_port(text: str) -> tuple[str, int] | None:
    """Cut ``host:port`` in two; an IPv6 host stands in brackets. None where it is not that."""
    match = re.fullmatch(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+)):(?P<port>[0-9]{1,5})", text)
    if match is None or int(match["port"]) > 65535:  # noqa: PLR2004 -- the highest port there is
        return None
    host = match["six"] or match["host"]
    return (host, int(match["port"])) if _has_labels(host) else None


def _credential(secret: SecretStr) -> SecretStr:
    """Return a credential that can travel in a header: an HTTP library quotes one that cannot in its exception."""
    if not re.fullmatch(r"[!-~]*", secret.get_secret_value()):
        raise ValueError("holds a space, a line break or a letter that no credential has")
    return secret


def _no_boolean(value: object) -> object:
    """Refuse what pydantic would read as 0 or 1."""
    if isinstance(value, bool):
        raise ValueError("should be a number")  # noqa: TRY004 -- pydantic collects ValueError only
    return value


def _file_path(value: object) -> object:
    if isinstance(value, str):
        value = value.strip()
        if not value or "\0" in value:
            raise ValueError("should name a file")
    return value


WebAddress = Annotated[str, AfterValidator(_web_address)]
SocketAddress = Annotated[str, AfterValidator(_socket_address)]
Credential = Annotated[SecretStr, AfterValidator(_credential)]
Snowflake = Annotated[int, BeforeValidator(_no_boolean), Field(gt=0, lt=2**63)]


class _Table(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, str_strip_whitespace=True, validate_default=True
    )


class Discord(_Table):
    """The bot's account. ``command_guild_ids``: register commands in these guilds only, everywhere where empty."""

    token: Credential
    command_guild_ids: tuple[Snowflake, ...] = ()

    @field_validator("token")
    @classmethod
    def _is_there(cls, token: SecretStr) -> SecretStr:
        if not token:
            raise ValueError("is missing")
        return token

    @field_validator("command_guild_ids")
    @classmethod
    def _each_once(cls, guild_ids: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(dict.fromkeys(guild_ids))


class Database(_Table):
    """Where everything is kept; ``path`` is relative to the working directory."""

    path: Annotated[Path, BeforeValidator(_file_path)] = Path("skindesk.db")


class Inventory(_Table):
    """How inventories are shown. For the default provider ask :attr:`Settings.default_provider`."""

    default_provider: ProviderName = ProviderName.ASSETPAY
    page_size: Annotated[int, BeforeValidator(_no_boolean), Field(ge=1, le=25)] = 8

    @field_validator("default_provider")
    @classmethod
    def _has_inventories(cls, provider: ProviderName) -> ProviderName:
        if provider not in INVENTORY_PROVIDERS:
            raise ValueError(f"should be one of {', '.join(INVENTORY_PROVIDERS)}")
        return provider


class Resends(_Table):
    """The rules of approving a resend."""

    expires_after_hours: Annotated[float, BeforeValidator(_no_boolean), Field(gt=0, allow_inf_nan=False)] = 24.0
    allow_self_approval: bool = False

    @property
    def expires_after(self) -> timedelta:
        """How long a request stays open: at least a millisecond, at most a century, so that a date comes of it."""
        hours = min(self.expires_after_hours, _CENTURY / timedelta(hours=1))
        return max(timedelta(hours=hours), timedelta(milliseconds=1))


class Links(_Table):
    """Steam sign-in; off while ``public_url`` is empty."""

    public_url: Annotated[str, AfterValidator(_web_address_or_nothing)] = ""
    listen: SocketAddress = "127.0.0.1:8080"
    steam_openid_url: WebAddress = "https://steamcommunity.com/openid/login"

    @field_validator("listen")
    @classmethod
    def _is_heard(cls, listen: str, info: ValidationInfo) -> str:
        if not listen and info.data.get("public_url"):
            raise ValueError("is empty, but links.public_url is set")
        return listen

    @property
    def address(self) -> tuple[str, int] | None:
        """Where the sign-in page listens, or None where Steam sign-in is off."""
        return _host_and_port(self.listen) if self.public_url else None


class Observability(_Table):
    """Logs, and where metrics and health are served; nowhere while ``listen`` is empty."""

    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error", "critical"] = "info"
    listen: SocketAddress = ""

    @property
    def address(self) -> tuple[str, int] | None:
        """Where metrics and health are served, or None for nowhere."""
        return _host_and_port(self.listen)


class Provider(_Table):
    """What every provider's table has. A provider is on when its credentials are there."""

    credentials: ClassVar[tuple[str, ...]] = ("api_key",)
    """The keys that switch the provider on."""

    base_url: WebAddress

    @property
    def is_on(self) -> bool:
        """Whether there are credentials; half a pair never gets past validation."""
        return any(getattr(self, key) for key in self.credentials)


def _is_only_choice(secret: SecretStr, info: ValidationInfo) -> SecretStr:
    """Refuse a fixed token beside an API key: which one counts would be a guess."""
    if secret and info.data.get("api_key"):
        raise ValueError("stands beside api_key: choose one of the two")
    return secret


class AssetPay(Provider):
    """GET /secure/inventory. ``verified``: which documented rate-limit tier applies."""

    base_url: WebAddress = "https://api.assetpay.gg"
    api_key: Credential = SecretStr("")
    verified: bool = False


class AssetPayClient(Provider):
    """GET /client/inventory, current dialect: an API key that makes client tokens, or one fixed token."""

    credentials = ("api_key", "client_token")

    base_url: WebAddress = "https://api.assetpay.gg"
    api_key: Credential = SecretStr("")
    client_token: Annotated[Credential, AfterValidator(_is_only_choice)] = SecretStr("")
    authorization: Literal["raw", "bearer"] = "raw"
    verified: bool = False


class AssetPayLegacy(AssetPayClient):
    """GET /client/inventory, older dialect."""

    base_url: WebAddress = "https://api.assetpay.co"


class SkinsBack(Provider):
    """POST method=user_inventory. ``client_id`` is no secret, but nothing works without it."""

    credentials = ("client_id", "client_secret")

    base_url: WebAddress = "https://skinsback.com/api.php"
    client_id: Annotated[str, Field(pattern=r"^[!-~]*$")] = ""
    client_secret: Credential = SecretStr("")
    auth: Literal["headers", "signature"] = "headers"
    currency: Annotated[str, Field(pattern=r"^[A-Za-z]{0,4}$")] = ""

    @field_validator("client_secret")
    @classmethod
    def _is_paired(cls, secret: SecretStr, info: ValidationInfo) -> SecretStr:
        client_id = info.data.get("client_id")  # None where it was wrong in itself
        if client_id and not secret:
            raise ValueError("is missing beside client_id")
        if secret and client_id == "":
            raise ValueError("needs client_id (SKINDESK_PROVIDERS__SKINSBACK__CLIENT_ID), which is missing")
        return secret


class Mannco(Provider):
    """/trades/active, /trades/all and /trade/resend: an API key that gives JWTs, or one JWT."""

    credentials = ("api_key", "token")

    base_url: WebAddress = "https://api.mannco.store"
    api_key: Credential = SecretStr("")
    token: Annotated[Credential, AfterValidator(_is_only_choice)] = SecretStr("")
    resend_parameter: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = "resend"


class Providers(_Table):
    """One table per provider, named as :class:`ProviderName` spells it."""

    assetpay: AssetPay = AssetPay()
    assetpay_client: AssetPayClient = AssetPayClient()
    assetpay_legacy: AssetPayLegacy = AssetPayLegacy()
    skinsback: SkinsBack = SkinsBack()
    mannco: Mannco = Mannco()

    def table(self, name: ProviderName) -> Provider:
        """Return a provider's table."""
        table: Provider = getattr(self, name.value)
        return table


class Settings(_Table):
    """Everything that can be set. Printing it shows no secret."""

    discord: Discord
    database: Database = Database()
    inventory: Inventory = Inventory()
    resends: Resends = Resends()
    links: Links = Links()
    observability: Observability = Observability()
    providers: Providers = Providers()

    @property
    def providers_on(self) -> tuple[ProviderName, ...]:
        """The providers with credentials, in the order of their tables."""
        return tuple(name for name in ProviderName if self.providers.table(name).is_on)

    @property
    def inventory_providers_on(self) -> tuple[ProviderName, ...]:
        """The providers that can be asked for an inventory."""
        return tuple(name for name in INVENTORY_PROVIDERS if self.providers.table(name).is_on)

    @property
    def default_provider(self) -> ProviderName | None:
        """The provider to ask where nobody named one; None where none is on.

        Where ``inventory.default_provider`` is not set, its default may be off: then the first that is on stands
        in, so that a desk with one provider needs to name it only once, by its credentials. One that was set and
        is off never gets here: :func:`load_settings` refuses it rather than repair it quietly.
        """
        on = self.inventory_providers_on
        chosen = self.inventory.default_provider
        return chosen if chosen in on else next(iter(on), None)

    def secrets(self) -> tuple[SecretStr, ...]:
        """Return every secret that is set, for whatever has to recognise them."""
        tables = (self.discord, *(self.providers.table(name) for name in ProviderName))
        values = (value for table in tables for _, value in table)
        return tuple(value for value in values if isinstance(value, SecretStr) and value)


def _leaves(model: type[BaseModel], table: str = "") -> Iterator[tuple[str, Any]]:
    """Walk the tables down to their keys: dotted key and the type of its value."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, _Table):
            yield from _leaves(kind, f"{table}{name}.")
        else:
            yield f"{table}{name}", kind


def _variable(key: str) -> str:
    return PREFIX + key.upper().replace(".", "__")


_KINDS: Final = dict(_leaves(Settings))
VARIABLES: Final[Mapping[str, str]] = {key: _variable(key) for key in _KINDS}
"""Every key, dotted, and the environment variable that sets it too."""
_KEYS: Final[Mapping[str, str]] = {variable: key for key, variable in VARIABLES.items()}
_TABLES: Final = ("providers", *dict.fromkeys(key.rpartition(".")[0] for key in VARIABLES))


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the file, lay the environment over it and return the whole, or raise every problem at once.

    Where ``path`` is None, ``config.toml`` in the working directory is read if it is there. Errors:
    ConfigurationInvalid.
    """
    document, unreadable = _read(path)
    given = {_KEYS[name]: value for name, value in environ.items() if name in _KEYS}
    merged = _overlay(document, given)
    settings, problems = _validate(merged)
    if unreadable is None:
        problems += _default_provider_problems(merged)
    else:  # what the file would have said is not known, so nothing is called missing
        problems = [unreadable, *(problem for problem in problems if problem.key in given)]
    problems += [_unknown_variable(name) for name in sorted(environ) if name.startswith(PREFIX) and name not in _KEYS]
    if settings is None or problems:
        raise ConfigurationInvalid(tuple(problems))
    return settings


def load_database_path(path: Path | None, environ: Mapping[str, str], *, is_only_read: bool = False) -> Path:
    """Return where the database is, for what needs nothing else: who saves it need not have Discord's token at hand.

    A wrong value of another key is not looked at. A file that cannot be read is a mistake here too, and so is a key
    that does not exist, unless the database ``is_only_read``: a slip of the pen would name another database.
    Errors: ConfigurationInvalid.
    """
    try:
        return load_settings(path, environ).database.path
    except ConfigurationInvalid as invalid:
        found = invalid.problems
    document, unreadable = _read(path)
    problems = tuple(
        problem
        for problem in found
        if problem == unreadable
        or problem.key.partition(".")[0] == "database"
        or not (is_only_read or problem.key in VARIABLES)
    )
    if problems:
        raise ConfigurationInvalid(problems)
    given = {_KEYS[name]: value for name, value in environ.items() if name in _KEYS}
    return Database.model_validate(_overlay(document, given).get("database", {})).path


def _validate(merged: Mapping[str, Any]) -> tuple[Settings | None, list[Problem]]:
    try:
        return Settings.model_validate(merged), []
    except ValidationError as invalid:
        return None, [_problem(dict(error)) for error in invalid.errors(include_url=False, include_input=False)]


def _read(path: Path | None) -> tuple[dict[str, Any], Problem | None]:
    """Return the file's tables, or nothing and what is wrong with the file."""
    file = path or DEFAULT_FILE
    try:
        return tomllib.loads(file.read_bytes().decode("utf-8-sig")), None
    except FileNotFoundError:
        if path is None:
            return {}, None
        what = "is not there"
    except OSError as refused:
        what = f"cannot be read ({refused.strerror})"
    except UnicodeDecodeError:
        what = "is not UTF-8 text"
    except tomllib.TOMLDecodeError as wrong:
        what = f"is not TOML: {_shown(str(wrong))}"
    except (ValueError, RecursionError):  # a path with a NUL, a number of thousands of digits, endless brackets
        what = "cannot be read as TOML"
    return {}, Problem(_shown(str(file)), None, what)


def _overlay(document: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    """Return the file's tables with the environment's values in their place."""
    merged = _copy(document)
    merged.setdefault("discord", {})
    for key, text in given.items():
        *tables, name = key.split(".")
        table: Any = merged
        for step in tables:
            table = table.setdefault(step, {}) if isinstance(table, dict) else None
        if isinstance(table, dict):  # where the file has something else than a table, that is the problem
            table[name] = _list(text) if get_origin(_KINDS[key]) is tuple else text.strip()
    return merged


def _copy(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _copy(value) if isinstance(value, dict) else value for name, value in document.items()}


def _list(text: str) -> object:
    """Read a list from a variable: JSON, or values separated by commas."""
    if text.strip().startswith("["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return [word.strip() for word in text.split(",") if word.strip()]


def _default_provider_problems(merged: Mapping[str, Any]) -> list[Problem]:
    """Say whether the default provider was set to one that is off.

    This looks at what was written, not at what came of it, so that it is told together with other mistakes.
    The default itself, written out, is fine while no inventory provider is on: nothing could be named instead.
    """
    key = "inventory.default_provider"
    chosen = _written(merged, key)
    on = [name for name in INVENTORY_PROVIDERS if any(_written(merged, leaf) for leaf in _credential_keys(name))]
    if chosen not in INVENTORY_PROVIDERS or chosen in on or (chosen == ProviderName.ASSETPAY and not on):
        return []
    instead = f"name one that is on ({', '.join(on)})" if on else "leave it out"
    return [Problem(key, VARIABLES[key], f"{chosen} is off: {instead}, or give {chosen} its credentials")]


def _credential_keys(name: ProviderName) -> list[str]:
    table = Providers.model_fields[name.value].annotation
    credentials: tuple[str, ...] = getattr(table, "credentials", ())
    return [f"providers.{name.value}.{key}" for key in credentials]


def _written(merged: Mapping[str, Any], key: str) -> object:
    value: Any = merged
    for step in key.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value.strip() if isinstance(value, str) else value


_SENTENCES: Final = {
    "missing": "is missing",
    "model_type": "should be a table",
    "string_type": "should be text (in the file: in quotes)",
    "string_unicode": "is not UTF-8 text",
    "path_type": "should be text (in the file: in quotes)",
    "int_type": "should be a whole number",
    "int_parsing": "should be a whole number",
    "int_parsing_size": "should be a whole number of usual size",
    "int_from_float": "should be a whole number",
    "float_type": "should be a number",
    "float_parsing": "should be a number",
    "finite_number": "should be a finite number",
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
    "tuple_type": "should be a list",
    "greater_than": "should be above {gt:g}",
    "greater_than_equal": "should be at least {ge:g}",
    "less_than": "should be below {lt:g}",
    "less_than_equal": "should be at most {le:g}",
    "literal_error": "should be {expected}",
    "enum": "should be one of " + ", ".join(INVENTORY_PROVIDERS),
    "value_error": "{error}",
}
_PATTERNS: Final = {
    "providers.skinsback.client_id": "should hold no spaces",
    "providers.skinsback.currency": 'should be up to 4 letters, like "eur"',
    "providers.mannco.resend_parameter": "should be a parameter's name: letters, digits and _",
}


def _problem(error: Mapping[str, Any]) -> Problem:
    """Put one of pydantic's errors into words, without the value."""
    key = ".".join(step for step in error["loc"] if isinstance(step, str))
    if error["type"] == "extra_forbidden":
        return Problem(_shown(key), None, f"is not known; the nearest is {_nearest(key)}")
    if error["type"] == "string_pattern_mismatch":
        what = _PATTERNS[key]
    else:
        what = _SENTENCES.get(error["type"], "cannot be used").format_map(error.get("ctx", {}))
    places = [step + 1 for step in error["loc"] if isinstance(step, int)]
    return Problem(key, VARIABLES.get(key), f"number {places[0]} of the list {what}" if places else what)


def _unknown_variable(name: str) -> Problem:
    key = name.removeprefix(PREFIX).lower().replace("__", ".")
    return Problem(_shown(key), _shown(name), f"is not known; the nearest is {_nearest(key)}")


def _nearest(key: str) -> str:
    """Return the known key or table most like ``key``: its last word counts as much as the whole."""

    def likeness(known: str) -> float:
        whole = SequenceMatcher(None, key[:200], known).ratio()
        return whole + SequenceMatcher(None, key.rpartition(".")[2][:200], known.rpartition(".")[2]).ratio()

    nearest = max((*VARIABLES, *_TABLES), key=likeness)
    return f"{nearest} ({VARIABLES[nearest]})" if nearest in VARIABLES else f"the table {nearest}"


def _shown(text: str) -> str:
    """Return text from outside so that it stays on one line of a terminal."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text[:200])
