"""Writes docs/licences.md: ``uv run --locked --all-extras python -m tests.support.licences``."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "licences.md"
NEWER_PYTHONS = {"audioop-lts": ("PSF-2.0", "https://github.com/AbstractUmbra/audioop")}
"""Packages that Python 3.11 does not need: licence and address. So the page is the same on every Python."""
COPYLEFT = ("GPL", "MPL", "Mozilla", "EPL", "EUPL")
BUNDLED = {
    "av": "its wheels contain FFmpeg with x264 and x265, which are GPL-2.0-or-later",
    "certifi": "the list of certificates, unchanged",
    "psycopg": "the driver of PostgreSQL, unchanged",
    "psycopg-binary": "the same, compiled; its wheels contain libpq (PostgreSQL's licence) and OpenSSL (Apache-2.0)",
    "psycopg-pool": "connections of psycopg, unchanged",
}
"""What the packages' own fields do not say, or what a copyleft licence covers."""
_HEAD = """\
# Licences of dependencies

SkinDesk is under the MIT licence. Its wheel contains no code of other projects: the installer fetches these packages. \
The licences are those in the packages' metadata. `uv run --locked --all-extras python -m tests.support.licences` \
writes this page, and a test compares it with the installed packages.

Copyleft: {copyleft}. SkinDesk uses them as they are. \
Without an extra only the first table is installed. \
If you pass on an installation with `demo`, the GPL applies to the FFmpeg in it; with `postgres`, the LGPL to psycopg.

"""


def page() -> str:
    """Return the page for the packages in the lock file: those always installed, then those of each extra."""
    needed = _exported()
    extras = {name: _exported("--extra", name) - needed for name in ("demo", "postgres")}
    tables = [("Always installed", needed), *((f"With the extra `{name}`", names) for name, names in extras.items())]
    found = _licences({name for _, names in tables for name in names})
    copyleft = [name for name, (licence, _) in found.items() if any(word in licence for word in COPYLEFT)]
    stated = ", ".join(f"{name} ({found[name][0]}: {BUNDLED[name]})" for name in copyleft)
    text = _HEAD.format(copyleft=f"{stated}, and inside av ({BUNDLED['av']})")
    for title, names in tables:
        text += f"## {title}\n\n| package | licence | note |\n|---|---|---|\n"
        text += "".join(
            f"| [{name}]({found[name][1]}) | {found[name][0]} | {BUNDLED.get(name, '')} |\n" for name in sorted(names)
        )
        text += "\n"
    return text.rstrip("\n") + "\n"


def _exported(*options: str) -> set[str]:
    """Return the names of the packages that ``uv`` would install, as the lock file writes them."""
    uv = os.environ.get("UV") or shutil.which("uv") or "uv"
    command = [uv, "export", "--quiet", "--locked", "--no-dev", "--no-hashes", "--no-emit-project", "--no-annotate"]
    listed = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 -- uv
    lines = [line for line in listed.stdout.splitlines() if "==" in line and "sys_platform == 'win32'" not in line]
    return {line.partition("==")[0] for line in lines}


def _licences(names: set[str]) -> dict[str, tuple[str, str]]:
    """Return each package's licence and address; KeyError for one that is neither installed nor known."""
    tool = str(Path(sys.executable).with_name("pip-licenses"))
    command = [tool, "--python", sys.executable, "--format", "json", "--with-urls", "--with-system", "--packages"]
    listed = subprocess.run([*command, *sorted(names)], capture_output=True, text=True, check=True)  # noqa: S603 -- our own tool
    found = {each["Name"].lower().replace("_", "-").replace(".", "-"): each for each in json.loads(listed.stdout)}
    return {name: NEWER_PYTHONS.get(name) or (found[name]["License"], found[name]["URL"]) for name in sorted(names)}


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
