"""The kernel in which submissions are graded: a Jupyter kernel that puts replaced library functions back.

A submission that says `np.abs = lambda x: 0` would pass every test that compares with it. Before each cell the
functions and classes of the guarded libraries are put back where they were, and the line magic `%replaced` prints the
names of those that a cell had replaced, as JSON. It is started like `ipykernel_launcher`, with the same options.
"""

import importlib
import json
import signal
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder
from types import FunctionType, ModuleType

GUARDED = ("builtins", "math", "numpy", "scipy", "lnn")
AT_START = ("builtins", "math", "numpy", "numpy.linalg", "numpy.testing", "lnn")
PRINTED, SHOWN = 2_000_000, 20_000_000  # characters of a cell's text and of its pictures; grading keeps far fewer
KERNELS_OWN = {"input", "exit", "quit", "display", "get_ipython", "open"}  # of builtins: the kernel sets these itself
METHODS = (FunctionType, property, staticmethod, classmethod)


class Guard(MetaPathFinder):
    """Remembers the callables of the guarded modules, and the methods of the classes of lnn, as it first saw them.

    It finds these modules for Python too, and so sees one that a cell imports before the cell can change it.
    """

    def __init__(self) -> None:
        self.seen: dict[str, dict[str, object]] = {}
        self.classes: dict[type, dict[str, object]] = {}
        self.replaced: set[str] = set()

    def look(self) -> None:
        """Remember the modules that are there."""
        for name, module in list(sys.modules.items()):
            self.remember(name, module)

    def remember(self, name: str, module: object) -> None:
        """Remember a module, if it is public and guarded, and not known yet."""
        public = not any(part.startswith("_") for part in name.split("."))
        if name in self.seen or name.split(".")[0] not in GUARDED or not public or not isinstance(module, ModuleType):
            return
        self.seen[name] = {
            key: value
            for key, value in list(vars(module).items())
            if callable(value) and not key.startswith("__") and not (name == "builtins" and key in KERNELS_OWN)
        }
        for value in self.seen[name].values():
            if isinstance(value, type) and value.__module__.split(".")[0] == "lnn" and value not in self.classes:
                ways = vars(value).items()
                self.classes[value] = {key: way for key, way in ways if isinstance(way, METHODS) or key[0] != "_"}

    def find_spec(self, name, path=None, target=None):
        """Let Python find a guarded module as ever, and look at it as soon as it is there."""
        spec = PathFinder.find_spec(name, path, target) if name.split(".")[0] in GUARDED else None
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def watched(module: ModuleType) -> None:
            execute(module)
            self.remember(name, module)

        spec.loader.exec_module = watched
        return spec

    def put_back(self, *_: object) -> None:
        """Restore what was replaced or deleted, take out what hides inherited methods, and remember their names."""
        for kind, ways in self.classes.items():
            for key in [key for key in vars(kind) if key not in ways and key[0] != "_"]:
                delattr(kind, key)
                self.replaced.add(f"{kind.__module__}.{kind.__qualname__}.{key}")
        owners = [(name, sys.modules.get(name), callables) for name, callables in self.seen.items()]
        owners += [(f"{kind.__module__}.{kind.__qualname__}", kind, ways) for kind, ways in self.classes.items()]
        for name, owner, callables in owners:
            for key, value in callables.items():
                if owner is not None and vars(owner).get(key) is not value:
                    setattr(owner, key, value)
                    self.replaced.add(f"{name}.{key}")
        self.look()


class Ration:
    """Lets a cell print and show so much, and drops the rest: an endless loop would fill the memory of the grader."""

    def renew(self, *_: object) -> None:
        """Begin anew, with another cell."""
        self.printed = self.shown = 0

    def of_text(self, write):
        """The method `write` of a stream, with its limit."""

        def limited(text: str) -> int:
            kept = text[: max(0, PRINTED - self.printed)]
            self.printed += len(text)
            if kept:
                write(kept)
            return len(text)

        return limited

    def of_pictures(self, publish):
        """The method `publish` of a display, with its limit."""

        def limited(data: dict, *rest, **more) -> None:
            self.shown += sum(len(str(content)) for content in data.values())
            if self.shown <= SHOWN:
                publish(data, *rest, **more)

        return limited


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
    sys.meta_path.insert(0, guard)
    app.shell.events.register("pre_run_cell", guard.put_back)
    ration = Ration()
    app.shell.events.register("pre_run_cell", ration.renew)
    for stream in (sys.stdout, sys.stderr):
        stream.write = ration.of_text(stream.write)
    app.shell.display_pub.publish = ration.of_pictures(app.shell.display_pub.publish)
    app.shell.register_magic_function(lambda _: print(json.dumps(sorted(guard.replaced))), magic_name="replaced")
    app.start()


if __name__ == "__main__":
    main()
