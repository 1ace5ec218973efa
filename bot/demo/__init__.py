"""The demo: simulated providers and a simulated Discord, around the real bot."""
