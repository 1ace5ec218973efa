"""Requests, decisions, answers, shutdowns and crashes in any order: no call without an approval of its own."""

from dataclasses import replace
from functools import partial
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test

from bot.domain.failures import FailureKind
from bot.domain.resends import CardMessage, ResendState, TradeFacts
from tests.fakes.counted_trade_provider import Late
from tests.fakes.trade_provider import refusal
from tests.services.resend_driver import REQUESTER, TRADES, ResendDriver
from tests.services.resend_promises import GUILDS, Promises
from tests.services.resend_setup import AGENTS, APPROVALS, CUSTOMER, GUILD, MODERATORS, member
from tests.services.resend_ways import WAYS

ways = st.sampled_from(sorted(WAYS))
nth = st.integers(0, 2)
steps = st.one_of(st.integers(0, 45), st.integers(9, 18))
"""How many calls to ports come before the crash: most often those around the intent and the provider call."""


class Machine(ResendDriver):
    """What people, providers, Discord and power cuts do; the promises are checked after each rule."""

    @initialize()
    def request_all(self) -> None:
        for trade_id in TRADES:
            self._request(trade_id, GUILD)

    @rule(trade_id=st.sampled_from(TRADES), guild_id=st.sampled_from(GUILDS))
    def request(self, trade_id: int, guild_id: int) -> None:
        self._request(trade_id, guild_id)

    @rule(which=nth, people=st.integers(1, 4), way=ways)
    def approve(self, which: int, people: int, way: str) -> None:
        """Let several moderators approve at once: one of them is the first."""
        one = self._one(which, ResendState.PENDING)
        before = self._provider.calls.total()
        self._provider.ways.append(WAYS[way])
        work = [self._process(number).approve(one, by=who) for number, who in enumerate(self._moderators(one, people))]
        done = self._do(*work)
        self._provider.ways.clear()
        assert len(done) <= 1
        assert self._provider.calls.total() - before <= 1

    @rule(which=nth, way=ways, denied_first=st.booleans())
    def approve_and_deny(self, which: int, way: str, *, denied_first: bool) -> None:
        """Let one moderator approve and another one deny at the same time."""
        one = self._one(which, ResendState.PENDING)
        self._provider.ways.append(WAYS[way])
        first, second = self._moderators(one, 2)
        work = [
            self._services.approve(one, by=first),
            self._process(1).service.deny(one, by=second),
        ]
        done = self._do(*(reversed(work) if denied_first else work))
        self._provider.ways.clear()
        assert len(done) <= 1

    @rule(which=nth, way=ways)
    def approve_and_wait(self, which: int, way: str) -> None:
        """Approve; the provider answers later or never."""
        one = self._one(which, ResendState.PENDING)
        [who] = self._moderators(one, 1)
        self._runner.run(self._begun(self._services.approve(one, by=who), Late(WAYS[way])))
        self._provider.ways.clear()

    @precondition(lambda self: self._waiting)
    @rule(leaves=st.booleans())
    def answer(self, *, leaves: bool) -> None:
        """Let the provider act and answer a caller, who may be cancelled by then."""
        self._runner.run(self._answered(*self._waiting.pop(0), leaves=leaves))

    @precondition(lambda self: self._lost)
    @rule()
    def act_for_a_crashed_process(self) -> None:
        """Let the provider act on a call of an earlier process."""
        self._runner.run(self._lost.pop(0).let_go())

    @rule(which=nth, way=ways, action=st.sampled_from(["approve", "deny"]))
    def press_an_old_card(self, which: int, way: str, action: str) -> None:
        """Press the oldest message with the request's buttons: if it is not the card, nothing is decided."""
        one = self._one(which, ResendState.PENDING)
        [who] = self._moderators(one, 1)
        if not (messages := self._services.cards.cards_of(one)):
            return
        card, service = CardMessage(APPROVALS, messages[0]), self._services.service
        recorded = self._stored(one)
        self._provider.ways.append(WAYS[way])
        seen = self._services.cards.on_cards[messages[0]].version
        approves, denies = partial(service.approve, seen=seen), service.deny
        done = self._do((approves if action == "approve" else denies)(one, by=who, card=card))
        self._provider.ways.clear()
        assert not done or (recorded is not None and recorded.message_id in (None, messages[0]))

    @rule(which=nth)
    def decide_own_request(self, which: int) -> None:
        """Let requester and owner, both moderators, try to decide."""
        one = self._one(which, ResendState.PENDING)
        guild_id = self._guild(one)
        requester = member(REQUESTER, MODERATORS, guild_id=guild_id)
        owner = member(CUSTOMER.user_id, MODERATORS, guild_id=guild_id)
        # The owner is linked in one of the guilds only.
        for who in (requester, owner) if guild_id == CUSTOMER.guild_id else (requester,):
            denies, takes = (
                self._services.service.deny(one, by=who),
                self._services.queue.take(one, by=who, holder=None),
            )
            assert self._do(self._services.approve(one, by=who), denies, takes) == []

    @rule(which=nth)
    def decide_elsewhere(self, which: int) -> None:
        """Let a moderator of the other guild try to decide."""
        one = self._one(which, ResendState.PENDING, ResendState.UNKNOWN)
        other = next(guild_id for guild_id in GUILDS if guild_id != self._guild(one))
        moderator, service = member(201, MODERATORS, guild_id=other), self._services.service
        work = (self._services.approve(one, by=moderator), service.deny(one, by=moderator))
        takes = self._services.queue.take(one, by=moderator, holder=None)
        assert self._do(*work, service.mark(one, sent=True, by=moderator), takes) == []

    @rule(which=nth)
    def deny(self, which: int) -> None:
        one = self._one(which, ResendState.PENDING)
        self._do(self._services.service.deny(one, by=self._moderators(one, 1)[0]))

    @rule(which=nth, people=st.integers(1, 3))
    def take(self, which: int, people: int) -> None:
        """Let several moderators press *Take* on the same card at once: one changes who is on it, and nothing else."""
        one = self._one(which, ResendState.PENDING, ResendState.UNKNOWN)
        before = self._stored(one)
        holder = before.taken_by if before is not None else None
        who = self._moderators(one, people)
        work = [self._process(number).queue.take(one, by=each, holder=holder) for number, each in enumerate(who)]
        self._do(*work)
        after = self._stored(one)
        if before is not None and after is not None and before.state in (ResendState.PENDING, ResendState.UNKNOWN):
            assert after.taken_by != holder
            assert after.taken_by in {None, *(each.user_id for each in who)}
            card = ("channel_id", "message_id", "shown_version")
            same = {name: getattr(before, name) for name in (*card, "taken_by", "taken_at")}
            assert replace(after, **same) == before

    @rule(which=nth, answers=st.lists(st.booleans(), min_size=1, max_size=3))
    def mark(self, which: int, answers: list[bool]) -> None:
        """Let moderators settle an unknown outcome by hand while a reading does the same."""
        one = self._one(which, ResendState.UNKNOWN)
        marked = [
            self._process(number).service.mark(one, sent=sent, by=who)
            for number, (who, sent) in enumerate(zip(self._moderators(one, len(answers)), answers, strict=True))
        ]
        done = self._do(*marked, *(process.delivery.tick() for process in self._alive))
        assert len(done) <= 1 + len(self._alive)  # one moderator, and the readings

    @rule(trade_id=st.sampled_from(TRADES), status=st.sampled_from([-1, 5, 3]))
    def change(self, trade_id: int, status: int) -> None:
        self._provider.change(trade_id, status=status)

    @rule(can_be_read=st.sampled_from([True, True, False]))
    def read(self, *, can_be_read: bool) -> None:
        self._provider.cannot_be_read = None if can_be_read else refusal(FailureKind.LOST)

    @rule(
        edits=st.sampled_from(["taken", "refused", "lost", "limited", "late"]),
        posts=st.sampled_from(["taken", "taken", "refused", "lost"]),
        tells=st.sampled_from(["taken", "taken", "refused", "late"]),
    )
    def disturb_discord(self, **how: Any) -> None:
        """Let Discord take, refuse, limit what it is told, answer too late, or lose its answers."""
        for part, answer in how.items():
            setattr(self._services.cards, part, answer)
        self._is_mended = False

    @rule()
    def mend_discord(self) -> None:
        """Let Discord take everything; then refresh every card."""
        self.disturb_discord(edits="taken", posts="taken", tells="taken")
        for _ in range(2 * len(self._services.cards.shown) + 2):
            self._services.clock.advance(seconds=61)
            self._do(*(process.delivery.refresh_cards() for process in self._alive))
        self._is_mended = True

    @precondition(lambda self: self._services.cards.shown)
    @rule(which=nth, status=st.sampled_from([-1, 5, 10]), seen=st.sampled_from([-1, 0, 0, 0, 1, None]), way=ways)
    def approve_a_version(self, which: int, status: int, seen: int | None, way: str) -> None:
        """Let two moderators approve the version on the card, an older one, or one that never was."""
        one = self._one(which, ResendState.PENDING)
        shown = self._services.cards.shown.get(one)
        if shown is None:
            return
        self._provider.change(shown.trade_id, status=status)
        version = None if seen is None else shown.version + seen
        self._provider.ways.append(WAYS[way])
        for who in self._moderators(one, 2):
            done = self._do(self._services.service.approve(one, by=who, seen=version))
            assert not done or seen == 0
        self._provider.ways.clear()

    @rule(seconds=st.sampled_from([5, 60, 3600, 90_000]))
    def wait(self, seconds: int) -> None:
        """Let time pass: outcomes are read and requests expire."""
        self._services.clock.advance(seconds=seconds)
        self._tick()

    @rule(guild_id=st.sampled_from(GUILDS))
    def resume(self, guild_id: int) -> None:
        """Resume resends after an answer about another trade."""
        pauses = self._services.repositories.pauses
        pause = self._runner.run(pauses.of_guild(guild_id))
        if pause is not None:
            self._do(pauses.resume(guild_id, pause.number, by=1, at=self._services.clock.now()))

    @rule(crash=st.booleans())
    def restart(self, *, crash: bool) -> None:
        self._runner.run(self._crashed() if crash else self._services.delivery.close(within=0.0))
        self._runner.run(self._started_again())

    @rule(which=nth, way=ways, after=steps)
    def crash_while_approving(self, which: int, way: str, after: int) -> None:
        """Cut the power at any moment of an approval."""
        one = self._one(which, ResendState.PENDING)
        [who] = self._moderators(one, 1)
        self._provider.ways.append(WAYS[way])
        self._crash(self._services.approve(one, by=who), after)
        self._provider.ways.clear()
        self._runner.run(self._started_again())

    @rule(trade_id=st.sampled_from(TRADES), after=steps)
    def crash_while_requesting(self, trade_id: int, after: int) -> None:
        """Cut the power at any moment of a request."""
        self._crash(self._services.requested(trade_id, by=member(REQUESTER, AGENTS)), after)
        self._runner.run(self._started_again())

    @rule(after=steps)
    def crash_while_starting(self, after: int) -> None:
        """Cut the power, and again while the next process recovers."""
        self._runner.run(self._crashed())
        self._crash(self._services.start(), after)
        self._runner.run(self._started_again())

    @rule()
    def settle(self) -> None:
        """Read outcomes: no resend that the provider shows as done stays unknown."""
        self._provider.cannot_be_read = None
        self._services.clock.advance(seconds=3601)
        self._tick()
        for resend in self._runner.run(self._services.repositories.resends.all_open()):
            if resend.state is ResendState.UNKNOWN:
                assert not resend.facts.shows_resend(TradeFacts.of(self._provider.kept[resend.trade_id]))

    # Invariant

    @invariant()
    def promises_are_kept(self) -> None:
        services = self._services
        promises = Promises(services.repositories, self._provider, services.cards, services.clock.now())
        self._runner.run(promises.hold(is_idle=not self._waiting, cards_keep_up=self._is_mended))


def test_any_order_of_events() -> None:
    """The promises hold after every step."""
    run_state_machine_as_test(
        Machine,
        settings=settings(max_examples=50, stateful_step_count=25),
    )
