"""The audit log in words: the answer fits with any rows, and nothing in it is live."""

import csv
import io
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from simcord.types import HttpLogEntry

from bot.domain.audit import AuditAction, AuditRow, DamagedRow
from bot.services.audit import Extract
from bot.ui.audit import TITLES, audit_page, row_line
from tests.support.hostile_text import hostile, rendered
from tests.support.payload_audit import audit_requests

GUILD = 900_000_000_000_000_001
NAMES = ["user:800000000000000001", "steam:76561197960265739", "erased:22ec4878c8c00d307fd0"]
DETAILS = ["capability", "steam_id", "setting", "channel", "trade", "game", "scope", "action", "owner", "odd"]

rows = st.builds(
    AuditRow,
    number=st.integers(1, 10**9),
    guild_id=st.just(900000000000000001),
    at=st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 -- made aware
    actor=st.sampled_from(["skindesk", NAMES[0], NAMES[2]]),
    action=st.sampled_from(AuditAction),
    subject=st.sampled_from([*NAMES, "role:7", f"role:{GUILD}", "resend:12", "guild"]),
    detail=st.dictionaries(st.sampled_from(DETAILS), hostile | st.just("erased:22ec4878"), max_size=4),
    digest=st.just("0" * 64),
)


def row(action: AuditAction, subject: str, **detail: str) -> AuditRow:
    return AuditRow(1, 1, datetime(2026, 5, 1, tzinfo=UTC), NAMES[0], action, subject, detail, "")


@settings(max_examples=60)
@given(
    some=st.lists(rows | st.builds(DamagedRow, st.integers(1, 10**9)), min_size=1, max_size=12),
    times=st.integers(1, 40),
    has_older=st.booleans(),
)
def test_any_rows(some: list[AuditRow | DamagedRow], times: int, *, has_older: bool) -> None:
    """With any rows, Discord takes the answer, it shows whole rows as text, and the file has all of them."""
    embed, file = audit_page(Extract(tuple(some * times), has_older), guild_id=GUILD)
    body = {"embeds": [embed.to_dict()], "allowed_mentions": {"parse": []}}

    assert audit_requests([HttpLogEntry("POST", "/channels/1/messages", {}, body, None)]) == []
    kinds, _ = rendered(embed.description or "", "embed")
    assert set(kinds) <= {
        *("paragraph", "inline", "text", "break", "strong_open", "strong_close", "code", "timestamp"),
        *("mention_user", "mention_role", "mention_channel", "user", "role", "channel", "mention", "everyone"),
    }
    assert file is not None
    read = list(csv.DictReader(io.StringIO(file.fp.read().decode("utf-8-sig"), newline="")))
    assert [int(each["number"]) for each in read] == [each.number for each in some * times]


def test_every_action_has_texts() -> None:
    """Each action has a name, and a line without its details too."""
    for action in AuditAction:
        assert row_line(row(action, "guild"), GUILD).startswith(f"**{TITLES[action]}**")


def test_everyone_is_not_mentioned() -> None:
    """The role of all members is named without a mention, other roles by theirs."""
    everyone = row(AuditAction.ACCESS_GRANTED, f"role:{GUILD}", capability="audit.read")
    others = row(AuditAction.ACCESS_GRANTED, "role:7", capability="audit.read")

    by = "By: <@800000000000000001>"
    assert row_line(everyone, GUILD) == f"**Capability granted** · @everyone · `audit.read` · {by}"
    assert row_line(others, GUILD) == f"**Capability granted** · <@&7> · `audit.read` · {by}"


def test_languages() -> None:
    """A language has its own name, whoever reads it; one that is not there any more has its code."""
    known = row(AuditAction.SETTINGS_CHANGED, "guild", setting="language", language="de")
    gone = row(AuditAction.SETTINGS_CHANGED, "guild", setting="language", language="tlh")
    unset = row(AuditAction.SETTINGS_CHANGED, "guild", setting="language", language="none")

    assert " · `language` · Deutsch · " in row_line(known, GUILD)
    assert " · `language` · `tlh` · " in row_line(gone, GUILD)
    assert " · `language` · As on Discord · " in row_line(unset, GUILD)


def test_a_damaged_row() -> None:
    """A row that cannot be read stands in its place, with whom to ask about it, in the answer and in the file."""
    sound = row(AuditAction.SETTINGS_CHANGED, "guild", channel="31")
    embed, file = audit_page(Extract((DamagedRow(2), sound), has_older=False), guild_id=GUILD)

    first, second = (embed.description or "").splitlines()
    assert first.startswith("`2` This row is damaged")
    assert "`skindesk check`" in first
    assert second.startswith("`1` <t:")
    assert file is not None
    damaged, _ = csv.DictReader(io.StringIO(file.fp.read().decode("utf-8-sig"), newline=""))
    assert (damaged["number"], damaged["action"], damaged["time"]) == ("2", "damaged", "")
