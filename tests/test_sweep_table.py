"""The table of a sweep: what is best beyond chance, what each setting changes, and the files to take home."""

import csv
import io
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from run_folders import tiny_settings
from scipy import stats

from wtflow.compare.intervals import weighted_auroc
from wtflow.errors import SettingsError
from wtflow.plots.sweep import plot_effects, plot_heat
from wtflow.records.sweep import Combination, Sweep, SweepCategory
from wtflow.records.sweep_table import TableCell, TableRow
from wtflow.store import sweeps
from wtflow.store.runs import RunStore
from wtflow.sweeps import home
from wtflow.sweeps.collect import Found
from wtflow.sweeps.effects import t_interval
from wtflow.sweeps.table import build_table

COUPLINGS = ("worst", "independent", "optimal")
LABELS = np.arange(120) % 2 == 1


def sweep_of(names=("disc", "plate_50%"), couplings=COUPLINGS, seeds=(0, 1, 2), steps=(2,)) -> Sweep:
    vary = {"coupling": couplings} | ({"steps": steps} if len(steps) > 1 else {})
    combinations = tuple(
        Combination(
            {"coupling": coupling} | ({"steps": n} if len(steps) > 1 else {}), tiny_settings(coupling=coupling, steps=n)
        )
        for coupling in couplings
        for n in steps
    )
    categories = tuple(SweepCategory("/data", name, 12, 120) for name in names)
    return Sweep("s", 0.0, "fast", {}, vary, seeds, categories, combinations)


def found_of(sweep: Sweep, shift, noise=1.0, pixel=lambda cell: 0.5) -> dict[str, Found]:
    """Scores that tell normal from defective by shift(cell); the same noise for all runs of an image, a little of its
    own for each.
    """
    common = np.random.default_rng(1).normal(size=len(LABELS))
    found = {}
    for i, cell in enumerate(sweep.cells):
        own = np.random.default_rng(100 + i).normal(size=len(LABELS))
        scores = common + noise * 0.1 * own + shift(cell) * LABELS
        auroc = float(weighted_auroc(scores, LABELS, np.ones((1, len(LABELS))))[0])
        index = pd.Index([f"{k:03d}" for k in range(len(LABELS))], name="sample_id")
        found[cell.key] = Found(
            replace(cell, run_id=f"run-{i}"),
            {"image_auroc": auroc, "aupro": pixel(cell)},
            10.0 + i,
            100.0 + i,
            "f" * 64,
            pd.Series(scores, index=index),
            LABELS,
        )
    return found


def test_means_deviations_ranks_time_and_memory_are_those_of_the_runs():
    sweep = sweep_of(seeds=(0, 1))
    found = found_of(sweep, lambda cell: {"worst": 2.0, "independent": 1.0, "optimal": 0.5}[cell.settings.coupling])
    table = build_table(sweep, found, "image_auroc")
    runs = [one for one in found.values() if one.cell.category.name == "disc" and one.cell.settings.coupling == "worst"]
    a, b = (one.metrics["image_auroc"] for one in runs)
    cell = table.rows[0].cells[0]
    assert cell.mean == pytest.approx((a + b) / 2)
    assert cell.deviation == pytest.approx(abs(a - b) / math.sqrt(2))
    assert (cell.seconds, cell.memory_mib) == ((runs[0].seconds + runs[1].seconds) / 2, runs[1].memory_mib)
    assert table.ranks == (1.0, 2.0, 3.0)
    assert table.means.cells[0].mean == pytest.approx((cell.mean + table.rows[1].cells[0].mean) / 2)
    assert (table.n_finished, table.n_all, table.n_whole) == (12, 12, 2)


def test_best_is_marked_where_the_paired_interval_says_so_and_nowhere_else():
    sweep = sweep_of()
    clear = build_table(
        sweep, found_of(sweep, lambda cell: 2.0 if cell.settings.coupling == "worst" else 0.5), "image_auroc"
    )
    assert [[cell.is_best for cell in row.cells] for row in clear.rows] == [[True, False, False]] * 2
    same = build_table(sweep, found_of(sweep, lambda cell: 1.0), "image_auroc")
    assert not any(cell.is_best for row in (*same.rows, same.means) for cell in row.cells)
    assert {cell.mean for cell in same.rows[0].cells} != {same.rows[0].cells[0].mean}, (
        "one mean is the highest all the same"
    )
    two = build_table(
        sweep, found_of(sweep, lambda cell: 0.5 if cell.settings.coupling == "optimal" else 2.0), "image_auroc"
    )
    assert not any(cell.is_best for row in two.rows for cell in row.cells), "two that are alike: neither is the best"


def test_a_pixel_metric_is_judged_by_its_seeds_and_with_one_seed_not_at_all():
    def pixel(cell):
        return {"worst": 0.9, "independent": 0.7, "optimal": 0.6}[cell.settings.coupling] + 0.01 * cell.seed

    three = sweep_of()
    table = build_table(three, found_of(three, lambda cell: 1.0, pixel=pixel), "aupro")
    assert [cell.is_best for cell in table.rows[0].cells] == [True, False, False]
    one = sweep_of(seeds=(0,))
    table = build_table(one, found_of(one, lambda cell: 1.0, pixel=pixel), "aupro")
    assert not any(cell.is_best for row in table.rows for cell in row.cells)
    assert any("one seed" in note for note in table.notes)


def test_a_category_with_missing_runs_or_changed_images_is_said():
    sweep = sweep_of()
    found = found_of(sweep, lambda cell: 2.0 if cell.settings.coupling == "worst" else 0.5)
    keys = [key for key, one in found.items() if one.cell.category.name == "disc"]
    found[keys[0]] = replace(found[keys[0]], fingerprint="0" * 64)
    for key in [
        key
        for key, one in found.items()
        if one.cell.category.name != "disc" and one.cell.settings.coupling == "optimal"
    ]:
        del found[key]
    table = build_table(sweep, found, "image_auroc")
    assert not any(cell.is_best for cell in table.rows[0].cells)
    assert table.n_whole == 1 and table.rows[1].cells[2].mean is None
    said = " ".join(table.notes)
    assert "disc changed" in said and "1 of 2 categories" in said


def test_the_effect_of_a_setting_is_the_mean_of_pairs_with_students_interval_over_categories():
    sweep = sweep_of(names=("a", "b", "c"), couplings=("worst", "optimal"), seeds=(0, 1), steps=(2, 4))
    loss = {"a": 0.01, "b": 0.02, "c": 0.06}

    def pixel(cell):
        change = -loss[cell.category.name] if cell.settings.coupling == "optimal" else 0.0
        return 0.8 + change + 0.001 * cell.seed + (0.1 if cell.settings.steps == 4 else 0.0)

    effects = build_table(sweep, found_of(sweep, lambda cell: 1.0, pixel=pixel), "aupro").effects
    assert [(one.setting, one.value, one.reference) for one in effects] == [
        ("steps", "4", "2"),
        ("coupling", "optimal", "worst"),
    ]
    steps, coupling = effects
    assert steps.change == pytest.approx(0.1) and steps.is_clear
    assert (coupling.n_pairs, coupling.n_categories, coupling.n_seeds) == (12, 3, 2)
    units = -np.array(list(loss.values()))
    low, high = stats.t.interval(0.95, 2, loc=units.mean(), scale=stats.sem(units))
    assert coupling.change == pytest.approx(-0.03)
    assert (coupling.interval.low, coupling.interval.high) == pytest.approx((low, high))
    assert not coupling.is_clear and t_interval([1.0]) is None


@pytest.fixture
def table():
    sweep = sweep_of()
    found = found_of(sweep, lambda cell: 2.0 if cell.settings.coupling == "worst" else 0.5)
    return build_table(sweep, found, "image_auroc")


def test_latex_and_markdown_hold_every_cell_the_foot_and_no_command_by_accident(table):
    tex, text = home.latex(table), home.markdown(table)
    for row in table.rows:
        for cell in row.cells:
            assert f"{cell.mean:.3f}" in tex and f"{cell.mean:.3f}" in text
    assert r"plate\_50\%" in tex and "\\toprule" in tex and "\\bottomrule" in tex
    assert tex.count(r"\textbf{") == 2 + table.means.cells[0].is_best
    body = tex.split("\\midrule")[1]
    assert all(line.count(" & ") == 3 and line.endswith(r"\\") for line in body.strip().splitlines())
    for part in (table.foot.split(", ")[0], "WT-Flow Studio", "data "):
        assert part in tex and part in text
    assert home.tex(r"a&b_c%{d}\~^$#") == (r"a\&b\_c\%\{d\}\textbackslash{}\textasciitilde{}\textasciicircum{}\$\#")
    assert text.count("**") == 2 * (2 + table.means.cells[0].is_best)


def test_a_file_has_one_row_per_cell_whether_finished_or_not_and_another_ending_is_refused(tmp_path):
    store, sweep = RunStore(tmp_path), sweep_of()
    sweeps.create(store, sweep)
    home.write_home(store, sweep, tmp_path / "t.csv", "image_auroc")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "t.csv").read_text("utf-8-sig"))))
    assert len(rows) == len(sweep.cells)
    assert {row["state"] for row in rows} == {"not finished"} and rows[0]["version"] and rows[0]["date"]
    assert [row["coupling"] for row in rows[:7:3]] == list(COUPLINGS)
    with pytest.raises(SettingsError, match=r"\.csv"):
        home.write_home(store, sweep, tmp_path / "t.xls", "image_auroc")
    with pytest.raises(SettingsError, match="no metric"):
        home.write_home(store, sweep, tmp_path / "t.md", "fame")


def test_the_figures_show_every_cell_and_every_effect(table):
    heat = plot_heat(table)
    assert np.shape(heat.data[0].z) == (2, 3)
    assert [list(one) for one in heat.data[0].z][0][0] == 1.0, "the best of its row is the strongest"
    assert "★" in heat.data[0].text[0][0] and "★" not in heat.data[0].text[0][1]
    effects = plot_effects(table)
    assert list(effects.data[0].x) == [one.change for one in table.effects]
    assert plot_effects(replace(table, effects=())).layout.annotations


def test_cells_that_differ_by_chance_have_nearly_the_same_colour():
    def colours(*cells):
        row = TableRow("tile", tuple(TableCell(mean, deviation, 2) for mean, deviation in cells))
        table = build_table(sweep_of(("tile",), COUPLINGS[:2], (0, 1)), {}, "image_auroc")
        return list(plot_heat(replace(table, rows=(row,))).data[0].z[0])

    assert colours((0.828, 0.029), (0.828, 0.029)) == [1, 1]
    assert colours((0.435, None), (0.438, None)) == pytest.approx([0.85, 1])
    assert colours((0.723, 0.011), (0.718, 0.004))[1] > 0.8
    assert colours((0.9, 0.01), (0.5, 0.01)) == [1, 0]
