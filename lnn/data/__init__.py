"""Data sets, drawn at random or read from files."""
