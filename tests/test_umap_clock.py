"""How long a UMAP takes: estimated by stages, kept from earlier fits, told while it runs by real epochs."""

import pytest

from wtflow.store import layout
from wtflow.store.pace import KEPT, keep_paces, read_paces
from wtflow.store.runs import RunStore
from wtflow.studies.umap_clock import STAGES, UmapClock, expected_stages, is_compiled, stage_seconds


class Hands:
    """A clock that a test turns."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def watch(expected: dict[str, float]):
    hands, seen = Hands(), []
    return hands, seen, UmapClock(seen.append, expected, hands)


def test_seconds_left_are_those_expected_until_a_stage_has_a_pace_of_its_own():
    hands, seen, clock = watch({"start": 9, "move": 2, "load": 3, "epochs": 10, "trust": 1})
    clock.tell("move", 0.0)
    assert (seen[-1], seen[-1].seconds_left) == (0, 16), "the start is over by then"
    hands.now += 2
    clock.tell("load", 0.0)
    hands.now += 3
    clock.tell("epochs", 0.0)
    assert seen[-1].seconds_left == 11 and seen[-1] == pytest.approx(5 / 16)
    hands.now += 6
    clock.tell("epochs", 0.25, "epoch 125 of 500")
    assert seen[-1].seconds_left == pytest.approx(18 + 1), "a quarter took 6 s, so the rest takes 18"
    assert seen[-1].words == "epoch 125 of 500"
    hands.now += 18
    clock.tell("trust", 0.0)
    clock.end()
    assert clock.taken == {"move": 2, "load": 3, "epochs": 24, "trust": 0}
    assert seen == sorted(seen), "progress never falls back"


def test_more_points_more_channels_and_the_first_load_take_longer():
    few, many = stage_seconds(1000, 1000, 64, "euclidean", 20), stage_seconds(9000, 5000, 512, "euclidean", 20)
    assert list(few) == list(STAGES) and few["place"] == 0
    assert all(many[stage] > few[stage] for stage in ("move", "near", "epochs", "place"))
    assert stage_seconds(900, 900, 64, "manhattan", 20)["near"] > stage_seconds(900, 900, 64, "cosine", 20)["near"]
    assert stage_seconds(900, 900, 64, "cosine", 20, is_compiled=False)["load"] > 10
    assert expected_stages({"load": 2.0, "near": 1.0}, {"umap_load": 3.0}, 2.0) == {"load": 12.0, "near": 2.0}


def test_the_median_of_the_latest_counts_and_what_is_damaged_counts_for_nothing(tmp_path):
    store = RunStore(tmp_path / "runs")
    assert read_paces(store) == {}
    for ratio in (50.0, 50.0, *([1.0] * (KEPT - 2)), 90.0, 2.0):
        keep_paces(store, {"umap_load": ratio, "umap_near": float("nan")})
    assert read_paces(store) == {"umap_load": 1.0}
    (store.home / layout.PACE).write_text('{"umap_load": [-1, "x", 3], "other": 7}')
    assert read_paces(store) == {"umap_load": 3.0}
    (store.home / layout.PACE).write_text("{")
    assert read_paces(store) == {}


def test_a_folder_of_numba_without_code_means_that_umap_has_to_compile(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert not is_compiled()
    (tmp_path / "umap_1").mkdir()
    (tmp_path / "umap_1/distances.nbi").touch()
    assert is_compiled()
