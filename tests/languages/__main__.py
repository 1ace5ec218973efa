"""Brings all languages up to date: ``python -m tests.languages``. ``add CODE`` adds one: ``add fr``."""

import sys
from collections.abc import Sequence
from pathlib import Path

from babel.messages import Message
from babel.messages.pofile import PoFileError

from bot.exit_codes import ExitCode
from bot.languages.language import EXPLANATIONS, FOLDER, LANGUAGES, MESSAGES
from tests.languages.catalogues import ROOT, add, catalogue, refused, update

MOST = 10
"""The messages of a file that are printed: of a new language all are left."""


def main(arguments: Sequence[str]) -> int:
    """Update every language, or add one; print what is left to translate."""
    match arguments:
        case []:
            return max(_updated(FOLDER / code) for code in LANGUAGES if code != "en")
        case ["add", code]:
            if problem := refused(code):
                sys.stderr.write(f"{problem}\n")
                return ExitCode.USAGE
            return _updated(add(code))
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return ExitCode.USAGE


def _updated(folder: Path) -> int:
    """Update a language; print what is left to translate, or which line cannot be read."""
    for name in (MESSAGES, EXPLANATIONS):
        path = folder / f"{name}.po"
        shown = path.relative_to(ROOT)
        try:
            update(folder, name)
        except PoFileError as error:
            what, _, _ = str(error).rpartition(" on ")
            sys.stderr.write(f"{shown}, line {error.lineno + 1}: {what}\n")
            return ExitCode.DATA
        left = [message for message in catalogue(folder, name) if message.id and _is_left(message)]
        if not left:
            continue
        sys.stdout.write(f"{shown}: {len(left)} to translate\n")
        for message in left[:MOST]:
            mark = "fuzzy" if message.fuzzy else "empty"
            sys.stdout.write(f"    {mark}: {_english(message)}\n")
        if len(left) > MOST:
            sys.stdout.write("    …\n")
    return ExitCode.OK


def _english(message: Message) -> str:
    return str(message.id[0] if isinstance(message.id, tuple) else message.id).replace("\n", "\\n")


def _is_left(message: Message) -> bool:
    text = message.string
    return message.fuzzy or not (all(text) if isinstance(text, tuple) else text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
