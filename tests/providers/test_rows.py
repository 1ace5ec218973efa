"""One odd value of a row costs that value, one odd row that row; what is odd is named by its place."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Required

import pytest
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from bot.providers.reading import Unreadable
from bot.providers.rows import Amount, Count, Id, Text, listed, moment_from, read_rows


class Part(TypedDict, total=False):
    price: Amount | None
    sure: bool | None


class Shape(TypedDict, total=False):
    id: Required[Id]
    name: Text | None
    count: Count | None
    sure: bool | None
    offer: Part | None
    parts: list[Part] | None


SHAPE = TypeAdapter(Shape)


@pytest.mark.parametrize(
    ("row", "read", "places"),
    [
        ({"id": 7, "name": " x ", "count": "5", "sure": "1"}, {"id": "7", "name": "x", "count": 5, "sure": True}, []),
        ({"id": "7", "name": 5, "count": Decimal("5.0"), "sure": 0}, {"name": "5", "count": 5, "sure": False}, []),
        ({"id": "7", "name": [], "count": True, "sure": "?"}, {}, ["name", "count", "sure"]),
        ({"id": "7", "name": "x\ud800", "count": None}, {"name": "x?", "count": None}, []),
        ({"id": "7", "name": "x" * 5_000, "count": 2**63}, {"name": "x" * 1_000}, ["count"]),
        (
            {"id": "7", "offer": {"price": "1.50", "sure": None}},
            {"offer": {"price": Decimal("1.50"), "sure": None}},
            [],
        ),
        ({"id": "7", "offer": {"price": True, "sure": True}}, {"offer": None}, ["offer.price"]),
        ({"id": "7", "offer": False}, {"offer": None}, ["offer"]),
        (
            {"id": "7", "parts": [{"price": -1, "sure": 1}, 5, {"price": 10**40}, {"price": Decimal("1e-99")}, "x"]},
            {"parts": [{"sure": True}, {}, {}]},
            ["parts[0].price", "parts[1]", "parts[2].price", "parts[3].price", "parts[4]"],
        ),
        (5, None, [""]),
        ({"name": "x"}, None, ["id"]),
        ({"id": " ", "name": 7}, None, ["id"]),
        ({"id": True}, None, ["id"]),
        ({"id": "x" * 1_001}, None, ["id"]),
    ],
)
def test_odd_values(row, read, places):
    """A row is read without its odd values, and left out if it has no id; the row beside it is read."""
    noted: list[str] = []

    found, left_out = read_rows(SHAPE, [row, {"id": "1"}], "list", noted.append, instead={"offer": None})

    assert found == [*([] if read is None else [{"id": "7", **read}]), {"id": "1"}]
    assert left_out == (read is None)
    assert {*noted} == {f"list[0].{place}".removesuffix(".") for place in places}


@pytest.mark.parametrize(
    ("values", "rows"), [(None, []), ({}, []), ([], []), ({"0": 5, "2": 6}, [5, 6]), ([None], [None])]
)
def test_listed(values, rows):
    """Null, an empty object and PHP's numbered object are lists too."""
    assert listed(values, "list") == rows


@pytest.mark.parametrize("values", [{"a": 1}, "", 0, False, [0] * 30_001])
def test_not_listed(values):
    """Anything else, and a list that no inventory fills, is unreadable."""
    with pytest.raises(Unreadable, match=r"^list$"):
        listed(values, "list")


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (1_780_315_200, datetime(2026, 6, 1, 12, tzinfo=UTC)),
        ("1780315200000", datetime(2026, 6, 1, 12, tzinfo=UTC)),
        (Decimal("1780315200.5"), datetime(2026, 6, 1, 12, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-06-01T12:00:00.000Z", datetime(2026, 6, 1, 12, tzinfo=UTC)),
        ("2026-06-01 14:00:00+02:00", datetime(2026, 6, 1, 12, tzinfo=UTC)),
        *(
            (value, None)
            for value in (None, "", "soon", 0, -5, True, 10**18, "2026-13-01", "0001-01-01T00:00:00+14:00")
        ),
    ],
)
def test_moment(value, moment):
    """Times come in seconds, milliseconds and ISO 8601, as number or text."""
    assert moment_from(value) == moment
