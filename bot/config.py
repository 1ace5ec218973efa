"""The settings, frozen, as pydantic models."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from ipaddress import ip_address
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, SecretStr, ValidationInfo

from bot.domain.failures import ProviderName
from bot.domain.shards import ShardGroup

PREFIX: Final = "SKINDESK_"
INVENTORY_PROVIDERS: Final = tuple(name for name in ProviderName if name is not ProviderName.MANNCO)
"""The providers that price inventories; if the default is off, the first one that is on replaces it."""

_CENTURY_IN_HOURS = 876_600.0


def _web_address(text: str) -> str:
    """Return an https address, or an http one of this machine, without its trailing slash."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
        host.encode("idna")  # name resolution does the same later
    except ValueError:
        raise ValueError("Input should be an address like https://example.com") from None
    is_host = re.fullmatch(r"[a-z0-9._:-]+", host) and port != 0
    if parts.scheme not in ("http", "https") or not is_host or not re.fullmatch(r"[!-\[\]-~]+", text):
        raise ValueError("Input should be an address like https://example.com")
    if "@" in parts.netloc or "?" in text or "#" in text:
        raise ValueError("Input should be an address without user name, password, query or fragment")
    if parts.scheme == "http" and not _is_loopback(host):
        raise ValueError("Input should begin with https://; http:// is allowed for 127.0.0.1, ::1 and localhost only")
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _socket_address(text: str) -> str:
    if text and _host_and_port(text) is None:
        raise ValueError('Input should be host:port, like 127.0.0.1:9464, or ""')
    return text


def _host_and_port(text: str) -> tuple[str, int] | None:
    """Split ``host:port``, or ``[host]:port`` for IPv6; None for anything else."""
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})", text)
    if match is None or int(match[3]) >= 2**16:
        return None
    host = match[1] or match[2]
    try:
        host.encode("idna")
    except UnicodeError:  # two dots in a row, or a label of more than 63 characters
        return None
    return host, int(match[3])


def _credential(secret: SecretStr) -> SecretStr:
    """Refuse a credential that no HTTP header can hold: the HTTP library would quote it in its exception."""
    if not re.fullmatch(r"[!-~]*", secret.get_secret_value()):
        raise ValueError("Input should hold no spaces, line breaks or letters outside ASCII")
    return secret


_POSTGRES_ADDRESS = re.compile(r"postgres(ql)?://([^@/?#]*@)?[^@/?#]*/[^@/?#]+(\?[^#]*)?")


def _postgres_address(secret: SecretStr) -> SecretStr:
    """Refuse what names no PostgreSQL database; libpq would look for one by the user's name.

    And a password with an @ or a / in it, of which libpq would take, and show, the rest for the server's name.
    """
    if not secret:
        return secret
    try:
        urlsplit(address := secret.get_secret_value())
    except ValueError:
        address = ""
    if not _POSTGRES_ADDRESS.fullmatch(address):
        raise ValueError(
            "Input should be an address like postgresql://user:password@host/name, with odd characters of the password "
            "as their code (%40 for @, %2F for /)"
        )
    return secret


def _shards(text: str) -> str:
    return text and str(ShardGroup.parse(text))


def _not_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("Input should be a number")  # noqa: TRY004 -- pydantic collects ValueError only
    return value


def _file_path(value: object) -> object:
    if isinstance(value, str):
        value = value.strip()
        if not value or "\0" in value:
            raise ValueError("Input should be the path of a file")
    return value


def _not_empty(secret: SecretStr) -> SecretStr:
    if not secret:
        raise ValueError("Input should not be empty")
    return secret


def _set_with_public_url(listen: str, info: ValidationInfo) -> str:
    if not listen and info.data.get("public_url"):
        raise ValueError("Input should be host:port if links.public_url is set")
    return listen


def _only_credential(secret: SecretStr, info: ValidationInfo) -> SecretStr:
    if secret and info.data.get("api_key"):
        raise ValueError("Input should be empty if api_key is set: choose one of the two")
    return secret


def _number_as_text(least: str, most: str = "1e15") -> BeforeValidator:
    """Return a validator of a number between these bounds, kept as plain decimal text; empty stays empty."""

    def validated(value: object) -> str:
        text = str(_not_boolean(value)).strip()
        if not text:
            return ""
        try:
            number = Decimal(text)
        except ArithmeticError:
            raise ValueError("Input should be a number") from None
        if not number.is_finite() or not Decimal(least) <= number <= Decimal(most):
            raise ValueError(f"Input should be a number from {least} to {Decimal(most):f}")
        return f"{number:f}"

    return BeforeValidator(validated)


def _with_its_currency(rate: str, info: ValidationInfo) -> str:
    currency = info.data.get("custom_currency")  # None if it is invalid itself
    if currency is not None and bool(currency) != bool(rate):
        variable = "SKINDESK_PROVIDERS__SKINSBACK__CUSTOM_CURRENCY"
        raise ValueError(f"Input should be set together with custom_currency ({variable})")
    return rate


def _paired(secret: SecretStr, info: ValidationInfo) -> SecretStr:
    client_id = info.data.get("client_id")  # None if it is invalid itself
    if client_id is not None and bool(client_id) != bool(secret):
        raise ValueError("Input should be set together with client_id (SKINDESK_PROVIDERS__SKINSBACK__CLIENT_ID)")
    return secret


WebAddress = Annotated[str, AfterValidator(_web_address)]
SocketAddress = Annotated[str, AfterValidator(_socket_address)]
Credential = Annotated[SecretStr, AfterValidator(_credential)]
Snowflake = Annotated[int, BeforeValidator(_not_boolean), Field(gt=0, lt=2**63)]
Snowflakes = Annotated[tuple[Snowflake, ...], AfterValidator(lambda ids: tuple(dict.fromkeys(ids)))]


class _Table(BaseModel, extra="forbid", frozen=True, hide_input_in_errors=True, str_strip_whitespace=True):
    pass


class Discord(_Table):
    """The bot's account, and the servers this desk serves: ``guild_ids``, or the first one it was in.

    Commands are registered in ``command_guild_ids``, or everywhere if that is empty. ``shards`` are those of this
    process; all of them if it is empty.
    """

    token: Annotated[Credential, AfterValidator(_not_empty)]
    guild_ids: Snowflakes = ()
    command_guild_ids: Snowflakes = ()
    shards: Annotated[str, AfterValidator(_shards)] = ""

    @property
    def shard_group(self) -> ShardGroup | None:
        """The shards of this process; None if it has as many as Discord recommends."""
        return ShardGroup.parse(self.shards) if self.shards else None


class Database(_Table):
    """A SQLite file, relative to the working directory, or the address of a PostgreSQL database in its place."""

    path: Annotated[Path, BeforeValidator(_file_path)] = Path("skindesk.db")
    url: Annotated[Credential, AfterValidator(_postgres_address)] = SecretStr("")

    @property
    def passwords(self) -> frozenset[str]:
        """The passwords in the address, as they are written there and as the server gets them."""
        parts = urlsplit(self.url.get_secret_value())
        options = parse_qs(parts.query)
        written = [parts.password or "", *options.get("password", []), *options.get("sslpassword", [])]
        return frozenset(filter(None, [*written, *map(unquote, written)]))


class Inventory(_Table):
    """How inventories are shown. Use :attr:`Settings.default_provider` for the provider to ask."""

    default_provider: Literal["assetpay", "assetpay_client", "assetpay_legacy", "skinsback"] = "assetpay"
    page_size: Annotated[int, BeforeValidator(_not_boolean), Field(ge=1, le=25)] = 8


class Resends(_Table):
    """The rules of approving a resend."""

    expires_after_hours: Annotated[float, BeforeValidator(_not_boolean), Field(gt=0, allow_inf_nan=False)] = 24.0
    allow_self_approval: bool = False

    @property
    def expires_after(self) -> timedelta:
        """How long a request stays open: between a millisecond and a century, so that the date exists."""
        return max(timedelta(hours=min(self.expires_after_hours, _CENTURY_IN_HOURS)), timedelta(milliseconds=1))


class Links(_Table):
    """Steam sign-in; off while ``public_url`` is empty."""

    public_url: Annotated[str, AfterValidator(lambda text: text and _web_address(text))] = ""
    listen: Annotated[SocketAddress, AfterValidator(_set_with_public_url)] = "127.0.0.1:8080"
    steam_openid_url: WebAddress = "https://steamcommunity.com/openid/login"

    @property
    def address(self) -> tuple[str, int] | None:
        """The address of the sign-in page; None if Steam sign-in is off."""
        return _host_and_port(self.listen) if self.public_url else None


class Observability(_Table):
    """Logs, metrics and health; the latter two are off while ``listen`` is empty."""

    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error", "critical"] = "info"
    listen: SocketAddress = ""

    @property
    def address(self) -> tuple[str, int] | None:
        """The address of metrics and health; None if they are off."""
        return _host_and_port(self.listen)


class Provider(_Table):
    """The part that all providers share."""

    base_url: WebAddress

    @property
    def is_on(self) -> bool:
        """Whether the provider has credentials."""
        return any(isinstance(value, SecretStr) and value for _, value in self)


class AssetPay(Provider):
    """GET /secure/inventory and /secure/trades. ``verified`` selects the documented rate limits."""

    base_url: WebAddress = "https://api.assetpay.gg"
    api_key: Credential = SecretStr("")
    verified: bool = False


class AssetPayClient(AssetPay):
    """GET /client/inventory and /client/trades, current dialect: an API key for client tokens, or one fixed token."""

    client_token: Annotated[Credential, AfterValidator(_only_credential)] = SecretStr("")
    authorization: Literal["raw", "bearer"] = "raw"


class AssetPayLegacy(AssetPayClient):
    """The same calls, older dialect."""

    base_url: WebAddress = "https://api.assetpay.co"


class SkinsBack(Provider):
    """POST method=user_inventory, orders and orderstatus."""

    base_url: WebAddress = "https://skinsback.com/api.php"
    client_id: Annotated[str, Field(pattern=r"^[!-~]*$")] = ""
    client_secret: Annotated[Credential, AfterValidator(_paired), Field(validate_default=True)] = SecretStr("")
    auth: Literal["headers", "signature"] = "headers"
    currency: Annotated[str, Field(pattern=r"^[A-Za-z]{0,4}$")] = ""
    custom_multiplier: Annotated[str, _number_as_text("0.5", "2")] = ""
    custom_currency: Annotated[str, Field(pattern=r"^[A-Za-z]{0,4}$")] = ""
    custom_currency_rate: Annotated[
        str, _number_as_text("0.1"), AfterValidator(_with_its_currency), Field(validate_default=True)
    ] = ""

    @property
    def custom_prices(self) -> dict[str, str]:
        """The shop's own multiplier and currency, as parameters of the request (seed 003)."""
        names = ("custom_multiplier", "custom_currency", "custom_currency_rate")
        return {name: value for name in names if (value := getattr(self, name))}


class Mannco(Provider):
    """/trades/active, /trades/all and /trade/resend: an API key that gives JWTs, or one JWT.

    ``per_user_paths`` is for an administrator's key: one account's trades have a path of their own.
    """

    base_url: WebAddress = "https://api.mannco.store"
    api_key: Credential = SecretStr("")
    token: Annotated[Credential, AfterValidator(_only_credential)] = SecretStr("")
    resend_parameter: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = "resend"
    per_user_paths: bool = False


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
    """All settings. Their representation shows no secret."""

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
    def default_provider(self) -> ProviderName | None:
        """The provider to ask if the user names none; None if no inventory provider is on.

        The default of ``inventory.default_provider`` may be off, then this is the first provider that is on. A value
        that was set and is off is refused by :func:`load_settings`.
        """
        on = [name for name in INVENTORY_PROVIDERS if self.providers.table(name).is_on]
        default = ProviderName(self.inventory.default_provider)
        return default if default in on else next(iter(on), None)

    def secrets(self) -> tuple[SecretStr, ...]:
        """Return all secrets that are set, to mask them in logs: the password in an address also by itself."""
        stated = tuple(secret for key in SECRETS if (secret := attrgetter(key)(self)))
        return stated + tuple(SecretStr(password) for password in self.database.passwords)


def _keys(model: type[BaseModel], table: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each dotted key with the type of its value."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, _Table):
            yield from _keys(kind, f"{table}{name}.")
        else:
            yield f"{table}{name}", kind


TYPES: Final = dict(_keys(Settings))
VARIABLES: Final[Mapping[str, str]] = {key: PREFIX + key.upper().replace(".", "__") for key in TYPES}
"""Every dotted key and its environment variable."""
SECRETS: Final = tuple(key for key, kind in TYPES.items() if kind is SecretStr)
SECRET_FILES: Final[Mapping[str, str]] = {f"{key}_file": f"{VARIABLES[key]}_FILE" for key in SECRETS}
"""Every dotted key that names a file with a secret, and its environment variable."""
