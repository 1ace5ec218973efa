"""The command line: output, streams and exit codes of each command."""

import asyncio
import importlib.metadata
import json
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import NoReturn

import pytest

import bot.__main__
from bot.__main__ import main
from bot.exit_codes import ExitCode
from bot.observability import logs
from tests.storage.databases import filled
from tests.support.command_line import CANARY, GOOD, ROOT, configure, serving, skindesk

BAD = f"""
discord.tokn = "x"
inventory.page_size = 0
providers.assetpay = {{ api_key = "{CANARY} {CANARY}", base_url = "http://{CANARY}@example.com" }}
"""
NOTING = """
import os, sys
class Noting:
    def find_spec(self, name, *_):
        if name == "sqlite3":
            print("sqlite3 finds", os.environ.get("SQLITE_TMPDIR"), file=sys.stderr)
sys.meta_path.insert(0, Noting())
from bot.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
"""The program; it prints the folder for SQLite's temporary files at the moment that SQLite is loaded."""


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SQLITE_TMPDIR", "")
    monkeypatch.delenv("SQLITE_TMPDIR")  # gone again after the test
    for name in [name for name in os.environ if name.startswith("SKINDESK_")]:
        monkeypatch.delenv(name)


class TestUsage:
    @pytest.mark.parametrize(
        "line", ["", "fly", "run --port 1", "run --conf x", "demo --port 65536", "demo --port -1", "demo --port ²"]
    )
    def test_not_understood(self, line: str, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as left:
            main(line.split())

        assert left.value.code == ExitCode.USAGE
        assert capsys.readouterr().err.startswith("usage: skindesk")

    def test_version(self) -> None:
        ended = skindesk("--version")

        assert (ended.returncode, ended.stdout) == (0, f"skindesk {importlib.metadata.version('skindesk')}\n")

    def test_console_script(self) -> None:
        """``skindesk`` and ``python -m bot`` are one program."""
        (script,) = importlib.metadata.entry_points(group="console_scripts", name="skindesk")

        assert script.load() is bot.__main__.run

    @pytest.mark.parametrize("line", [["--help"], ["check", "--offline"]])
    def test_quick(self, line: list[str]) -> None:
        """Help and check do not load Discord, HTTP or a database."""
        heavy = ("discord", "httpx", "aiohttp", "aiosqlite")
        program = f"""
import sys
from bot.__main__ import main
try:
    main({line!r})
except SystemExit:
    pass
sys.exit(any(name in sys.modules for name in {heavy!r}))
"""
        ended = skindesk(program=("-c", program))

        assert ended.returncode == 0


class TestRun:
    def test_bad_configuration(self) -> None:
        """A bad configuration is reported completely on stderr, without a traceback or a secret."""
        configure(BAD)
        ended = skindesk("run", "--config", "config.toml")

        assert (ended.returncode, ended.stdout) == (ExitCode.CONFIG, "")
        keys = [line.split()[0] for line in ended.stderr.splitlines()[1:]]
        providers = ("providers.assetpay.base_url", "providers.assetpay.api_key")
        assert [key.rstrip(":") for key in keys] == ["discord.token", "discord.tokn", "inventory.page_size", *providers]
        assert CANARY not in ended.stderr

    @pytest.mark.parametrize("code", [ExitCode.OK, ExitCode.DATABASE_IN_USE])
    def test_exit_code(self, code: ExitCode) -> None:
        """The app gets the settings of the file and decides the exit code."""
        configure(GOOD)
        ended = serving(f"return {int(code)} if settings.discord.token.get_secret_value() == 'a-token' else 1")

        assert (ended.returncode, ended.stderr) == (code, "")

    def test_no_provider(self) -> None:
        """Without a provider the bot starts with a warning."""
        configure('discord.token = "a-token"')
        ended = serving("return 0")

        assert ended.returncode == 0
        assert "WARNING bot no provider is on" in ended.stderr

    def test_unexpected_failure(self) -> None:
        """An unexpected failure is logged in one redacted line with a reference."""
        configure(GOOD)
        ended = serving(f'raise RuntimeError("at https://x/?token={CANARY}")')

        assert ended.returncode == ExitCode.FAILURE
        assert ended.stderr.count("\n") == 1
        assert "CRITICAL bot run failed reference=" in ended.stderr
        assert "RuntimeError: at https://x/?token=" in ended.stderr
        assert CANARY not in ended.stderr


class TestDemo:
    @pytest.fixture
    def demo(self, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
        runner = types.ModuleType("bot.demo.runner")
        monkeypatch.setitem(sys.modules, "bot.demo.runner", runner)
        monkeypatch.setattr(logs, "configure_logging", lambda *_: None)  # the test run's logs are its own
        return runner

    @pytest.mark.parametrize(
        ("options", "expected"),
        [([], (None, True, "en")), (["--port", "0", "--no-browser", "--language", "de"], (0, False, "de"))],
    )
    def test_options(self, demo: types.ModuleType, options: list[str], expected: tuple[int | None, bool]) -> None:
        """The options are passed on, and so is the demo's exit code."""
        vars(demo)["run_demo"] = lambda *arguments: 0 if arguments == expected else 1

        assert main(["demo", *options]) == 0

    def test_without_its_extra(
        self, demo: types.ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """If the extra is not installed, one line explains how to install it."""
        monkeypatch.setitem(sys.modules, "simcord", None)
        vars(demo)["run_demo"] = lambda *_: importlib.import_module("simcord")

        assert main(["demo"]) == ExitCode.UNAVAILABLE
        assert capsys.readouterr().err == (
            "The demo needs simcord: pip install 'skindesk[demo]' (or uv sync --extra demo)\n"
        )


class TestCheck:
    def test_fine(self) -> None:
        """Each successful check is a line, and no file is created."""
        configure(GOOD)
        ended = skindesk("check", "--offline")

        assert (ended.returncode, ended.stderr) == (0, "")
        lines = ended.stdout.splitlines()
        assert lines[0] == "ok configuration: complete; providers on: assetpay"
        assert "ok database: none yet: the first start creates it at skindesk.db" in lines
        assert {line.partition(" ")[0] for line in lines} <= {"ok", "warning"}
        assert [path.name for path in Path().iterdir()] == ["config.toml"]

    def test_ten_mistakes(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """Ten mistakes in the file, the environment and on the disk are ten problems, each with a fix and no secret."""
        monkeypatch.setenv("SKINDESK_OBSERVABILITY__LOG_LEVEL", CANARY)
        monkeypatch.setenv("SKINDESK_OBSERVABILTY__LOG_FORMAT", CANARY)
        configure(BAD + 'database.path = "config.toml"\nresends.expires_after_hours = -1\nlinks.listen = "here"\n')

        assert main(["check", "--offline", "--json"]) == ExitCode.CONFIG
        output = capsys.readouterr().out
        findings = json.loads(output)["findings"]
        found = [finding for finding in findings if finding["level"] == "problem" and finding["fix"]]
        variables = {finding["key"]: finding["environment_variable"] for finding in found}
        assert len(variables) == len(found) == 10
        assert (variables["links.listen"], variables["discord.tokn"]) == ("SKINDESK_LINKS__LISTEN", None)
        assert "sqlite.version" in {finding["id"] for finding in findings}, "the rest is checked all the same"
        assert CANARY not in output

    def test_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The findings are one JSON object on stdout, with a version."""
        configure(GOOD)

        assert main(["check", "--offline", "--json"]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert answer.items() >= {
            ("version", 1), ("skindesk", importlib.metadata.version("skindesk")), ("ok", True), ("exit_code", 0),
        }  # fmt: skip
        assert answer["findings"][0] == {
            "id": "configuration",
            "level": "ok",
            "what": "complete; providers on: assetpay",
            **dict.fromkeys(("fix", "key", "environment_variable")),
        }

    def test_online_with_bad_configuration(self, capsys: pytest.CaptureFixture[str]) -> None:
        """No service is called with credentials that may be wrong."""
        configure(BAD)

        assert main(["check"]) == ExitCode.CONFIG
        assert "warning online: not checked" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("check", "name"),
        [
            ("bot.checks.database.inspect_connection", "database"),
            ("bot.checks.command.check_room", "database.room"),
            ("bot.checks.command.check_addresses", "addresses"),
        ],
    )
    def test_check_that_fails(
        self, check: str, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A check that raises is a problem, without the exception's message, and the others are reported."""

        def failing(*_: object, **__: object) -> NoReturn:
            raise UnicodeError(CANARY)

        configure(GOOD)
        asyncio.run(filled(Path("skindesk.db").absolute()))
        monkeypatch.setattr(check, failing)

        assert main(["check", "--offline"]) == ExitCode.CONFIG
        output = capsys.readouterr()
        assert output.err.startswith(f"problem {name}: SkinDesk failed to check it (UnicodeError). Fix: ")
        assert output.err.count("\n") == 1
        assert CANARY not in output.err
        assert all(line in output.out for line in ("ok configuration: ", " sqlite.version: "))


class TestBackup:
    def test_there_and_back(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A backup needs no token and can be restored; both print their result."""
        configure(f'discord.token = "{CANARY} {CANARY}"')
        asyncio.run(filled(Path("skindesk.db").absolute()))

        assert main(["backup", "copy.db"]) == 0
        assert capsys.readouterr().out.startswith("ok copy.db: schema ")
        assert main(["restore", "copy.db"]) == 0
        output = capsys.readouterr()
        assert "ok resends open then are unknown now: 3\nok servers whose resends are stopped: 1\n" in output.out
        assert "replaced-" in output.out
        assert CANARY not in output.out + output.err

    @pytest.mark.parametrize(
        ("arguments", "code", "said"),
        [
            (["backup", "skindesk.db"], ExitCode.CANNOT_CREATE, "cannot write skindesk.db: it exists already"),
            (["backup", "none/copy.db"], ExitCode.CANNOT_CREATE, "cannot write none/copy.db: No such file"),
            (["backup", "none"], ExitCode.CANNOT_CREATE, "there is no folder none: make it first (install -d -m"),
            (["backup", f"{'x' * 300}/a.db"], ExitCode.CANNOT_CREATE, f"cannot write {'x' * 300}/a.db: File name too"),
            (["restore", "x" * 300], ExitCode.UNAVAILABLE, f"cannot read {'x' * 300}: File name too long"),
            (["restore", "none.db"], ExitCode.UNAVAILABLE, "there is no file none.db"),
            (["restore", "config.toml"], ExitCode.DATA, "config.toml cannot be used: file is not a database"),
            (["restore", "skindesk.db"], ExitCode.DATA, "skindesk.db cannot be used: this is the database itself"),
        ],
    )
    def test_refused(self, arguments: list[str], code: ExitCode, said: str, capsys: pytest.CaptureFixture[str]) -> None:
        """A failure is one line on stderr, and no file is changed."""
        configure(GOOD)
        asyncio.run(filled(Path("skindesk.db").absolute()))

        assert main(arguments) == code
        output = capsys.readouterr()
        assert output.out == ""
        assert output.err.startswith(f"skindesk {arguments[0]}: {said}")
        assert output.err.count("\n") == 1
        assert {path.name for path in Path().iterdir()} == {"config.toml", "skindesk.db", "skindesk.db.lock"}

    @pytest.mark.parametrize("command", ["backup", "restore"])
    @pytest.mark.parametrize("line", ['databse.path = "other.db"', 'database.path = ""', "database = 3", "database"])
    def test_other_key(self, command: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
        """A misspelt key is refused: it could name another database."""
        configure(GOOD + line)

        assert main([command, "copy.db"]) == ExitCode.CONFIG
        assert capsys.readouterr().err.startswith("SkinDesk cannot start with this configuration:\n")

    def test_no_database(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure(GOOD)

        assert main(["backup", "copies.db"]) == ExitCode.UNAVAILABLE
        assert capsys.readouterr().err == "skindesk backup: skindesk.db does not exist (database.path)\n"


class TestTemporaryFiles:
    @pytest.mark.parametrize(
        "line", [["run"], ["check", "--offline"], ["backup", "copy.db"], ["restore", "copy.db"]], ids=" ".join
    )
    def test_in_the_folder_of_the_database(self, line: list[str]) -> None:
        """SQLite keeps its temporary files in the database's folder."""
        Path("kept").mkdir()
        Path("kept/other.txt").write_text("none of ours")
        configure(GOOD + 'database.path = "kept/other.txt"')
        ended = skindesk(*line, program=("-c", NOTING))

        assert f"sqlite3 finds {Path('kept').resolve()}\n" in ended.stderr

    def test_elsewhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A folder that is set already is kept."""
        monkeypatch.setenv("SQLITE_TMPDIR", "/elsewhere")
        configure(GOOD)
        ended = skindesk("backup", "copy.db", program=("-c", NOTING))

        assert "sqlite3 finds /elsewhere\n" in ended.stderr


class TestDatabase:
    @pytest.mark.parametrize(
        ("path", "locked", "what"),
        [
            ("none/desk.db", None, "is in a directory that does not exist"),
            ("link.db", None, "is in a directory that does not exist"),
            ("copies", None, "is not a file"),
            ("config.toml", None, "is not an SQLite database"),
            ("desk.db", ".", "is in a directory that SkinDesk may not write to"),
            ("desk.db", "desk.db", "is a file that SkinDesk may not read and write"),
            ("x" * 300, None, "cannot be read (File name too long)"),
        ],
    )
    def test_refused(
        self,
        path: str,
        locked: str | None,
        what: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """Check and start refuse a path that cannot hold the database."""
        Path("desk.db").touch()
        Path("copies").mkdir()
        Path("link.db").symlink_to("gone/desk.db")
        configure(GOOD + f"database.path = {json.dumps(path)}")
        if locked is not None:  # root may write everywhere
            monkeypatch.setattr(os, "access", lambda asked, _mode: asked != Path(locked))

        assert main(["check", "--offline"]) == ExitCode.CONFIG
        assert f"database.path (SKINDESK_DATABASE__PATH): {what}. Fix: " in capsys.readouterr().err
        if path == "config.toml":
            ended = skindesk("run")
            assert (ended.returncode, what in ended.stderr) == (ExitCode.CONFIG, True)


def output_to(descriptor: int) -> subprocess.CompletedProcess[str]:
    """Check a good configuration that comes through a pipe, with the output to a file, and close that."""
    line = [sys.executable, "-m", "bot", "check", "--offline", "--config", "/dev/stdin"]
    with os.fdopen(descriptor, "w") as output:
        return subprocess.run(  # noqa: S603 -- our own program
            line, env=os.environ | {"PYTHONPATH": str(ROOT)}, input=GOOD, stdout=output, stderr=subprocess.PIPE,
            text=True, check=False,
        )  # fmt: skip


def test_output_not_read() -> None:
    """If what reads the output has left, as ``head`` does, a command ends without a traceback."""
    reader, writer = os.pipe()
    os.close(reader)

    ended = output_to(writer)

    assert (ended.returncode, ended.stderr) == (ExitCode.INTERRUPTED, "")


def test_output_not_written() -> None:
    """If the output does not fit on the disk, a command says that in one line."""
    ended = output_to(os.open("/dev/full", os.O_WRONLY))

    assert ended.returncode == ExitCode.CANNOT_CREATE
    assert ended.stderr == "skindesk: cannot write the output: No space left on device\n"
