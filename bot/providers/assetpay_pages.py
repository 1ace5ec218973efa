"""Reads an inventory of AssetPay page by page, where its items do not all come in one answer."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot.domain.errors import ProviderError
from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.inventory import Item
from bot.providers.assetpay_answers import Page

PER_PAGE = 50
"""Items per page if none is asked for (seeds 000 to 002)."""
UNLIMITED = -1
"""The ``limit`` that turns pages off in the current dialect."""
MAX_PAGES = 20
_VALIDATION_FAILED = 1001
_TIME_TO_ANSWER = 0.5
"""A lookup asks for no further page in the last seconds before its deadline."""

Ask = Callable[[int, int], Awaitable[Page]]
"""Asks for a page by its number, from 1, and its size."""


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of one inventory, asked for until the event loop's time ``ends``."""

    provider: ProviderName
    ask: Ask
    ends: float

    async def unlimited(self) -> Page:
        """Ask for everything at once; page by page if the provider refuses that or sends only a part."""
        try:
            first = await self.ask(1, UNLIMITED)
        except ProviderError as error:
            if not _refuses_limit(error.failure):
                raise
            return await self.limited()
        return first if first.count is None else await self._all(first)

    async def limited(self) -> Page:
        """Ask page by page."""
        return await self._all(await self.ask(1, PER_PAGE))

    async def _all(self, first: Page) -> Page:
        """Add the later pages to the first.

        If one fails or comes too late, return the items so far: their number shows that the inventory is partial. It
        helps more than none, and a merchant of the lower tier has ten requests a minute.
        """
        found = {item.id: item for item in first.items}
        left_out = [first.left_out]
        try:
            async with asyncio.timeout_at(self.ends - _TIME_TO_ANSWER):
                await self._later(first, found, left_out)
        except (ProviderError, TimeoutError) as error:
            if first.count is None:
                if isinstance(error, ProviderError):
                    raise
                raise ProviderError(Failure(self.provider, FailureKind.TIMED_OUT)) from None
        return replace(first, items=tuple(found.values()), left_out=sum(left_out))

    async def _later(self, first: Page, found: dict[str, Item], left_out: list[int]) -> None:
        """Ask until the count is reached, a page is not full, or a page has nothing new."""
        size = max(first.rows, PER_PAGE)
        page = first
        for number in range(2, MAX_PAGES + 1):
            if page.rows < size or (first.count is not None and len(found) + sum(left_out) >= first.count):
                return
            page = await self.ask(number, size)
            new = {item.id: item for item in page.items if item.id not in found}
            if not new:
                return
            found.update(new)
            left_out.append(page.left_out)


def _refuses_limit(failure: Failure) -> bool:
    """Return whether a validation failed at ``limit``."""
    if failure.key != "VALIDATION_FAILED" and (failure.key is not None or failure.code != _VALIDATION_FAILED):
        return False
    return any("limit" in text for text in (failure.message or "", *(name for name, _ in failure.details)))
