"""The checks of a response before Steam confirms it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import SignInRefused
from bot.domain.secrets import SignInToken
from bot.domain.sign_in import (
    NONCE_AHEAD,
    NONCE_WITHIN,
    OPENID_NS,
    Assertion,
    SignInPlaces,
    check_answer,
    check_browser,
    token_from,
)
from bot.domain.steam import SteamId

NOW = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)
PLACES = SignInPlaces("https://desk.example.com/bot", "https://steamcommunity.com/openid/login")
TOKEN = SignInToken("A" * 43)
DIGEST = TOKEN.digest()
ACCOUNT = SteamId(76561198083722517)
SIGNED = "signed,op_endpoint,claimed_id,identity,return_to,response_nonce,assoc_handle"
ANSWER = {
    "openid.ns": OPENID_NS,
    "openid.mode": "id_res",
    "openid.op_endpoint": "https://steamcommunity.com/openid/login",
    "openid.claimed_id": f"https://steamcommunity.com/openid/id/{ACCOUNT}",
    "openid.identity": f"https://steamcommunity.com/openid/id/{ACCOUNT}",
    "openid.return_to": f"https://desk.example.com/bot/link/return/{DIGEST}",
    "openid.response_nonce": "2026-05-14T12:00:00Zabc/+=",
    "openid.assoc_handle": "1234567890",
    "openid.signed": SIGNED,
    "openid.sig": "W0u5DRbtHE1GG0ZKXjerUZDUGmc=",
}
"""A response in Steam's own form."""

PINNED = sorted(ANSWER.keys() - {"openid.assoc_handle", "openid.sig", "openid.signed", "openid.response_nonce"})
VALUES = st.one_of(st.text(max_size=80), st.sampled_from(sorted(ANSWER.values())))
NAMES = st.one_of(st.text(max_size=20), st.sampled_from(sorted(ANSWER)), st.just("openid."))


def check(parameters: Sequence[tuple[str, str]]) -> Assertion:
    return check_answer(parameters, DIGEST, places=PLACES, now=NOW)


def test_answer_of_steam():
    """Steam's response is accepted, and only OpenID's parameters are sent for confirmation."""
    assertion = check([("utm_source", "x"), *ANSWER.items()])

    assert (assertion.steam_id, assertion.nonce) == (ACCOUNT, "2026-05-14T12:00:00Zabc/+=")
    assert assertion.parameters == ANSWER


@given(st.sampled_from(PINNED), VALUES)
def test_one_parameter_altered(name: str, value: str):
    """Another value of a parameter that binds the response is refused."""
    if value != ANSWER[name]:
        with pytest.raises(SignInRefused):
            check([*{**ANSWER, name: value}.items()])


@given(st.lists(st.tuples(NAMES, VALUES), max_size=14), st.booleans())
def test_anything(parameters: list[tuple[str, str]], whole: bool):  # noqa: FBT001 -- drawn
    """Any parameters are refused, or are this sign-in's response."""
    given_parameters = [*ANSWER.items(), *parameters] if whole else parameters
    try:
        assertion = check(given_parameters)
    except SignInRefused:
        return
    assert assertion.parameters["openid.return_to"] == PLACES.return_to(DIGEST)
    assert {name for name, _ in given_parameters if name.startswith("openid.")} == set(assertion.parameters)


@pytest.mark.parametrize(
    ("age", "is_fresh"),
    [
        (timedelta(0), True),
        (NONCE_WITHIN, True),
        (NONCE_WITHIN + timedelta(seconds=1), False),
        (-NONCE_AHEAD, True),
        (-NONCE_AHEAD - timedelta(seconds=1), False),
    ],
)
def test_age_of_the_nonce(age: timedelta, is_fresh: bool):  # noqa: FBT001 -- a column
    """A nonce may be a few minutes old, or a few minutes ahead."""
    answer = {**ANSWER, "openid.response_nonce": f"{NOW - age:%Y-%m-%dT%H:%M:%SZ}x"}
    if is_fresh:
        assert check([*answer.items()]).steam_id == ACCOUNT
    else:
        with pytest.raises(SignInRefused, match="late"):
            check([*answer.items()])


def test_cancelled():
    with pytest.raises(SignInRefused, match="cancelled"):
        check([("openid.ns", OPENID_NS), ("openid.mode", "cancel")])


def test_browser():
    """Only the token itself is accepted."""
    assert check_browser(TOKEN, DIGEST) == TOKEN
    for wrong in (None, SignInToken("B" * 43), SignInToken(DIGEST)):
        with pytest.raises(SignInRefused, match="browser"):
            check_browser(wrong, DIGEST)


@pytest.mark.parametrize(
    "text", ["", "A" * 42, "A" * 44, "A" * 42 + "\n", "A" * 42 + "/", "A" * 42 + "é", "A" * 42 + "="]
)
def test_no_token(text: str):
    assert token_from(text) is None


def test_nothing_prints():
    """The reprs of address and response do not contain their secrets."""
    assert "AAAA" not in f"{PLACES.page(TOKEN)!r} {PLACES.page(TOKEN)}"
    assert "sig" not in repr(check([*ANSWER.items()]))
