"""Everything about a customer on one screen."""
