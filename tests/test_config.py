"""The configuration: values that are taken, values that are refused, and no secret in any refusal."""

import json
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from itertools import pairwise
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.config import INVENTORY_PROVIDERS, PREFIX, SECRET_FILES, VARIABLES, Settings
from bot.config_loading import ConfigurationInvalid, Problem, load_settings
from bot.domain.failures import ProviderName
from bot.domain.shards import ShardGroup

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
SECRET_KEYS = tuple(
    key for key in VARIABLES if key.endswith(("token", "api_key", "secret", "url")) and "_url" not in key
)
SHAPES = {"database.url": "postgresql://host/"}
OTHER_VALUES = """
discord = { token = "T", guild_ids = [3], command_guild_ids = [1, 2], shards = "0-3/8" }
database = { path = "other.db", url = "postgresql://a:b@c/d" }
inventory = { default_provider = "skinsback", page_size = 3 }
resends = { expires_after_hours = 0.5, allow_self_approval = true }
observability = { log_format = "json", log_level = "debug", listen = "[::1]:9464" }
links = { public_url = "https://a.example", listen = "0.0.0.0:1", steam_openid_url = "http://127.0.0.1:1/openid" }
[providers]
assetpay = { base_url = "http://localhost:2", api_key = "A", verified = true }
assetpay_client = { base_url = "http://[::1]:3", client_token = "C", authorization = "bearer", verified = true }
assetpay_legacy = { base_url = "https://l.eg", api_key = "L", authorization = "bearer", verified = true }
skinsback = { base_url = "https://a.b", client_id = "7", client_secret = "S", auth = "signature", currency = "eur", \
custom_multiplier = "0.9", custom_currency = "GEM", custom_currency_rate = "10" }
mannco = { base_url = "https://store.example", token = "J", resend_parameter = "id", per_user_paths = true }
"""
"""Other values than the defaults, for all keys but those that exclude each other."""

SKIPPED = {"providers.assetpay_client.api_key", "providers.assetpay_legacy.client_token", "providers.mannco.api_key"}

READ = [
    ("discord.command_guild_ids", " 1 , 2,", (1, 2)),
    ("discord.command_guild_ids", '[1,\n"2"]', (1, 2)),
    ("discord.command_guild_ids", "2,1,2", (2, 1)),
    ("discord.guild_ids", "7,8", (7, 8)),
    ("discord.token", " T\n", SecretStr("T")),
    ("discord.shard_group", "0-7/8", ShardGroup(0, 7, 8)),
    ("discord.shard_group", "0/1", ShardGroup(0, 0, 1)),
    ("discord.shard_group", "", None),
    ("database.path", " a.db ", Path("a.db")),
    ("database.url", "postgres:///desk", SecretStr("postgres:///desk")),
    ("database.passwords", "postgresql://u@a:1,b:2/d?target_session_attrs=read-write", frozenset()),
    ("database.passwords", "postgresql://u:p%40ss@h/d?sslpassword=q", frozenset({"p%40ss", "p@ss", "q"})),
    ("inventory.page_size", " 3 ", 3),
    ("resends.expires_after", "0.5", timedelta(minutes=30)),
    ("resends.expires_after", "1e-300", timedelta(milliseconds=1)),
    ("resends.expires_after", "1e300", timedelta(days=36525)),
    ("links.public_url", "https://desk.example.com/", "https://desk.example.com"),
    ("links.address", "", None),
    ("links.address", "https://a.example", ("127.0.0.1", 8080)),
    ("observability.address", "", None),
    ("observability.address", "127.0.0.1:9464", ("127.0.0.1", 9464)),
    ("observability.address", "[::]:0", ("::", 0)),
    ("observability.address", "desk-1.local.:80", ("desk-1.local.", 80)),
    ("observability.address", f"{'a' * 63}:80", ("a" * 63, 80)),
    ("providers.mannco.base_url", "HTTPS://api.example.com:8443/v1//", "https://api.example.com:8443/v1"),
    ("providers.mannco.base_url", "http://127.9.9.9:5000/", "http://127.9.9.9:5000"),
    ("providers.mannco.base_url", "http://localhost:1", "http://localhost:1"),
]
"""Attributes of the settings, the text of their variable, and the value that is read."""

COMPUTED = {
    "discord.shard_group": "discord.shards",
    "database.passwords": "database.url",
    "resends.expires_after": "resends.expires_after_hours",
    "links.address": "links.public_url",
    "observability.address": "observability.listen",
}

REFUSED: dict[str, tuple[object, ...]] = {
    "discord.token": ("", "  ", "Bot abc"),
    "discord.guild_ids": ([0], ["x"]),
    "discord.command_guild_ids": ("1", [0], [-1], [2**63], [True], ["x"], [[1]]),
    "discord.shards": ("0-3/8", "7/8", "4", "0-8/8", "3-1/8", "-1/8", "0-1/0", "0-1/4097", "a", 3),
    "database.path": ("", "a\0b", 3),
    "database.url": ("mysql://a/b", "postgresql://host", "host=h dbname=d", "postgresql://[a/b", "postgres://@@/d", 3),
    "inventory.default_provider": ("mannco", "all", 3, ["assetpay"]),
    "inventory.page_size": (0, 26, 8.5, True, "x"),
    "resends.expires_after_hours": (0, -1.0, float("nan"), float("inf"), True, "soon"),
    "resends.allow_self_approval": ("perhaps", 2),
    "links.public_url": ("http://desk.example.com",),
    "observability.log_format": ("xml",),
    "observability.log_level": ("INFO",),
    "observability.listen": (
        *("9464", ":9464", "127.0.0.1", "127.0.0.1:", "::1:80", "a:65536", "http://a:1", "a:²", "a@b:1", "a b:1"),
        *("127.0.0..1:9464", ".:80", "[::1..2]:80", f"{'a' * 64}:80"),
    ),
    "providers.assetpay.base_url": (
        *("", "api.example.com", "//api.example.com", "ftp://example.com", "https://", "https://[::1"),
        *("http://example.com", "http://0.0.0.0", "http://127.0.0.1.example.com", "http://localhost.example.com"),
        *("http://[::1%25eth0]", "http://127.0.0.1@example.com", "https://user:word@example.com"),
        *("https://example.com?", "https://example.com/?a=b", "https://example.com/#a", "https://exam ple.com"),
        *("https://example.com/a\nb", "https://example.com\\@evil.example", "https://exämple.com"),
        *("https://example.com:0", "https://example.com:99999", "https://example.com:port"),
        *("https://steam..com/x", f"https://{'a' * 64}.example.com"),
    ),
    "links.steam_openid_url": ("http://example.com",),
    "providers.assetpay.verified": (2,),
    "providers.assetpay_client.authorization": ("basic",),
    "providers.skinsback.auth": ("none",),
    "providers.skinsback.client_id": (12, "1 2"),
    "providers.skinsback.currency": ("euros", "e€"),
    "providers.skinsback.custom_multiplier": (0.49, "0.4", 2.01, "3", True, "much", "nan", "inf", "1,5"),
    "providers.skinsback.custom_currency": ("coins", "G€M", 5),
    "providers.skinsback.custom_currency_rate": (0.09, "0.05", "-1", "NaN", False, "10 USD", "1e16"),
    "providers.mannco.resend_parameter": ("", "1", "a&b", "é"),
}
"""Values that a file may hold for a key and that are refused."""


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def problems(text: str = "", environ: Mapping[str, str] = TOKEN) -> tuple[Problem, ...]:
    Path("skindesk.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationInvalid) as caught:
        load_settings(Path("skindesk.toml"), environ)
    return caught.value.problems


def problem(text: str = "", environ: Mapping[str, str] = TOKEN) -> Problem:
    (only,) = problems(text, environ)
    return only


def variables(*providers: ProviderName) -> dict[str, str]:
    """The token, and the credentials that switch these providers on."""
    return TOKEN | {
        VARIABLES[f"providers.{name}.{key}"]: value for name in providers for key, value in CREDENTIALS[name].items()
    }


def flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def values(configured: Settings) -> dict[str, Any]:
    """Every key and its value as TOML would hold it, secrets revealed."""
    found = {key: attrgetter(key)(configured) for key in VARIABLES}
    revealed = {
        key: value.get_secret_value() if isinstance(value, SecretStr) else value for key, value in found.items()
    }
    lists = {key: list(value) for key, value in found.items() if isinstance(value, tuple)}
    return revealed | lists | {"database.path": str(found["database.path"])}


class TestExample:
    def test_shows_every_key_with_its_default(self) -> None:
        defaults = values(load_settings(None, TOKEN)) | {"discord.token": ""}

        assert defaults == dict(flat(tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))))

    def test_every_key_has_a_comment(self) -> None:
        lines = EXAMPLE.read_text(encoding="utf-8").splitlines()

        assert [
            line for above, line in pairwise(lines) if re.match(r"\w+ = ", line) and not above.startswith("# ")
        ] == []

    @pytest.mark.parametrize("provider", [None, *ProviderName])
    def test_filled_in(self, provider: ProviderName | None) -> None:
        """With a token, and one provider or none, the example is a configuration that starts."""
        text = EXAMPLE.read_text(encoding="utf-8").replace('token = ""', 'token = "a-token"', 1)
        head, table, tail = text.partition(f"[providers.{provider}]")
        for key, value in CREDENTIALS[provider].items() if provider else ():
            tail = tail.replace(f'{key} = ""', f'{key} = "{value}"', 1)
        if provider in INVENTORY_PROVIDERS:
            head = head.replace('default_provider = "assetpay"', f'default_provider = "{provider}"')
        Path("config.toml").write_text(head + table + tail, encoding="utf-8")

        assert load_settings(None, {}).providers_on == ((provider,) if provider else ())


class TestRead:
    def test_environment(self) -> None:
        """Every key can come from the environment, which wins over the file."""
        others = dict(flat(tomllib.loads(OTHER_VALUES)))
        environ = {
            VARIABLES[key]: value if isinstance(value, str) else json.dumps(value) for key, value in others.items()
        }

        found = values(load_settings(EXAMPLE, environ))
        assert found == dict(flat(tomllib.loads(EXAMPLE.read_text(encoding="utf-8")))) | others
        assert {key for key in VARIABLES if key not in others} == SKIPPED

    @pytest.mark.parametrize(("attribute", "text", "expected"), READ)
    def test_value(self, attribute: str, text: str, expected: object) -> None:
        found = load_settings(None, TOKEN | {VARIABLES[COMPUTED.get(attribute, attribute)]: text})

        assert attrgetter(attribute)(found) == expected

    def test_other_programs_variables(self) -> None:
        assert load_settings(None, TOKEN | {"HOME": "/", "SKIN": "x"}).providers_on == ()

    def test_file_from_windows(self) -> None:
        """config.toml is read without --config; a byte order mark and carriage returns are no mistakes."""
        Path("config.toml").write_bytes("\ufeff[inventory]\r\npage_size = 5\r\n".encode())

        assert load_settings(None, TOKEN).inventory.page_size == 5


class TestRefused:
    @pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in REFUSED.items() for value in values])
    def test_value(self, key: str, value: object) -> None:
        """A refused value is reported once, with its key and its variable."""
        written = str(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
        found = problem(f"{key} = {written}", {} if key == "discord.token" else TOKEN)

        assert (found.key, found.environment_variable) == (key, VARIABLES[key])

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("observability.log_format = 'xml'", "Input should be 'text' or 'json'"),
            ("discord.command_guild_ids = [1, 0]", "item 2: Input should be greater than 0"),
            ("links = { public_url = 'https://a.example', listen = '' }", "host:port if links.public_url is set"),
            ("discord.shards = '0-3/8'", "several processes need PostgreSQL"),
            ("providers.mannco = { api_key = 'a', token = 'b' }", "choose one of the two"),
            ("providers.assetpay_client = { api_key = 'a', client_token = 'b' }", "choose one of the two"),
            ("providers.skinsback.client_id = 'a'", "should be set together with client_id"),
            ("providers.skinsback.client_secret = 'a'", "should be set together with client_id"),
            ("discord = 3", "Input should be a valid dictionary"),
        ],
    )
    def test_message(self, text: str, expected: str) -> None:
        """The messages are pydantic's own, without "Value error"."""
        message = problem(text).message

        assert expected in message
        assert message.startswith(("Input should ", "item 2: "))

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (partial(Path.write_bytes, data=b"\xff"), "The file is not UTF-8 text"),
            (partial(Path.write_bytes, data=b"discord = "), "The file is not TOML: "),
            (partial(Path.write_bytes, data=b'a = "\x1b[31m"'), "The file is not TOML: "),
            (partial(Path.write_bytes, data=b"a = " + b"[" * 5000), "The file cannot be read as TOML"),
            (None, "No such file"),
            (Path.mkdir, "The file cannot be read: Is a directory"),
            (os.mkfifo, "The file cannot be read: it is a pipe, and nothing writes to it"),
        ],
    )
    def test_file(self, content: Callable[[Path], object] | None, message: str) -> None:
        """A file that cannot be read is a problem, and nothing that it might have set is called missing."""
        file = Path("broken.toml")
        if content is not None:
            content(file)
        with pytest.raises(ConfigurationInvalid) as caught:
            load_settings(file, {"SKINDESK_INVENTORY__PAGE_SIZE": "0", "SKINDESK_X": ""})

        found = caught.value.problems
        assert [one.key for one in found] == ["broken.toml", "inventory.page_size", "x"]
        assert found[0].message.startswith(message)
        assert str(found[0]).isprintable()

    @pytest.mark.parametrize(
        ("text", "key", "nearest"),
        [
            ("[discord]\ntokn = 1", "discord.tokn", "discord.token (SKINDESK_DISCORD__TOKEN)"),
            ("[discord]\npage_size = 1", "discord.page_size", "inventory.page_size"),
            ("[inventor]\npage_size = 1", "inventor", "inventory (a table)"),
            ("[assetpay]", "assetpay", "providers.assetpay (a table)"),
            ("[providers.manco]", "providers.manco", "providers.mannco (a table)"),
            ('["\\u001b[31m"]', "\\x1b[31m", ""),
        ],
    )
    def test_unknown_key(self, text: str, key: str, nearest: str) -> None:
        """The nearest known key or table is named."""
        found = problem(text)

        assert found.key == key
        assert f"the nearest is {nearest}" in found.message

    @pytest.mark.parametrize(
        ("name", "nearest"),
        [
            ("SKINDESK_DISCORD_TOKEN", "SKINDESK_DISCORD__TOKEN"),
            ("SKINDESK_TOKEN", "SKINDESK_DISCORD__TOKEN"),
            ("SKINDESK_discord__token", "SKINDESK_DISCORD__TOKEN"),
        ],
    )
    def test_unknown_variable(self, name: str, nearest: str) -> None:
        found = problem(environ=TOKEN | {name: CANARY})

        assert found.environment_variable == name
        assert nearest in found.message
        assert CANARY not in found.message

    def test_everything_at_once(self) -> None:
        """Mistakes in the file, in the environment and between keys are reported together, with key and variable."""
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

        known = (
            *("discord.token", "inventory.default_provider", "inventory.page_size", "providers.assetpay.base_url"),
            *("providers.skinsback.auth", "providers.mannco.token", "observability.log_level"),
        )
        assert {one.key: one.environment_variable for one in found} == {
            **{key: VARIABLES[key] for key in known},
            "resends.hours": None,
            "discord.tokens": "SKINDESK_DISCORD__TOKENS",
        }


class TestSecrets:
    @pytest.mark.parametrize("key", SECRET_KEYS)
    @pytest.mark.parametrize("value", [f'"{CANARY} x"', f'"{CANARY}é"', f'["{CANARY}"]', f'{{ x = "{CANARY}" }}'])
    def test_refused(self, key: str, value: str) -> None:
        """A secret that is refused is in nothing that could be printed or logged."""
        Path("secret.toml").write_text(f"{key} = {value}", encoding="utf-8")
        with pytest.raises(ConfigurationInvalid) as caught:
            load_settings(Path("secret.toml"), {} if key == "discord.token" else TOKEN)

        assert key in {one.key for one in caught.value.problems}
        assert CANARY not in f"{caught.value} {caught.value!r} {caught.value.problems!r}"
        assert caught.value.__context__ is None

    @pytest.mark.parametrize("key", [key for key in VARIABLES if key not in ("discord.token", "database.path")])
    def test_in_the_wrong_place(self, key: str) -> None:
        """A secret that was pasted under another key is not quoted either."""
        with pytest.raises(ConfigurationInvalid) as caught:
            load_settings(None, TOKEN | {VARIABLES[key]: f"https://{CANARY}:{CANARY}@example.com/ {CANARY}"})

        assert CANARY not in f"{caught.value} {caught.value!r}"

    @pytest.mark.parametrize("unused", ["api_key", ("client_token", "mannco.token")])
    def test_listed(self, unused: str | tuple[str, ...]) -> None:
        """Every secret that is set is listed, so that logs can mask it, and is hidden in printed settings."""
        secrets = {
            VARIABLES[key]: f"{SHAPES.get(key, '')}{CANARY}.{key}" for key in SECRET_KEYS if not key.endswith(unused)
        }
        found = load_settings(None, TOKEN | {"SKINDESK_PROVIDERS__SKINSBACK__CLIENT_ID": "7"} | secrets)

        assert {secret.get_secret_value() for secret in found.secrets()} >= set(secrets.values())
        assert CANARY not in f"{found} {found!r} {found.model_dump()} {found.model_dump_json()}"


@given(
    st.dictionaries(
        st.sampled_from(sorted({*VARIABLES.values(), *SECRET_FILES.values()})) | st.text().map(PREFIX.__add__),
        st.text(),
    ),
    st.binary(),
)
@settings(max_examples=100)
def test_anything(tmp_path_factory: pytest.TempPathFactory, environ: dict[str, str], content: bytes) -> None:
    """Any file and any environment give settings or a list of problems."""
    file = tmp_path_factory.getbasetemp() / "anything.toml"
    file.write_bytes(content)
    try:
        load_settings(file, environ)
        found: tuple[Problem, ...] = ()
    except ConfigurationInvalid as invalid:
        found = invalid.problems

    assert all(str(one).isprintable() for one in found)
