"""What a provider's answer has beyond its documents is counted by place, logged once, and never shown."""

import logging

import pytest

from bot.domain.failures import ProviderName
from bot.providers.reading import Fields, loose
from bot.providers.unexpected import Unexpected


def test_counted_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """A thousand items with the same unexpected field are one line in the log."""
    caplog.set_level(logging.DEBUG)
    unexpected = Unexpected(ProviderName.ASSETPAY)
    answer = Fields({"items": [{"wear": ["CANARY"]} for _ in range(1_000)]}, note=unexpected.note)

    worn = [loose(item.number, "wear") for item in answer.parts("items")]

    assert worn == [None] * 1_000
    assert unexpected.counts == {"items[].wear": 1_000}
    assert [record.getMessage() for record in caplog.records] == [
        "unexpected answer provider=assetpay place=items[].wear"
    ]
    assert "CANARY" not in caplog.text


def test_endless_places(caplog: pytest.LogCaptureFixture) -> None:
    """An answer that is unexpected in ever new places fills neither the memory nor the log."""
    unexpected = Unexpected(ProviderName.MANNCO)
    for number in range(5_000):
        unexpected.note(f"place_{number}")

    assert len(unexpected.counts) <= 201
    assert len(caplog.records) <= 201
    assert sum(unexpected.counts.values()) == 5_000
