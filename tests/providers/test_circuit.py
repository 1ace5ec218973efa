"""The circuit opens on a provider's outage, and on no single customer's or account's trouble."""

import heapq
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.access import SKINDESK, Caller
from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.health import ProviderState
from bot.domain.steam import SteamId
from bot.providers.circuit import Attempt, CircuitBreaker, CircuitOpen, Sign, shows_up, sign_of
from bot.providers.evidence import Question
from bot.providers.explanations import Catalogue
from tests.fakes.clock import FakeClock

CATALOGUE = Catalogue.load()
BROKEN = Failure(ProviderName.ASSETPAY, FailureKind.BROKEN)


def customer(number: int, account: int | None = -1) -> Question:
    """Return a customer's question about their account, another one, or none."""
    asked = number if account == -1 else account
    return Question(Caller(number, is_staff=False), None if asked is None else SteamId.from_account_id(asked))


def agent(number: int, account: int | None) -> Question:
    return Question(Caller(number), None if account is None else SteamId.from_account_id(account))


def fail(breaker: CircuitBreaker, question: Question, sign: Sign = Sign.OUTAGE) -> None:
    breaker.failed(breaker.enter(question), BROKEN, sign)


def is_open(breaker: CircuitBreaker) -> bool:
    return breaker.health()[0] is ProviderState.CIRCUIT_OPEN


SHARED = {
    "customers": [customer(1), customer(2), customer(3)],
    "an agent about several accounts": [agent(1, 5), agent(1, 6), agent(1, 7)],
    "everyone's trades": [customer(1, None), agent(2, None), Question(SKINDESK, None)],
}
ONE_CAUSE = {
    "a customer again and again": [customer(1)] * 30,
    "a customer who links other accounts": [customer(1, account) for account in range(2, 20)],
    "and an agent who looks at one of them": [*(customer(1, account) for account in range(2, 20)), agent(9, 2)],
    "an account asked for by several": [customer(1, 5), customer(2, 5), agent(3, 5), agent(4, 5)],
    "two at once": [customer(1, 5), customer(2, 5), customer(1, 6)] * 5,
    "an agent who asks for everyone's trades again": [agent(1, None)] * 30,
}


@pytest.mark.parametrize(
    ("questions", "opens"),
    [*((each, True) for each in SHARED.values()), *((each, False) for each in ONE_CAUSE.values())],
    ids=[*SHARED, *ONE_CAUSE],
)
def test_cause(questions: list[Question], *, opens: bool) -> None:
    """Three failures open the circuit if no customer and no account explains two of them."""
    breaker = CircuitBreaker(FakeClock())
    for question in questions:
        fail(breaker, question)

    assert is_open(breaker) == opens


def test_no_connection() -> None:
    """No account explains that the provider cannot be reached, but one customer's network is not everyone's."""
    breaker = CircuitBreaker(FakeClock())
    for question in [customer(1, 5)] * 9:
        fail(breaker, question, Sign.NETWORK)
    assert not is_open(breaker)
    for question in (customer(2, 5), customer(3, 5)):
        fail(breaker, question, Sign.NETWORK)
    assert is_open(breaker)


@pytest.mark.parametrize(
    ("failure", "sign", "is_up"),
    [
        (("broken", 500), Sign.OUTAGE, False),
        (("lost", None), Sign.OUTAGE, False),
        (("timed_out", None), Sign.OUTAGE, False),
        (("redirected", 302), Sign.OUTAGE, False),
        (("nonsense", 200), Sign.OUTAGE, False),
        (("nonsense", 400), Sign.QUESTION, None),
        (("nonsense", 200, {"says_success": True}), Sign.QUESTION, None),
        (("too_large", 200), Sign.QUESTION, None),
        (("throttled", 429), Sign.QUESTION, False),
        (("blocked", 403), Sign.QUESTION, False),
        (("unreachable", None), Sign.NETWORK, False),
        (("unreachable", None, {"place": "request"}), Sign.QUESTION, None),
        (("refused", 400, {"code": 3}), Sign.ANSWER, True),
        (("refused", 500, {"code": 3}), Sign.ANSWER, True),
        (("refused", 503, {"code": 1010, "key": "NO_BOTS_AVAILABLE"}), Sign.ANSWER, True),
        (("refused", 401, {"code": 1902, "key": "API_KEY_REVOKED"}), Sign.ANSWER, False),
        (("refused", 500, {"code": 1006, "key": "SERVER_ERROR"}), Sign.OUTAGE, False),
        (("over_budget", None), Sign.NOT_ASKED, None),
        (("resting", None), Sign.NOT_ASKED, None),
        (("wrong_account", None), Sign.NOT_ASKED, None),
    ],
    ids=str,
)
def test_signs(failure: tuple[Any, ...], sign: Sign, is_up: bool | None) -> None:  # noqa: FBT001 -- a parameter
    """Only a failure that one question does not explain opens the circuit; refused credentials are an outage too."""
    kind, status, *facts = failure
    failed = Failure(ProviderName.ASSETPAY, FailureKind(kind), http_status=status, **(facts[0] if facts else {}))

    assert sign_of(failed, CATALOGUE.explain(failed)) is sign
    assert shows_up(failed, CATALOGUE.explain(failed)) is is_up


def test_trials() -> None:
    """One trial in two seconds, by callers and about accounts whose calls have not failed; an answer closes."""
    clock = FakeClock()
    breaker = CircuitBreaker(clock)
    began = clock.now()
    for number in (1, 2, 3):
        fail(breaker, customer(number))
    for ineligible in (customer(1), customer(1, 9), customer(9, 1), agent(9, 2)):
        with pytest.raises(CircuitOpen) as refused:
            breaker.enter(ineligible)
        assert refused.value.wait == timedelta(seconds=10)

    hanging = breaker.enter(customer(4))
    with pytest.raises(CircuitOpen) as refused:
        breaker.enter(customer(5))
    assert refused.value.wait == timedelta(seconds=2)
    assert breaker.health() == (ProviderState.CIRCUIT_OPEN, began, BROKEN, clock.now() + timedelta(seconds=2))
    clock.advance(seconds=2)
    with pytest.raises(CircuitOpen):
        breaker.enter(customer(4, 8))
    breaker.answered(breaker.enter(customer(5)))
    assert breaker.health() == (ProviderState.WORKING, clock.now(), None, None)
    for number in (6, 7):
        fail(breaker, customer(number))
    breaker.failed(hanging, BROKEN, Sign.OUTAGE)
    assert not is_open(breaker), "the answer came to a later call than the one that hung"


@pytest.mark.parametrize("ends", [Sign.NOT_ASKED, None])
def test_trial_that_was_not_made(ends: Sign | None) -> None:
    """A trial that did not reach the provider, or was cancelled, leaves its place to any other."""
    breaker = CircuitBreaker(FakeClock())
    for number in (1, 2, 3):
        fail(breaker, customer(number))
    for question in (customer(4), customer(5), customer(4)):
        attempt = breaker.enter(question)
        if ends is None:
            breaker.cancel(attempt)
        else:
            breaker.failed(attempt, BROKEN, ends)
    assert is_open(breaker)


def test_quiet_desk() -> None:
    """If only one of those whose calls failed still asks, they wait ten seconds at most, and not at all in the end."""
    clock = FakeClock()
    breaker = CircuitBreaker(clock)
    for number in (1, 2, 3):
        fail(breaker, customer(number))
    clock.step(hours=-1)
    for _ in range(5):
        clock.advance(seconds=10)
        fail(breaker, customer(1))
    clock.advance(seconds=10)
    for _ in range(20):
        fail(breaker, customer(1))
    assert breaker.health()[0] is ProviderState.FAILING


steps = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 5), st.sampled_from(Sign), st.floats(0, 9), st.integers(0, 9)),
    max_size=60,
)


@given(steps)
def test_nobody_is_refused_for_one_customer(steps: list[tuple[int, int, Sign, float, int]]) -> None:
    """Whatever one customer's calls end with, and when, nobody's call is refused while others' are answered."""
    clock = FakeClock()
    breaker = CircuitBreaker(clock)
    running: list[tuple[Attempt, Sign]] = []
    for who, account, sign, pause, which in steps:
        is_hostile = who < 4
        question = customer(0, account or None) if is_hostile else customer(who) if who < 6 else agent(who, account + 1)
        running.append((breaker.enter(question), sign if is_hostile else Sign.ANSWER))
        clock.advance(seconds=pause)
        attempt, ending = running.pop(which % len(running))
        breaker.failed(attempt, BROKEN, ending)


@dataclass
class Desk:
    """20 customers, each with an account, and three agents, who ask five times a second."""

    chance: random.Random
    clock: FakeClock
    breaker: CircuitBreaker
    hostile: int = 0
    """More customers, whose calls all fail; they ask whenever anyone does."""
    running: list[tuple[float, int, Attempt, Sign]] = field(default_factory=list)

    def ask(self, sign: Sign, lasts: float, *, within: float) -> Iterator[Sign | None]:
        """Yield the sign of each call that ends, None if the circuit refused it."""
        end = self.clock.monotonic() + within
        while self.clock.monotonic() < end:
            self.clock.advance(seconds=self.chance.expovariate(5))
            now = self.clock.monotonic()
            yield from self._ended(now)
            for number in range(1000, 1000 + self.hostile):
                with suppress(CircuitOpen):
                    attempt = self.breaker.enter(customer(number, number + 100 * self.chance.randrange(9)))
                    heapq.heappush(self.running, (now + 0.05, attempt.number, attempt, Sign.OUTAGE))
            account = self.chance.randrange(1, 21)
            is_agent = self.chance.random() < 0.2
            question = agent(100 + self.chance.randrange(3), account) if is_agent else customer(account)
            try:
                attempt = self.breaker.enter(question)
            except CircuitOpen:
                yield None
            else:
                heapq.heappush(self.running, (now + lasts, attempt.number, attempt, sign))

    def _ended(self, now: float) -> Iterator[Sign]:
        while self.running and self.running[0][0] <= now:
            _, _, attempt, sign = heapq.heappop(self.running)
            self.breaker.failed(attempt, BROKEN, sign)
            yield sign


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    ("sign", "lasts"), [(Sign.OUTAGE, 0.1), (Sign.OUTAGE, 12.0), (Sign.NETWORK, 0.01)], ids=["500", "hangs", "refused"]
)
def test_outage(seed: int, sign: Sign, lasts: float) -> None:
    """An outage opens the circuit within ten failures, and answers close it within 20 seconds."""
    clock = FakeClock()
    desk = Desk(random.Random(seed), clock, CircuitBreaker(clock))  # noqa: S311 -- no secret depends on it
    assert None not in desk.ask(Sign.ANSWER, 0.2, within=60)
    failures = 0
    for ended in desk.ask(sign, lasts, within=20):
        failures += ended is sign
        if is_open(desk.breaker):
            break
    assert is_open(desk.breaker)
    assert failures <= 10
    calls = sum(ended is sign for ended in desk.ask(sign, lasts, within=120))
    assert calls <= 100 + 6 * lasts, "a trial in two seconds, one of the agents' beside it, and those in flight before"
    for _ in desk.ask(Sign.ANSWER, 0.2, within=20):
        pass
    assert not is_open(desk.breaker)
    assert None not in desk.ask(Sign.ANSWER, 0.2, within=30)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("lasts", [0.05, 2.0])
def test_several_hostile_customers(seed: int, lasts: float) -> None:
    """Not even ten customers whose calls all fail refuse a provider to others that it answers."""
    clock = FakeClock()
    desk = Desk(random.Random(seed), clock, CircuitBreaker(clock), hostile=10)  # noqa: S311 -- no secret depends on it
    ended = [*desk.ask(Sign.ANSWER, lasts, within=300)]

    assert ended.count(None) <= 0.02 * ended.count(Sign.ANSWER)


@pytest.mark.parametrize("customers", [3, 5, 8, 20])
def test_staff_on_a_quiet_desk(customers: int) -> None:
    """Customers whose calls all fail take each other's trials, never one of the staff's."""
    clock = FakeClock()
    breaker = CircuitBreaker(clock)
    opened = False
    for round_ in range(600):
        for number in range(1, customers + 1):
            with suppress(CircuitOpen):
                fail(breaker, customer(number))
        opened |= is_open(breaker)
        if round_ % 20 == 19:
            breaker.answered(breaker.enter(agent(100, 100 + round_)))
        clock.advance(seconds=0.5)
    assert opened
