"""*Copy for the customer*: for every entry of the catalogue, nothing internal in what staff send to a customer."""

import re

import pytest

from bot.domain.failures import Dialect, Explanation, Failure, FailureKind, ProviderName
from bot.domain.snapshots import Audience
from bot.providers.explanations import Catalogue
from bot.ui.interaction.error_handler import copy_view
from bot.ui.ready_answers import ready_answer

CATALOGUE = Catalogue.load()
ENTRIES = [*CATALOGUE.explanations, *CATALOGUE.statuses]
INTERNAL = re.compile(
    r"(?i)\b(api[- ]?keys?|secrets?|signatures?|credentials?|jwt|base_url|the reference)\b|[a-z]+_[a-z]+|<t:|`"
)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda each: each.id)
def test_nothing_internal(entry: Explanation) -> None:
    """It has the customer's step, and no key, setting, staff's step or confidential meaning; it is plain and short."""
    text = ready_answer(entry)

    assert INTERNAL.search(text) is None, text
    assert entry.agent not in text or entry.agent in entry.customer
    assert len(text) <= 1_000
    if isinstance(entry, Explanation):
        assert not entry.cause or entry.cause not in text
        assert (entry.meaning in text) is not entry.confidential
        assert not re.search(rf"\b{re.escape(entry.key)}\b", text) or entry.key.islower() or " " in entry.key


def test_offered() -> None:
    """Staff get the button under every explanation, of an unknown error too; customers never."""
    failures = [
        Failure(ProviderName.ASSETPAY, FailureKind.REFUSED, code=33, key="STEAM_RATE_LIMITED"),
        Failure(ProviderName.ASSETPAY, FailureKind.REFUSED, code=4242, key="STEAM_RATE_LIMITED"),
        Failure(ProviderName.SKINSBACK, FailureKind.REFUSED, code=4242, key="something_new"),
        Failure(ProviderName.MANNCO, FailureKind.TIMED_OUT),
    ]
    for failure in failures:
        explanation = CATALOGUE.explain(failure)
        view = copy_view(explanation.id, CATALOGUE, Audience.STAFF)

        assert view is not None
        assert copy_view(explanation.id, CATALOGUE, Audience.CUSTOMER) is None
        entry = CATALOGUE.entry(explanation.id)
        assert isinstance(entry, Explanation)
        assert entry.customer == explanation.customer
        assert entry.dialect in {explanation.dialect, Dialect.SKINDESK}
