"""Secrets do not print, format, copy or serialise by accident."""

from __future__ import annotations

import copy
import json
import logging
import pickle
from dataclasses import asdict, dataclass

import pytest

from bot.domain.secrets import Secret, TradeCode, TradeToken
from bot.domain.steam import SteamId, TradeUrl

TEXT = "AbCd-_9h"
MASK = "••••"
KINDS = pytest.mark.parametrize("kind", [Secret, TradeToken, TradeCode])


@dataclass(frozen=True)
class Holder:
    secret: Secret


@KINDS
def test_shown(kind):
    """Every usual way of turning a value into text gives the mask."""
    secret = kind(TEXT)
    shown = [str(secret), repr(secret), f"{secret}", f"{secret!r}", f"{secret:>20}", "%s" % (secret,), ascii(secret)]  # noqa: UP031 -- one of the ways
    shown += [repr([secret]), str({secret: secret}), repr(Holder(secret)), repr(ValueError(secret))]

    assert not [text for text in shown if TEXT in text]
    assert str(secret) == MASK
    assert repr(secret) == f"{kind.__name__}({MASK})"


@KINDS
def test_logged(kind, caplog):
    """A log line that gets one by mistake has the mask."""
    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("sent token=%s as %r", kind(TEXT), {"token": kind(TEXT)})

    assert TEXT not in caplog.text
    assert MASK in caplog.text


@KINDS
def test_revealed(kind):
    """The text itself comes out of reveal alone."""
    assert kind(TEXT).reveal() == TEXT


@KINDS
@pytest.mark.parametrize("copying", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, lambda it: asdict(Holder(it))])
def test_copied(kind, copying):
    """Nothing that copies values to disk or apart takes one along, and its complaint does not show it."""
    with pytest.raises(TypeError) as caught:
        copying(kind(TEXT))

    assert TEXT not in str(caught.value)


@pytest.mark.parametrize("using", [lambda it: f"{it:d}", lambda it: "a" in it, len, lambda it: "x" + it, int, vars])
def test_misused(using):
    """Using one as a text or a number fails without showing it."""
    with pytest.raises((TypeError, ValueError)) as caught:
        using(TradeToken(TEXT))

    assert TEXT not in str(caught.value)


def test_holder_of_a_trade_url():
    """A trade URL shows whose it is and never its token."""
    shown = repr(TradeUrl(SteamId.from_account_id(5), TradeToken(TEXT)))

    assert "76561197960265733" in shown
    assert TEXT not in shown


def test_equality():
    """Equal texts of one kind are equal and hash alike; a secret equals no plain text and no other kind."""
    assert TradeToken(TEXT) == TradeToken(TEXT)
    assert hash(TradeToken(TEXT)) == hash(TradeToken(TEXT))
    assert TradeToken(TEXT) != TradeToken(TEXT.lower())
    assert TradeToken(TEXT) != TradeCode(TEXT)
    assert Secret(TEXT) != TradeToken(TEXT)
    assert TradeToken(TEXT) != TEXT
    assert TradeToken(TEXT) not in [TEXT, None, b"", 0]


@pytest.mark.parametrize("text", ["", "é", "\ud800", "x" * 10_000])
def test_odd_texts(text):
    """A secret of any text compares and has a digest."""
    assert Secret(text) == Secret(text)
    assert Secret(text) != Secret(text + "x")
    assert len(Secret(text).digest()) == 64


def test_truth():
    """An empty secret counts as none."""
    assert not Secret("")
    assert Secret("0")


def test_digest():
    """The digest recognises the same text again, and only that; it is SHA-256 in hex."""
    assert TradeCode("abc").digest() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert TradeCode("abc").digest() == TradeCode("abc").digest()
    assert TradeCode("abc").digest() != TradeCode("abd").digest()


def test_no_attributes():
    """Nothing can be hung on a secret, so nothing about it travels along."""
    with pytest.raises(AttributeError):
        setattr(TradeToken(TEXT), "note", TEXT)  # noqa: B010 -- an assignment that mypy would stop
