"""/inventory through the simulated Discord, against providers that speak the seeds' wire formats."""

import pytest

from bot.demo.scene import Scene
from tests.support.seen import buttons_of, text_of


@pytest.mark.parametrize(
    ("provider", "game"),
    [
        *((provider, game) for provider in ("assetpay", "assetpay_client", "assetpay_legacy") for game in ("cs2", "rust")),
        *(("skinsback", game) for game in ("cs2", "rust", "dota2")),
    ],
)
async def test_every_dialect_and_game(scene: Scene, provider: str, game: str) -> None:
    """Each provider's inventory of each game it has comes as a page of items with offers."""
    result = await scene.customer.slash(
        scene.channel, "inventory", tradeurl=scene.world.customer.trade_url, provider=provider, game=game
    )

    assert result.ephemeral
    assert "can be deposited" in text_of(result)
    assert "accepted at **$" in text_of(result)
