"""Data sets: what they promise, and the loader of the gas sensor data on files in UCI's own layout."""

import zipfile

import numpy as np
import pooch
import pytest
import requests
from draws import seeds
from hypothesis import given
from tolerances import EXACT

import lnn
from lnn.data import gas_sensor

GAS = "gas_sensor_array_drift.zip"
SIZES = (445, 1244, 1586, 161, 197, 2300, 3613, 294, 470, 3600)  # UCI's ten batches, 13,910 rows


@pytest.fixture(scope="session")
def table():
    """Random measurements, of UCI's shape: class, concentration and 128 features a row."""
    rng = np.random.default_rng(0)
    rows = np.column_stack(
        [rng.integers(1, 7, 13_910), rng.integers(1, 100, 13_910) * 2.5, rng.normal(0, 1e4, (13_910, 128)).round(3)]
    )
    return rows


@pytest.fixture(scope="session")
def folder(tmp_path_factory, table):
    """The table in UCI's layout: batch1.dat, …, batch10.dat, in a folder of its own."""
    place = tmp_path_factory.mktemp("gas") / "Dataset"
    place.mkdir()
    start = 0
    for k, size in enumerate(SIZES, start=1):
        lines = []
        for row in table[start : start + size]:
            features = " ".join(f"{j}:{value:.6f}" for j, value in enumerate(row[2:], start=1))
            lines.append(f"{int(row[0])};{row[1]:.6f} {features} \n")
        (place / f"batch{k}.dat").write_text("".join(lines))
        start += size
    return place


@pytest.fixture(scope="session")
def archive(tmp_path_factory, folder):
    path = tmp_path_factory.mktemp("zip") / "gas.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for batch in folder.iterdir():
            file.write(batch, f"Dataset/{batch.name}")
    return path


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder, and no network."""

    def offline(*_, **__):
        raise requests.exceptions.ConnectionError("Name or service not known")

    monkeypatch.setenv("LNN_DATA", str(tmp_path))
    monkeypatch.setattr(requests.sessions.Session, "request", offline)
    return tmp_path


def copy_with(folder, place, name, change):
    """Copy of the folder in which one batch is changed, or left out if `change` gives None."""
    place.mkdir()
    for batch in folder.iterdir():
        text = change(batch.read_text()) if batch.name == name else batch.read_text()
        if text is not None:
            (place / batch.name).write_text(text)
    return place


def test_gas_sensor_is_the_ethanol_problem_standardized(folder, archive, table):
    ethanol = table[table[:, 0] == 1]
    expected = (ethanol - ethanol.mean(axis=0))[:, 1:] / ethanol[:, 1:].std(axis=0)
    for source in (folder, archive, str(folder.parent)):
        X, Y, features = lnn.datasets.gas_sensor(source)
        assert X.shape == (128, len(ethanol)) and Y.shape == (1, len(ethanol))
        np.testing.assert_allclose(Y[0], expected[:, 0], atol=1e-9)
        np.testing.assert_allclose(X.T, expected[:, 1:], atol=1e-9)
        assert len(set(features)) == 128 and features[8] == "sensor 2, feature 1"


def test_a_cached_archive_is_used_without_the_network(cache, archive):
    (cache / GAS).write_bytes(archive.read_bytes())
    again = lnn.datasets.gas_sensor(download=False)
    assert np.array_equal(again.X, lnn.datasets.gas_sensor().X)


def test_offline_is_said_and_what_to_do(cache):
    with pytest.raises(ConnectionError, match=r"could not be downloaded .*Name or service not known.*give its path"):
        lnn.datasets.gas_sensor(progress=False)
    assert not (cache / GAS).exists()
    with pytest.raises(FileNotFoundError, match="download=True"):
        lnn.datasets.gas_sensor(download=False)


def test_the_download_goes_to_the_cache_and_happens_once(cache, archive, monkeypatch):
    asked = []

    def retrieve(url, known_hash, fname, path, progressbar):
        asked.append((url, progressbar))
        (path / fname).write_bytes(archive.read_bytes())

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    first, second = lnn.datasets.gas_sensor(), lnn.datasets.gas_sensor()
    assert asked == [(gas_sensor.URL, True)]
    assert "archive.ics.uci.edu" in asked[0][0] and np.array_equal(first.Y, second.Y)


@pytest.mark.parametrize("share", [0.0, 0.4, 0.98])
def test_a_truncated_archive_is_named_and_leaves_the_cache(cache, archive, share):
    content = archive.read_bytes()
    (cache / GAS).write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=rf"truncated or no zip archive .*{int(share * len(content))} bytes"):
        lnn.datasets.gas_sensor()
    assert not (cache / GAS).exists()


def test_a_damaged_member_is_named(tmp_path, archive):
    content = bytearray(archive.read_bytes())
    content[2000:2400] = bytes(400)
    (tmp_path / "gas.zip").write_bytes(content)
    with pytest.raises(ValueError, match="truncated or no zip archive"):
        lnn.datasets.gas_sensor(tmp_path / "gas.zip")
    assert (tmp_path / "gas.zip").exists()  # a reader's own file is left alone


BROKEN = {
    "a batch is missing": (lambda text: None, r"batch3.dat not found"),
    "a batch is cut": (lambda text: "\n".join(text.splitlines()[:-7]), r"13910 measurements, got 13903"),
    "a line is cut": (lambda text: text[:-90], r"batch3.dat, line 1586 must"),
    "no concentration": (lambda text: text.replace(";", " ", 1), r"batch3.dat, line 1 must read 'class;concentration"),
    "commas": (lambda text: text.replace(" ", ",", 3), r"batch3.dat, line 1 must read"),
    "features swapped": (lambda text: text.replace(" 2:", " 3:", 1), r"line 1 must hold the features 1 to 128"),
    "unknown gas": (lambda text: "9" + text[1:], r"a class from 1 to 6, got class 9"),
    "not a number": (lambda text: text.replace(" 1:", " 1:nan", 1).replace("nan", "nan ", 1), r"batch3.dat, line 1"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_layout_that_is_not_ucis_is_refused_with_its_place(name, folder, tmp_path):
    change, message = BROKEN[name]
    with pytest.raises(ValueError, match=message):
        lnn.datasets.gas_sensor(copy_with(folder, tmp_path / "copy", "batch3.dat", change))


def test_a_path_to_nothing_is_said():
    with pytest.raises(FileNotFoundError, match="neither a folder nor an archive"):
        lnn.datasets.gas_sensor("/nowhere/gas.zip")


def test_auto_mpg_is_standardized_and_of_full_rank():
    X, Y, features = lnn.datasets.auto_mpg()
    assert X.shape == (7, 392) and Y.shape == (1, 392) and len(features) == 7
    for values in (X, Y):
        np.testing.assert_allclose(values.mean(axis=1), 0, atol=EXACT)
        np.testing.assert_allclose((values**2).mean(axis=1), 1, atol=EXACT)
    assert np.corrcoef(X[features.index("weight")], Y[0])[0, 1] < -0.8  # heavy cars need more


@given(seeds)
def test_low_rank_has_its_rank_and_norm(seed):
    rng = np.random.default_rng(seed)
    W = lnn.datasets.low_rank((7, 9), 3, rng=rng)
    assert np.linalg.matrix_rank(W) == 3 and np.isclose(np.linalg.norm(W), np.sqrt(63))
    assert np.isclose(np.linalg.norm(lnn.datasets.low_rank((7, 9), 2, norm=5.0, rng=rng)), 5)


def test_masks_and_sensing_matrices_are_what_they_say():
    rng = np.random.default_rng(0)
    mask = lnn.datasets.random_mask((5, 8), 17, rng=rng)
    assert mask.dtype == bool and mask.shape == (5, 8) and mask.sum() == 17
    A = lnn.datasets.sensing((20, 30), 200, rng=rng)
    assert A.shape == (200, 20, 30) and np.isclose(A.var() * 600, 1, atol=0.02)
    W = rng.standard_normal((20, 30))
    assert np.isclose((np.einsum("kij,ij->k", A, W) ** 2).mean(), (W**2).mean(), rtol=0.3)


@given(seeds)
def test_whitened_samples_have_unit_covariance(seed):
    X = np.random.default_rng(seed).standard_normal((4, 11))
    Z, transform = lnn.datasets.whiten(X)
    np.testing.assert_allclose(Z @ Z.T, np.eye(4), atol=1e-10)
    np.testing.assert_allclose(transform @ X, Z, atol=1e-8)


def test_misuse_of_the_generators_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="at most 3, got 4"):
        lnn.datasets.low_rank((3, 5), 4, rng=rng)
    with pytest.raises(ValueError, match="has 15 entries, got a count of 16"):
        lnn.datasets.random_mask((3, 5), 16, rng=rng)
    with pytest.raises(TypeError, match="rng must be"):
        lnn.datasets.sensing((3, 5), 2, rng=1)
    with pytest.raises(ValueError, match="full row rank"):
        lnn.datasets.whiten(np.ones((2, 5)))
