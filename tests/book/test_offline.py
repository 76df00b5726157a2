"""No test, and nothing that a test starts, reaches another machine; and no page of the book tries to."""

import ast
import os
import socket
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
OUTWARD = ("192.0.2.1", 9)  # of a block that belongs to nobody
TRY = """
import socket
for act in (
    lambda: socket.create_connection(("192.0.2.1", 9), 1),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 9)),
    lambda: socket.getaddrinfo("example.org", 80),
    lambda: socket.gethostbyname("example.org"),
):
    try:
        act()
    except PermissionError as error:
        print("refused" if "the tests are offline" in str(error) else error)
"""


def test_this_process_reaches_itself_and_no_other_machine():
    with pytest.raises(PermissionError, match=r"offline, and something asked for 192\.0\.2\.1"):
        socket.create_connection(OUTWARD, 1)
    with socket.socket() as one, pytest.raises(PermissionError, match="offline"):
        one.connect_ex(OUTWARD)
    with pytest.raises(PermissionError, match=r"something asked for example\.org"):
        socket.getaddrinfo("example.org", 443)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname(), 5) as client:
        assert client.getpeername()[0] == "127.0.0.1"
    assert socket.getaddrinfo("localhost", 80)


def test_a_program_that_a_test_starts_is_offline_too():
    said = subprocess.run([sys.executable, "-c", TRY], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["refused"] * 4


def test_a_notebook_is_offline_too():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(TRY)])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    assert notebook.cells[0].outputs[0].text.split() == ["refused"] * 4


@pytest.mark.network
def test_a_test_with_the_marker_is_free():
    assert os.environ["TESTS_NETWORK"] == "allowed"
    with socket.socket() as one:
        one.settimeout(0.2)
        try:
            one.connect(OUTWARD)
        except PermissionError:
            raise
        except OSError:
            pass  # nobody is there, or the machine has no network: it was allowed to try


def test_no_page_imports_what_connects_or_asks_for_a_download():
    forbidden = {"socket", "ssl", "urllib", "http", "requests", "pooch", "ftplib", "aiohttp", "httpx"}
    for page in [*ROOT.glob("chapters/*.md"), *ROOT.glob("exercises/source/*/*.md")]:
        cells = [cell.source for cell in jupytext.read(page).cells if cell.cell_type == "code"]
        for source in cells:
            if source.lstrip().startswith(("%", "!")):
                source = "\n".join(line for line in source.splitlines() if not line.lstrip().startswith(("%", "!")))
            for node in ast.walk(ast.parse(source)):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                assert not {name.split(".")[0] for name in names} & forbidden, f"{page.name} imports {names}"
                if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "gas_sensor":
                    assert node.args or any(k.arg in ("path", "download") for k in node.keywords), page.name
