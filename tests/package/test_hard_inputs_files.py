"""Files that are truncated, damaged or made to do harm: a clear refusal, nothing lost and nothing written."""

import io
import zipfile

import numpy as np
import pooch
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_datasets import GAS, archive, cache, folder, table  # noqa: F401, they are fixtures

import lnn
from lnn.data import gas_sensor as reader


@pytest.fixture(scope="module")
def small(tmp_path_factory, folder):  # noqa: F811
    """A real batch in an archive of a few kilobytes, which a fuzzer can afford to read again and again."""
    text = "".join((folder / "batch4.dat").read_text().splitlines(keepends=True)[:3])
    path = tmp_path_factory.mktemp("small") / "small.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for k in range(1, 11):
            file.writestr(f"Dataset/batch{k}.dat", text)
    return path


def refusal(path):
    """What the reader says; anything but a ValueError that names the file, or a place in it, is an error here."""
    with pytest.raises(ValueError, match=r"gas\.zip|batch\d+\.dat") as error:
        reader.read(path)
    return str(error.value)


@given(st.data())
@settings(max_examples=150)
def test_a_damaged_archive_is_always_refused_by_name(small, tmp_path_factory, data):
    content = bytearray(small.read_bytes())
    damage = data.draw(st.sampled_from(["cut", "flip", "zero", "insert", "garbage"]))
    at = data.draw(st.integers(0, len(content) - 1))
    if damage == "cut":
        content = content[:at]
    elif damage == "flip":
        for place in [at, *data.draw(st.lists(st.integers(0, len(content) - 1), max_size=6))]:
            content[place] ^= 1 << data.draw(st.integers(0, 7))
    elif damage == "zero":
        content[at : at + 64] = bytes(64)
    elif damage == "insert":
        content[at:at] = data.draw(st.binary(min_size=1, max_size=40))
    else:
        content = data.draw(st.binary(max_size=200))
    path = tmp_path_factory.getbasetemp() / "gas.zip"
    path.write_bytes(content)
    refusal(path)  # the whole one is refused too: it has 30 rows
    assert path.read_bytes() == content


CELLS = [" ".join(f"{j}:{j}.5" for j in range(1, 129)), "1:nan", "1:1e400", "", "\0\0", "a:b", "1:" + "9" * 5000]


HEADS = ["1;2.5", "7;1", "0;1", "1", ";", "1;nan", "1;inf", "ethanol;1"]


@given(st.lists(st.sampled_from(HEADS), min_size=1, max_size=3), st.sampled_from(CELLS), st.binary(max_size=20))
@settings(max_examples=80)
def test_no_line_that_is_not_ucis_is_taken_for_one(tmp_path_factory, heads, cells, tail):
    place = tmp_path_factory.mktemp("gas.zip")
    for k in range(1, 11):
        (place / f"batch{k}.dat").write_bytes("".join(f"{h} {cells}\n" for h in heads).encode() + tail)
    with pytest.raises(ValueError, match=r"batch\d+\.dat|must hold 13910 measurements"):
        reader.read(place)


def test_an_archive_that_unpacks_without_end_is_not_unpacked(tmp_path):
    path = tmp_path / "gas.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, file.open("batch1.dat", "w") as member:
        for _ in range(80):
            member.write(bytes(2**20))
    assert path.stat().st_size < 10**5
    assert f"batch1.dat unpacks to more than {64 * 2**20} bytes" in refusal(path)


def test_names_that_lead_outside_write_nothing(tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    path = inner / "gas.zip"
    with zipfile.ZipFile(path, "w") as file:
        for k in range(1, 11):
            file.writestr(f"../../batch{k}.dat", "1;1 1:1\n")
        file.writestr("/etc/lnn_was_here", "x")
    refusal(path)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a", "b", "gas.zip"]


def test_an_encrypted_archive_is_refused(tmp_path, small):
    content = bytearray(small.read_bytes())
    for signature, flag in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(signature)
        while at >= 0:
            content[at + flag] |= 1
            at = content.find(signature, at + 4)
    (tmp_path / "gas.zip").write_bytes(content)
    assert "encrypted" in refusal(tmp_path / "gas.zip")


def test_a_disk_that_fails_does_not_cost_the_download(cache, archive, monkeypatch):  # noqa: F811
    (cache / GAS).write_bytes(archive.read_bytes())

    def broken(*_, **__):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "open", broken)
        with pytest.raises(OSError, match="Input/output error"):
            lnn.datasets.gas_sensor()
    assert lnn.datasets.gas_sensor(download=False).X.shape[0] == 128


class Server:
    """A downloader of pooch's that hands out this content, or breaks off in the middle of it."""

    def __init__(self, content, breaks=False):
        self.content, self.breaks, self.asked = content, breaks, 0

    def __call__(self, url, output_file, pooch):
        self.asked += 1
        with open(output_file, "wb") as file:
            file.write(self.content[: len(self.content) // 2 if self.breaks else None])
        if self.breaks:
            raise ConnectionResetError("the line went dead")


@pytest.fixture
def quick(tmp_path_factory, monkeypatch):
    """A file that is taken for the archive, where only its way to the cache is of interest."""
    monkeypatch.setattr(lnn.datasets, "read", lambda path: (np.arange(387.0).reshape(3, 129) ** 2, ("feature",) * 128))
    path = tmp_path_factory.mktemp("quick") / "gas.zip"
    path.write_bytes(bytes(range(256)) * 40)
    return path


@pytest.fixture
def serve(cache, monkeypatch):  # noqa: F811
    """Let downloads come from a `Server`; everything lands below the cache folder's parent."""

    def start(content, breaks=False):
        server = Server(content, breaks)
        monkeypatch.setattr(pooch.core, "choose_downloader", lambda *_, **__: server)
        return server

    return start


def test_a_download_with_another_hash_is_refused_and_not_kept(cache, quick, serve):  # noqa: F811
    content = quick.read_bytes()
    good = pooch.file_hash(str(quick))
    server = serve(content[:-1] + b"x")
    with pytest.raises(ValueError, match="is not what was asked for, and is not kept: SHA256 hash"):
        lnn.datasets.gas_sensor(progress=False, sha256=good)
    assert list(cache.iterdir()) == [] and server.asked == 1
    serve(content)
    assert lnn.datasets.gas_sensor(progress=False, sha256=good).X.shape[0] == 128
    assert [p.name for p in cache.iterdir()] == [GAS]
    # What is in the cache is verified too, and fetched anew if it is another file.
    (cache / GAS).write_bytes(b"spoiled")
    with pytest.raises(FileNotFoundError, match="download=True"):
        lnn.datasets.gas_sensor(download=False, sha256=good)
    assert lnn.datasets.gas_sensor(progress=False, sha256=good.upper()).X.shape[0] == 128


def test_half_a_download_is_not_kept(cache, quick, serve):  # noqa: F811
    serve(quick.read_bytes(), breaks=True)
    with pytest.raises(ConnectionError, match=r"could not be downloaded .the line went dead"):
        lnn.datasets.gas_sensor(progress=False)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"<html>maintenance</html>", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_archive_is_not_kept(cache, serve, content):  # noqa: F811
    serve(content)
    with pytest.raises(ValueError, match=r"truncated or no zip archive|not found"):
        lnn.datasets.gas_sensor(progress=False)
    assert list(cache.iterdir()) == []


def test_nothing_is_written_outside_of_the_cache(cache, quick, serve, tmp_path_factory, monkeypatch):  # noqa: F811
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.setenv("HOME", str(elsewhere))
    monkeypatch.setenv("XDG_CACHE_HOME", str(elsewhere))
    monkeypatch.chdir(elsewhere)
    serve(quick.read_bytes())
    lnn.datasets.gas_sensor(progress=False)
    assert list(elsewhere.iterdir()) == [] and [p.name for p in cache.iterdir()] == [GAS]


def test_the_bundled_table_is_verified_when_it_is_read(monkeypatch):
    text = (reader.Path(lnn.__file__).parent / "data" / "auto_mpg.csv").read_text()
    damages = {
        "cut": text[: len(text) // 2],
        "a row less": text.rsplit("\n", 2)[0] + "\n",
        "empty": "",
        "not a number": text.replace("18.0", "nan", 1),
        "a word": text.replace("18.0", "many", 1),
        "a column more": text.replace("\n", ",1\n"),
        "binary": "\0\1\2" * 100,
    }
    for name, damaged in damages.items():

        class Damaged:
            def __truediv__(self, _):
                return self

            def open(self, *_, damaged=damaged, **__):
                return io.StringIO(damaged)

        with monkeypatch.context() as patch:
            patch.setattr(lnn.datasets.resources, "files", lambda _: Damaged())
            with pytest.raises(ValueError, match=r"auto_mpg\.csv must hold 392 rows of 8 finite numbers") as error:
                lnn.datasets.auto_mpg()
        assert "install lnn again" in str(error.value), name
    assert np.isfinite(lnn.datasets.auto_mpg().X).all()
