"""The three tolerances of the tests, each with its reason."""

EXACT = 1e-12  # identities: a few hundred roundings in double precision
FLOW = 1e-6  # two integrations of one theorem at rtol 1e-9 differ by up to 1e3 times rtol
SLOPE = 0.1  # the measured order of a Taylor remainder or of a discretization
