"""Brings all languages up to date: ``python -m tests.languages``. ``add CODE`` adds one: ``add fr``."""

import sys
from collections.abc import Sequence

from bot.languages.language import FOLDER, LANGUAGES
from tests.languages.catalogues import add, catalogue, update


def main(arguments: Sequence[str]) -> int:
    """Update every language, or add one; print what is left to translate."""
    match arguments:
        case []:
            folders = [FOLDER / code for code in LANGUAGES if code != "en"]
            for folder in folders:
                update(folder)
        case ["add", code]:
            folders = [add(code)]
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 64
    for folder in folders:
        left = {
            path.stem: sum(1 for message in catalogue(folder, path.stem) if message.id and _is_left(message))
            for path in sorted(folder.glob("*.po"))
        }
        sys.stdout.write(f"{folder.name}: to translate {left}\n")
    return 0


def _is_left(message: object) -> bool:
    text = getattr(message, "string", "")
    return getattr(message, "fuzzy", False) or not (all(text) if isinstance(text, tuple) else text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
