from pathlib import Path

import pytest

from tests.support.ports import GIVEN, FreePorts

RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def ports_of(worker: str, monkeypatch: pytest.MonkeyPatch) -> set[int]:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
    free = FreePorts()
    return {free() for _ in range(100)}


@pytest.mark.skipif(not RANGE.exists(), reason="Linux tells which ports it gives to connections")
def test_no_connection_is_given_one():
    assert GIVEN.stop <= int(RANGE.read_text().split()[0])


def test_workers(monkeypatch: pytest.MonkeyPatch):
    """No port is given twice, neither by one worker nor by two."""
    ports = [ports_of(worker, monkeypatch) for worker in ("gw0", "gw1", "gw2")]

    assert len(set.union(*ports)) == 300


def test_fixtures(unused_tcp_port: int):
    """The tests' ports come from here, not from pytest-asyncio."""
    assert unused_tcp_port in GIVEN
