"""Adapters to the trading providers: their wire formats, and nothing of what is made of them."""
