"""Turns the statements that both engines share, written for SQLite, into PostgreSQL's.

Own code: a general SQL translator is larger than all of our statements, and would decide what they mean.
"""

import re
from collections.abc import Callable
from functools import lru_cache


def _list(match: re.Match[str]) -> str:
    return f"jsonb_array_elements({match[1]}::jsonb) AS {match[2] or 'each'}(value)"


_REWRITES: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"%", "%%"),
    # A list in a parameter, as JSON.
    (r"json_each\((:\w+)\)(?: AS (\w+))?", _list),
    (r"json_extract\(([\w.]+), '\$\[(\d+)\]'\)", r"(\1 ->> \2)"),
    (r"json_extract\((\w+), '\$\.(\w+)'\)", r"detail_text(\1, '\2')"),
    # SQLite's CROSS JOIN fixes the order of the loops; PostgreSQL's planner decides that itself.
    (r"\bCROSS JOIN (\w+)(\s+ON\b)", r"JOIN \1\2"),
    (r"= \+(\w)", r"= \1"),  # keeps SQLite from comparing by the column's type
    (r"\bCAST\(([\w.]+) AS BLOB\)", r"as_blob(\1)"),
    (r"\bNOT INDEXED\b", ""),
    (r"\bLIMIT -1 OFFSET\b", "OFFSET"),
    (r"\bIS NOT (?!NULL\b|DISTINCT\b)", "IS DISTINCT FROM "),
    (r"\bIS (?!NULL\b|NOT\b|DISTINCT\b)", "IS NOT DISTINCT FROM "),
    (r"\bsqlite_sequence\b", "sequences"),
    (r"\?", "%s"),
    (r"(?<![:\w]):([a-z]\w*)", r"%(\1)s"),
)


@lru_cache(maxsize=512)
def translated(sql: str) -> bytes:
    """Return a shared statement as PostgreSQL takes it, with psycopg's placeholders."""
    for pattern, replacement in _REWRITES:
        sql = re.sub(pattern, replacement, sql)
    return sql.encode()
