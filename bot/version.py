"""The version of the installed program."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of


def version() -> str:
    """Return SkinDesk's version, or "(not installed)" if it runs from its sources alone."""
    try:
        return version_of("skindesk")
    except PackageNotFoundError:
        return "(not installed)"
