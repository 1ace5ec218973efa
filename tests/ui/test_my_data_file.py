"""The file about oneself names only the people who acted on its reader."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.domain.audit import FOR_ANOTHER, AuditAction, AuditRow
from bot.domain.links import Link, LinkSource
from bot.domain.my_data import StoredData
from bot.domain.resends import Resend
from bot.ui.mydata import MOST_ROWS, my_data_file
from tests.contracts.samples import ADA, ADAS_ACCOUNT, BEN, BENS_ACCOUNT, CLEO, GUILD, NOW, draft

LINK = Link(GUILD, ADA, ADAS_ACCOUNT, LinkSource.SIGN_IN, ADA, NOW)
OTHER = "somebody else"


def row(action: AuditAction, actor: int, subject: str, number: int = 1, **detail: str) -> AuditRow:
    return AuditRow(number, 1, datetime(2026, 5, 1, tzinfo=UTC), f"user:{actor}", action, subject, detail, "")


def exported(*rows: AuditRow, resends: Sequence[Resend] = ()) -> dict[str, Any]:
    """Return the file that Ada gets."""
    stored = StoredData(
        link=LINK,
        ended_links=(),
        accounts=frozenset({ADAS_ACCOUNT}),
        resends=tuple(resends),
        audit=rows,
        snapshots=0,
    )
    content = json.load(my_data_file(stored, guild_id=GUILD, user_id=ADA, at=NOW).fp)
    assert isinstance(content, dict)
    return content


def test_who_had_the_account_before() -> None:
    """A former holder who linked the account for themselves is not named; staff is."""
    (by_themselves,) = exported(row(AuditAction.LINK_SET, BEN, f"user:{BEN}", steam_id=str(ADAS_ACCOUNT)))["record"]
    (by_staff,) = exported(row(AuditAction.LINK_SET, CLEO, f"user:{BEN}", steam_id=str(ADAS_ACCOUNT)))["record"]

    assert (by_themselves["actor"], by_themselves["subject"]) == (OTHER, OTHER)
    assert (by_staff["actor"], by_staff["subject"]) == (f"user:{CLEO}", OTHER)
    assert by_staff["detail"] == {"steam_id": f"steam:{ADAS_ACCOUNT}"}


def test_requests() -> None:
    """Who requested a resend of the reader's trade is named; the owner of a trade that the reader asked for is not."""
    for_her = {"owner": str(ADAS_ACCOUNT), "requester": str(CLEO)}
    for_ben = {"owner": str(BENS_ACCOUNT), "requester": str(ADA)}
    mine, bens, _ = exported(
        row(AuditAction.RESEND_DENIED, CLEO, "resend:1", 3, **for_her),
        row(AuditAction.RESEND_DENIED, CLEO, "resend:2", 2, **for_ben),
        row(AuditAction.RESEND_REQUESTED, CLEO, "resend:1", 1, **for_her, **FOR_ANOTHER),
    )["record"]

    assert mine["detail"] == {"owner": f"steam:{ADAS_ACCOUNT}", "requester": f"user:{CLEO}"}
    assert bens["detail"] == {"owner": OTHER, "requester": f"user:{ADA}"}
    assert bens["actor"] == f"user:{CLEO}"


def test_requests_of_who_had_the_account_before() -> None:
    """A former holder of the account who asked for themselves is not named anywhere."""
    bens = {"owner": str(ADAS_ACCOUNT), "requester": str(BEN)}
    asked = replace(draft(), id=1, requested_by=BEN, owner_user_id=BEN, reason="I am Ben", decision_reason="no, Ben")
    content = exported(
        row(AuditAction.RESEND_DENIED, CLEO, "resend:1", 3, **bens),
        row(AuditAction.RESEND_CANCELLED, BEN, "resend:2", 2, **bens),
        row(AuditAction.RESEND_REQUESTED, BEN, "resend:1", 1, **bens),
        resends=[asked],
    )

    assert str(BEN) not in json.dumps(content)
    assert "Ben" not in json.dumps(content)
    assert [each["actor"] for each in content["record"]] == [f"user:{CLEO}", OTHER, OTHER]
    assert [each["detail"]["requester"] for each in content["record"]] == [OTHER] * 3
    (request,) = content["resends"]
    assert (request["requested_by"], request["owner"], request["reason"]) == (OTHER, OTHER, None)


def test_requests_by_the_staff() -> None:
    """Who asked as staff for a resend of the reader's trade is named, with the request at hand and without."""
    by_cleo = {"owner": str(ADAS_ACCOUNT), "requester": str(CLEO)}
    asked = replace(draft(), id=1, requested_by=CLEO, owner_user_id=None, reason="Ada waits")
    content = exported(row(AuditAction.RESEND_REQUESTED, CLEO, "resend:1", 1, **by_cleo), resends=[asked])

    assert content["record"][0]["actor"] == content["record"][0]["detail"]["requester"] == f"user:{CLEO}"
    (request,) = content["resends"]
    assert (request["requested_by"], request["reason"]) == (f"user:{CLEO}", "Ada waits")


def test_staff_with_the_readers_account() -> None:
    """Who linked the reader's account to themselves as staff, and looked, answers for both by name."""
    account = str(ADAS_ACCOUNT)
    content = exported(
        row(AuditAction.INVENTORY_VIEWED, CLEO, f"user:{CLEO}", 2, steam_id=account),
        row(AuditAction.LINK_SET, CLEO, f"user:{CLEO}", 1, steam_id=account, source="staff"),
    )

    assert [(each["actor"], each["subject"]) for each in content["record"]] == [(f"user:{CLEO}", OTHER)] * 2


def test_a_long_record() -> None:
    """The newest rows are in the file, and how many older ones are not."""
    some = [row(AuditAction.TRADES_VIEWED, CLEO, "guild", number) for number in range(MOST_ROWS + 7)]
    content = exported(*some)

    assert [each["number"] for each in content["record"]] == list(range(MOST_ROWS + 6, 6, -1))
    assert content["older_rows_left_out"] == 7
