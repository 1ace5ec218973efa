"""The promises about resends, checked against database, provider and cards."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

from bot.domain.audit import AuditAction, AuditRow
from bot.domain.resends import TELLING_IN_DOUBT, TRANSITIONS, Outcome, Resend, ResendState
from tests.contracts.engines import Repositories
from tests.fakes.counted_trade_provider import CountedTradeProvider, approvals
from tests.fakes.resend_cards import FakeResendCards
from tests.services.resend_setup import CUSTOMER, GUILD, OTHER_GUILD

GUILDS = (GUILD, OTHER_GUILD)
STATES = {
    AuditAction.RESEND_REQUESTED: ResendState.PENDING,
    AuditAction.RESEND_RETURNED: ResendState.PENDING,
    **{AuditAction(f"resend.{state.value}"): state for state in ResendState if state is not ResendState.PENDING},
}


class Promises:
    """The promises of the services over one database."""

    def __init__(
        self, repositories: Repositories, provider: CountedTradeProvider, cards: FakeResendCards, now: datetime
    ) -> None:
        self._repositories = repositories
        self._provider = provider
        self._cards = cards
        self._now = now

    async def hold(self, *, is_idle: bool, cards_keep_up: bool = True) -> None:
        """Fail if a promise is broken.

        ``is_idle``: no process is about to change anything. ``cards_keep_up``: Discord takes edits.
        """
        written: list[AuditRow] = []
        for guild_id in GUILDS:
            written += reversed(await self._repositories.audit.newest(guild_id, limit=10_000))
        histories = _histories(written)
        guilds = {entry.subject: entry.guild_id for entry in written}
        requests = [await self._request(guilds[f"resend:{number}"], number) for number in histories]
        self._calls_are_approved(written, requests)
        for resend in requests:
            states = histories[resend.id]
            assert states[0] is ResendState.PENDING
            assert all(after in TRANSITIONS[before] for before, after in pairwise(states)), states
            assert states[-1] is resend.state
            assert states.count(ResendState.SENDING) <= 1
            assert resend.taken_by is None or resend.state in (ResendState.PENDING, ResendState.UNKNOWN)
            self._matches_the_provider(resend)
            self._was_shown(resend, written)
        assert max(Counter(each.trade_id for each in requests if each.state.is_open).values(), default=0) <= 1
        for trade_id in self._provider.kept:
            of_trade = [each for each in requests if each.trade_id == trade_id and each.state is ResendState.SENT]
            claimed = sum(each.outcome in (Outcome.CONFIRMED, Outcome.READ_BACK) for each in of_trade)
            assert claimed <= self._provider.done_to[trade_id]
        self._told_once(requests, is_idle=is_idle)
        if is_idle:
            self._nothing_is_left(requests, cards_keep_up=cards_keep_up)

    def _calls_are_approved(self, written: list[AuditRow], requests: list[Resend]) -> None:
        assert self._provider.calls_unannounced == 0
        assert set(self._provider.calls_of.values()) <= {1}
        for resend in requests:
            calls = sum(count for (number, _), count in self._provider.calls_of.items() if number == resend.id)
            assert calls <= approvals(written, resend.id)

    def _matches_the_provider(self, resend: Resend) -> None:
        """Compare a request with the calls that the provider carried out for it."""
        done = self._provider.done[resend.id]
        if resend.outcome is Outcome.CONFIRMED:
            assert done == 1
        if resend.state is ResendState.FAILED and resend.outcome is not Outcome.MARKED:
            assert done == 0
        if resend.state is ResendState.PENDING:
            assert all(number != resend.id for number, _ in self._provider.calls_of)
        if resend.state not in (ResendState.PENDING, ResendState.EXPIRED, ResendState.CANCELLED):
            owner = CUSTOMER.user_id if resend.guild_id == CUSTOMER.guild_id else None
            assert resend.decided_by not in (None, resend.requested_by, owner)

    def _was_shown(self, resend: Resend, written: list[AuditRow]) -> None:
        """No approval is for a version, or for facts, that the card did not show."""
        subject = f"resend:{resend.id}"
        approved = [int(row.detail["version"]) for row in of(written, subject, AuditAction.RESEND_APPROVED)]
        assert all((resend.id, version) in self._cards.facts for version in approved)
        if resend.version in approved:
            assert self._cards.facts[resend.id, resend.version] == resend.facts
        if resend.shown_version is not None:
            assert (resend.id, resend.shown_version) in self._cards.facts

    def _told_once(self, requests: list[Resend], *, is_idle: bool) -> None:
        """No one is told an end twice, and who is not told at all is named on the card."""
        told = Counter((each.user_id, each.resend.id) for each in self._cards.messages if not each.resend.state.is_open)
        assert set(told.values()) <= {1}
        for resend in requests:
            if is_idle and not resend.state.is_open and TELLING_IN_DOUBT not in resend.notes:
                assert told[resend.requested_by, resend.id] or "requester_not_told" in resend.notes
                if resend.guild_id == CUSTOMER.guild_id:
                    assert told[CUSTOMER.user_id, resend.id] or "owner_not_told" in resend.notes

    def _nothing_is_left(self, requests: list[Resend], *, cards_keep_up: bool) -> None:
        """Everything that was begun has ended or is unknown, and the cards show it: those of ended ones for a day."""
        assert not {resend.state for resend in requests} & {ResendState.APPROVED, ResendState.SENDING}
        for resend in requests:
            is_recent = resend.settled_at is None or self._now - resend.settled_at < timedelta(days=1)
            if cards_keep_up and (resend.state.is_open or (resend.message_id is not None and is_recent)):
                shown = self._cards.on_cards[resend.message_id or 0]
                assert (shown.id, shown.state, shown.version) == (resend.id, resend.state, resend.version)
                assert self._cards.cards_of(resend.id) == [resend.message_id]

    async def _request(self, guild_id: int, number: int) -> Resend:
        resend = await self._repositories.resends.get(guild_id, number)
        assert resend is not None
        return resend


def of(written: list[AuditRow], subject: str, action: AuditAction) -> list[AuditRow]:
    """Return the rows of one action on one subject."""
    return [row for row in written if (row.subject, row.action) == (subject, action)]


def _histories(written: list[AuditRow]) -> dict[int, list[ResendState]]:
    """Return the states of each request from the audit log, whose rows come oldest first."""
    states: dict[int, list[ResendState]] = {}
    for entry in written:
        if entry.action in STATES:
            states.setdefault(int(entry.subject.removeprefix("resend:")), []).append(STATES[entry.action])
    return states
