"""Names and dialects of the providers."""

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
    """The two AssetPay hosts number their errors differently."""
    assert (provider.value, provider.label, provider.dialect) == (word, label, dialect)
