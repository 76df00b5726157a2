"""The kernel in which submissions are graded: a Jupyter kernel that puts replaced library functions back.

A submission that says `np.abs = lambda x: 0` would pass every test that compares with it. Before each cell the
functions and classes of the guarded libraries are put back where they were, and the line magic `%replaced` prints the
names of those that a cell had replaced, as JSON. It is started like `ipykernel_launcher`, with the same options.
"""

import importlib
import json
import signal
import sys
from types import ModuleType

GUARDED = ("builtins", "math", "numpy", "scipy", "lnn")
AT_START = ("builtins", "math", "numpy", "numpy.linalg", "numpy.testing", "lnn")
KERNELS_OWN = {"input", "exit", "quit", "display", "get_ipython", "open"}  # of builtins: the kernel sets these itself


class Guard:
    """Remembers the callables of the guarded modules as they were when it first saw the module."""

    def __init__(self) -> None:
        self.seen: dict[str, dict[str, object]] = {}
        self.replaced: set[str] = set()

    def look(self) -> None:
        """Remember the public modules that have been imported since."""
        for name, module in list(sys.modules.items()):
            public = not any(part.startswith("_") for part in name.split("."))
            if name not in self.seen and name.split(".")[0] in GUARDED and public and isinstance(module, ModuleType):
                self.seen[name] = {
                    key: value
                    for key, value in list(vars(module).items())
                    if callable(value) and not key.startswith("__") and not (name == "builtins" and key in KERNELS_OWN)
                }

    def put_back(self, *_: object) -> None:
        """Restore what was replaced or deleted, and remember its name."""
        for name, callables in self.seen.items():
            module = sys.modules.get(name)
            for key, value in callables.items():
                if module is not None and vars(module).get(key) is not value:
                    setattr(module, key, value)
                    self.replaced.add(f"{name}.{key}")
        self.look()


def main() -> None:
    from ipykernel.kernelapp import IPKernelApp

    sys.path.pop(0)  # the folder of this file
    signal.signal(signal.SIGINT, signal.default_int_handler)  # it was switched off for what stands around this program
    guard = Guard()
    for name in AT_START:
        try:
            importlib.import_module(name)
        except ImportError:
            pass  # a course without it
    app = IPKernelApp.instance()
    app.initialize()
    guard.look()
    app.shell.events.register("pre_run_cell", guard.put_back)
    app.shell.register_magic_function(lambda _: print(json.dumps(sorted(guard.replaced))), magic_name="replaced")
    app.start()


if __name__ == "__main__":
    main()
