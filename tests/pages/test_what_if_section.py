"""The section for painting, run alone: closed it costs nothing, open it answers with the run's own numbers."""

import os
import sys
from pathlib import Path

import pytest
from page_runs import components, texts
from run_folders import train_here
from streamlit.testing.v1 import AppTest
from waiting import PATIENCE_S

from wtflow.results import open_results
from wtflow.store.layout import WHAT_IFS
from wtflow.store.runs import RunStore
from wtflow.store.what_ifs import list_what_ifs

SCRIPT = """
import streamlit as st
from pages.ui.thresholds import Threshold, read_threshold
from pages.ui.localization.what_if import show_what_if
from wtflow.results import find_sample, open_results
from wtflow.store.runs import RunStore

store = RunStore()
results = open_results(store, st.session_state.run)
show_what_if(store, results, find_sample(results, st.session_state.sample), read_threshold(results))
"""
DAB = {"kind": "bright", "points": [[30.0, 30.0]], "radius": 9, "strength": 1.0}


def open_section(
    run_id: str,
    done: list | None = None,
    sample: str = "test/good/000.png",
    row: int | None = None,
    *,
    is_open: bool = True,
) -> AppTest:
    page = AppTest.from_string(SCRIPT, default_timeout=PATIENCE_S)
    page.session_state.run, page.session_state.sample = run_id, sample
    if done is not None:
        page.session_state["what_if_pictures"] = {
            (run_id, row): {"done": done, "undone": [], "serial": 1, "version": 0}
        }
    page.run()
    return page.toggle(key="what_if_open").set_value(True).run() if is_open else page


@pytest.fixture
def trained(store: RunStore, root: Path) -> str:
    return train_here(store, root)


@pytest.fixture
def row(store: RunStore, trained: str) -> int:
    """Row of test/good/000.png."""
    table = open_results(store, trained).table
    return int(table[table.sample_id == "test/good/000.png"].row.iloc[0])


def button(page: AppTest, label: str):
    return next(one for one in page.button if one.label.startswith(label))


def test_closed_it_computes_nothing_and_needs_no_torch(finished: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(sys.modules, "wtflow.studies.what_if", raising=False)
    page = open_section(finished, is_open=False)
    assert not page.exception
    assert not page.toggle(key="what_if_open").value
    assert "wtflow.studies.what_if" not in sys.modules
    assert len(page.button) == 0 and "Score" not in texts(page)


def test_open_and_unpainted_it_shows_the_stored_score_twice(store: RunStore, trained: str, row: int):
    page = open_section(trained)
    assert not page.exception and not page.error
    score = f"{open_results(store, trained).table.score[row]:.4g}"
    assert f"Score **{score}** → **{score}**" in texts(page)
    assert "Nothing is painted" in texts(page)
    assert button(page, "Save this what if").disabled


def test_painted_it_says_how_the_score_changed(trained: str, row: int):
    page = open_section(trained, [DAB], row=row)
    assert not page.exception and not page.error
    assert "changes the score by +" in texts(page)
    assert "with paint in" in texts(page)


def test_what_was_painted_before_the_last_clear_does_not_count(trained: str, row: int):
    assert "Nothing is painted" in texts(open_section(trained, [DAB, {"kind": "clear"}], row=row))


@pytest.mark.parametrize(
    ("stroke", "words"),
    [
        (DAB | {"radius": 1e9}, "Stroke 1: A brush has the radius"),
        ({"kind": "dark"}, "Stroke 1 is not complete"),
        (DAB | {"kind": "paste", "source": {"key": "../x.png", "dx": 0, "dy": 0}}, "has no image"),
    ],
)
def test_a_stroke_that_is_not_sound_gets_a_sentence_and_the_stored_map_stays(
    trained: str, row: int, stroke: dict, words: str
):
    page = open_section(trained, [stroke], row=row)
    assert not page.exception
    assert words in page.error[0].value.replace("\\", "")
    assert "Nothing is painted" in texts(page)


def test_a_painting_is_saved_under_a_name_listed_opened_and_removed(store: RunStore, trained: str, row: int):
    page = open_section(trained, [DAB], row=row)
    page.text_input(key="what_if_name").set_value("A *bright* spot").run()
    button(page, "Save this what if").click().run()
    assert not page.exception and not page.error
    (kept,) = list_what_ifs(store, trained)
    assert kept["name"] == "A *bright* spot" and kept["score_after"] > kept["score_before"]
    assert "Saved with this run: 1 what if" in texts(page)
    page.session_state["what_if_pictures"] = {}
    button(page, "Open").click().run()
    assert page.session_state["what_if_pictures"][trained, row]["done"] == kept["strokes"]
    button(page, "Remove").click().run()
    assert list_what_ifs(store, trained) == []
    assert "Saved with this run" not in texts(page)


def test_the_sweep_is_drawn_when_asked_and_found_again(store: RunStore, trained: str, row: int):
    page = open_section(trained, [DAB], row=row)
    assert "where the last stroke ended (x 30, y 30)" in texts(page)
    button(page, "Draw the sweep (18 images)").click().run()
    assert not page.exception and not page.error, [one.value for one in page.error]
    assert "alled defective at" in texts(page)
    again = open_section(trained, [DAB], row=row)
    assert "alled defective at" in texts(again)
    assert not [one for one in again.button if one.label.startswith("Draw the sweep")]


def test_without_a_checkpoint_the_canvas_stays_and_a_sentence_says_why(finished: str):
    page = open_section(finished)
    assert not page.exception
    assert "checkpoint" in page.error[0].value
    assert page.selectbox[0].label == "Paste from"


def test_a_damaged_saved_painting_is_named_and_leaves_the_answer(store: RunStore, trained: str):
    folder = store.folder(trained) / WHAT_IFS
    folder.mkdir()
    (folder / "0123456789abcdef.json").write_text("{")
    page = open_section(trained)
    assert not page.exception
    assert "0123456789abcdef.json" in page.error[0].value.replace("\\", "")
    assert "Nothing is painted" in texts(page)


def test_on_a_defective_image_it_says_that_the_paint_is_not_alone(trained: str):
    assert "has a defect already" in texts(open_section(trained, sample="test/spot/000.png"))
    assert "has a defect already" not in texts(open_section(trained))


@pytest.mark.parametrize(
    "spoil", [Path.unlink, lambda path: path.write_bytes(b""), lambda path: (path.unlink(), os.mkfifo(path))]
)
def test_an_image_that_cannot_be_pasted_from_says_so_and_leaves_the_canvas(trained: str, row: int, root: Path, spoil):
    page = open_section(trained, [DAB], row=row)
    source = page.selectbox[0].value
    spoil(root / "plate" / source)
    page.run()
    assert not page.exception and not page.error
    assert "Nothing can be pasted from it" in texts(page)
    assert components(page), "the canvas is still there"
    other = next(name for name in page.selectbox[0].options if name != source)
    page.selectbox[0].set_value(other).run()
    assert "Nothing can be pasted from it" not in texts(page)
