"""How runs are made: their rules, their clocks, the record as it grows, and many of them at once."""
