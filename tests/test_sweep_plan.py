"""From what a person asks for to the cells of a sweep: all validated before anything starts, nothing twice."""

import os

import pytest
from run_folders import TINY, write_tiny_category

from wtflow.errors import DatasetError, LayoutError, SettingsError
from wtflow.records.sweep import Way
from wtflow.store import sweeps
from wtflow.store.runs import RunStore
from wtflow.sweeps.estimate import estimate_sweep, feature_group, fitting_jobs
from wtflow.sweeps.expand import Asked, parse_seeds, parse_sets, plan_more, plan_new
from wtflow.sweeps.order import ordered

SMALL = {name: (str(value),) for name, value in TINY.items() if name not in ("stages", "threads", "prepare_pages")}


@pytest.fixture
def place(tmp_path):
    root = write_tiny_category(tmp_path / "data")
    write_tiny_category(root, "disc")
    return RunStore(tmp_path / "runs"), root


def planned(store, root, sets=None, **asked):
    return plan_new(store, "s", Asked(root, sets={**SMALL, **(sets or {})}, **asked), 1, Way())


def test_a_grid_is_every_category_with_every_combination_and_every_seed(place):
    store, root = place
    sweep = planned(store, root, {"coupling": ("worst", "optimal"), "steps": ("1", "2", "4")}, seeds=(0, 7)).sweep
    cells = sweep.cells
    assert len(cells) == 2 * 6 * 2 == len({cell.key for cell in cells})
    assert {
        (cell.category.name, cell.settings.coupling, cell.settings.steps, cell.settings.seed) for cell in cells
    } == {
        (name, coupling, steps, seed)
        for name in ("disc", "plate")
        for coupling in ("worst", "optimal")
        for steps in (1, 2, 4)
        for seed in (0, 7)
    }
    assert {cell.settings.threads for cell in cells} == {1}
    assert sweep.words == "2 categories x 6 settings x 2 seeds"


def test_settings_that_come_to_the_same_are_one_cell_and_that_is_said(place):
    store, root = place
    plan = planned(store, root, {"stages": ("1,2", "2,1")}, categories=["disc"])
    assert len(plan.sweep.cells) == 1
    assert "Counted once" in plan.said[-1]


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        ({"coupling": ("worst", "best")}, "coupling=best cannot be trained"),
        ({"group_size": ("16", "2048")}, "group_size=2048 cannot be trained"),
        ({"couplin": ("worst", "optimal")}, "no setting 'couplin'"),
        ({"seed": ("1", "2")}, "--set seed"),
        ({"threads": ("1", "2")}, "would not compare"),
        ({"niceness": ("1", "2")}, "changes no figure"),
        ({"image_size": ("auto",)}, "same image size"),
    ],
)
def test_what_makes_no_sense_is_refused_and_named_before_anything_starts(place, sets, words):
    store, root = place
    with pytest.raises(SettingsError, match=words):
        planned(store, root, sets)
    assert not store.home.exists()


def test_a_category_that_is_not_there_or_cannot_be_trained_is_refused_by_name(place):
    store, root = place
    with pytest.raises(LayoutError, match="'dics'"):
        planned(store, root, categories=["plate", "dics"])
    for path in (root / "disc/train/good").iterdir():
        path.unlink()
    with pytest.raises(DatasetError, match="disc"):
        planned(store, root)


def test_more_categories_seeds_and_values_leave_the_cells_that_are_there(place):
    store, root = place
    first = planned(store, root, {"coupling": ("worst", "optimal")}, categories=["plate"]).sweep
    more = plan_more(store, first, Asked(root, ["disc"], (1,), sets={"steps": ("4",)})).sweep
    kept = {cell.key for cell in first.cells}
    assert kept < {cell.key for cell in more.cells}
    assert len(more.cells) == 2 * 4 * 2
    assert more.vary == {"coupling": ("worst", "optimal"), "steps": (2, 4)}, "2 is what all runs had before"
    again = plan_more(store, more, Asked(root, ["disc"], (1, 0), sets={"coupling": ("optimal",)})).sweep
    assert again == more, "what is there already adds nothing"
    with pytest.raises(SettingsError, match="preset fast"):
        plan_more(store, first, Asked(preset="paper"))


def test_a_sweep_is_read_as_it_was_written(place):
    store, root = place
    sweep = planned(store, root, {"stages": ("1,2", "1"), "whole_image": ("true", "false")}, seeds=(3, 1)).sweep
    sweeps.create(store, sweep)
    assert sweeps.read(store, "s") == sweep
    assert [cell.key for cell in sweeps.read(store, "s").cells] == [cell.key for cell in sweep.cells]
    assert store.ids() == [] and sweeps.names(store) == ["s"]
    with pytest.raises(SettingsError, match="already"):
        sweeps.create(store, sweep)
    for name in ("../x", "", "con", "a/b", ".x"):
        with pytest.raises(SettingsError, match="cannot name a sweep"):
            sweeps.create(store, type(sweep)(**{**{n: getattr(sweep, n) for n in sweep.__slots__}, "name": name}))


def test_words_of_the_shell_become_values_and_seeds():
    assert parse_sets(["coupling=worst, optimal", "stages=1,2|2,3", "width=64"]) == {
        "coupling": ("worst", "optimal"),
        "stages": ("1,2", "2,3"),
        "width": ("64",),
    }
    assert parse_seeds("0,1, 5-7,1") == (0, 1, 5, 6, 7)
    for text in ("", "a", "1,,2", "3-", "-1", "0-99999999"):
        with pytest.raises(SettingsError):
            parse_seeds(text)
    for texts in (["coupling"], ["a=1,,2"], ["a=1", "a=2"], ["=3"]):
        with pytest.raises(SettingsError):
            parse_sets(texts)


def test_features_are_counted_once_for_runs_that_share_them(place):
    store, root = place
    sweep = planned(store, root, {"coupling": ("worst", "optimal"), "image_size": ("64", "128")}, seeds=(0, 1)).sweep
    groups = {feature_group(cell.category, cell.combination.settings) for cell in sweep.cells}
    assert len(groups) == 2 * 2, "by category and size, whatever coupling and seed"
    whole = estimate_sweep(store, sweep, 1)
    one = {key: estimate_sweep(store, sweep, 1, cells=(cell,)) for cell in sweep.cells for key in [cell.key]}
    shared = sum(found.feature_bytes for found in one.values())
    assert whole.n_left == 16 and whole.feature_bytes == shared / 4
    assert whole.seconds < sum(found.seconds for found in one.values())
    assert whole.n_bytes < sum(found.n_bytes for found in one.values())
    half = estimate_sweep(store, sweep, 2, done=[cell.key for cell in sweep.cells[:8]])
    assert half.n_left == 8 and half.wall_s == pytest.approx(max(half.seconds / 2, max(half.cells.values())))


def test_the_first_of_each_group_comes_first_unless_the_cache_is_too_small_for_all(place, monkeypatch):
    store, root = place
    sweep = planned(store, root, seeds=(0, 1, 2)).sweep
    groups = {cell.key: cell.category.name for cell in sweep.cells}
    names = [groups[key] for key in ordered(sweep.cells, groups, 10)]
    assert names == ["disc", "plate", "disc", "disc", "plate", "plate"]
    monkeypatch.setenv("WTFLOW_CACHE_GB", "0.001")
    assert [groups[key] for key in ordered(sweep.cells, groups, 2_000_000)] == ["disc"] * 3 + ["plate"] * 3


def test_as_many_runs_at_once_as_cores_memory_and_gpus_allow(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert fitting_jobs(3, 10, 1, 1e9) == 3, "a person's word counts"
    assert fitting_jobs(0, 10, 1, 1e9) == 1, "no room for two"
    assert fitting_jobs(0, 1, 1, 1.0) == 1
    assert fitting_jobs(0, 100, 1, 1.0) == os.cpu_count()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,3,5")
    assert fitting_jobs(0, 100, 1, 1.0) == 3
