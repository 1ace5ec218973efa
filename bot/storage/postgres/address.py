"""The address of a PostgreSQL database, as libpq reads it."""

from itertools import zip_longest

import psycopg
from psycopg.conninfo import conninfo_to_dict

from bot.storage.errors import AddressUnusable


def parts_of(url: str) -> dict[str, str]:
    """Return the parts of an address by libpq's names. AddressUnusable, because libpq's own error quotes passwords."""
    try:
        return {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    except psycopg.ProgrammingError:
        raise AddressUnusable from None


def name_of(url: str) -> str:
    """Return server and database of an address, for people; its password is not in it. AddressUnusable."""
    parts = parts_of(url)
    hosts, ports = parts.get("host", "localhost").split(","), parts.get("port", "5432").split(",")
    each = zip_longest(hosts, ports, fillvalue=ports[0] if len(ports) == 1 else "5432")
    return f"{','.join(f'{host}:{port or 5432}' for host, port in each)}/{parts.get('dbname', '')}"
