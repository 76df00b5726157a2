"""Derivations in SymPy, one module a chapter: witnesses that meet the numerical functions in tests and on pages."""
