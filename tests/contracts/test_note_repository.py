"""Each NoteRepository keeps the staff's notes on members and accounts, and logs who added and removed which."""

from dataclasses import replace

from bot.domain.audit import AuditAction
from bot.domain.customers import CustomerKey
from bot.domain.notes import Note
from bot.ports.notes import NoteRepository
from tests.contracts.engines import Repositories
from tests.contracts.samples import ADA, ADAS_ACCOUNT, BEN, BENS_ACCOUNT, CLEO, GUILD, LATER, NOW, OTHER_GUILD

NOTE = Note(0, GUILD, ADA, ADAS_ACCOUNT, CLEO, "polite, German", NOW)
ADA_WITH_ACCOUNT = CustomerKey(ADA, ADAS_ACCOUNT)


async def added(notes: NoteRepository, draft: Note) -> Note:
    note = await notes.add(draft, at_most=9)
    assert note is not None
    return note


async def test_of_customer(notes: NoteRepository) -> None:
    """A customer's notes are those on the member and those on the account, newest first, of this guild alone."""
    on_both = await added(notes, NOTE)
    on_member = await added(notes, replace(NOTE, steam_id=BENS_ACCOUNT, at=LATER))
    on_account = await added(notes, replace(NOTE, user_id=None, text="Ünï ★ 🎒"))
    await added(notes, replace(NOTE, guild_id=OTHER_GUILD))
    await added(notes, replace(NOTE, user_id=BEN, steam_id=None))

    assert on_both == replace(NOTE, id=on_both.id)
    assert await notes.of_customer(GUILD, ADA_WITH_ACCOUNT) == (on_account, on_member, on_both)
    assert await notes.of_customer(GUILD, CustomerKey(user_id=ADA)) == (on_member, on_both)
    assert await notes.of_customer(GUILD, CustomerKey(steam_id=ADAS_ACCOUNT)) == (on_account, on_both)
    assert await notes.of_customer(GUILD, CustomerKey(user_id=CLEO)) == ()


async def test_limit(notes: NoteRepository) -> None:
    """A customer has at most so many notes, those on the member and on the account together."""
    await added(notes, replace(NOTE, user_id=None))
    await added(notes, replace(NOTE, steam_id=None))

    assert await notes.add(NOTE, at_most=2) is None
    assert await notes.add(replace(NOTE, user_id=BEN, steam_id=None), at_most=1) is not None
    assert len(await notes.of_customer(GUILD, ADA_WITH_ACCOUNT)) == 2


async def test_remove(notes: NoteRepository) -> None:
    """A note is removed by its author, or with the right to remove anyone's, and once."""
    one, other = await added(notes, NOTE), await added(notes, NOTE)

    for guild_id, number, by in ((GUILD, one.id, BEN), (OTHER_GUILD, one.id, CLEO), (GUILD, 2**63, CLEO)):
        assert await notes.remove(guild_id, number, by=by, of_anyone=False, at=LATER) is None
    assert await notes.remove(GUILD, one.id, by=CLEO, of_anyone=False, at=LATER) == one
    assert await notes.remove(GUILD, one.id, by=CLEO, of_anyone=True, at=LATER) is None
    assert await notes.remove(GUILD, other.id, by=BEN, of_anyone=True, at=LATER) == other
    assert await notes.of_customer(GUILD, ADA_WITH_ACCOUNT) == ()


async def test_audit(notes: NoteRepository, repositories: Repositories) -> None:
    """The log has who added and removed which note on whom, and never its text."""
    note = await added(notes, NOTE)
    await notes.remove(GUILD, note.id, by=BEN, of_anyone=True, at=LATER)
    await added(notes, replace(NOTE, user_id=None))
    rows = await repositories.audit.newest(GUILD, limit=9)

    assert [(row.action, row.actor_id, row.subject) for row in reversed(rows)] == [
        (AuditAction.NOTE_ADDED, CLEO, f"user:{ADA}"),
        (AuditAction.NOTE_REMOVED, BEN, f"user:{ADA}"),
        (AuditAction.NOTE_ADDED, CLEO, f"steam:{ADAS_ACCOUNT}"),
    ]
    assert rows[-1].detail == {"note": str(note.id), "steam_id": str(ADAS_ACCOUNT)}
    assert not any(NOTE.text in str(row) for row in rows)


async def test_no_token(notes: NoteRepository) -> None:
    """A trade token in a note is never stored."""
    url = "https://steamcommunity.com/tradeoffer/new/?partner=11&token=SeCrEt12"

    assert "SeCrEt12" not in (await added(notes, replace(NOTE, text=f"uses {url} since May"))).text
