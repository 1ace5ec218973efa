"""Runs the program as from a terminal, in the working directory of a test."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
CANARY = "CANARY-4711"
GOOD = 'discord.token = "a-token"\nproviders.assetpay.api_key = "ap_key"\n'
SERVING = """
import sys, types
sys.modules["bot.app"] = app = types.ModuleType("bot.app")
async def serve(settings, load, new_database):
    {body}
app.serve = serve
from bot.__main__ import main
sys.exit(main(["run", "--config", "config.toml"]))
"""


def skindesk(*arguments: str, program: tuple[str, ...] = ("-m", "bot")) -> subprocess.CompletedProcess[str]:
    """Run the program without any SKINDESK_ variable."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SKINDESK_")}
    return subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, *program, *arguments],
        env=environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def serving(body: str) -> subprocess.CompletedProcess[str]:
    """Run ``skindesk run`` with another body of ``bot.app.serve``."""
    return skindesk(program=("-c", SERVING.format(body=body)))


def configure(text: str) -> None:
    Path("config.toml").write_text(text, encoding="utf-8")
