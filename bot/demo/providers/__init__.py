"""Simulated providers and Steam on loopback."""
