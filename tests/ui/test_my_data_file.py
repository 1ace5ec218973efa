"""Who is named in the file about oneself: whoever did something to its reader, and nobody else."""

import json
from datetime import UTC, datetime
from typing import Any

from bot.domain.audit import AuditAction, AuditRow
from bot.domain.links import Link, LinkSource
from bot.domain.my_data import StoredData
from bot.ui.my_data_file import MOST_ROWS, my_data_file
from tests.contracts.samples import ADA, ADAS_ACCOUNT, BEN, BENS_ACCOUNT, CLEO, GUILD, NOW

LINK = Link(GUILD, ADA, ADAS_ACCOUNT, LinkSource.SIGN_IN, ADA, NOW)
OTHER = "somebody else"


def row(action: AuditAction, actor: int, subject: str, number: int = 1, **detail: str) -> AuditRow:
    return AuditRow(number, datetime(2026, 5, 1, tzinfo=UTC), f"user:{actor}", action, subject, detail, "")


def told(*rows: AuditRow) -> dict[str, Any]:
    """Return the file that Ada gets."""
    stored = StoredData(link=LINK, ended_links=(), resends=(), audit=rows, snapshots=0)
    content = json.load(my_data_file(stored, guild_id=GUILD, user_id=ADA, at=NOW).fp)
    assert isinstance(content, dict)
    return content


def test_who_had_the_account_before() -> None:
    """Somebody who once linked, for themselves, the account that is the reader's now is not named; staff is."""
    (by_themselves,) = told(row(AuditAction.LINK_SET, BEN, f"user:{BEN}", steam_id=str(ADAS_ACCOUNT)))["record"]
    (by_staff,) = told(row(AuditAction.LINK_SET, CLEO, f"user:{BEN}", steam_id=str(ADAS_ACCOUNT)))["record"]

    assert (by_themselves["actor"], by_themselves["subject"]) == (OTHER, OTHER)
    assert (by_staff["actor"], by_staff["subject"]) == (f"user:{CLEO}", OTHER)
    assert by_staff["detail"] == {"steam_id": f"steam:{ADAS_ACCOUNT}"}


def test_requests() -> None:
    """Whoever asked for a resend of the reader's trade is named; whose trade the reader asked for is not."""
    for_her = {"owner": str(ADAS_ACCOUNT), "requester": str(CLEO)}
    for_ben = {"owner": str(BENS_ACCOUNT), "requester": str(ADA)}
    mine, bens = told(
        row(AuditAction.RESEND_DENIED, CLEO, "resend:1", 2, **for_her),
        row(AuditAction.RESEND_DENIED, CLEO, "resend:2", 1, **for_ben),
    )["record"]

    assert mine["detail"] == {"owner": f"steam:{ADAS_ACCOUNT}", "requester": f"user:{CLEO}"}
    assert bens["detail"] == {"owner": OTHER, "requester": f"user:{ADA}"}
    assert bens["actor"] == f"user:{CLEO}"


def test_a_long_record() -> None:
    """The newest rows are in the file, and how many older ones are not."""
    some = [row(AuditAction.TRADES_LOOKED, CLEO, "guild", number) for number in range(MOST_ROWS + 7)]
    content = told(*some)

    assert [each["number"] for each in content["record"]] == list(range(MOST_ROWS + 6, 6, -1))
    assert content["older_rows_left_out"] == 7
