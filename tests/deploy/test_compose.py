"""The composed services write only to their volumes, have no privileges, and are set up as docs/scaling.md says."""

import re
import subprocess
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.config_loading import load_settings
from bot.domain.shards import ShardGroup

ROOT = Path(__file__).parent.parent.parent
FILES = {path.name: path for path in (ROOT / "compose.yaml", *sorted((ROOT / "deploy").glob("compose-*.yml")))}


def services(file: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILES[file].read_text(encoding="utf-8"))["services"]
    return found


def desks(file: str) -> dict[str, Any]:
    """Return the services that run SkinDesk."""
    return {name: each for name, each in services(file).items() if each["image"] == "skindesk"}


@pytest.mark.parametrize("file", FILES)
def test_desks(file: str):
    """Each process writes only to memory or its volume, has no privileges and limits, and is given time to stop."""
    for desk in desks(file).values():
        assert desk["read_only"]
        assert desk["cap_drop"] == ["ALL"]
        assert desk["security_opt"] == ["no-new-privileges:true"]
        assert {"mem_limit", "cpus", "pids_limit", "logging"} <= desk.keys()
        assert (desk["restart"], desk["stop_grace_period"]) == ("unless-stopped", "10s")
        assert all(re.fullmatch(r"/\w+:size=64m,mode=1777", each) for each in desk["tmpfs"])
        assert [each for each in desk["volumes"] if not each.endswith(":ro")] in ([], ["data:/data"])
    assert [name for name, desk in desks(file).items() if "build" in desk] == [next(iter(desks(file)))]


@pytest.mark.parametrize("file", FILES)
def test_secrets(file: str):
    """Secrets come from files that git ignores: no password and no token is a variable."""
    ignored = set((ROOT / ".gitignore").read_text(encoding="utf-8").splitlines())
    given = {**dict(chain.from_iterable(each.get("environment", {}).items() for each in services(file).values()))}
    mounted = {
        (FILES[file].parent / volume.partition(":")[0]).resolve().relative_to(ROOT).parts[0]
        for each in services(file).values()
        for volume in each["volumes"]
        if volume.startswith(".")
    }

    assert [name for name in given if re.search("TOKEN|PASSWORD|URL", name) and not name.endswith("_FILE")] == []
    assert {f"/{folder}/" for folder in mounted} <= ignored
    assert {(FILES[file].parent / each["env_file"]).resolve() for each in desks(file).values()} == {
        ROOT / "skindesk.env"
    }


@pytest.mark.parametrize("file", FILES)
def test_ports(file: str):
    """Every port is published on the machine's loopback only, and none twice."""
    ports = [port.rsplit(":", 1) for each in services(file).values() for port in each.get("ports", [])]

    assert sorted({inside for _, inside in ports}) == ["8080", "9464"]
    assert all(outside.startswith("127.0.0.1:") for outside, _ in ports)
    assert len({outside for outside, _ in ports}) == len(ports) == 2 * len(desks(file))


def test_commands():
    """A shell understands the commands of docs/scaling.md, and they name files and services that exist."""
    text = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    named = set(re.findall(r"\bskindesk-[a-z]\b", "".join(blocks)))

    assert len(blocks) >= 4
    for block in blocks:
        subprocess.run(["/bin/sh", "-n"], input=block, text=True, check=True)
    assert named == desks("compose-two-processes.yml").keys()
    assert {file for file in re.findall(r"deploy/[\w.-]+\w", text) if not (ROOT / file).exists()} == set()


@pytest.mark.parametrize("file", ["compose-two-processes.yml", "compose-clusters.yml"])
def test_settings(file: str, tmp_path: Path):
    """A process starts with what it is given: PostgreSQL, and each of Discord's shards twice."""
    secrets = {"discord.token": "a-token", "database.url": "postgresql://skindesk:secret@postgres/skindesk"}
    for name, secret in secrets.items():
        (tmp_path / name).write_text(secret, encoding="utf-8")
    groups = []
    for desk in desks(file).values():
        given = {name: text.replace("/run/secrets", str(tmp_path)) for name, text in desk["environment"].items()}
        settings = load_settings(None, given)
        assert settings.database.url.get_secret_value() == secrets["database.url"]
        groups.append(settings.discord.shard_group or ShardGroup(0, 0, 1))

    count = groups[0].count
    assert {group.count for group in groups} == {count}
    assert sorted(chain.from_iterable(group.ids for group in groups)) == sorted([*range(count), *range(count)])
    assert all(groups.count(group) == 2 for group in groups)
