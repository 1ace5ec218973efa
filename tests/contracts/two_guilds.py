"""Random operations by members of one guild on other guilds' data, through every repository function.

``CASES`` has one for each function of a repository protocol of ``bot.ports``, or ``ACROSS_GUILDS`` has the reason why
not. A case gets the repository and picks data from ``Theirs``.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from random import Random
from typing import Any

import msgspec

from bot import ports
from bot.domain.access import Capability, Grant
from bot.domain.audit import AuditAction, AuditEntry
from bot.domain.customers import CustomerKey
from bot.domain.failures import ProviderName
from bot.domain.inventory import InventoryFilter
from bot.domain.links import SIGN_IN_WITHIN, Link, LinkSource, SignIn
from bot.domain.notes import Note
from bot.domain.resends import Outcome, Resend, ResendPause, ResendState, Settlement
from bot.domain.settings import Setting
from bot.domain.steam import SteamId
from bot.ports.notes import NoteRepository
from bot.ports.references import ReferenceRepository
from bot.ports.resends import PauseRepository, ResendRepository
from bot.ports.watches import WatchRepository
from tests.contracts import samples

PAUSED, OURS, RUNNING = 910_000_000_000_000_001, 910_000_000_000_000_002, 910_000_000_000_000_003
THEIRS = (PAUSED, RUNNING)
"""Two guilds, so that pausing and resuming resends both have something to break."""

NOW = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)
"""When everything here is done."""
_THEIR_TIME = datetime(2031, 5, 5, 12, 0, tzinfo=UTC)
"""When everything there was done: a moment of that year in an answer was read there."""
_STOPS = tuple(ResendPause(OURS, at).number for at in (NOW, _THEIR_TIME))
_THEIR_WORD = "nobody else reads this"
_THEIR_CHANNELS = {guild_id: (guild_id + 7, guild_id + 8, guild_id + 9) for guild_id in THEIRS}
_THEIR_NUMBERS = frozenset({*THEIRS, *chain(*_THEIR_CHANNELS.values())})

PEOPLE = tuple(range(820_000_000_000_000_001, 820_000_000_000_000_007))
"""Members of all of these guilds, as people are."""
ACCOUNTS = tuple(SteamId.from_account_id(5_000 + number) for number in range(len(PEOPLE)))
ROLES = tuple(range(720_000_000_000_000_001, 720_000_000_000_000_004))


@dataclass(frozen=True, slots=True)
class Theirs:
    """The other guilds' data, picked at random."""

    chance: Random
    resends: tuple[Resend, ...]
    snapshot_ids: tuple[str, ...]
    digests: tuple[str, ...]
    note_ids: tuple[int, ...]

    def resend(self) -> Resend:
        return self.chance.choice(self.resends)

    def ids(self) -> tuple[int, int]:
        """Return our guild and the number of one of their requests."""
        return OURS, self.resend().id

    def person(self) -> int:
        return self.chance.choice(PEOPLE)

    def account(self) -> SteamId:
        return self.chance.choice(ACCOUNTS)

    def snapshot_id(self) -> str:
        return self.chance.choice(self.snapshot_ids)

    def digest(self) -> str:
        """Return one that was not handed out, however alike: who has the right one has the sign-in."""
        digest = self.chance.choice(self.digests)
        return self.chance.choice([digest[:-1], digest.upper(), f" {digest}", digest[::-1], f"{digest}0", "%"])

    def note_id(self) -> int:
        return self.chance.choice(self.note_ids)

    def grant(self) -> Grant:
        return Grant(OURS, self.chance.choice(ROLES), self.chance.choice(list(Capability)))

    def subject(self) -> str:
        kinds = [f"resend:{self.resend().id}", f"user:{self.person()}", f"steam:{self.account()}", "guild"]
        return self.chance.choice(kinds)

    def link(self) -> Link:
        return Link(OURS, self.person(), self.account(), LinkSource.STAFF, self.person(), NOW)

    def channel(self) -> int | None:
        return self.chance.choice([None, 31, 32])


def _wanted(theirs: Theirs) -> dict[str, Any]:
    return {
        "limit": 20,
        "user_id": theirs.chance.choice([None, theirs.person()]),
        "action": theirs.chance.choice([None, *AuditAction]),
        "subject": theirs.chance.choice([None, theirs.subject()]),
    }


Case = Callable[[Any, Theirs], Awaitable[object]]

CASES: Mapping[type, Mapping[str, Case]] = {
    ports.GrantRepository: {
        "of_guild": lambda grants, _: grants.of_guild(OURS),
        "grant": lambda grants, theirs: grants.grant(theirs.grant(), by=theirs.person(), at=NOW),
        "revoke": lambda grants, theirs: grants.revoke(theirs.grant(), by=theirs.person(), at=NOW),
    },
    ports.LinkRepository: {
        "of_user": lambda links, theirs: links.of_user(OURS, theirs.person()),
        "of_steam_id": lambda links, theirs: links.of_steam_id(OURS, theirs.account()),
        "holders": lambda links, theirs: links.holders(OURS, theirs.account(), user_ids={theirs.person()}, at=NOW),
        "put": lambda links, theirs: links.put(theirs.link()),
        "remove": lambda links, theirs: links.remove(OURS, theirs.person(), by=theirs.person(), at=NOW),
    },
    ports.SignInRepository: {
        "begin": lambda sign_ins, theirs: sign_ins.begin(
            SignIn(_digest(theirs.chance.random()), OURS, theirs.person(), NOW + SIGN_IN_WITHIN)
        ),
        "get": lambda sign_ins, theirs: sign_ins.get(theirs.digest(), at=NOW),
        "complete": lambda sign_ins, theirs: sign_ins.complete(
            theirs.digest(), steam_id=theirs.account(), nonce=_digest(theirs.chance.random()), at=NOW
        ),
    },
    ports.GuildSettingsRepository: {
        "of_guild": lambda settings, _: settings.of_guild(OURS),
        "put": lambda settings, theirs: settings.put(
            OURS, theirs.chance.choice(list(Setting)[:3]), theirs.channel(), by=theirs.person(), at=NOW
        ),
    },
    PauseRepository: {
        "of_guild": lambda pauses, _: pauses.of_guild(OURS),
        "pause": lambda pauses, theirs: pauses.pause(OURS, by=theirs.person(), at=NOW),
        "resume": lambda pauses, theirs: pauses.resume(OURS, theirs.chance.choice(_STOPS), by=theirs.person(), at=NOW),
    },
    ResendRepository: {
        "open": lambda resends, theirs: resends.open(
            replace(
                theirs.resend(),
                guild_id=OURS,
                reason=None,
                facts=samples.FACTS,
                requested_at=NOW,
                expires_at=NOW + timedelta(days=1),
            ),
            at_most=theirs.chance.choice([None, 2]),
        ),
        "opened_at": lambda resends, theirs: resends.opened_at(OURS, theirs.person(), limit=9),
        "get": lambda resends, theirs: resends.get(*theirs.ids()),
        "open_for_trade": lambda resends, theirs: resends.open_for_trade(
            OURS, ProviderName.MANNCO, theirs.resend().trade_id
        ),
        "newest_of_trades": lambda resends, theirs: resends.newest_of_trades(
            OURS, ProviderName.MANNCO, [theirs.resend().trade_id]
        ),
        "of_customer": lambda resends, theirs: resends.of_customer(
            OURS, owner=theirs.account(), user_id=theirs.person(), limit=9
        ),
        "open_in_guild": lambda resends, _: resends.open_in_guild(OURS),
        "begin_telling": lambda resends, theirs: resends.begin_telling(*theirs.ids(), at=NOW),
        "take_over": lambda resends, theirs: resends.take_over(replace(theirs.resend(), guild_id=OURS), at=NOW),
        "finalise": lambda resends, theirs: resends.finalise(*theirs.ids(), at=NOW),
        "attach_card": lambda resends, theirs: resends.attach_card(
            *theirs.ids(), channel_id=31, message_id=41, version=1
        ),
        "card_shows": lambda resends, theirs: resends.card_shows(*theirs.ids(), message_id=samples.MESSAGE, version=2),
        "add_note": lambda resends, theirs: resends.add_note(*theirs.ids(), "restarted"),
        "revise": lambda resends, theirs: resends.revise(
            *theirs.ids(), replace(samples.FACTS, status=4), version=1, at=NOW
        ),
        "approve": lambda resends, theirs: resends.approve(*theirs.ids(), version=1, by=theirs.person(), at=NOW),
        "begin_sending": lambda resends, theirs: resends.begin_sending(*theirs.ids(), at=NOW),
        "return_to_pending": lambda resends, theirs: resends.return_to_pending(
            *theirs.ids(), worker="worker", note="paused", at=NOW
        ),
        "deny": lambda resends, theirs: resends.deny(*theirs.ids(), by=theirs.person(), reason="no", at=NOW),
        "expire": lambda resends, theirs: resends.expire(*theirs.ids(), at=NOW),
        "cancel": lambda resends, theirs: resends.cancel(*theirs.ids(), at=NOW, reason="card_not_posted"),
        "remind": lambda resends, theirs: resends.remind(*theirs.ids(), at=NOW),
        "take": lambda resends, theirs: resends.take(
            *theirs.ids(), by=theirs.person(), holder=theirs.chance.choice([None, theirs.person()]), at=NOW
        ),
        "counts": lambda resends, _: resends.counts(OURS, since=NOW - timedelta(days=999), median_since=NOW),
        "mark_unknown": lambda resends, theirs: resends.mark_unknown(
            *theirs.ids(),
            worker="worker",
            outcome=theirs.chance.choice([Outcome.ANSWER_LOST, Outcome.OTHER_TRADE]),
            detail=None,
            at=NOW,
        ),
        "settle_later": lambda resends, theirs: resends.settle_later(*theirs.ids(), settle_after=NOW),
        "settle": lambda resends, theirs: resends.settle(
            *theirs.ids(), Settlement(sent=theirs.chance.random() < 0.5, outcome=Outcome.MARKED, by=PEOPLE[0]), at=NOW
        ),
    },
    NoteRepository: {
        "add": lambda notes, theirs: notes.add(
            Note(0, OURS, theirs.person(), theirs.account(), theirs.person(), "ours", NOW), at_most=2
        ),
        "of_customer": lambda notes, theirs: notes.of_customer(OURS, CustomerKey(theirs.person(), theirs.account())),
        "remove": lambda notes, theirs: notes.remove(
            OURS, theirs.note_id(), by=theirs.person(), of_anyone=theirs.chance.random() < 0.5, at=NOW
        ),
    },
    ports.SnapshotRepository: {
        "save": lambda snapshots, theirs: snapshots.save(
            replace(
                samples.snapshot(theirs.chance.choice([theirs.snapshot_id(), str(theirs.chance.random())])),
                guild_id=OURS,
                user_id=theirs.person(),
            )
        ),
        "load": lambda snapshots, theirs: snapshots.load(OURS, theirs.snapshot_id(), at=NOW),
        "remove": lambda snapshots, theirs: snapshots.remove(OURS, theirs.snapshot_id()),
        "set_view": lambda snapshots, theirs: snapshots.set_view(OURS, theirs.snapshot_id(), InventoryFilter("ours")),
    },
    ReferenceRepository: {
        "save": lambda references, theirs: references.save(samples.error(guild_id=OURS, user_id=theirs.person())),
        "load": lambda references, _: references.load(OURS, samples.error().reference, since=NOW),
        "of_user": lambda references, theirs: references.of_user(OURS, theirs.person(), since=NOW),
    },
    ports.AuditRepository: {
        "append": lambda audit, theirs: audit.append(
            AuditEntry(OURS, NOW, theirs.person(), AuditAction.TRADES_VIEWED, theirs.subject())
        ),
        "newest": lambda audit, theirs: audit.newest(OURS, **_wanted(theirs)),
        "newest_as_found": lambda audit, theirs: audit.newest_as_found(OURS, **_wanted(theirs)),
    },
    WatchRepository: {
        "add": lambda watches, theirs: watches.add(
            samples.watch(guild_id=OURS, user_id=theirs.person(), trade_id=str(theirs.chance.randrange(9)), at=NOW),
            at_most=theirs.chance.choice([1, 9]),
        ),
        "of_user": lambda watches, theirs: watches.of_user(OURS, theirs.person()),
    },
    ports.MyDataRepository: {
        "of_user": lambda my_data, theirs: my_data.of_user(OURS, theirs.person()),
        "erase": lambda my_data, theirs: my_data.erase(OURS, theirs.person(), at=NOW),
    },
}

ACROSS_GUILDS: Mapping[type, Mapping[str, str]] = {
    ResendRepository: {
        "all_open": "the work at start and in the background",
        "not_finalised": "the background work",
        "cards_behind": "the background work",
    },
    ports.FirstGuildRepository: {
        "kept": "the start",
        "keep": "the start, and the first server's first interaction",
        "with_data": "the start",
    },
    ports.SnapshotRepository: {"purge": "the work in the background"},
    ReferenceRepository: {"purge": "the work in the background"},
    ports.SignInRepository: {"purge": "the work in the background"},
    WatchRepository: {
        "remove": "its own user, in direct messages too, and the work in the background",
        **dict.fromkeys(("get", "of_provider", "mark_read", "mark_notified", "expired"), "the work in the background"),
    },
    ports.MyDataRepository: {"wipe": "the work in the background"},
    ports.AuditRepository: {"remove_views": "the work in the background"},
}
"""The functions that no interaction can cause, with what they are for."""


def shows_theirs(answer: object) -> bool:
    """Return whether an answer holds data of theirs."""
    shows = False
    if isinstance(answer, str):
        shows = _THEIR_WORD in answer or any(str(number) in answer for number in _THEIR_NUMBERS)
    elif isinstance(answer, datetime):
        shows = answer.year == _THEIR_TIME.year
    elif isinstance(answer, int):
        shows = answer in _THEIR_NUMBERS
    elif isinstance(answer, Mapping):
        shows = any(shows_theirs(each) for each in (*answer, *answer.values()))
    elif isinstance(answer, list | tuple | AbstractSet):
        shows = any(shows_theirs(each) for each in answer)
    elif is_dataclass(answer):
        shows = any(shows_theirs(getattr(answer, each.name)) for each in fields(answer))
    elif isinstance(answer, msgspec.Struct):
        shows = any(shows_theirs(getattr(answer, name)) for name in answer.__struct_fields__)
    return shows


async def furnished(by_protocol: Mapping[type, Any], chance: Random) -> Theirs:
    """Give both of their guilds some of everything."""
    resends: list[Resend] = []
    snapshot_ids: list[str] = []
    digests: list[str] = []
    note_ids: list[int] = []
    for place, guild_id in enumerate(THEIRS):
        await _people(by_protocol, guild_id)
        resends += await _requests(by_protocol[ResendRepository], guild_id, first=100 * place)
        for number, person in enumerate(PEOPLE):
            answer = samples.trades_answer() if number % 2 else samples.inventory_answer()
            pages = replace(
                samples.snapshot(f"pages-{guild_id}-{number}", answer=answer), guild_id=guild_id, user_id=person
            )
            pages = replace(pages, created_at=_THEIR_TIME, expires_at=_THEIR_TIME)
            await by_protocol[ports.SnapshotRepository].save(pages)
            await by_protocol[ReferenceRepository].save(samples.error(guild_id=guild_id, title=_THEIR_WORD))
            snapshot_ids.append(pages.id)
            if WatchRepository in by_protocol:
                watch = samples.watch(guild_id=guild_id, user_id=person, trade_id=_THEIR_WORD, at=_THEIR_TIME)
                await by_protocol[WatchRepository].add(watch, at_most=9)
            if ports.SignInRepository in by_protocol:
                sign_in = SignIn(_digest(f"{guild_id}:{person}"), guild_id, person, _THEIR_TIME)
                await by_protocol[ports.SignInRepository].begin(sign_in)
                digests.append(sign_in.digest)
            draft = Note(0, guild_id, person, ACCOUNTS[number], PEOPLE[0], _THEIR_WORD, _THEIR_TIME)
            note = await by_protocol[NoteRepository].add(draft, at_most=9)
            note_ids.append(note.id)
    await by_protocol[PauseRepository].pause(PAUSED, by=PEOPLE[0], at=_THEIR_TIME)
    return Theirs(chance, tuple(resends), tuple(snapshot_ids), tuple(digests or [_digest("nothing")]), tuple(note_ids))


async def _people(by_protocol: Mapping[type, Any], guild_id: int) -> None:
    grants, links = by_protocol[ports.GrantRepository], by_protocol[ports.LinkRepository]
    for role in ROLES:
        for capability in Capability:
            await grants.grant(Grant(guild_id, role, capability), by=PEOPLE[0], at=_THEIR_TIME)
    # The last member has no link there.
    for person, account in list(zip(PEOPLE, ACCOUNTS, strict=True))[:-1]:
        await links.put(Link(guild_id, person, account, LinkSource.SIGN_IN, person, _THEIR_TIME))
    settings = by_protocol[ports.GuildSettingsRepository]
    for setting, value in zip(Setting, (*_THEIR_CHANNELS[guild_id], "de"), strict=True):
        await settings.put(guild_id, setting, value, by=PEOPLE[0], at=_THEIR_TIME)
    entry = AuditEntry(
        guild_id, _THEIR_TIME, PEOPLE[0], AuditAction.TRADES_VIEWED, f"user:{PEOPLE[1]}", {"steam_id": str(ACCOUNTS[1])}
    )
    await by_protocol[ports.AuditRepository].append(entry)


async def _requests(resends: Any, guild_id: int, *, first: int) -> list[Resend]:
    """Return a request in each state, of changing people."""
    requests: list[Resend] = []
    for number, state in enumerate(ResendState):
        person, account = PEOPLE[number % len(PEOPLE)], ACCOUNTS[number % len(PEOPLE)]
        draft = replace(
            samples.draft(trade_id=first + number, guild_id=guild_id),
            owner=account,
            owner_user_id=person,
            requested_by=person,
            reason=_THEIR_WORD,
            facts=replace(samples.FACTS, last_error=_THEIR_WORD),
            requested_at=_THEIR_TIME,
            expires_at=_THEIR_TIME + timedelta(days=1),
        )
        requests.append(await samples.in_state(resends, state, asked_for=draft, at=_THEIR_TIME))
    return requests


def _digest(of: object) -> str:
    return hashlib.sha256(str(of).encode()).hexdigest()
