"""Secrets from files: every secret may come from one, the environment wins, and no message quotes what is in it."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.checks.findings import of_configuration
from bot.config import SECRET_FILES, SECRETS, VARIABLES, Settings
from bot.config_loading import ConfigurationInvalid, Problem, load_database, load_settings
from bot.reloading import differences
from tests.test_config import CANARY, values

KEY = "discord.token_file"
UNUSED = ("assetpay_client.client_token", "assetpay_legacy.client_token", "mannco.token")
"""Secrets that exclude another one, which is set."""

CONTENTS: list[tuple[bytes, str | None]] = [
    (b"T", None),
    (b"T\n", None),
    (b"\xef\xbb\xbf T \r\n\r\n", None),
    (b"T" * 16 * 1024, None),
    (b"", "secret is empty"),
    (b" \r\n", "secret is empty"),
    (b"T" * 16 * 1024 + b"\n", "secret is larger than 16 KiB"),
    (b"\xff" + CANARY.encode(), "secret is not UTF-8 text"),
    (f"{CANARY}\n{CANARY}".encode(), "secret has several lines, and should have only the secret"),
    (f"{CANARY}\rTOKEN=x".encode(), "secret has several lines, and should have only the secret"),
    (f"{CANARY} x".encode(), "secret: Input should hold no spaces, line breaks or letters outside ASCII"),
]
"""What may be in a file, and the end of the message that refuses it."""


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def loaded(text: str, **environ: str) -> Settings:
    """The settings of a file with this text; a variable is named without its prefix."""
    Path("config.toml").write_text(text, encoding="utf-8")
    return load_settings(None, {f"SKINDESK_{name}": value for name, value in environ.items()})


def problems(text: str, **environ: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigurationInvalid) as caught:
        loaded(text, **environ)
    assert CANARY not in f"{caught.value} {caught.value!r} {[of_configuration(each) for each in caught.value.problems]}"
    return caught.value.problems


def written(name: str, content: str) -> str:
    Path(name).write_text(content, encoding="utf-8")
    return name


def test_every_secret():
    """Each secret is read from the file that its ``_file`` key or ``_FILE`` variable names, and is masked in logs."""
    keys = [key for key in SECRETS if not key.endswith(UNUSED)]
    expected = {key: f"secret-of-{key}" for key in keys} | {"database.url": "postgresql://secret/desk"}
    files = {key: written(f"{key}.txt", f"{secret}\n") for key, secret in expected.items()}
    in_toml = (
        "\n".join(f'{key}_file = "{file}"' for key, file in files.items()) + "\nproviders.skinsback.client_id = '7'"
    )
    in_environment = {f"{VARIABLES[key]}_FILE".removeprefix("SKINDESK_"): file for key, file in files.items()}

    for found in (loaded(in_toml), loaded("providers.skinsback.client_id = '7'", **in_environment)):
        assert {key: values(found)[key] for key in keys} == expected
        assert {secret.get_secret_value() for secret in found.secrets()} >= set(expected.values())
    assert set(SECRET_FILES) == {f"{key}_file" for key in SECRETS}


@pytest.mark.parametrize(("content", "message"), CONTENTS)
def test_content(content: bytes, message: str | None):
    """A file has the secret and nothing else; line breaks and blanks around it do not count."""
    Path("secret").write_bytes(content)

    if message is None:
        token = loaded(f"{KEY} = 'secret'").discord.token
        assert token.get_secret_value() == content.decode("utf-8-sig").strip()
    else:
        (found,) = problems(f"{KEY} = 'secret'")
        assert (found.key, found.environment_variable, found.message) == (KEY, SECRET_FILES[KEY], message)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("'missing/token'", "The file cannot be read: No such file or directory"),
        ("'/missing/token'", "/missing/token cannot be read: No such file or directory"),
        ("'a_directory'", "a_directory is not a file"),
        ("'.'", ". is not a file"),
        ("'pipe'", "pipe is not a file"),
        ("'/dev/zero'", "/dev/zero is not a file"),
        ("'pipe/token'", "pipe/token cannot be read: Not a directory"),
        (f"'{CANARY}'", "The file cannot be read: No such file or directory"),
        ('"a\\u0000b"', "Input should be the path of a file"),
        ("3", "Input should be the path of a file"),
        ("['a']", "Input should be the path of a file"),
    ],
)
def test_not_readable(value: str, message: str):
    """What is no readable file is refused at once, by its path unless that may be the secret itself."""
    Path("a_directory").mkdir()
    os.mkfifo("pipe")
    (found,) = problems(f"{KEY} = {value}")

    assert (found.key, found.message) == (KEY, message)
    assert (
        of_configuration(found).fix == "name a file that SkinDesk can read and that holds the secret, and nothing else"
    )


@pytest.mark.parametrize(
    ("text", "environ", "expected"),
    [
        ("token = ''\ntoken_file = 'file'", {}, "from-file"),
        ("token = 'written'\ntoken_file = ''", {}, "written"),
        ("token = 'written'", {"TOKEN_FILE": "file"}, "from-file"),
        ("token_file = 'other'", {"TOKEN_FILE": "file"}, "from-file"),
        ("token_file = 'missing'", {"TOKEN": "given"}, "given"),
        ("token = 'written'\ntoken_file = 'file'", {"TOKEN": "given"}, "given"),
        ("", {"TOKEN": "", "TOKEN_FILE": "file"}, "from-file"),
        ("token = 'written'\ntoken_file = 'file'", {}, KEY),
        ("", {"TOKEN": "given", "TOKEN_FILE": "file"}, KEY),
        ("token_file = 'file'", {"TOKEN": ""}, "discord.token"),
        ("token_file = 'file'", {"TOKEN_FILE": ""}, "discord.token"),
    ],
)
def test_precedence(text: str, environ: dict[str, str], expected: str):
    """The environment replaces the secret and its file together; both in one place are a mistake, even an equal one."""
    written("file", "from-file")
    environ = {f"DISCORD__{name}": value for name, value in environ.items()}

    if expected in ("discord.token", KEY):
        assert [found.key for found in problems(f"[discord]\n{text}", **environ)] == [expected]
    else:
        assert loaded(f"[discord]\n{text}", **environ).discord.token.get_secret_value() == expected


def test_unreadable_secret_counts_as_set():
    """One unreadable file is one mistake: its provider is on, its pair is complete, and its rival is refused."""
    found = problems(
        f"""
        {KEY} = 3
        inventory.default_provider = "skinsback"
        providers.skinsback = {{ client_id = "7", client_secret_file = "/missing" }}
        providers.mannco = {{ api_key_file = "/missing", token = "T" }}
        """
    )

    expected = {
        KEY,
        "providers.skinsback.client_secret_file",
        "providers.mannco.api_key_file",
        "providers.mannco.token",
    }
    assert (len(found), {each.key for each in found}) == (4, expected)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("DISCORD__TOKEN_FIEL", "discord.token_file (SKINDESK_DISCORD__TOKEN_FILE)"),
        ("PROVIDERS__SKINSBACK__CLIENT_ID_FILE", "providers.skinsback.client_"),
    ],
)
def test_unknown(name: str, nearest: str):
    """A misspelt name gets the nearest one as a suggestion; only secrets have a file."""
    (found,) = problems("discord.token = 'T'", **{name: CANARY})

    assert f"Unknown key; the nearest is {nearest}" in found.message


def test_database_path():
    """Backup and restore find the database although a secret file is not theirs to read."""
    text = written("config.toml", f"{KEY} = '/missing'\nproviders.mannco.token_file = 3\ndatabase.path = 'a.db'")

    assert load_database(Path(text), {}).path == Path("a.db")


def test_reload():
    """A file whose content changed is a changed secret."""
    before = loaded(f"{KEY} = '{written('secret', 'old')}'")
    written("secret", "new")

    assert differences(before, loaded(f"{KEY} = 'secret'")) == {"discord.token"}


@given(st.binary(max_size=40))
@settings(max_examples=100)
def test_any_content(tmp_path_factory: pytest.TempPathFactory, content: bytes):
    """Any content is one printable ASCII secret, or one mistake."""
    file = tmp_path_factory.getbasetemp() / "any-secret"
    file.write_bytes(content)
    found: tuple[Problem, ...] = ()
    try:
        secret = load_settings(None, {SECRET_FILES[KEY]: str(file)}).discord.token.get_secret_value().encode()
    except ConfigurationInvalid as invalid:
        secret, found = b"", invalid.problems

    assert [each.key for each in found] == ([] if secret else [KEY])
    assert all(str(each).isprintable() for each in found)
    assert secret in content
    assert all(0x21 <= letter <= 0x7E for letter in secret)
