"""The life of an interaction, from its arrival to its last answer."""
