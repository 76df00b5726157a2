"""Every Python that the tests start imports this first: it may connect to this machine, and to no other.

`tests/conftest.py` puts this folder on PYTHONPATH, so that kernels of notebooks and other programs inherit it. A test
with the marker `network` sets TESTS_NETWORK, and is free, with all that it starts.
"""

import os
import sys

EVENTS = {"connect": 1, "sendto": 1, "sendmsg": 1, "getaddrinfo": 0, "gethostbyname": 0}  # where the address stands
HERE = (None, "", "localhost", "::1", "::", "0.0.0.0")


def guard(event, arguments):
    """Refuse to look up, or to connect to, what is not this machine."""
    package, _, act = event.partition(".")
    if package != "socket" or act not in EVENTS or os.environ.get("TESTS_NETWORK") == "allowed":
        return
    address = arguments[EVENTS[act]]
    if act.startswith("get"):
        host = address
    elif isinstance(address, tuple):
        host = address[0]
    else:
        return  # a socket of the file system, or one that is connected already
    host = host.decode() if isinstance(host, bytes) else host
    if host in HERE or host.startswith("127."):
        return
    raise PermissionError(f"the tests are offline, and something asked for {host}: mark the test with `network`")


sys.addaudithook(guard)
