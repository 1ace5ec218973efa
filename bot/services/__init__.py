"""Use cases over domain and ports; the only authority over permissions."""
