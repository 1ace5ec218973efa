"""What providers are called, and whose numbers their errors have."""

from __future__ import annotations

import pytest

from bot.domain.failures import Dialect, ProviderName


@pytest.mark.parametrize(
    ("provider", "word", "label", "dialect"),
    [
        (ProviderName.ASSETPAY, "assetpay", "AssetPay", Dialect.ASSETPAY),
        (ProviderName.ASSETPAY_CLIENT, "assetpay_client", "AssetPay (client)", Dialect.ASSETPAY),
        (ProviderName.ASSETPAY_LEGACY, "assetpay_legacy", "AssetPay (.co)", Dialect.ASSETPAY_LEGACY),
        (ProviderName.SKINSBACK, "skinsback", "SkinsBack", Dialect.SKINSBACK),
        (ProviderName.MANNCO, "mannco", "Mannco.store", Dialect.MANNCO),
    ],
)
def test_provider(provider, word, label, dialect):
    """A provider has its configuration table's word, a name for people, and one numbering of errors."""
    assert (provider.value, provider.label, provider.dialect) == (word, label, dialect)


def test_every_provider():
    """No provider is without a name or a numbering, and no two are called alike."""
    assert len({provider.label for provider in ProviderName}) == len(ProviderName) == 5
    assert {provider.dialect for provider in ProviderName} == set(Dialect) - {Dialect.STEAM, Dialect.SKINDESK}


def test_older_numbers_are_another_dialect():
    """AssetPay's older host numbers its errors differently, so its numbers are never looked up in the new list."""
    assert ProviderName.ASSETPAY_LEGACY.dialect is not ProviderName.ASSETPAY.dialect
