"""How fast the package is, beside bare BLAS and the usual tools: `make bench` measures, `make pages` tells.

Each module measures one matter and has a function `measure(small)` that returns records: part, case, contender, and
what came out. With `small` the sizes are such that a test can run it. Peers that are not installed are left out.
"""
