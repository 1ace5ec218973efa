"""Measures what languages cost: a message, a start, the first search, and memory with all of them.

``uv run python -m benchmarks.languages`` prints microseconds more than an f-string, milliseconds and megabytes. The
memory is that after ``/explain`` was searched in each language, with suggestions and a title that is found. How
much becomes resident depends on how much is free after the start; how much is allocated does not.
"""

import statistics
import subprocess
import sys
import time
import timeit
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.measuring import Fact, options_of, show
from bot.languages import LANGUAGES, in_language, t, tn

ROOT = Path(__file__).parents[1]
MESSAGE_WITHIN = 3.0
START_WITHIN = 30.0
MEMORY_WITHIN = 4.0
FIRST_SEARCH_WITHIN = 25.0
ROUNDS, REPEATS = 20_000, 7
STARTS = 15

_MEMORY = """
import gc, sys, tracemalloc
def used():
    gc.collect()
    if sys.argv[1] == "allocated":
        return tracemalloc.get_traced_memory()[0] / 1024
    return next(int(line.split()[1]) for line in open("/proc/self/smaps_rollup") if line.startswith("Pss_Anon"))
import bot.app
from bot.languages import LANGUAGES, in_language, number, t, translated
from bot.providers.explanations import Catalogue
explanations = Catalogue.load()
def use():
    t("Try again"), translated("Wait a few minutes and try again."), number(1_000)
    explanations.suggest_statuses("a")
    return explanations.suggest("steam_unavailable", limit=1)[0]
use()
if sys.argv[1] == "allocated":
    tracemalloc.start()
before = used()
for language in LANGUAGES.values():
    with in_language(language):
        found = use()
        explanations.find("nothing of that kind")
        assert found in explanations.find(found.title), language
print((used() - before) / 1024)
"""
_FIRST_SEARCH = """
import gc, time
import bot.app
from bot.providers.explanations import Catalogue
explanations = Catalogue.load()
gc.collect()  # or else a full pass after all the imports may come in between
began = time.process_time()
explanations.find("nothing of that kind")
print((time.process_time() - began) * 1000)
"""
_START = """
import sys, time
import bot.client, discord, msgspec
began = time.process_time()
import importlib, bot.languages.language as language, bot.languages.messages, bot.languages.numbers
importlib.reload(language)
from bot.languages import of_locale
of_locale("en-US")
print((time.process_time() - began) * 1000)
"""


TRADE = "`480101`"
ENGLISH = "There is no trade {trade} among the trades you can ask for."
ONE, MANY = "{count} trade could not be read and is left out.", "{count} trades could not be read and are left out."
"""Messages of the code: a translation that is missing would be found faster or slower than one that is there."""


def per_message() -> Iterator[Fact]:
    """Yield the time of a message in each language, more than that of the same f-string, in turns."""
    number = 1_042
    calls: Sequence[tuple[str, Callable[[], str], Callable[[], str]]] = (
        (
            "message",
            lambda: f"There is no trade {TRADE} among the trades you can ask for.",
            lambda: t(ENGLISH, trade=TRADE),
        ),
        (
            "message with a number",
            lambda: f"{number:,} trade{'' if number == 1 else 's'} could not be read and are left out.",
            lambda: tn(ONE, MANY, number),
        ),
    )
    for name, reference, tried in calls:
        for code, language in LANGUAGES.items():
            with in_language(language):
                if code != "en" and tried() == reference():
                    raise SystemExit(f"{name}: no translation in {code}")
                yield Fact(
                    f"{name}, {code}, more than an f-string", "µs", _best(tried) - _best(reference), MESSAGE_WITHIN
                )


def _best(call: Callable[[], str]) -> float:
    return min(timeit.repeat(call, timer=time.process_time, number=ROUNDS, repeat=REPEATS)) / ROUNDS * 1e6


def _run(program: str, *arguments: str) -> float:
    done = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def _median(program: str) -> float:
    return statistics.median(_run(program) for _ in range(STARTS))


def main() -> int:
    options = options_of(__doc__).parse_args()
    memory = sorted(_run(_MEMORY, "resident") for _ in range(STARTS))
    print(f"resident memory: {memory[0]:.2f} to {memory[-1]:.2f} MB in {STARTS} processes")
    results = [
        Fact("resident memory of all languages, more than English", "MB", statistics.median(memory), MEMORY_WITHIN),
        Fact("the same, allocated", "MB", _run(_MEMORY, "allocated"), MEMORY_WITHIN),
        Fact("first search in all languages", "ms", _median(_FIRST_SEARCH), FIRST_SEARCH_WITHIN),
        Fact("start", "ms", _median(_START), START_WITHIN),
        *per_message(),
    ]
    return show(results, options)


if __name__ == "__main__":
    sys.exit(main())
