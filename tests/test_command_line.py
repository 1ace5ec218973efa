"""The command line: what each command answers, on which stream, with which exit code."""

import asyncio
import errno
import importlib.metadata
import json
import os
import sys
import types
from pathlib import Path
from typing import NoReturn

import pytest

import bot.__main__
from bot import maintenance
from bot.__main__ import main
from bot.exit_codes import ExitCode
from bot.observability import logs
from tests.storage.desks import filled
from tests.support.command_line import CANARY, GOOD, configure, serving, skindesk

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
"""The program, which says where SQLite is to have its temporary files when that is loaded."""

WIPING = """
    import os, sqlite3
    db = sqlite3.connect("large.db")
    db.execute("CREATE TABLE large AS WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
               " SELECT randomblob(1000) FROM n")
    db.commit()
    found = set()
    def look():
        paths = [os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
        found.update(os.path.dirname(path) for path in paths if "etilqs" in path)
    db.execute("PRAGMA cache_size = 10")
    db.set_progress_handler(look, 1000)
    db.execute("VACUUM")
    print(*found, file=sys.stderr)
    return 0
"""


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SQLITE_TMPDIR", "")
    monkeypatch.delenv("SQLITE_TMPDIR")  # gone again after the test
    for name in [name for name in os.environ if name.startswith("SKINDESK_")]:
        monkeypatch.delenv(name)


class TestUsage:
    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            ["fly"],
            ["run", "--port", "1"],
            ["run", "--conf", "x"],
            ["demo", "--port", "65536"],
            ["demo", "--port", "-1"],
            ["demo", "--port", "²"],
        ],
    )
    def test_not_understood(self, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        """A line that is not understood says how it should be, on stderr."""
        with pytest.raises(SystemExit) as left:
            main(arguments)

        assert left.value.code == ExitCode.USAGE
        assert capsys.readouterr().err.startswith("usage: skindesk")

    def test_version(self) -> None:
        """The version is the distribution's."""
        ended = skindesk("--version")

        assert (ended.returncode, ended.stdout) == (0, f"skindesk {importlib.metadata.version('skindesk')}\n")

    def test_console_script(self) -> None:
        """``skindesk`` and ``python -m bot`` are one program."""
        (script,) = importlib.metadata.entry_points(group="console_scripts", name="skindesk")

        assert script.load() is bot.__main__.run

    @pytest.mark.parametrize("line", [["--help"], ["check", "--offline"]])
    def test_quick(self, line: list[str]) -> None:
        """Help and check answer without loading Discord, HTTP or a database."""
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
        """A bad configuration never starts: all of it on stderr, no traceback, no secret."""
        configure(BAD)
        ended = skindesk("run", "--config", "config.toml")

        assert (ended.returncode, ended.stdout) == (ExitCode.CONFIG, "")
        assert [line.partition(": ")[0] for line in ended.stderr.splitlines()[1:]] == [
            "  discord.token (SKINDESK_DISCORD__TOKEN)",
            "  discord.tokn",
            "  inventory.page_size (SKINDESK_INVENTORY__PAGE_SIZE)",
            "  providers.assetpay.base_url (SKINDESK_PROVIDERS__ASSETPAY__BASE_URL)",
            "  providers.assetpay.api_key (SKINDESK_PROVIDERS__ASSETPAY__API_KEY)",
        ]
        assert CANARY not in ended.stderr

    @pytest.mark.parametrize("code", [ExitCode.OK, ExitCode.DATABASE_IN_USE])
    def test_exit_code(self, code: ExitCode) -> None:
        """The exit code is the app's, and the app has the settings of the file."""
        configure(GOOD)
        ended = serving(f"return {int(code)} if settings.discord.token.get_secret_value() == 'a-token' else 1")

        assert (ended.returncode, ended.stderr) == (code, "")

    def test_no_provider(self) -> None:
        """A bot without a provider starts, with a warning."""
        configure('discord.token = "a-token"')
        ended = serving("return 0")

        assert ended.returncode == 0
        assert "WARNING bot no provider is on" in ended.stderr

    def test_unexpected_failure(self) -> None:
        """A failure nobody expects is one redacted line in the log, with a reference, and exit code 70."""
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
        ("options", "expected"), [([], (None, True)), (["--port", "0", "--no-browser"], (0, False))]
    )
    def test_options(self, demo: types.ModuleType, options: list[str], expected: tuple[int | None, bool]) -> None:
        """Port and browser are the caller's choice, the exit code is the demo's."""
        vars(demo)["run_demo"] = lambda *arguments: 0 if arguments == expected else 1

        assert main(["demo", *options]) == 0

    def test_without_its_extra(
        self, demo: types.ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Where the extra is not installed, one line says how to install it."""
        monkeypatch.setitem(sys.modules, "simcord", None)
        vars(demo)["run_demo"] = lambda *_: importlib.import_module("simcord")

        assert main(["demo"]) == ExitCode.UNAVAILABLE
        assert capsys.readouterr().err == (
            "The demo needs simcord: pip install 'skindesk[demo]' (or uv sync --extra demo)\n"
        )

    def test_broken(self, demo: types.ModuleType) -> None:
        """A module of our own that is missing is a fault, not a missing extra."""
        vars(demo)["run_demo"] = lambda *_: importlib.import_module("bot.nothing")

        with pytest.raises(ModuleNotFoundError, match=r"bot\.nothing"):
            main(["demo"])


class TestCheck:
    def test_fine(self) -> None:
        """What is fine is said thing by thing, and nothing is made or changed."""
        configure(GOOD)
        ended = skindesk("check", "--offline")

        assert (ended.returncode, ended.stderr) == (0, "")
        lines = ended.stdout.splitlines()
        assert lines[0] == "ok configuration: complete; providers on: assetpay"
        assert "ok database: none yet: the first start creates it at skindesk.db" in lines
        assert {line.partition(" ")[0] for line in lines} <= {"ok", "warning"}
        assert [path.name for path in Path().iterdir()] == ["config.toml"]

    def test_no_provider(self, capsys: pytest.CaptureFixture[str]) -> None:
        """No provider is a warning, not a problem."""
        configure('discord.token = "a-token"')

        assert main(["check", "--offline"]) == 0
        assert "warning providers: no provider is on. Fix: " in capsys.readouterr().out

    def test_bad_configuration(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Every problem is listed on stderr, with its key and variable; what is not wrong is looked at all the same."""
        configure(BAD)

        assert main(["check", "--offline"]) == ExitCode.CONFIG
        told = capsys.readouterr()
        assert [line.split(": ")[:2] for line in told.err.splitlines()] == [
            ["problem configuration", "discord.token (SKINDESK_DISCORD__TOKEN)"],
            ["problem configuration", "discord.tokn"],
            ["problem configuration", "inventory.page_size (SKINDESK_INVENTORY__PAGE_SIZE)"],
            ["problem configuration", "providers.assetpay.base_url (SKINDESK_PROVIDERS__ASSETPAY__BASE_URL)"],
            ["problem configuration", "providers.assetpay.api_key (SKINDESK_PROVIDERS__ASSETPAY__API_KEY)"],
        ]
        assert all(". Fix: " in line for line in told.err.splitlines())
        assert "sqlite.version" in told.out
        assert CANARY not in told.out + told.err

    def test_ten_mistakes(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """Ten mistakes are ten problems, whether they are in the file, the environment or on the disk."""
        monkeypatch.setenv("SKINDESK_OBSERVABILITY__LOG_LEVEL", CANARY)
        monkeypatch.setenv("SKINDESK_OBSERVABILTY__LOG_FORMAT", CANARY)
        configure(BAD + 'database.path = "config.toml"\nresends.expires_after_hours = -1\nlinks.listen = "here"\n')

        assert main(["check", "--offline", "--json"]) == ExitCode.CONFIG
        output = capsys.readouterr().out
        found = [finding for finding in json.loads(output)["findings"] if finding["level"] == "problem"]
        assert len({finding["key"] for finding in found}) == len(found) == 10
        assert CANARY not in output

    def test_no_file(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A file that was named has to be there."""
        assert main(["check", "--offline", "--config", "none.toml"]) == ExitCode.CONFIG
        assert "none.toml: No such file" in capsys.readouterr().err

    def test_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        """One JSON object on stdout says the same; its form has a number."""
        configure(GOOD)

        assert main(["check", "--offline", "--json"]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert (answer["version"], answer["ok"], answer["exit_code"]) == (1, True, 0)
        assert answer["skindesk"] == importlib.metadata.version("skindesk")
        assert answer["findings"][0] == {
            "id": "configuration",
            "level": "ok",
            "what": "complete; providers on: assetpay",
            "fix": None,
            "key": None,
            "environment_variable": None,
        }

    def test_json_of_problems(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Each problem has its key, its variable, its sentence and what to do."""
        configure(GOOD + "inventory.page_size = 0")

        assert main(["check", "--offline", "--json"]) == ExitCode.CONFIG
        answer = json.loads(capsys.readouterr().out)
        assert answer["ok"] is False
        assert answer["findings"][0] == {
            "id": "configuration",
            "level": "problem",
            "what": "Input should be greater than or equal to 1",
            "fix": "change it in the file, or set SKINDESK_INVENTORY__PAGE_SIZE",
            "key": "inventory.page_size",
            "environment_variable": "SKINDESK_INVENTORY__PAGE_SIZE",
        }

    def test_online_with_bad_configuration(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Nobody is asked with credentials that may not be the right ones."""
        configure(BAD)

        assert main(["check"]) == ExitCode.CONFIG
        assert "warning online: not checked" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("look", "name"),
        [
            ("bot.checks.database.inspect_connection", "database"),
            ("bot.checks.command.check_room", "database.room"),
            ("bot.checks.command.check_addresses", "addresses"),
        ],
    )
    def test_look_that_fails(
        self, look: str, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A look that fails in a way nobody thought of is a problem, without its words; the others are told."""

        def failing(*_: object, **__: object) -> NoReturn:
            raise UnicodeError(CANARY)

        configure(GOOD)
        asyncio.run(filled(Path("skindesk.db").absolute()))
        assert main(["check", "--offline"]) == 0
        fine = capsys.readouterr().out.splitlines()
        monkeypatch.setattr(look, failing)

        assert main(["check", "--offline"]) == ExitCode.CONFIG
        told = capsys.readouterr()
        assert told.err.startswith(f"problem {name}: SkinDesk failed to check it (UnicodeError). Fix: ")
        assert told.err.count("\n") == 1
        assert CANARY not in told.err
        others = ("ok configuration", "warning sqlite.version", "ok sqlite.version")
        assert {line for line in fine if line.startswith(others)} <= set(told.out.splitlines())

    def test_address_with_two_dots(self, capsys: pytest.CaptureFixture[str]) -> None:
        """An address that the resolver would choke on is a mistake in the configuration."""
        configure(GOOD + 'observability.listen = "127.0.0..1:9464"')

        assert main(["check", "--offline"]) == ExitCode.CONFIG
        assert "Input should be host:port" in capsys.readouterr().err


class TestBackup:
    def test_there_and_back(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A backup needs no token, and can be put back; both say what they did."""
        configure(f'discord.token = "{CANARY} {CANARY}"')
        asyncio.run(filled(Path("skindesk.db").absolute()))

        assert main(["backup", "copy.db"]) == 0
        assert capsys.readouterr().out.startswith("ok copy.db: schema ")
        assert main(["restore", "copy.db"]) == 0
        told = capsys.readouterr()
        assert "ok resends open then are unknown now: 3\nok servers whose resends are stopped: 1\n" in told.out
        assert "replaced-" in told.out
        assert CANARY not in told.out + told.err

    @pytest.mark.parametrize(
        ("arguments", "code", "said"),
        [
            (["backup", "skindesk.db"], ExitCode.CANNOT_CREATE, "cannot write skindesk.db: it exists already"),
            (["backup", "none/copy.db"], ExitCode.CANNOT_CREATE, "cannot write none/copy.db: No such file"),
            (
                ["backup", "none"],
                ExitCode.CANNOT_CREATE,
                "there is no folder none: make it first (install -d -m 0700 none",
            ),
            (["backup", f"{'x' * 300}/a.db"], ExitCode.CANNOT_CREATE, f"cannot write {'x' * 300}/a.db: File name too"),
            (["restore", "x" * 300], ExitCode.UNAVAILABLE, f"cannot read {'x' * 300}: File name too long"),
            (["restore", "none.db"], ExitCode.UNAVAILABLE, "there is no file none.db"),
            (["restore", "config.toml"], ExitCode.DATA, "config.toml cannot be used: file is not a database"),
            (["restore", "skindesk.db"], ExitCode.DATA, "skindesk.db cannot be used: this is the database itself"),
        ],
    )
    def test_refused(self, arguments: list[str], code: ExitCode, said: str, capsys: pytest.CaptureFixture[str]) -> None:
        """What cannot be done is one line on stderr, and nothing is changed."""
        configure(GOOD)
        asyncio.run(filled(Path("skindesk.db").absolute()))

        assert main(arguments) == code
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.startswith(f"skindesk {arguments[0]}: {said}")
        assert told.err.count("\n") == 1
        assert {path.name for path in Path().iterdir()} == {"config.toml", "skindesk.db", "skindesk.db.lock"}

    @pytest.mark.parametrize("command", ["backup", "restore"])
    @pytest.mark.parametrize("line", ['databse.path = "other.db"', 'database.path = ""', "database = 3", "database"])
    def test_other_key(self, command: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
        """A slip of the pen must not name another database."""
        configure(GOOD + line)

        assert main([command, "copy.db"]) == ExitCode.CONFIG
        assert capsys.readouterr().err.startswith("SkinDesk cannot start with this configuration:\n")

    @pytest.mark.parametrize(
        ("path", "said"), [("skindesk.db", "there is no database at skindesk.db"), ("x" * 300, "File name too long\n")]
    )
    def test_no_database(self, path: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
        configure(GOOD + f'database.path = "{path}"')

        assert main(["backup", "copy.db"]) == ExitCode.UNAVAILABLE
        assert said in capsys.readouterr().err

    def test_folder(self, capsys: pytest.CaptureFixture[str]) -> None:
        """In a folder that is there the copy gets a dated name, each time another one."""
        configure(GOOD)
        asyncio.run(filled(Path("skindesk.db").absolute()))
        Path("copies").mkdir()

        assert [main(["backup", "copies"]), main(["backup", "copies"])] == [0, 0]
        assert capsys.readouterr().out.count("ok copies/skindesk-2") == len(list(Path("copies").iterdir())) == 2

    @pytest.mark.parametrize(
        ("line", "refused", "code"),
        [
            (["backup", "copies"], "back_up", ExitCode.CANNOT_CREATE),
            (["restore", "copies/a.db"], "restore", ExitCode.CANNOT_CREATE),
        ],
    )
    def test_not_allowed(
        self,
        line: list[str],
        refused: str,
        code: ExitCode,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """What else the system refuses, which it does to everybody but root, is a line and an exit code too."""

        def refusing(*_: object, **__: object) -> NoReturn:
            raise PermissionError(errno.EACCES, "Permission denied", "copies")

        configure(GOOD)
        asyncio.run(filled(Path("skindesk.db").absolute()))
        Path("copies").mkdir()
        Path("copies/a.db").touch()
        monkeypatch.setattr(maintenance, refused, refusing)

        assert main(line) == code
        assert capsys.readouterr().err.endswith(": Permission denied\n")


class TestTemporaryFiles:
    @pytest.mark.parametrize(
        "line", [["run"], ["check", "--offline"], ["backup", "copy.db"], ["restore", "copy.db"]], ids=" ".join
    )
    def test_beside_the_database(self, line: list[str]) -> None:
        """Before SQLite is loaded, which is when it looks for that, its temporary files are sent to the database."""
        Path("kept").mkdir()
        Path("kept/other.txt").write_text("none of ours")
        configure(GOOD + 'database.path = "kept/other.txt"')
        ended = skindesk(*line, program=("-c", NOTING))

        assert f"sqlite3 finds {Path('kept').resolve()}\n" in ended.stderr

    def test_elsewhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whoever has said where they are to be is heard."""
        monkeypatch.setenv("SQLITE_TMPDIR", "/elsewhere")
        configure(GOOD)
        ended = skindesk("backup", "copy.db", program=("-c", NOTING))

        assert "sqlite3 finds /elsewhere\n" in ended.stderr

    @pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="shows no open files")
    def test_large(self) -> None:
        """A file that is written anew has its copy beside it meanwhile, not in /tmp."""
        configure(GOOD)
        ended = serving(WIPING)

        assert ended.stderr == f"{Path.cwd()}\n"


class TestDatabase:
    def problem(self, path: str, capsys: pytest.CaptureFixture[str]) -> str:
        configure(GOOD + f"database.path = {json.dumps(path)}")
        assert main(["check", "--offline"]) == ExitCode.CONFIG
        return capsys.readouterr().err.partition("database.path (SKINDESK_DATABASE__PATH): ")[2].partition(". Fix: ")[0]

    def test_there(self) -> None:
        """A database that is there is fine, and so is an empty file."""
        asyncio.run(filled(Path("desk.db").absolute()))
        Path("empty.db").touch()

        for path in ("desk.db", "empty.db"):
            configure(GOOD + f'database.path = "{path}"')
            assert main(["check", "--offline"]) == 0

    def test_no_directory(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A directory that is not there is not made."""
        assert self.problem("none/desk.db", capsys) == "is in a directory that does not exist"

    def test_directory(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A directory is no database."""
        assert self.problem(".", capsys) == "is not a file"

    def test_other_file(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A file of another kind is not touched."""
        assert self.problem("config.toml", capsys) == "is not an SQLite database"

    @pytest.mark.parametrize(
        ("locked", "what"),
        [
            (".", "is in a directory that SkinDesk may not write to"),
            ("desk.db", "is a file that SkinDesk may not read and write"),
        ],
    )
    def test_not_allowed(
        self, locked: str, what: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """What SkinDesk may not write to is refused before the start."""
        Path("desk.db").touch()
        # The answer is the system's to give, and it gives another one to root.
        monkeypatch.setattr(os, "access", lambda path, _mode: path != Path(locked))

        assert self.problem("desk.db", capsys) == what

    def test_name_too_long(self, capsys: pytest.CaptureFixture[str]) -> None:
        """What the system refuses to look at is a problem, not a traceback."""
        assert self.problem("x" * 300, capsys) == "cannot be read (File name too long)"

    def test_run(self) -> None:
        """A start looks at the same things."""
        configure(GOOD + 'database.path = "config.toml"')
        ended = skindesk("run")

        assert ended.returncode == ExitCode.CONFIG
        assert "is not an SQLite database" in ended.stderr
