"""A port whose calls a test can intercept."""

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

Step = Callable[[str], Awaitable[None]]
"""Called with ``part.method`` and whether before or after it: ``links.of_user before``."""


class Intercepted:
    """Passes every coroutine method on to ``part``, with ``step`` before and after it."""

    def __init__(self, part: Any, name: str, step: Step) -> None:
        self._part = part
        self._name = name
        self._step = step

    def __getattr__(self, attribute: str) -> Any:
        method = getattr(self._part, attribute)
        if not inspect.iscoroutinefunction(method):
            return method

        @functools.wraps(method)
        async def stepped(*args: Any, **kwargs: Any) -> Any:
            await self._step(f"{self._name}.{attribute} before")
            result = await method(*args, **kwargs)
            await self._step(f"{self._name}.{attribute} after")
            return result

        return stepped
