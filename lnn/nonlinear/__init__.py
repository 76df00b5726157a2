"""Non-linear networks with linear parts: a ConvNet for digits and an autoencoder, trained with JAX on the CPU.

The one room of the package that needs more than NumPy and SciPy. `import lnn` does not open it; what it needs comes
with `pip install 'lnn[nonlinear]'`, and importing it without says so.
"""

from importlib.util import find_spec

_missing = [name for name in ("jax", "equinox", "optax", "mlxtend") if find_spec(name) is None]
if _missing:
    raise ImportError(f"lnn.nonlinear needs {', '.join(_missing)}: pip install 'lnn[nonlinear]'", name=_missing[0])
