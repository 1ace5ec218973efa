"""The titles of stored errors, which are kept in English, as staff read them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.domain.references import ErrorReference
from bot.languages import LANGUAGES, in_language, t, translated
from bot.ui.references import title_for_reader

ERROR = ErrorReference(1, "041ee7", 2, datetime(2026, 1, 1, tzinfo=UTC), "trades", "ProviderError", "")


@pytest.mark.parametrize("code", LANGUAGES)
def test_translated(code: str) -> None:
    """Those of SkinDesk's own messages and those of the explanations are in the reader's language."""
    with in_language(LANGUAGES[code]):
        own = title_for_reader(replace(ERROR, title="⛔ You may not do that"))
        of_provider = title_for_reader(replace(ERROR, title="⚠️ Steam is limiting inventory requests"))

        assert own == f"⛔ {t('You may not do that')}"
        assert of_provider == f"⚠️ {translated('Steam is limiting inventory requests')}"
    assert (
        (own == "⛔ You may not do that") == (of_provider == "⚠️ Steam is limiting inventory requests") == (code == "en")
    )


@pytest.mark.parametrize(
    "title", ["⛔ `{trade!r}` cannot be used like that", "⛔ {0} %s", "⚠️ no longer in a catalogue"]
)
def test_not_translated(title: str) -> None:
    """A title that names something, or that no catalogue has any more, stays as it is."""
    with in_language(LANGUAGES["de"]):
        assert title_for_reader(replace(ERROR, title=title)) == title
