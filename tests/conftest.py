"""Hypothesis profiles: the suite's own, and ``--hypothesis-profile=nightly`` for twenty thousand examples."""

from hypothesis import settings

settings.register_profile("nightly", max_examples=20_000, deadline=None)
