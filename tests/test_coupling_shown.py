"""What the study of couplings says, draws and writes, from chosen numbers."""

import csv
import io
from dataclasses import astuple, replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from small_studies import chosen_study

from wtflow.config import settings_from
from wtflow.errors import SettingsError
from wtflow.export import coupling as module
from wtflow.export.coupling import flows_csv, write_study
from wtflow.plots.coupling import plot_effects, plot_fields, plot_strength
from wtflow.plots.still.coupling import still_coupling_effects, still_coupling_fields, still_coupling_strength
from wtflow.plots.still.sheet import to_pdf
from wtflow.records.compare import Interval
from wtflow.studies.coupling.effects import figures_of
from wtflow.studies.coupling.words import (
    differs_from_run,
    findings,
    gamma_words,
    left_out,
    own_sentence,
    verdict_words,
)

RUN = settings_from("fast", {})


def without_scores():
    study = chosen_study()
    return replace(study, values=np.full_like(study.values, np.nan))


# -- words -------------------------------------------------------------------------------------------------------------


def test_the_sentence_of_a_run_names_its_cell_its_gamma_and_what_changes():
    said = own_sentence(chosen_study(change=0.05, noise=0.001))
    assert said.startswith(
        "At the dimension used (100, groups of 32) the worst coupling has γ .2 and changes image AUROC by +0.050 (95"
    )
    assert "against independent pairs with 4 steps" in said
    assert "image AUROC is higher; AUPRO is higher" in said


def test_a_change_within_its_interval_is_not_called_one():
    said = own_sentence(chosen_study(change=0.001, noise=0.02))
    assert said.endswith("neither can be told from no change.")
    assert "higher" not in said and "lower" not in said
    assert verdict_words(Interval(-0.1, -0.2, -0.05)) == "is lower"
    assert verdict_words(Interval(-0.1, -0.2, 0.05)) == "cannot be told from no change"


def test_a_run_of_whole_grids_is_told_of_those():
    said = own_sentence(chosen_study(own_part="images"))
    assert said.startswith("For whole grids (6,400, groups of 8 images) the worst coupling has γ .01")


def test_without_defects_nothing_is_said_of_a_change():
    empty = without_scores()
    assert own_sentence(empty).endswith("cannot be measured, because the test images have no defects.")
    assert not any("AUROC" in sentence for sentence in findings(empty))


def test_findings_count_what_would_miss_zero_by_chance():
    said = " ".join(findings(chosen_study(change=0.05, noise=0.001)))
    assert (
        "AUPRO, 1 step: of 3 intervals of a change, 2 miss 0 under the worst coupling (100 dimensions in groups" in said
    )
    assert "and none misses 0 under the optimal coupling; by chance alone about 0.2 would" in said.replace("0.1", "0.2")
    none = " ".join(findings(chosen_study(noise=0.02)))
    assert "of 3 intervals of a change, none misses 0 under the worst coupling, and none" in none
    assert "γ of the worst coupling in groups of 32 is .5 or more up to 4 dimensions; with all 100 it is .2" in none
    assert "0.91 to 0.91 times as much as Gaussian data" in none
    assert "this run's grids of 16 x 16 averaged" in none


def test_changes_where_nothing_is_found_are_left_out_with_a_word():
    study = chosen_study(change=0.05, noise=0.001)
    blind = np.array([row.dimension == 4 for row in study.flows])
    low = replace(study, values=np.where(blind[:, None], study.values - 0.4, study.values))
    said = " ".join(findings(low))
    assert "Image AUROC, 4 steps (without 4 dimensions, where it is no better than chance)" in said
    assert "of 2 intervals of a change, 2 miss 0 under the worst coupling" in said
    lower = " ".join(findings(replace(study, values=study.values - 0.7)))
    assert "no better than chance in any dimension" in lower


def test_it_is_said_how_the_small_flows_differ_from_the_run():
    said = differs_from_run(chosen_study(), RUN)
    for words in (
        f"width 64 instead of {RUN.width}",
        f"250 training steps instead of {RUN.iterations:,}",
        "3 seeds",
        "no score of the image as a whole",
        "40 of 50 test images",
    ):
        assert words in said
    paper = settings_from("paper", {"weights": "untrained"})
    assert "grids averaged from 16 x 16 to 8 x 8" in differs_from_run(chosen_study(own_part="images"), paper)
    assert "quick form" in left_out(chosen_study())
    assert "quick form" not in left_out(chosen_study(is_full=True))


@pytest.mark.parametrize(("gamma", "words"), [(0.1134, ".11"), (0.0067, ".0067"), (0.5, ".5"), (0.999, "1.00")])
def test_gamma_is_written_with_two_digits_that_count(gamma, words):
    assert gamma_words(gamma) == words


def named(figure, name, axis):
    """The trace of this name in the panel of this x axis."""
    return next(one for one in figure.data if one.name == name and one.xaxis == axis)


# -- figures -----------------------------------------------------------------------------------------------------------


def test_marks_lie_where_the_intervals_are():
    figures = figures_of(chosen_study(change=0.05, noise=0.001))
    drawn = plot_effects(figures, "dimension")
    trace = named(drawn, "worst", "x3")
    assert [round(x) for x in trace.x] == [0, 1]
    assert trace.y[1] == pytest.approx(0.05)
    key = ("positions", 100, 32, "worst", "image_auroc", 4)
    at = next(one.interval for one in figures.effects if astuple(one)[:6] == key)
    assert trace.error_y.array[1] == pytest.approx(at.high - at.value)
    assert trace.error_y.arrayminus[1] == pytest.approx(at.value - at.low)
    groups = named(plot_effects(figures, "group_size"), "optimal", "x6")
    assert len(groups.x) == 2


def test_levels_stand_above_changes_and_independent_pairs_at_every_group_size():
    figures = figures_of(chosen_study(change=0.05, noise=0.001))
    for by in ("dimension", "group_size"):
        drawn = plot_effects(figures, by)
        assert list(named(drawn, "norm before the flow", "x").y) == pytest.approx([0.7, 0.7])
        apart = named(drawn, "independent", "x2")
        assert sorted(round(x) for x in apart.x) == [0, 1]
        assert list(apart.y) == pytest.approx([0.81] * 2)
    worst = named(plot_effects(figures, "dimension"), "worst", "x")
    assert list(worst.y) == pytest.approx([0.81, 0.86])


def test_changes_without_defects_found_are_pale_and_do_not_set_the_axis():
    study = chosen_study(change=0.05, noise=0.001)
    blind = np.array([row.dimension == 4 for row in study.flows])
    worst = np.array([row.coupling == "worst" for row in study.flows])
    values = np.where(blind[:, None], study.values - 0.7 + 0.3 * worst[:, None], study.values)
    figures = figures_of(replace(study, values=values))
    drawn = plot_effects(figures, "dimension")
    clear, pale = (one for one in drawn.data if one.name == "worst" and one.xaxis == "x3")
    assert (clear.opacity, [round(x) for x in clear.x]) == (1.0, [1])
    assert (pale.opacity, [round(x) for x in pale.x]) == (0.3, [0])
    low, high = drawn.layout.yaxis3.range
    assert pale.y[0] == pytest.approx(0.3) and high < 0.1, "it runs out of the picture"
    assert low == -high < -0.05


def test_the_run_is_ringed_and_gaussian_data_is_dotted():
    figure = plot_strength(figures_of(chosen_study()))
    ring = next(one for one in figure.data if one.name == "this run")
    assert (list(ring.x), list(ring.y)) == ([100], [0.2])
    dotted = [one for one in figure.data if one.line.dash == "dot" and len(one.x) > 1]
    assert dotted[-1].y == pytest.approx([0.88, 0.22])


def test_fields_lie_on_their_closed_forms_where_the_numbers_do():
    figure = plot_fields(figures_of(chosen_study()))
    turned = [one for one in figure.data if one.xaxis in (None, "x") and one.mode == "markers"]
    assert {one.name for one in turned} == {"worst", "independent", "optimal"}
    for one in turned:
        assert list(one.y) == pytest.approx(list(one.x)), "the chosen slopes are those of a perfect field"


@pytest.mark.parametrize(
    "draw",
    [
        still_coupling_strength,
        still_coupling_fields,
        lambda figures: still_coupling_effects(figures, "dimension"),
        lambda figures: still_coupling_effects(figures, "group_size"),
    ],
)
def test_stills_are_figures_of_a_page_width(draw):
    figure = draw(figures_of(chosen_study()))
    assert isinstance(figure, Figure)
    assert 88 <= figure.get_figwidth() * 25.4 <= 184


def test_a_pdf_comes_out_the_same_twice_and_its_text_is_text():
    draw = lambda: to_pdf(still_coupling_strength(figures_of(chosen_study())))  # noqa: E731
    first = draw()
    assert first.startswith(b"%PDF")
    assert first == draw()
    assert b"/Type3" not in first.replace(b" ", b""), "publishers refuse type 3"


def test_without_defects_effects_have_no_figure_but_a_sentence():
    figures = figures_of(without_scores())
    assert "no defects" in plot_effects(figures, "dimension").layout.annotations[-1].text
    with pytest.raises(SettingsError):
        still_coupling_effects(figures, "dimension")


# -- files -------------------------------------------------------------------------------------------------------------


def test_a_study_is_taken_home_with_every_number(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "STILLS", module.STILLS[:1])  # drawing all takes seconds
    study = chosen_study(change=0.05)
    written = write_study(study, RUN, tmp_path / "out")
    names = sorted(path.name for path in written)
    assert len([name for name in names if name.endswith((".pdf", ".svg", ".png"))]) == 3
    assert {"coupling-flows.csv", "coupling-effects.csv", "coupling-strengths.csv", "coupling.txt"} <= {*names}
    assert all(path.stat().st_size for path in written)
    rows = list(csv.DictReader(io.StringIO(flows_csv(study).decode("utf-8-sig"))))
    assert len(rows) == len(study.flows)
    row = next(row for row in rows if row["coupling"] == "worst" and row["dimension"] == "100" and row["seed"] == "2")
    assert float(row["image_auroc_4_steps"]) == pytest.approx(0.87)
    assert own_sentence(study) in (tmp_path / "out" / "coupling.txt").read_text(encoding="utf-8")
