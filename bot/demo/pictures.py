"""Pictures of the made-up items. The demo's page shows them in place of Steam's, so it loads nothing from outside."""

from __future__ import annotations

import struct
import zlib
from functools import cache

from bot.demo.items import WorldItem
from bot.demo.world import World
from bot.domain.steam import Game, image_url

_SCALE, _WIDTH, _HEIGHT = 16, 20, 14
_BACKGROUND, _METAL = "#20232A", "#AEB4BF"
_COLOURS = {Game.CS2: "#4B69FF", Game.RUST: "#CD5C3C", Game.DOTA2: "#2E9E5B"}
_GUN = """
.m
.m...........mm
mmmmmmmmmmmmmmmmmmm
ccccccccmmmmmm
ccccccccc..m
cc..cc.cc
c...cc..cc
....cc"""
_PISTOL = """
mmmmmmmmmmm
mmmmmmmmmmmm
cccccccccc
cccc..m
ccc..mm
ccc
cccc
cccc"""
_KNIFE = """
...........mmm
........mmmmm
.....mmmmmm
..mmmmmm
.ccmm
ccc
cc"""
_BOX = """
.cccccccccccccc
cccccccccccccccc
mmmmmmmmmmmmmmmm
cccccc.mm.cccccc
cccccc.mm.cccccc
cccccccccccccccc
cccccccccccccccc
.mm..........mm"""
_SHIRT = """
..ccc....ccc
ccccccmmcccccc
cccccccccccccc
ccccccmmcccccc
cc.cccccccc.cc
...cccmmccc
...cccccccc
...cccmmccc"""
_SHAPES = {"Knife": _KNIFE, "Pistol": _PISTOL, "Case": _BOX, "Wearable": _SHIRT, "Workshop Item": _SHIRT, None: _BOX}
"""Shapes by kind of item: ``m`` is metal, ``c`` the colour of the rarity."""


def pictures(world: World) -> dict[str, tuple[str, bytes]]:
    """Return the file name and PNG of each item's picture, by its address at Steam."""
    items = [item for person in world.people for owned in person.inventories.values() for item in owned]
    return {url: ("item.png", _picture(item)) for item in items if (url := image_url(item.icon_hash)) is not None}


def _picture(item: WorldItem) -> bytes:
    return _drawn(_SHAPES.get(item.kind, _GUN), item.colour or _COLOURS[item.game])


@cache
def _drawn(shape: str, colour: str) -> bytes:
    """Draw a shape in the middle of a PNG with a palette of three colours."""
    lines = shape.split("\n")[1:]
    left, top = (_WIDTH - max(map(len, lines))) // 2, (_HEIGHT - len(lines)) // 2
    rows = [bytearray(_WIDTH) for _ in range(_HEIGHT)]
    for y, line in enumerate(lines, top):
        rows[y][left : left + len(line)] = bytes(".mc".index(letter) for letter in line)
    # Each row of a PNG begins with its filter, here none.
    pixels = b"".join((b"\0" + bytes(pixel for pixel in row for _ in range(_SCALE))) * _SCALE for row in rows)
    palette = b"".join(bytes.fromhex(each[1:]) for each in (_BACKGROUND, _METAL, colour))
    size = struct.pack(">IIBBBBB", _WIDTH * _SCALE, _HEIGHT * _SCALE, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", size), (b"PLTE", palette), (b"IDAT", zlib.compress(pixels)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
