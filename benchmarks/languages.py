"""Measures what languages cost: a message, a start, and memory with all of them.

``uv run python -m benchmarks.languages`` prints microseconds beside those of an f-string, milliseconds and megabytes.
"""

import statistics
import subprocess
import sys
import timeit
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.languages import LANGUAGES, in_language, t, tn

ROOT = Path(__file__).parents[1]
MESSAGE_WITHIN = 3.0
START_WITHIN = 30.0
MEMORY_WITHIN = 4.0
ROUNDS, REPEATS = 20_000, 7
STARTS = 15

_MEMORY = """
import gc, sys
def resident():
    gc.collect()
    return next(int(line.split()[1]) for line in open("/proc/self/smaps_rollup") if line.startswith("Pss_Anon"))
import bot.app
from bot.languages import LANGUAGES, in_language, number, t, translated
from bot.providers.explanations import Catalogue
explanations = Catalogue.load()
explanations.suggest("7")
before = resident()
for language in list(LANGUAGES.values())[:int(sys.argv[1])]:
    with in_language(language):
        t("Try again"), translated("Wait a few minutes and try again."), number(1_000)
        if len(sys.argv) > 2:
            explanations.suggest("7"), explanations.suggest_statuses("a"), explanations.find("nothing of that kind")
print((resident() - before) / 1024)
"""
_START = """
import sys, time
import bot.client, discord, msgspec
began = time.perf_counter()
import importlib, bot.languages.language as language, bot.languages.messages, bot.languages.numbers
importlib.reload(language)
from bot.languages import of_locale
of_locale("en-US")
print((time.perf_counter() - began) * 1000)
"""


TRADE = "`480101`"
ENGLISH = "There is no trade {trade} among the trades you can ask for."
ONE, MANY = "{count} trade could not be read and is left out.", "{count} trades could not be read and are left out."
"""Messages of the code: a translation that is missing would be found faster or slower than one that is there."""


def per_message() -> None:
    """Print the time of a message in each language and of the same f-string, in turns."""
    number = 1_042
    calls: Sequence[tuple[str, Callable[[], str], Callable[[], str]]] = (
        (
            "message",
            lambda: f"There is no trade {TRADE} among the trades you can ask for.",
            lambda: t(ENGLISH, trade=TRADE),
        ),
        (
            "plural",
            lambda: f"{number:,} trade{'' if number == 1 else 's'} could not be read and are left out.",
            lambda: tn(ONE, MANY, number),
        ),
    )
    for name, reference, tried in calls:
        for code, language in LANGUAGES.items():
            with in_language(language):
                if code != "en" and tried() == reference():
                    print(f"{name:8} {code:6} has no translation")
                plain, message = _best(reference), _best(tried)
            print(f"{name:8} {code:6} f-string {plain:5.2f} µs, message {message:5.2f} µs: {_passed(message - plain)}")


def _passed(more: float) -> str:
    return f"{more:5.2f} more  {'ok' if more <= MESSAGE_WITHIN else 'TOO MUCH'}"


def _best(call: Callable[[], str]) -> float:
    return min(timeit.repeat(call, number=ROUNDS, repeat=REPEATS)) / ROUNDS * 1e6


def _run(program: str, *arguments: str) -> float:
    done = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def main() -> None:
    """Print everything."""
    per_message()
    starts = sorted(_run(_START) for _ in range(STARTS))
    print(f"start: {starts[STARTS // 2]:.1f} ms for the languages, lowest {starts[0]:.1f} (at most {START_WITHIN:.0f})")
    many = str(len(LANGUAGES))
    for what, searching in (("in use", ()), ("in use and searched by /explain", ("searching",))):
        pairs = [(_run(_MEMORY, "1"), _run(_MEMORY, many, *searching)) for _ in range(5)]
        more = statistics.median(every - one for one, every in pairs)
        print(f"memory: {more:.2f} MB more with all {many} {what} than with English (at most {MEMORY_WITHIN:.0f})")


if __name__ == "__main__":
    main()
