"""Counts lines of product and tests: ``uv run python -m benchmarks.size [FOLDER]``."""

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent


def lines_of(folder: Path, *names: str) -> dict[str, int]:
    """Return the lines of every Python file below some folders."""
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8").count("\n")
        for name in names
        for path in sorted((folder / name).rglob("*.py"))
    }


def main() -> int:
    """Print the counts."""
    folder = Path(sys.argv[1]).resolve() if sys.argv[1:] else _ROOT
    product, tests = lines_of(folder, "bot", "cogs"), lines_of(folder, "tests")
    print(f"product: {sum(product.values()):,} lines in {len(product)} files")
    print(f"tests: {sum(tests.values()):,} lines in {len(tests)} files")
    print(f"tests to product: {sum(tests.values()) / sum(product.values()):.2f}")
    print(f"files in bot/ui itself: {len(list((folder / 'bot' / 'ui').glob('*.py')))}")
    for name, lines in sorted((product | tests).items(), key=lambda each: -each[1])[:10]:
        print(f"{lines:6}  {name}")
    for test_folder in sorted(path for path in (folder / "tests").iterdir() if path.is_dir()):
        if count := sum(lines_of(folder, f"tests/{test_folder.name}").values()):
            print(f"{count:6}  tests/{test_folder.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
