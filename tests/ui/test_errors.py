"""Every explanation of the catalogue, as customers and staff see it."""

import re

import pytest

from bot.domain.failures import Dialect, Explanation
from bot.domain.pages import Audience
from bot.providers.explanations import Catalogue
from bot.ui.errors import explanation_embed
from tests.support.seen import embed_text

CATALOGUE = Catalogue.load()
CREDENTIALS = re.compile(r"(?i)\b(api[- ]?keys?|keys?|secrets?|signatures?|credentials?|ip|allow[- ]?list|jwt)\b")


@pytest.mark.parametrize("audience", Audience)
def test_fits_discord(audience: Audience) -> None:
    """No entry is cut, empty or too long for Discord, whoever reads it."""
    for explanation in CATALOGUE.explanations:
        embed = explanation_embed(explanation, audience=audience)
        sizes = [len(field.value or "") for field in embed.fields]

        assert embed.title
        assert len(embed.title) <= 256
        assert embed.description
        assert all(0 < size <= 1024 for size in sizes)
        assert len(embed) <= 6000
        assert "…" not in embed_text(embed), explanation.key


def test_says_what_to_do() -> None:
    """Everybody is told what happened, what to do, who can fix it, and when to try again."""
    for explanation in CATALOGUE.explanations:
        for audience in Audience:
            names = {field.name for field in explanation_embed(explanation, audience=audience).fields}

            assert {"What you can do", "Who can fix it", "Try again"} <= names


@pytest.mark.parametrize(
    "explanation", [each for each in CATALOGUE.explanations if each.confidential], ids=lambda e: e.key
)
def test_confidential_for_customers(explanation: Explanation) -> None:
    """Of the merchant's own set-up customers learn that staff has to look at it, and nothing else."""
    seen = embed_text(explanation_embed(explanation, audience=Audience.CUSTOMER))

    assert explanation.key not in seen
    assert explanation.meaning not in seen
    assert CREDENTIALS.search(seen) is None


def test_code_and_key_are_shown() -> None:
    """An error of a provider is named by its code and its key, to customers too unless it is confidential."""
    for explanation in CATALOGUE.explanations:
        if explanation.dialect is Dialect.SKINDESK:
            continue
        for audience in Audience:
            seen = embed_text(explanation_embed(explanation, audience=audience))

            if explanation.code is not None:
                assert f"`{explanation.code}`" in seen
            if audience is Audience.STAFF or not explanation.confidential:
                assert explanation.key.replace("`", "") in seen
