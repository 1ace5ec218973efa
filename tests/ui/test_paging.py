"""Page arithmetic, and the targets of page buttons."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.failures import ProviderName
from bot.domain.inventory import InventoryFilter
from bot.domain.snapshots import Audience, InventoryAnswer, Listing, ProviderAnswer, Snapshot
from bot.domain.steam import Game
from bot.providers.explanations import Catalogue
from bot.ui.inventory_pages import shown_page
from bot.ui.kit.layout import page_at
from bot.ui.pager import PageButton, page_buttons
from tests.domain.builders import NOW, OWNER, PROPERTY, inventory, item


@PROPERTY
@given(items=st.lists(st.integers(), max_size=60), size=st.integers(1, 25))
def test_every_item_is_on_one_page(items: list[int], size: int):
    """The pages have all items in order; none is too long, and only a single page can be empty."""
    pages = [page_at(items, index, size).items for index in range(page_at(items, 0, size).count)]

    assert [each for page in pages for each in page] == items
    assert all(len(page) <= size for page in pages)
    assert all(pages) or pages == [[]]


@PROPERTY
@given(pages=st.integers(2, 99_999), data=st.data())
def test_buttons(pages: int, data: st.DataObject):
    """Each of several pages has four buttons with the right targets; those without a target are disabled."""
    shown = data.draw(st.integers(0, pages - 1))
    buttons = {button.item.label: button.item for button in buttons_on(shown, pages)}
    leads = {label: int(str(button.custom_id).rpartition(":")[2]) for label, button in buttons.items()}

    assert list(buttons) == ["First", "Previous", "Next", "Last"]
    assert leads == {"First": 0, "Previous": max(shown - 1, 0), "Next": min(shown + 1, pages - 1), "Last": pages - 1}
    assert {label for label, button in buttons.items() if button.disabled} == {
        *(("First", "Previous") if shown == 0 else ()),
        *(("Next", "Last") if shown == pages - 1 else ()),
    }
    ids = [str(button.custom_id) for button in buttons.values()]
    assert len(set(ids)) == 4
    assert all(len(each) <= 100 and each.isascii() for each in ids)
    assert all(PageButton.__discord_ui_compiled_template__.fullmatch(each) for each in ids)


@pytest.mark.parametrize(
    "custom_id",
    [
        "page:AAAAAAAAAAAA:next:-1",
        "page:AAAAAAAAAAAA:next:123456",
        "page:AAAAAAAAAAAA:delete:1",
        "page:short:next:1",
        "page:AAAAAAAAAAAA:next:1 ",
        "xpage:AAAAAAAAAAAA:next:1",
    ],
)
def test_other_custom_ids(custom_id: str):
    """Other custom ids are not accepted as page buttons."""
    assert PageButton.__discord_ui_compiled_template__.fullmatch(custom_id) is None


def buttons_on(shown: int, pages: int) -> list[PageButton]:
    # A view needs no running loop to be inspected.
    return [child for child in page_buttons("AAAAAAAAAAA-", shown, pages).children if isinstance(child, PageButton)]


def test_page_that_does_not_exist():
    """A button with an index that is too high shows the last page."""
    answer = InventoryAnswer(
        OWNER,
        Game.CS2,
        InventoryFilter(),
        (ProviderAnswer(ProviderName.ASSETPAY, inventory(*(item(str(number)) for number in range(9)))),),
    )
    pages = Snapshot("AAAAAAAAAAA-", 1, 2, Audience.CUSTOMER, answer, NOW, NOW)
    embed, _ = shown_page(pages, Listing.of(answer, None), 99_999, page_size=8, explanations=Catalogue.load())

    assert embed.footer.text == "Page 2 of 2"
