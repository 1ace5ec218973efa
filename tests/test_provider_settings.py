"""Which providers are on, which one is asked by default, and the shop's own prices at SkinsBack."""

from pathlib import Path

import pytest

from bot.config_loading import load_settings
from bot.domain.failures import ProviderName
from tests.test_config import TOKEN, problem, variables


@pytest.fixture(autouse=True)
def _own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # ``problem`` writes a file


class TestProviders:
    @pytest.mark.parametrize(
        ("default", "on", "expected"),
        [
            (None, (), None),
            (None, (ProviderName.SKINSBACK,), ProviderName.SKINSBACK),
            (None, (ProviderName.ASSETPAY_LEGACY, ProviderName.SKINSBACK), ProviderName.ASSETPAY_LEGACY),
            (None, (ProviderName.ASSETPAY, ProviderName.SKINSBACK), ProviderName.ASSETPAY),
            (" skinsback ", (ProviderName.ASSETPAY, ProviderName.SKINSBACK), ProviderName.SKINSBACK),
        ],
    )
    def test_default(self, default: str | None, on: tuple[ProviderName, ...], expected: ProviderName | None) -> None:
        """A provider is on if it has credentials; the default is the default one, AssetPay, or the first that is on."""
        environ = {"SKINDESK_INVENTORY__DEFAULT_PROVIDER": default} if default else {}
        found = load_settings(None, variables(*on) | environ)

        assert (found.providers_on, found.default_provider) == (on, expected)

    @pytest.mark.parametrize(
        ("default", "on"), [("assetpay", ProviderName.SKINSBACK), ("skinsback", ProviderName.MANNCO)]
    )
    def test_default_that_is_off(self, default: str, on: ProviderName) -> None:
        """A default that was default and is off is refused, not replaced."""
        found = problem(f'inventory.default_provider = "{default}"', variables(on))

        assert found.key == "inventory.default_provider"
        assert f"{default} is off" in found.message


class TestCustomPrices:
    @pytest.mark.parametrize(
        ("text", "sent"),
        [
            ("", {}),
            ("custom_multiplier = 0.5", {"custom_multiplier": "0.5"}),
            ("custom_multiplier = ' 1.50 '", {"custom_multiplier": "1.50"}),
            ("custom_currency = 'GEM'\ncustom_currency_rate = '1e1'", {"custom_currency": "GEM"}),
        ],
    )
    def test_sent(self, text: str, sent: dict[str, str], tmp_path: Path) -> None:
        """Only what is set is sent, numbers as plain decimal text."""
        (tmp_path / "skindesk.toml").write_text(f"[providers.skinsback]\n{text}", encoding="utf-8")
        found = load_settings(tmp_path / "skindesk.toml", TOKEN).providers.skinsback.custom_prices

        assert found == sent | ({"custom_currency_rate": "10"} if "custom_currency" in sent else {})

    @pytest.mark.parametrize(
        ("key", "value", "message"),
        [
            ("custom_multiplier", "2.5", "should be a number from 0.5 to 2"),
            ("custom_currency", "GEM", "should be set together with custom_currency (SKINDESK_PROVIDERS__SKINSBACK__"),
            ("custom_currency_rate", "10", "should be set together with custom_currency"),
        ],
    )
    def test_refused(self, key: str, value: str, message: str) -> None:
        """A message says what a value may be, or what it needs beside it."""
        assert message in problem(f"providers.skinsback.{key} = '{value}'").message
