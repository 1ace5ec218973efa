"""Secrets do not print, format or copy by accident."""

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
    """Every conversion to text gives the mask; only reveal returns the text."""
    secret = kind(TEXT)
    shown = [str(secret), repr(secret), f"{secret}", f"{secret!r}", f"{secret:>20}", "%s" % (secret,), ascii(secret)]  # noqa: UP031 -- one of the ways
    shown += [repr([secret]), str({secret: secret}), repr(Holder(secret)), repr(ValueError(secret))]

    assert not [text for text in shown if TEXT in text]
    assert secret.reveal() == TEXT
    assert str(secret) == MASK
    assert repr(secret) == f"{kind.__name__}({MASK})"


@KINDS
def test_logged(kind, caplog):
    """A log line contains the mask."""
    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("sent token=%s as %r", kind(TEXT), {"token": kind(TEXT)})

    assert TEXT not in caplog.text
    assert MASK in caplog.text


@KINDS
@pytest.mark.parametrize("copying", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, lambda it: asdict(Holder(it))])
def test_copied(kind, copying):
    """Pickling and copying fail without showing the text."""
    with pytest.raises(TypeError) as caught:
        copying(kind(TEXT))

    assert TEXT not in str(caught.value)


@pytest.mark.parametrize("using", [lambda it: f"{it:d}", lambda it: "a" in it, len, lambda it: "x" + it, int, vars])
def test_misused(using):
    """Using a secret as a text or a number fails without showing it."""
    with pytest.raises((TypeError, ValueError)) as caught:
        using(TradeToken(TEXT))

    assert TEXT not in str(caught.value)


def test_holder_of_a_trade_url():
    """The repr of a trade URL shows the account and not the token."""
    shown = repr(TradeUrl(SteamId.from_account_id(5), TradeToken(TEXT)))

    assert "76561197960265733" in shown
    assert TEXT not in shown


def test_equality():
    """Secrets of one kind and text are equal; a secret never equals plain text or another kind."""
    assert TradeToken(TEXT) == TradeToken(TEXT)
    assert hash(TradeToken(TEXT)) == hash(TradeToken(TEXT))
    assert TradeToken(TEXT) != TradeToken(TEXT.lower())
    assert TradeToken(TEXT) != TradeCode(TEXT)
    assert Secret(TEXT) != TradeToken(TEXT)
    assert TradeToken(TEXT) != TEXT
    assert Secret("\ud800") == Secret("\ud800")
    assert not Secret("")


def test_digest():
    """The digest is SHA-256 in hex."""
    assert TradeCode("abc").digest() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert TradeCode("abc").digest() != TradeCode("abd").digest()
