"""Each MyDataRepository finds and erases one member's data, and no other member's."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.audit import AuditAction, AuditEntry
from bot.domain.customers import CustomerKey
from bot.domain.links import RELINK_COOL_DOWN, Link, LinkSource
from bot.domain.my_data import Erased, StoredData
from bot.domain.notes import Note
from bot.domain.resends import OPENED_WITHIN, Resend, ResendState
from bot.domain.steam import SteamId
from bot.ports import AuditRepository, LinkRepository, MyDataRepository
from bot.ports.resends import ResendRepository
from tests.contracts.engines import Repositories
from tests.contracts.samples import (
    ADA,
    ADAS_ACCOUNT,
    BEN,
    BENS_ACCOUNT,
    CLEO,
    GUILD,
    LATER,
    NOW,
    OTHER_GUILD,
    draft,
    error,
    in_state,
    opened,
    snapshot,
    watch,
)

LONG_AFTER = NOW + OPENED_WITHIN
ENDED = [state for state in ResendState if not state.is_open]
NOTHING = StoredData(link=None, ended_links=(), accounts=frozenset(), resends=(), audit=(), snapshots=0)


def link(
    user_id: int = ADA, account: SteamId = ADAS_ACCOUNT, *, guild_id: int = GUILD, source: LinkSource = LinkSource.STAFF
) -> Link:
    by = user_id if source is LinkSource.SIGN_IN else CLEO
    return Link(guild_id, user_id, account, source, by, NOW)


def self_made(user_id: int = CLEO, account: SteamId = ADAS_ACCOUNT) -> Link:
    """Return a link that a staff member made for themselves."""
    return replace(link(user_id, account), linked_by=user_id)


async def denied(resends: ResendRepository, asked_for: Resend) -> Resend:
    """Return a request that ended."""
    return await in_state(resends, ResendState.DENIED, asked_for=asked_for)


def view(
    action: AuditAction = AuditAction.TRADES_VIEWED,
    subject: str = "guild",
    *,
    guild_id: int = GUILD,
    by: int = CLEO,
    at: datetime = LATER,
    **detail: str,
) -> AuditEntry:
    return AuditEntry(guild_id, at, by, action, subject, detail)


async def test_everything(my_data: MyDataRepository, repositories: Repositories) -> None:
    """The link, requests, snapshots, the rows that name the member, and views of everyone's trades are found."""
    standing = await repositories.links.put(link())
    own = await opened(repositories.resends)
    for_her = await repositories.resends.open(
        replace(draft(trade_id=2), requested_by=CLEO, owner_user_id=None, reason=None)
    )
    await repositories.snapshots.save(snapshot())
    await repositories.snapshots.save(snapshot("p-2", user_id=BEN))
    await repositories.snapshots.save(snapshot("p-3", guild_id=OTHER_GUILD))
    for draft_of_watch in (watch(), watch(user_id=CLEO), watch(guild_id=OTHER_GUILD)):
        await repositories.watches.add(draft_of_watch, at_most=9)
    await repositories.references.save(error(), error("b1b2b3", user_id=BEN), error("c1c2c3", guild_id=OTHER_GUILD))
    views = [
        view(),
        view(AuditAction.INVENTORY_VIEWED, f"user:{ADA}", steam_id=str(ADAS_ACCOUNT)),
        view(AuditAction.INVENTORY_VIEWED, f"steam:{ADAS_ACCOUNT}", steam_id=str(ADAS_ACCOUNT)),
        view(AuditAction.WATCH_SET, f"user:{ADA}", steam_id=str(ADAS_ACCOUNT), provider="skinsback", trade="678431"),
    ]
    for entry in (*views, view(AuditAction.TRADES_VIEWED, f"user:{BEN}", steam_id=str(BENS_ACCOUNT))):
        await repositories.audit.append(entry)

    stored = await my_data.of_user(GUILD, ADA)

    assert stored.link == standing
    assert stored.resends == (own, for_her)
    assert stored.snapshots == 1
    assert stored.watches == await repositories.watches.of_user(GUILD, ADA)
    assert len(stored.watches) == 1
    assert stored.errors == (error(),)
    assert [row.action for row in stored.audit] == [
        *(entry.action for entry in reversed(views)),
        AuditAction.RESEND_REQUESTED,
        AuditAction.RESEND_REQUESTED,
        AuditAction.LINK_SET,
    ]
    assert [row.action for row in stored.views_by_others(ADA)] == [entry.action for entry in reversed(views)]
    assert stored.own_references(ADA) == {f"user:{ADA}", f"steam:{ADAS_ACCOUNT}"}


def note(text: str, *, user_id: int | None = ADA, steam_id: SteamId | None = ADAS_ACCOUNT) -> Note:
    return Note(0, GUILD, user_id, steam_id, CLEO, text, LATER)


async def test_notes(my_data: MyDataRepository, repositories: Repositories) -> None:
    """Found and erased are the notes on the member, and those on their account from when no one was linked."""
    await repositories.links.put(link(source=LinkSource.SIGN_IN))
    on_her = [note("with the account"), note("without", steam_id=None), note("before", user_id=None)]
    on_ben = [note("while it was Ben's", user_id=BEN), note("Ben", user_id=BEN, steam_id=None)]
    by_her = replace(note("Ben again", user_id=BEN, steam_id=None), author_id=ADA)
    for each in (*on_her, *on_ben, by_her):
        await repositories.notes.add(each, at_most=9)

    assert [each.text for each in (await my_data.of_user(GUILD, ADA)).notes] == [each.text for each in on_her]
    assert (await my_data.erase(GUILD, ADA, at=LATER)).notes == len(on_her)
    left = await repositories.notes.of_customer(GUILD, CustomerKey(BEN, ADAS_ACCOUNT))
    assert {each.text for each in left} == {each.text for each in (*on_ben, by_her)}
    assert repositories.is_sound()


async def test_erase(my_data: MyDataRepository, repositories: Repositories) -> None:
    """An erasure leaves only the ended link."""
    await repositories.links.put(link())
    for place, state in enumerate(ENDED):
        await in_state(repositories.resends, state, trade_id=place)
    await repositories.snapshots.save(snapshot())
    others = replace(watch(user_id=BEN), owner=BENS_ACCOUNT)
    for each in (watch(), watch(user_id=CLEO), watch(guild_id=OTHER_GUILD), others):
        await repositories.watches.add(each, at_most=9)
    await repositories.references.save(error(), error("b1b2b3", user_id=BEN))

    erased = await my_data.erase(GUILD, ADA, at=LONG_AFTER)

    assert erased == Erased(
        link=link(),
        resends=len(ENDED),
        snapshots=1,
        watches=1,
        errors=1,
        links_kept_until=LONG_AFTER + RELINK_COOL_DOWN,
    )
    assert await repositories.links.of_user(GUILD, ADA) is None
    assert await repositories.snapshots.load(GUILD, "p-1", at=NOW) is None
    left = [await repositories.watches.of_user(*who) for who in ((GUILD, CLEO), (OTHER_GUILD, ADA), (GUILD, BEN))]
    assert list(map(len, left)) == [0, 1, 1], "nor does anyone else watch a trade of hers there"
    assert await repositories.references.of_user(GUILD, ADA, since=NOW - timedelta(1)) == ()
    assert len(await repositories.references.of_user(GUILD, BEN, since=NOW - timedelta(1))) == 1
    stored = await my_data.of_user(GUILD, ADA)
    assert (stored.link, stored.resends, stored.audit, stored.snapshots) == (None, (), (), 0)
    assert [(each.steam_id, each.ended_at) for each in stored.ended_links] == [(ADAS_ACCOUNT, LONG_AFTER)]


async def test_erased_requests(
    my_data: MyDataRepository, resends: ResendRepository, repositories: Repositories
) -> None:
    """An erased request is not found by any query and cannot be changed."""
    for state in ENDED:
        ended = await in_state(resends, state)
        await my_data.erase(GUILD, ADA, at=LONG_AFTER)

        assert await resends.get(GUILD, ended.id) is None
        assert await resends.opened_at(GUILD, ADA, limit=9) == ()
        assert await resends.not_finalised() == ()
        assert await resends.add_note(GUILD, ended.id, "told") is None
        assert await resends.open_in_guild(GUILD) == await resends.all_open() == ()
        assert await resends.open(draft()) is not None, "another request for the trade can be opened"
        (again,) = await resends.all_open()
        await resends.cancel(GUILD, again.id, at=LATER, reason="card_not_posted")
        await my_data.erase(GUILD, ADA, at=LONG_AFTER)


@pytest.mark.parametrize("state", [state for state in ResendState if state.is_open])
async def test_open_requests_stay(my_data: MyDataRepository, resends: ResendRepository, state: ResendState) -> None:
    """An open request stays as it is, however old it is."""
    standing = await in_state(resends, state)
    erased = await my_data.erase(GUILD, ADA, at=LONG_AFTER + timedelta(days=30))

    assert (erased.resends, erased.resends_kept, erased.kept_until) == (0, 1, None)
    assert await resends.get(GUILD, standing.id) == standing


async def test_requests_of_others(my_data: MyDataRepository, resends: ResendRepository, links: LinkRepository) -> None:
    """Requests by others for the account's trades are erased; those for other accounts stay."""
    await links.put(link())
    for_her = await resends.open(replace(draft(), requested_by=CLEO, owner_user_id=None))
    for_ben = await resends.open(replace(draft(trade_id=2), requested_by=CLEO, owner=BENS_ACCOUNT, owner_user_id=BEN))
    assert for_her is not None
    assert for_ben is not None
    for each in (for_her, for_ben):
        await resends.deny(GUILD, each.id, by=BEN, reason="no", at=LATER)

    assert (await my_data.erase(GUILD, ADA, at=LONG_AFTER)).resends == 1
    assert await resends.get(GUILD, for_her.id) is None
    assert await resends.get(GUILD, for_ben.id) is not None


async def test_requests_of_a_former_holder(
    my_data: MyDataRepository, resends: ResendRepository, links: LinkRepository
) -> None:
    """A later holder of the account neither reads nor erases the requests of the former one."""
    await links.put(link(BEN, source=LinkSource.SIGN_IN))
    bens = await denied(resends, replace(draft(), requested_by=BEN, owner_user_id=BEN))
    for_ben = await denied(resends, replace(draft(trade_id=2), requested_by=CLEO, owner_user_id=BEN))
    await links.remove(GUILD, BEN, by=BEN, at=LATER)
    await links.put(link(ADA, source=LinkSource.SIGN_IN))

    assert (await my_data.of_user(GUILD, ADA)).resends == ()
    assert (await my_data.erase(GUILD, ADA, at=LONG_AFTER)).resends == 0
    assert (await my_data.of_user(GUILD, BEN)).resends == (bens, for_ben)
    assert (await my_data.erase(GUILD, BEN, at=LONG_AFTER)).resends == 2


async def test_requests_for_a_former_account(
    my_data: MyDataRepository, resends: ResendRepository, links: LinkRepository
) -> None:
    """Requests for a former account are erased too; those that still count against the daily limit stay until then."""
    old = await denied(resends, replace(draft(), requested_by=CLEO, owner_user_id=None))
    young = await denied(resends, replace(draft(trade_id=2), requested_by=CLEO, owner_user_id=None, requested_at=LATER))
    await links.put(link())
    await links.remove(GUILD, ADA, by=ADA, at=LATER)

    assert (await my_data.of_user(GUILD, ADA)).resends == (old, young)
    early = await my_data.erase(GUILD, ADA, at=LONG_AFTER)
    assert (early.resends, early.resends_kept, early.kept_until) == (1, 1, LATER + OPENED_WITHIN)
    assert (await my_data.of_user(GUILD, ADA)).resends == (young,)
    assert (await my_data.erase(GUILD, ADA, at=LATER + OPENED_WITHIN)).resends == 1


async def test_requests_for_an_account_of_another_user(
    my_data: MyDataRepository, resends: ResendRepository, links: LinkRepository
) -> None:
    """Requests for an account's trades belong to its present holder."""
    asked = await denied(resends, replace(draft(), requested_by=CLEO, owner_user_id=None))
    await links.put(link(BEN))
    await links.remove(GUILD, BEN, by=BEN, at=LATER)
    await links.put(link(ADA))

    assert (await my_data.of_user(GUILD, BEN)).resends == ()
    assert (await my_data.erase(GUILD, BEN, at=LONG_AFTER)).resends == 0
    assert (await my_data.of_user(GUILD, ADA)).resends == (asked,)


@pytest.mark.parametrize("is_removed", [False, True])
async def test_an_account_linked_to_oneself_as_staff(
    my_data: MyDataRepository, repositories: Repositories, *, is_removed: bool
) -> None:
    """It proves nothing: they read none of its owner's data by it, and cannot erase their views of it."""
    of_owner = await denied(repositories.resends, draft())
    of_no_member = await denied(repositories.resends, replace(draft(trade_id=2), requested_by=BEN, owner_user_id=None))
    await repositories.audit.append(
        view(AuditAction.INVENTORY_VIEWED, f"steam:{ADAS_ACCOUNT}", steam_id=str(ADAS_ACCOUNT))
    )
    await repositories.links.put(self_made())
    if is_removed:
        await repositories.links.remove(GUILD, CLEO, by=CLEO, at=LATER)
    stored = await my_data.of_user(GUILD, CLEO)
    assert (stored.accounts, stored.resends) == (frozenset(), ())
    assert not any("owner" in row.detail for row in stored.audit)

    for _ in range(2):
        assert (await my_data.erase(GUILD, CLEO, at=LONG_AFTER)).resends == 0
        await repositories.audit.append(
            view(AuditAction.INVENTORY_VIEWED, f"steam:{ADAS_ACCOUNT}", steam_id=str(ADAS_ACCOUNT))
        )
    assert await repositories.resends.get(GUILD, of_owner.id) == of_owner
    await repositories.links.put(link(source=LinkSource.SIGN_IN))
    of_ada = await my_data.of_user(GUILD, ADA)
    assert [(row.actor_id, row.action) for row in of_ada.views_by_others(ADA)] == [
        (CLEO, AuditAction.INVENTORY_VIEWED)
    ] * 3
    assert of_ada.resends == (of_owner, of_no_member)
    assert repositories.is_sound()


async def test_self_made_link_after_the_owner_was_erased(my_data: MyDataRepository, repositories: Repositories) -> None:
    """After the owner's erasure a self-made link still gives no claim to the account."""
    await repositories.links.put(self_made())
    await my_data.erase(GUILD, CLEO, at=NOW)
    await repositories.links.put(link(source=LinkSource.SIGN_IN))
    await my_data.erase(GUILD, ADA, at=NOW)
    await repositories.audit.append(
        view(AuditAction.INVENTORY_VIEWED, f"steam:{ADAS_ACCOUNT}", steam_id=str(ADAS_ACCOUNT))
    )
    await my_data.erase(GUILD, CLEO, at=LATER)

    newest, *_ = await repositories.audit.newest(GUILD, limit=9, action=AuditAction.INVENTORY_VIEWED)
    assert newest.subject == f"steam:{ADAS_ACCOUNT}"


async def test_staff_with_an_account_of_their_own(my_data: MyDataRepository, repositories: Repositories) -> None:
    """An account that Steam or another user confirmed is theirs, even if they link it again themselves."""
    for confirmed in (link(CLEO, source=LinkSource.SIGN_IN), replace(link(CLEO), linked_by=BEN)):
        await repositories.links.put(confirmed)
        await repositories.links.put(self_made())
        await repositories.audit.append(view(AuditAction.INVENTORY_VIEWED, f"steam:{ADAS_ACCOUNT}", by=BEN))

        assert (await my_data.of_user(GUILD, CLEO)).accounts == {ADAS_ACCOUNT}
        await my_data.erase(GUILD, CLEO, at=LATER)
        newest, *_ = await repositories.audit.newest(GUILD, limit=9, action=AuditAction.INVENTORY_VIEWED)
        assert newest.subject.startswith("erased:")


async def test_requests_for_others(
    my_data: MyDataRepository, audit: AuditRepository, repositories: Repositories
) -> None:
    """A request for another user's trade keeps its actor; one for the member's own does not."""
    for_another = await repositories.resends.open(replace(draft(trade_id=2), requested_by=BEN, owner_user_id=ADA))
    own = await repositories.resends.open(replace(draft(trade_id=3), requested_by=ADA, owner_user_id=ADA))
    assert for_another is not None
    assert own is not None
    for user_id in (ADA, BEN):
        await my_data.erase(GUILD, user_id, at=LONG_AFTER)
    rows = {row.subject: row for row in await audit.newest(GUILD, limit=9, action=AuditAction.RESEND_REQUESTED)}

    assert rows[f"resend:{for_another.id}"].actor == f"user:{BEN}"
    assert rows[f"resend:{own.id}"].actor.startswith("erased:")
    assert repositories.is_sound()


async def test_staff(my_data: MyDataRepository, audit: AuditRepository, repositories: Repositories) -> None:
    """Decisions and views by staff keep their actor."""
    await repositories.links.put(replace(link(BEN, BENS_ACCOUNT), linked_by=BEN))
    await in_state(repositories.resends, ResendState.DENIED)
    decided = await repositories.resends.open(replace(draft(trade_id=2), requested_by=CLEO))
    assert decided is not None
    await repositories.resends.attach_card(GUILD, decided.id, channel_id=1, message_id=2, version=1)
    await repositories.resends.approve(GUILD, decided.id, version=1, by=BEN, at=LATER)
    await audit.append(view(subject=f"user:{ADA}", by=BEN))
    await my_data.erase(GUILD, BEN, at=LONG_AFTER)

    done = {row.action for row in await audit.newest(GUILD, limit=99) if row.actor_id == BEN}
    assert done == {
        AuditAction.LINK_SET,  # of an account to himself, which Steam did not confirm
        AuditAction.RESEND_DENIED,
        AuditAction.RESEND_APPROVED,
        AuditAction.TRADES_VIEWED,
    }
    kept = await repositories.resends.get(GUILD, decided.id)
    assert kept is not None
    assert kept.decided_by == BEN
    assert repositories.is_sound()


async def test_twice(my_data: MyDataRepository, repositories: Repositories, links: LinkRepository) -> None:
    """Another erasure does not restart the cool-down, and after that nothing is left."""
    await links.put(link())
    await my_data.erase(GUILD, ADA, at=NOW)
    again = await my_data.erase(GUILD, ADA, at=LATER)
    at_last = await my_data.erase(GUILD, ADA, at=NOW + RELINK_COOL_DOWN)

    assert again == Erased(link=None, resends=0, snapshots=0, links_kept_until=NOW + RELINK_COOL_DOWN)
    assert at_last == Erased(link=None, resends=0, snapshots=0)
    assert await my_data.of_user(GUILD, ADA) == NOTHING
    assert repositories.is_sound()
