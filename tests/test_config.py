"""The configuration: what is read, what is refused, and that no refusal shows a secret."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from bot.config import (
    INVENTORY_PROVIDERS,
    PREFIX,
    VARIABLES,
    ConfigurationInvalid,
    Discord,
    Problem,
    Settings,
    load_settings,
)
from bot.domain.failures import ProviderName

EXAMPLE = Path(__file__).parent.parent / "config.example.toml"
TOKEN = {"SKINDESK_DISCORD__TOKEN": "a-token"}
CANARY = "CANARY-4711"
CREDENTIALS = {
    ProviderName.ASSETPAY: {"api_key": "ap_key"},
    ProviderName.ASSETPAY_CLIENT: {"client_token": "fixed"},
    ProviderName.ASSETPAY_LEGACY: {"api_key": "ap_key"},
    ProviderName.SKINSBACK: {"client_id": "12", "client_secret": "secret"},
    ProviderName.MANNCO: {"token": "jwt"},
}
SECRET_KEYS = (
    "discord.token",
    "providers.assetpay.api_key",
    "providers.assetpay_client.api_key",
    "providers.assetpay_client.client_token",
    "providers.assetpay_legacy.api_key",
    "providers.assetpay_legacy.client_token",
    "providers.skinsback.client_secret",
    "providers.mannco.api_key",
    "providers.mannco.token",
)


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(text: str = "", **environ: str) -> Settings:
    """Load a file with this text, over it a token and ``environ`` (keys dotted, with __ for the dot)."""
    Path("skindesk.toml").write_text(text, encoding="utf-8")
    return load_settings(Path("skindesk.toml"), TOKEN | {PREFIX + key.upper(): value for key, value in environ.items()})


def problems(
    text: str = "", environ: Mapping[str, str] = TOKEN, file: Path = Path("skindesk.toml")
) -> tuple[Problem, ...]:
    if file == Path("skindesk.toml"):
        file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationInvalid) as caught:
        load_settings(file, environ)
    return caught.value.problems


def problem(text: str = "", environ: Mapping[str, str] = TOKEN) -> Problem:
    (only,) = problems(text, environ)
    return only


def variables(provider: str, values: Mapping[str, str]) -> dict[str, str]:
    return {VARIABLES[f"providers.{provider}.{key}"]: value for key, value in values.items()}


def flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def values(configured: Settings) -> dict[str, Any]:
    """Every key and its value as TOML would hold it, secrets revealed."""
    found = {}
    for key in VARIABLES:
        value: Any = configured
        for step in key.split("."):
            value = getattr(value, step)
        found[key] = value.get_secret_value() if isinstance(value, SecretStr) else value
    found["discord.command_guild_ids"] = list(found["discord.command_guild_ids"])
    found["database.path"] = str(found["database.path"])
    return found


class TestExample:
    def test_its_keys_and_values_are_the_models(self) -> None:
        """The example shows every key there is, with its default."""
        assert values(read()) | {"discord.token": ""} == dict(flat(tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))))

    def test_every_key_is_explained(self) -> None:
        """No key stands without a comment right above it."""
        lines = EXAMPLE.read_text(encoding="utf-8").splitlines()

        assert [
            line for above, line in pairwise(lines) if re.match(r"\w+ = ", line) and not above.startswith("# ")
        ] == []

    @pytest.mark.parametrize("provider", ProviderName)
    def test_filled_in(self, provider: ProviderName) -> None:
        """With a token and one provider the example is a configuration that starts."""
        text = EXAMPLE.read_text(encoding="utf-8").replace('token = ""', 'token = "a-token"', 1)
        head, table, rest = text.partition(f"[providers.{provider}]")
        for key, value in CREDENTIALS[provider].items():
            rest = rest.replace(f'{key} = ""', f'{key} = "{value}"', 1)
        if provider in INVENTORY_PROVIDERS:
            head = head.replace('default_provider = "assetpay"', f'default_provider = "{provider}"')
        Path("config.toml").write_text(head + table + rest, encoding="utf-8")

        assert load_settings(None, {}).providers_on == (provider,)

    def test_only_a_token(self) -> None:
        """A bot without a provider starts."""
        text = EXAMPLE.read_text(encoding="utf-8").replace('token = ""', 'token = "a-token"', 1)

        assert read(text).providers_on == ()


class TestEnvironment:
    def test_every_key(self) -> None:
        """Every key can come from the environment, which wins over the file."""
        given_values = {
            "discord.token": "T",
            "discord.command_guild_ids": [1, 2],
            "database.path": "other.db",
            "inventory.default_provider": "skinsback",
            "inventory.page_size": 3,
            "resends.expires_after_hours": 0.5,
            "resends.allow_self_approval": True,
            "links.public_url": "https://desk.example.com",
            "links.listen": "0.0.0.0:1",
            "links.steam_openid_url": "http://127.0.0.1:1/openid",
            "observability.log_format": "json",
            "observability.log_level": "debug",
            "observability.listen": "[::1]:9464",
            "providers.assetpay.base_url": "http://localhost:2",
            "providers.assetpay.api_key": "A",
            "providers.assetpay.verified": True,
            "providers.assetpay_client.base_url": "http://[::1]:3",
            "providers.assetpay_client.api_key": "",
            "providers.assetpay_client.client_token": "C",
            "providers.assetpay_client.authorization": "bearer",
            "providers.assetpay_client.verified": True,
            "providers.assetpay_legacy.base_url": "https://legacy.example",
            "providers.assetpay_legacy.api_key": "L",
            "providers.assetpay_legacy.client_token": "",
            "providers.assetpay_legacy.authorization": "bearer",
            "providers.assetpay_legacy.verified": True,
            "providers.skinsback.base_url": "https://back.example/api.php",
            "providers.skinsback.client_id": "7",
            "providers.skinsback.client_secret": "S",
            "providers.skinsback.auth": "signature",
            "providers.skinsback.currency": "eur",
            "providers.mannco.base_url": "https://store.example",
            "providers.mannco.api_key": "",
            "providers.mannco.token": "J",
            "providers.mannco.resend_parameter": "id",
        }
        environ = {VARIABLES[key]: value if isinstance(value, str) else json.dumps(value)
                   for key, value in given_values.items()}  # fmt: skip

        assert values(load_settings(EXAMPLE, environ)) == given_values

    @pytest.mark.parametrize(
        ("text", "expected"),
        [("", ()), ("1", (1,)), (" 1 , 2,", (1, 2)), ("[1, 2]", (1, 2)), ("[]", ()), ("2,1,2", (2, 1))],
    )
    def test_list(self, text: str, expected: Any) -> None:
        """A list is JSON or separated by commas; an id counts once."""
        assert read(discord__command_guild_ids=text).discord.command_guild_ids == expected

    @pytest.mark.parametrize("text", ["[1", "1;2", "0", "-1", '["x"]', "[[1]]", "[true]", str(2**63), "[" * 5000])
    def test_bad_list(self, text: str) -> None:
        """What is no list of ids is refused under its key."""
        found = problems(environ=TOKEN | {"SKINDESK_DISCORD__COMMAND_GUILD_IDS": text})

        assert {one.key for one in found} == {"discord.command_guild_ids"}

    def test_whitespace(self) -> None:
        """Space around a value, as a copied secret has it, does not count."""
        found = read(discord__token=" T\n", inventory__page_size=" 3 ", database__path=" a.db ")

        assert (found.discord.token.get_secret_value(), found.inventory.page_size, found.database.path) == (
            "T",
            3,
            Path("a.db"),
        )

    def test_other_programs_variables(self) -> None:
        """A variable of another program is nobody's mistake."""
        assert load_settings(None, TOKEN | {"HOME": "/", "SKIN": "x"}).providers_on == ()


class TestFile:
    def test_in_the_working_directory(self) -> None:
        """Without --config, config.toml is read if it is there."""
        Path("config.toml").write_text("inventory.page_size = 5", encoding="utf-8")

        assert load_settings(None, TOKEN).inventory.page_size == 5

    def test_from_windows(self) -> None:
        """A byte order mark and carriage returns are no mistakes."""
        Path("config.toml").write_bytes("\ufeff[inventory]\r\npage_size = 5\r\n".encode())

        assert load_settings(None, TOKEN).inventory.page_size == 5

    @pytest.mark.parametrize(
        "content",
        [b"\xff", b"discord = ", b"a = 1\na = 2", b"a = " + b"[" * 5000, b"a = " + b"9" * 5000, None],
        ids=["not UTF-8", "half", "twice", "deep", "long", "not there"],
    )
    def test_unreadable(self, content: bytes | None) -> None:
        """A file that cannot be read is the problem; what it might have said is not called missing."""
        if content is not None:
            Path("broken.toml").write_bytes(content)

        found = problems(environ={"SKINDESK_INVENTORY__PAGE_SIZE": "0", "SKINDESK_X": ""}, file=Path("broken.toml"))

        assert [one.key for one in found] == ["broken.toml", "inventory.page_size", "x"]

    def test_directory(self, tmp_path: Path) -> None:
        """A directory in the file's place is named."""
        (one,) = problems(file=tmp_path)

        assert one.what == "cannot be read (Is a directory)"

    def test_value_where_a_table_belongs(self) -> None:
        """A value in a table's place is refused, whatever the environment would put into the table."""
        assert problem("discord = 3") == Problem("discord", None, "should be a table")

    def test_message_about_syntax_is_one_line(self) -> None:
        """What a file holds cannot write to the terminal."""
        (one,) = problems('a = "\x1b[31m"')

        assert str(one).isprintable()


class TestUnknown:
    @pytest.mark.parametrize(
        ("text", "key", "nearest"),
        [
            ("[discord]\ntokn = 1", "discord.tokn", "discord.token (SKINDESK_DISCORD__TOKEN)"),
            ("[discord]\npage_size = 1", "discord.page_size", "inventory.page_size"),
            ("token = 1", "token", "discord.token"),
            ("[inventor]\npage_size = 1", "inventor", "the table inventory"),
            ("[provider.assetpay]", "provider", "the table providers"),
            ("[assetpay]", "assetpay", "the table providers.assetpay"),
            ("[providers.manco]", "providers.manco", "the table providers.mannco"),
            ('["\\u001b[31m"]', "\\x1b[31m", ""),
        ],
    )
    def test_in_the_file(self, text: str, key: str, nearest: str) -> None:
        """A key or table that is not known is a mistake, and the nearest known one is named."""
        found = problem(text)

        assert found.key == key
        assert f"the nearest is {nearest}" in found.what

    @pytest.mark.parametrize(
        ("name", "nearest"),
        [
            ("SKINDESK_DISCORD_TOKEN", "SKINDESK_DISCORD__TOKEN"),
            ("SKINDESK_TOKEN", "SKINDESK_DISCORD__TOKEN"),
            ("SKINDESK_ASSETPAY__API_KEY", "SKINDESK_PROVIDERS__ASSETPAY__API_KEY"),
            ("SKINDESK_discord__token", "SKINDESK_DISCORD__TOKEN"),
            ("SKINDESK_", "SKINDESK_"),
        ],
    )
    def test_in_the_environment(self, name: str, nearest: str) -> None:
        """A variable of SkinDesk's that sets nothing is a mistake too."""
        found = problem(environ=TOKEN | {name: CANARY})

        assert found.environment_variable == name
        assert nearest in found.what
        assert CANARY not in found.what


def test_everything_wrong_at_once() -> None:
    """Mistakes in the file, in the environment and between keys are told together, each with key and variable."""
    found = problems(
        """
        inventory.default_provider = "skinsback"
        inventory.page_size = 26
        resends.hours = 1
        providers.assetpay = { api_key = "a", base_url = "http://example.com" }
        providers.skinsback.auth = "magic"
        providers.mannco = { api_key = "a", token = "b" }
        """,
        {"SKINDESK_OBSERVABILITY__LOG_LEVEL": "loud", "SKINDESK_DISCORD__TOKENS": "x"},
    )

    assert {one.key: one.environment_variable for one in found} == {
        "discord.token": "SKINDESK_DISCORD__TOKEN",
        "inventory.default_provider": "SKINDESK_INVENTORY__DEFAULT_PROVIDER",
        "inventory.page_size": "SKINDESK_INVENTORY__PAGE_SIZE",
        "resends.hours": None,
        "providers.assetpay.base_url": "SKINDESK_PROVIDERS__ASSETPAY__BASE_URL",
        "providers.skinsback.auth": "SKINDESK_PROVIDERS__SKINSBACK__AUTH",
        "providers.mannco.token": "SKINDESK_PROVIDERS__MANNCO__TOKEN",
        "observability.log_level": "SKINDESK_OBSERVABILITY__LOG_LEVEL",
        "discord.tokens": "SKINDESK_DISCORD__TOKENS",
    }


class TestSecrets:
    @pytest.mark.parametrize("key", SECRET_KEYS)
    @pytest.mark.parametrize("value", [f'"{CANARY} x"', f'"{CANARY}é"', f'["{CANARY}"]', f'{{ x = "{CANARY}" }}'])
    def test_refused(self, key: str, value: str) -> None:
        """A secret that is refused shows in nothing that could be printed or logged."""
        Path("secret.toml").write_text(f"{key} = {value}", encoding="utf-8")
        with pytest.raises(ConfigurationInvalid) as caught:
            load_settings(Path("secret.toml"), {} if key == "discord.token" else TOKEN)

        assert key in {one.key for one in caught.value.problems}
        assert CANARY not in f"{caught.value} {caught.value!r} {caught.value.problems!r}"
        assert caught.value.__context__ is None

    @pytest.mark.parametrize("key", [key for key in VARIABLES if key not in ("discord.token", "database.path")])
    def test_in_the_wrong_place(self, key: str) -> None:
        """A secret that was pasted under another key is not echoed either."""
        with pytest.raises(ConfigurationInvalid) as caught:
            load_settings(None, TOKEN | {VARIABLES[key]: f"https://{CANARY}:{CANARY}@example.com/ {CANARY}"})

        assert CANARY not in f"{caught.value} {caught.value!r}"

    def test_printed_settings(self) -> None:
        """Settings print without their secrets."""
        environ = {VARIABLES[key]: CANARY for key in SECRET_KEYS if not key.endswith("token")} | TOKEN
        found = load_settings(None, environ | {"SKINDESK_PROVIDERS__SKINSBACK__CLIENT_ID": "7"})

        assert CANARY not in f"{found} {found!r} {found.model_dump()} {found.model_dump_json()}"

    def test_listed(self) -> None:
        """Every secret that is set is there to be recognised elsewhere."""
        environ = {VARIABLES[key]: key for key in SECRET_KEYS if not key.endswith("api_key")}
        found = load_settings(None, environ | {"SKINDESK_PROVIDERS__SKINSBACK__CLIENT_ID": "7"})

        assert {key for key in SECRET_KEYS if not key.endswith("api_key")} == {
            secret.get_secret_value() for secret in found.secrets()
        }

    def test_validation_error_of_a_model(self) -> None:
        """A model that is built by hand hides what it refuses."""
        with pytest.raises(ValidationError) as caught:
            Discord(token=SecretStr(f"{CANARY} x"))

        assert CANARY not in str(caught.value)


class TestAddresses:
    @pytest.mark.parametrize(
        ("given_address", "kept"),
        [
            ("https://api.example.com", "https://api.example.com"),
            ("https://api.example.com/", "https://api.example.com"),
            ("HTTPS://api.example.com:8443/v1//", "https://api.example.com:8443/v1"),
            ("http://127.0.0.1:5000/", "http://127.0.0.1:5000"),
            ("http://127.9.9.9", "http://127.9.9.9"),
            ("http://localhost:1", "http://localhost:1"),
            ("http://[::1]:1/a", "http://[::1]:1/a"),
        ],
    )
    def test_taken(self, given_address: str, kept: str) -> None:
        """Https anywhere, http to this machine; a slash at the end goes."""
        assert read(providers__mannco__base_url=given_address).providers.mannco.base_url == kept

    @pytest.mark.parametrize(
        "address",
        [
            "",
            "api.example.com",
            "//api.example.com",
            "ftp://example.com",
            "http://example.com",
            "http://0.0.0.0",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "http://[::1%25eth0]",
            "https://",
            "https://user@example.com",
            "https://user:word@example.com",
            "http://127.0.0.1@example.com",
            "https://example.com?",
            "https://example.com/?a=b",
            "https://example.com/#a",
            "https://exam ple.com",
            "https://example.com/a\nb",
            "https://example.com\\@evil.example",
            "https://exämple.com",
            "https://example.com:0",
            "https://example.com:99999",
            "https://example.com:port",
            "https://[::1",
            "https://steam..com/x",
            f"https://{'a' * 64}.example.com",
        ],
    )
    @pytest.mark.parametrize("key", ["providers.assetpay.base_url", "links.steam_openid_url"])
    def test_refused(self, key: str, address: Any) -> None:
        """Plain http to elsewhere, credentials, queries and what is no address are refused."""
        assert problem(environ=TOKEN | {VARIABLES[key]: address}).key == key

    def test_public_url(self) -> None:
        """The public address follows the same rules, but may be empty: sign-in is then off."""
        assert read(links__public_url="https://desk.example.com/").links.address == ("127.0.0.1", 8080)
        assert read().links.address is None
        assert problem("links.public_url = 'http://desk.example.com'").key == "links.public_url"

    def test_public_url_without_listening(self) -> None:
        """Sign-in that nobody listens to is refused."""
        found = problem('[links]\npublic_url = "https://desk.example.com"\nlisten = ""')

        assert found == Problem("links.listen", "SKINDESK_LINKS__LISTEN", "is empty, but links.public_url is set")

    @pytest.mark.parametrize(
        ("text", "address"),
        [("127.0.0.1:9464", ("127.0.0.1", 9464)), ("[::]:0", ("::", 0)), ("desk-1.local:80", ("desk-1.local", 80)),
         ("", None), ("desk.local.:80", ("desk.local.", 80)), (f"{'a' * 63}:80", ("a" * 63, 80))],
    )  # fmt: skip
    def test_listen(self, text: str, address: Any) -> None:
        """Where to listen is host:port, or nowhere."""
        assert read(observability__listen=text).observability.address == address

    @pytest.mark.parametrize(
        "text", ["9464", ":9464", "127.0.0.1", "127.0.0.1:", "::1:80", "a:65536", "http://a:1", "a:²",
                 "127.0.0..1:9464", ".:80", "[::1..2]:80", f"{'a' * 64}:80"]
    )  # fmt: skip
    def test_listen_refused(self, text: str) -> None:
        """Half an address is refused."""
        assert problem(environ=TOKEN | {"SKINDESK_OBSERVABILITY__LISTEN": text}).key == "observability.listen"


class TestValues:
    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("discord.token", '""'),
            ("discord.token", '"  "'),
            ("discord.token", '"Bot abc"'),
            ("discord.command_guild_ids", "[0]"),
            ("discord.command_guild_ids", '"1"'),
            ("database.path", '""'),
            ("database.path", '"a\\u0000b"'),
            ("database.path", "3"),
            ("inventory.default_provider", '"mannco"'),
            ("inventory.default_provider", '"all"'),
            ("inventory.page_size", "0"),
            ("inventory.page_size", "26"),
            ("inventory.page_size", "8.5"),
            ("inventory.page_size", "true"),
            ("resends.expires_after_hours", "0"),
            ("resends.expires_after_hours", "-1.0"),
            ("resends.expires_after_hours", "nan"),
            ("resends.expires_after_hours", "inf"),
            ("resends.expires_after_hours", "true"),
            ("resends.expires_after_hours", '"soon"'),
            ("resends.allow_self_approval", '"perhaps"'),
            ("observability.log_format", '"xml"'),
            ("observability.log_level", '"INFO"'),
            ("providers.assetpay.verified", "2"),
            ("providers.assetpay_client.authorization", '"basic"'),
            ("providers.skinsback.auth", '"none"'),
            ("providers.skinsback.client_id", "12"),
            ("providers.skinsback.client_id", '"1 2"'),
            ("providers.skinsback.currency", '"euros"'),
            ("providers.skinsback.currency", '"e€"'),
            ("providers.mannco.resend_parameter", '""'),
            ("providers.mannco.resend_parameter", '"1"'),
            ("providers.mannco.resend_parameter", '"a&b"'),
            ("providers.mannco.resend_parameter", '"é"'),
        ],
    )
    def test_refused(self, key: str, value: str) -> None:
        """A value outside its key's rules is refused under key and variable, and there is one sentence about it."""
        found = problem(f"{key} = {value}", {} if key == "discord.token" else TOKEN)

        assert (found.key, found.environment_variable) == (key, VARIABLES[key])
        assert found.what not in ("", "cannot be used")

    @pytest.mark.parametrize(
        ("hours", "expected"),
        [
            ("0.5", timedelta(minutes=30)),
            ("1e-300", timedelta(milliseconds=1)),
            ("1e300", timedelta(days=36525)),
        ],
    )
    def test_expiry(self, hours: str, expected: Any) -> None:
        """Any number of hours above 0 gives a time that can be added to a date."""
        assert read(resends__expires_after_hours=hours).resends.expires_after == expected

    def test_frozen(self) -> None:
        """Settings do not change."""
        with pytest.raises(ValidationError):
            setattr(read().inventory, "page_size", 3)  # noqa: B010 -- mypy would refuse the plain way


class TestProviders:
    @pytest.mark.parametrize("provider", ProviderName)
    def test_on(self, provider: ProviderName) -> None:
        """A provider is on when its credentials are there."""
        found = load_settings(None, TOKEN | variables(provider, CREDENTIALS[provider]))

        assert found.providers_on == (provider,)
        assert found.inventory_providers_on == (() if provider is ProviderName.MANNCO else (provider,))

    @pytest.mark.parametrize("half", ["client_id", "client_secret"])
    def test_half_a_pair(self, half: str) -> None:
        """SkinsBack's id without its secret, or the other way round, is a mistake that names both."""
        found = problem(environ=TOKEN | variables(ProviderName.SKINSBACK, {half: "x"}))

        assert found.key == "providers.skinsback.client_secret"
        assert "client_id" in found.what

    @pytest.mark.parametrize(
        ("provider", "other"),
        [("assetpay_client", "client_token"), ("assetpay_legacy", "client_token"), ("mannco", "token")],
    )
    def test_two_ways_in(self, provider: ProviderName, other: str) -> None:
        """An API key beside a fixed token is refused: which one counts would be a guess."""
        found = problem(environ=TOKEN | variables(provider, {"api_key": "a", other: "b"}))

        assert found.key == f"providers.{provider}.{other}"
        assert "choose one" in found.what

    @pytest.mark.parametrize(
        ("on", "expected"),
        [
            ((), None),
            ((ProviderName.MANNCO,), None),
            ((ProviderName.SKINSBACK,), ProviderName.SKINSBACK),
            ((ProviderName.SKINSBACK, ProviderName.ASSETPAY_LEGACY), ProviderName.ASSETPAY_LEGACY),
            ((ProviderName.SKINSBACK, ProviderName.ASSETPAY), ProviderName.ASSETPAY),
        ],
    )
    def test_default_not_set(self, on: Any, expected: Any) -> None:
        """Where no default is set it is AssetPay, or the first provider that is on."""
        environ = dict(TOKEN)
        for provider in on:
            environ |= variables(provider, CREDENTIALS[provider])

        assert load_settings(None, environ).default_provider == expected

    def test_default_set(self) -> None:
        """A default that is on is the default."""
        environ = TOKEN | {"SKINDESK_INVENTORY__DEFAULT_PROVIDER": " skinsback "}
        for provider in (ProviderName.ASSETPAY, ProviderName.SKINSBACK):
            environ |= variables(provider, CREDENTIALS[provider])

        assert load_settings(None, environ).default_provider == ProviderName.SKINSBACK

    @pytest.mark.parametrize(
        ("chosen", "on"),
        [
            (ProviderName.ASSETPAY, ProviderName.SKINSBACK),
            (ProviderName.SKINSBACK, ProviderName.ASSETPAY),
            (ProviderName.SKINSBACK, ProviderName.MANNCO),
        ],
    )
    def test_default_set_to_one_that_is_off(self, chosen: ProviderName, on: Any) -> None:
        """A default that was chosen and is off is refused, not replaced."""
        found = problem(f'inventory.default_provider = "{chosen}"', TOKEN | variables(on, CREDENTIALS[on]))

        assert found.key == "inventory.default_provider"
        assert f"{chosen} is off" in found.what


@given(
    st.dictionaries(st.sampled_from(sorted(VARIABLES.values())) | st.text().map(PREFIX.__add__), st.text()), st.binary()
)
@settings(max_examples=100)
def test_anything(tmp_path_factory: pytest.TempPathFactory, environ: dict[str, str], content: bytes) -> None:
    """Whatever stands in the file and the environment, the answer is settings or a list of problems."""
    file = tmp_path_factory.getbasetemp() / "anything.toml"
    file.write_bytes(content)
    try:
        load_settings(file, environ)
        found: tuple[Problem, ...] = ()
    except ConfigurationInvalid as invalid:
        found = invalid.problems

    assert all(str(one).isprintable() for one in found)
