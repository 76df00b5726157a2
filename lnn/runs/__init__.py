"""How runs are made: their rules, the record as it grows, and many of them at once."""
