"""The items of the made-up world, for every game that a simulated provider has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from bot.demo.chance import Chance
from bot.domain.steam import Game, SteamId


@dataclass(frozen=True, slots=True)
class WorldSticker:
    """A sticker; ``wear`` runs from 0 to 1."""

    name: str
    slot: int
    wear: float
    icon_hash: str

    @property
    def market_hash_name(self) -> str:
        """The sticker's own name on Steam's market."""
        return f"Sticker | {self.name}"


@dataclass(frozen=True, slots=True)
class WorldItem:
    """One item or stack. Prices are USD for one piece; without ``offer`` a provider sends no offer at all."""

    id: str
    asset_id: str
    class_id: str
    game: Game
    name: str
    market_hash_name: str
    icon_hash: str
    market_price: Decimal
    offer: Decimal | None
    kind: str | None = None
    accepted: bool = True
    tradable: bool = True
    exterior: str | None = None
    wear: str | None = None
    rarity: str | None = None
    colour: str | None = None
    paint_seed: int | None = None
    inspect_certificate: str | None = None
    amount: int = 1
    max_amount: int = 1
    stickers: tuple[WorldSticker, ...] = ()


_EXTERIORS = (
    ("Factory New", 0.0, 0.07),
    ("Minimal Wear", 0.07, 0.15),
    ("Field-Tested", 0.15, 0.38),
    ("Well-Worn", 0.38, 0.45),
    ("Battle-Scarred", 0.45, 1.0),
)
_RARITIES = (
    ("Mil-Spec Grade", "#4B69FF", 0.04, 2.5),
    ("Restricted", "#8847FF", 0.4, 9),
    ("Classified", "#D32CE6", 2, 60),
    ("Covert", "#EB4B4B", 9, 900),
)
_WEAPONS = (
    ("AK-47", "Rifle"),
    ("M4A1-S", "Rifle"),
    ("M4A4", "Rifle"),
    ("AWP", "Sniper Rifle"),
    ("SSG 08", "Sniper Rifle"),
    ("Desert Eagle", "Pistol"),
    ("USP-S", "Pistol"),
    ("Glock-18", "Pistol"),
    ("MP9", "SMG"),
    ("P90", "SMG"),
    ("XM1014", "Shotgun"),
    ("Negev", "Machinegun"),
)
_FINISHES = (
    "Copper Tide",
    "Night Orchard",
    "Paper Lantern",
    "Marsh Heron",
    "Glass Atlas",
    "Velvet Static",
    "Ember Choir",
    "Tin Parade",
    "Jade Circuit",
    "Quiet Comet",
    "Sunken Bell",
    "Clockwork Moth",
    "Chalk Garden",
    "Salt Flats",
)
_KNIVES = ("★ Karambit", "★ Butterfly Knife", "★ Talon Knife")
_STICKERS = ("Harbour Foxes | Lisbon 2031", "Nine Lanterns (Holo) | Oslo 2032", "Slow Thunder | Lisbon 2031")
_CASES = ("Lighthouse Case", "Second Monsoon Case", "Lisbon 2031 Legends Capsule")
_RUST_STACKS = (("Large Wood Box", "0.18", 5), ("Cloth", "0.05", 7), ("Sand Camo Bandana", "0.09", 3))
_RUST_SKINS = (
    "Salvage Lantern Door",
    "Foundry Chest Plate",
    "Tidewater AR",
    "Moth-Eaten Hoodie",
    "Orchard Roadsign Jacket",
    "Night Shift Pickaxe",
    "Driftwood Locker",
    "Copper Kettle Furnace",
)
_DOTA_ITEMS = (
    ("Emberweave Cowl", "Immortal", "#E4AE39"),
    ("Inscribed Tidecaller's Crook", "Mythical", "#8847FF"),
    ("Mantle of the Hollow Oak", "Rare", "#4B69FF"),
    ("Exalted Lanternbearer", "Arcana", "#ADE55C"),
    ("Genuine Saltglass Blade", "Legendary", "#D32CE6"),
    ("Auspicious Reedwalker Boots", "Uncommon", "#5E98D9"),
)
_BUYING_RATE = Decimal("0.86")
_CENT = Decimal("0.01")


class ItemMaker:
    """Makes the items of one person."""

    def __init__(self, chance: Chance, owner: SteamId) -> None:
        self._chance = chance
        self._owner = owner

    def inventory(self, game: Game, count: int) -> tuple[WorldItem, ...]:
        """Return ``count`` items of ``game``; none of TF2, which no inventory provider has."""
        match game:
            case Game.CS2:
                return tuple(self._cs2(number) for number in range(count))
            case Game.RUST:
                return tuple(self._rust(number) for number in range(count))
            case Game.DOTA2:
                return tuple(self._dota2(number) for number in range(count))
            case Game.TF2:
                return ()

    def accepted(self, game: Game, count: int) -> tuple[WorldItem, ...]:
        """Return ``count`` items of ``game``, without those that no provider takes."""
        return tuple(item for item in self.inventory(game, count) if item.accepted)

    def named(self, name: str, *, icon_hash: str | None = None) -> WorldItem:
        """Return an accepted CS2 item called ``name``."""
        item = replace(self._bare(Game.CS2, name, Decimal("3.20")), kind="Rifle")
        return item if icon_hash is None else replace(item, icon_hash=icon_hash)

    def _cs2(self, number: int) -> WorldItem:
        if number == 0:
            return self._redline()
        if number % 17 == 0:
            return self._knife()
        if number % 11 == 0:
            return replace(self._bare(Game.CS2, self._chance.choice(_CASES), self._chance.price(0.2, 6)), kind="Case")
        return _refused(self._weapon(number), number)

    def _redline(self) -> WorldItem:
        """Return the sample item of seeds 000 to 002, to compare a response with them."""
        painted = self._painted("AK-47 | Redline", "Rifle", ("Classified", "#D32CE6"), Decimal("12.50"))
        return replace(
            painted,
            market_hash_name="AK-47 | Redline (Field-Tested)",
            offer=Decimal("10.75"),
            exterior="Field-Tested",
            wear="0.25432",
            paint_seed=312,
            stickers=(WorldSticker("Natus Vincere | Katowice 2019", 0, 0.05, self._icon()),),
        )

    def _weapon(self, number: int) -> WorldItem:
        weapon, kind = self._chance.choice(_WEAPONS)
        rarity, colour, low, high = self._chance.choices(_RARITIES, weights=(8, 5, 3, 2))[0]
        name = f"{'StatTrak™ ' if number % 9 == 0 else ''}{weapon} | {self._chance.choice(_FINISHES)}"
        painted = self._painted(name, kind, (rarity, colour), self._chance.price(low, high))
        return replace(painted, stickers=self._stickers())

    def _knife(self) -> WorldItem:
        name = f"{self._chance.choice(_KNIVES)} | {self._chance.choice(_FINISHES)}"
        return self._painted(name, "Knife", ("Covert", "#EB4B4B"), self._chance.price(180, 2400))

    def _painted(self, name: str, kind: str, rarity: tuple[str, str], market: Decimal) -> WorldItem:
        exterior, low, high = self._chance.choice(_EXTERIORS)
        item = self._bare(Game.CS2, name, market)
        return replace(
            item,
            market_hash_name=f"{name} ({exterior})",
            kind=kind,
            exterior=exterior,
            wear=f"{self._chance.uniform(low, high):.5f}",
            rarity=rarity[0],
            colour=rarity[1],
            paint_seed=self._chance.randrange(1000),
            inspect_certificate=f"S{self._owner}A{item.asset_id}D{self._chance.digits(19)}",
        )

    def _stickers(self) -> tuple[WorldSticker, ...]:
        slots = range(self._chance.choice((0, 0, 0, 1, 2, 4)))
        return tuple(
            WorldSticker(self._chance.choice(_STICKERS), slot, round(self._chance.random(), 2), self._icon())
            for slot in slots
        )

    def _rust(self, number: int) -> WorldItem:
        if number < len(_RUST_STACKS):
            name, price, amount = _RUST_STACKS[number]
            return replace(self._bare(Game.RUST, name, Decimal(price)), amount=amount, max_amount=10)
        skin = self._bare(Game.RUST, self._chance.choice(_RUST_SKINS), self._chance.price(0.1, 40))
        return _refused(replace(skin, kind="Workshop Item"), number)

    def _dota2(self, number: int) -> WorldItem:
        name, rarity, colour = _DOTA_ITEMS[number % len(_DOTA_ITEMS)]
        item = self._bare(Game.DOTA2, name, self._chance.price(0.1, 70))
        return _refused(replace(item, kind="Wearable", rarity=rarity, colour=colour), number)

    def _bare(self, game: Game, name: str, market: Decimal) -> WorldItem:
        """Return an accepted item with the facts that every item has."""
        return WorldItem(
            id=self._chance.uuid(),
            asset_id=self._chance.digits(11),
            class_id=self._chance.digits(10),
            game=game,
            name=name,
            market_hash_name=name,
            icon_hash=self._icon(),
            market_price=market,
            offer=max(_CENT, (market * _BUYING_RATE).quantize(_CENT)),
        )

    def _icon(self) -> str:
        return self._chance.text(120)


def _refused(item: WorldItem, number: int) -> WorldItem:
    """Make some items refused, for different reasons."""
    match number % 13:
        case 5:
            return replace(item, tradable=False, accepted=False)
        case 8:
            return replace(item, accepted=False)
        case 12:
            return replace(item, accepted=False, offer=None)
        case _:
            return item
