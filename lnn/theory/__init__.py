"""What the chapters state, as functions: balance, the preconditioner, spectra, modes, certificates of convergence."""
