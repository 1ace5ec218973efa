"""Which tasks have changed something, so that a later error in one of them does not say that nothing was changed."""

import asyncio
import weakref
from typing import Any

from bot.domain.errors import DatabaseUnavailable


class WritingTasks:
    """The tasks that had a job committed."""

    def __init__(self) -> None:
        self._tasks: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()

    def add_current(self) -> None:
        """Remember the current task: a job of it was committed."""
        if (task := asyncio.current_task()) is not None:
            self._tasks.add(task)

    def explained(self, error: BaseException) -> BaseException:
        """Return an error for the current task: a DatabaseUnavailable ``may_be_done`` if the task has written."""
        if isinstance(error, DatabaseUnavailable) and asyncio.current_task() in self._tasks:
            error.may_be_done = True
        return error
