"""What notes mean for a run, with numbers worked out by hand; and notes in an export."""

import csv
import io
import json

import pytest
from hand_made_runs import write_finished_run

from wtflow.config import settings_from
from wtflow.export.folder import export_run
from wtflow.export.tables import scores_csv
from wtflow.failures.notes import (
    COMMENTED,
    WRONG_LABEL,
    count_tags,
    count_words,
    flagged_metrics,
    images_with,
    noted_rows,
)
from wtflow.records.notes import ImageNote, RunNotes
from wtflow.results import add_outcomes, filter_rows, open_results
from wtflow.store.note_file import as_stored
from wtflow.store.runs import RunStore

GOOD_LOW, GOOD_HIGH = "test/good/000.png", "test/good/001.png"
CRACK_LOW, CRACK_HIGH, DENT = "test/crack/000.png", "test/crack/001.png", "test/dent/000.png"
NOTES = RunNotes(
    {
        GOOD_HIGH: ImageNote(("rim", "=1+1"), "is scratched", True, 1),
        CRACK_LOW: ImageNote(("rim",)),
        DENT: ImageNote((), "-x\nsecond line", False, 2),
        GOOD_LOW: ImageNote((), "", False, 4),
        "train/good/000.png": ImageNote(("held out",), "", True),
        "test/gone/000.png": ImageNote(("rim",)),
    },
    "Second batch",
    1,
)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    store = RunStore(tmp_path_factory.mktemp("runs"))
    return open_results(store, write_finished_run(store, settings_from("fast", {"image_size": 64})))


# -- metrics -----------------------------------------------------------------------------------------------------------


def test_metrics_with_and_without_the_flagged_image_are_those_worked_out_by_hand(results):
    """Ranked + + - + -; without the flagged good image of score 3 all defective ones rank first."""
    found = flagged_metrics(results, NOTES)
    assert found.n_flagged == 1, "a held-out normal is flagged, too, but is no test image"
    assert found.with_flagged == pytest.approx(
        {"image_auroc": 5 / 6, "image_ap": (1 + 1 + 3 / 4) / 3, "image_f1_max": 6 / 7}
    )
    assert found.without_flagged == {"image_auroc": 1.0, "image_ap": 1.0, "image_f1_max": 1.0}
    assert found.undefined is None


def test_without_flags_both_are_the_same(results):
    found = flagged_metrics(results, RunNotes({CRACK_LOW: ImageNote(("rim",))}))
    assert found.n_flagged == 0
    assert found.with_flagged == found.without_flagged


def test_when_every_good_image_is_flagged_it_says_why_there_is_no_number(results):
    found = flagged_metrics(results, RunNotes({name: ImageNote(label_is_wrong=True) for name in (GOOD_LOW, GOOD_HIGH)}))
    assert set(found.without_flagged.values()) == {None}
    assert found.undefined == "Needs normal images to compare with the defective ones, and there are none."
    assert found.with_flagged["image_auroc"] == pytest.approx(5 / 6)


# -- counting and choosing ---------------------------------------------------------------------------------------------


def test_tags_are_counted_by_outcome_at_the_threshold(results):
    assert count_tags(results, NOTES, 2.5).to_dict("records") == [
        {"tag": "rim", "n": 2, "TP": 0, "FP": 1, "TN": 0, "FN": 1},
        {"tag": "=1+1", "n": 1, "TP": 0, "FP": 1, "TN": 0, "FN": 0},
    ]
    assert count_tags(results, NOTES, 2.0).TP.tolist() == [1, 0], "the image of score 2 is found at a threshold of 2"


def test_without_tags_the_count_has_its_columns_and_no_rows(results):
    table = count_tags(results, RunNotes(), 2.5)
    assert list(table.columns) == ["tag", "n", "TP", "FP", "TN", "FN"]
    assert table.empty


def test_only_what_leaves_test_images_is_offered_tags_first(results):
    assert list(count_words(results.test, NOTES).items()) == [("rim", 2), ("=1+1", 1), (WRONG_LABEL, 1), (COMMENTED, 2)]
    assert count_words(results.test, RunNotes()) == {}


@pytest.mark.parametrize(
    ("chosen", "images"),
    [
        (("rim",), {GOOD_HIGH, CRACK_LOW}),
        (("rim", COMMENTED), {GOOD_HIGH, CRACK_LOW, DENT}),
        ((WRONG_LABEL,), {GOOD_HIGH}),
        (("no such tag",), set()),
        ((), {GOOD_LOW, GOOD_HIGH, CRACK_LOW, CRACK_HIGH, DENT}),
    ],
)
def test_images_are_chosen_by_any_of_the_words(results, chosen, images):
    assert set(filter_rows(results.test, sample_ids=images_with(NOTES, chosen)).sample_id) == images


def test_a_tag_that_says_label_is_wrong_is_not_the_flag(results):
    notes = RunNotes({CRACK_LOW: ImageNote(("label is wrong",)), DENT: ImageNote(label_is_wrong=True)})
    assert images_with(notes, ["label is wrong"]) == {CRACK_LOW}
    assert images_with(notes, [WRONG_LABEL]) == {DENT}


def test_notes_narrow_together_with_the_other_filters(results):
    table = add_outcomes(results.test, 2.5)
    assert filter_rows(table, outcomes=("FN",), sample_ids=images_with(NOTES, ("rim",))).sample_id.tolist() == [
        CRACK_LOW
    ]


# -- taken home --------------------------------------------------------------------------------------------------------


def test_the_table_of_notes_has_the_images_somebody_wrote_about_and_no_others(results):
    table = noted_rows(results, NOTES, 2.5).set_index("sample_id")
    assert set(table.index) == {GOOD_HIGH, CRACK_LOW, DENT, "train/good/000.png"}
    assert table.loc[GOOD_HIGH, ["outcome", "tags", "comment", "label_is_wrong"]].tolist() == [
        "FP",
        "rim; =1+1",
        "is scratched",
        True,
    ]
    assert noted_rows(results, RunNotes(), 2.5).empty


def test_the_csv_carries_notes_and_no_comment_becomes_a_formula(results):
    notes = RunNotes(
        {GOOD_LOW: ImageNote(("=1+1", "b"), "+49"), CRACK_LOW: ImageNote(("a,b", '"q"'), "-x\nsecond line", True)}
    )
    rows = {
        row["sample_id"]: row
        for row in csv.DictReader(io.StringIO(scores_csv(results, notes=notes).decode("utf-8-sig")))
    }
    assert (rows[GOOD_LOW]["tags"], rows[GOOD_LOW]["comment"], rows[GOOD_LOW]["label_is_wrong"]) == (
        "'=1+1; b",
        "'+49",
        "False",
    )
    assert (rows[CRACK_LOW]["tags"], rows[CRACK_LOW]["comment"], rows[CRACK_LOW]["label_is_wrong"]) == (
        'a,b; "q"',
        "'-x\nsecond line",
        "True",
    )
    assert (rows[DENT]["tags"], rows[DENT]["comment"], rows[DENT]["label_is_wrong"]) == ("", "", "False")
    assert "tags" not in scores_csv(results).decode().splitlines()[0]


def test_an_export_holds_the_notes_as_they_are_stored(results, tmp_path):
    written = export_run(results, tmp_path, lambda done, total: None, NOTES)
    assert tmp_path / "notes.json" in written
    assert json.loads((tmp_path / "notes.json").read_text()) == json.loads(json.dumps(as_stored(NOTES)))
    assert "is scratched" in (tmp_path / "scores.csv").read_text()
