"""Tries random operations of one guild's people on what other guilds have, through every repository function.

``uv run python -m benchmarks.two_guilds`` does 100,000 and prints how many of each; exit code 1 where anything of
another guild was read or changed.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from random import Random, randrange

from tests.contracts.engines import ENGINES
from tests.contracts.intruders import Report, intruded


async def tried(engine: str, operations: int, seed: int) -> Report:
    """Do the operations on a new database."""
    with tempfile.TemporaryDirectory() as folder:
        async with ENGINES[engine](Path(folder)) as repositories:
            return await intruded(repositories, operations=operations, chance=Random(seed))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--operations", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else randrange(1_000_000)
    broken = 0
    for engine in ENGINES:
        began = time.monotonic()
        report = asyncio.run(tried(engine, options.operations, seed))
        for name, count in sorted(report.done.items()):
            print(f"{name:<36}{count:>8,}")
        for violation in report.violations:
            print(violation)
        broken += len(report.violations)
        seconds = time.monotonic() - began
        print(f"{engine}, seed {seed}: {report.done.total():,} operations by {len(report.done)} functions")
        print(f"in {seconds:.0f} s; violations: {len(report.violations)}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
