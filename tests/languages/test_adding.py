"""What the command says about a language that cannot be added, and about a file that it cannot read."""

from pathlib import Path

import pytest
from babel.messages.pofile import PoFileError

from bot.languages.language import EXPLANATIONS, MESSAGES
from tests.languages.__main__ import main
from tests.languages.catalogues import catalogue, formats, refused
from tests.support.made_up import WITHOUT_LANGUAGE


@pytest.mark.parametrize("code", [*WITHOUT_LANGUAGE, "de-LI"])
def test_can_be_added(code: str) -> None:
    """Each locale of Discord that has no language can get one, and another country's version can be added."""
    assert refused(code) is None
    assert (f'locales = ["{code}"]' in formats(code)) is (code in WITHOUT_LANGUAGE)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("de", "there already"),
        ("DE", "not written as"),
        ("../de", "not written as"),
        ("", "not written as"),
        ("eo", "Discord does not have eo"),
        ("pt", "as pt-BR, pt-PT"),
        ("es-419", "bot/languages/es/language.toml"),
    ],
)
def test_refused(code: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A code that cannot be used is refused in one line, and no file is written."""
    assert main(["add", code]) != 0
    [line] = capsys.readouterr().err.splitlines()
    assert why in line


@pytest.mark.parametrize("line", ['msgstr "Reload', "Reload"])
@pytest.mark.parametrize("name", [MESSAGES, EXPLANATIONS])
def test_broken_file(tmp_path: Path, name: str, line: str) -> None:
    """The line that cannot be read is named."""
    folder = tmp_path / "de"
    folder.mkdir()
    (folder / f"{name}.po").write_text(f'msgid "Refresh"\n{line}\n', encoding="utf-8")

    with pytest.raises(PoFileError) as caught:
        catalogue(folder, name)
    assert caught.value.lineno == 1
