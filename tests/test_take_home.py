"""The data behind figures as CSV, and the menu that offers files: numbers come back as they were, nothing is drawn
before a click.
"""

import csv
import io
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest
from waiting import PATIENCE_S

from pages.ui.downloads import file_name
from wtflow.errors import FlowError
from wtflow.export import tables
from wtflow.records.flow import Ideal, Landscape, PositionSet, Projection, ReturnTrip, StepsRow, Travel

IDS = ["test/good/0.png", "=test/crack/1.png"]
POSITIONS = PositionSet(
    np.array([1, 0]), np.array([3, 4]), np.array([5, 6]), np.array(["crack", "good"]), np.array([0.5, 0.1], np.float32)
)
T = np.array([0.0, 0.5, 1.0])


def numbers(start: int, shape: tuple[int, ...] = (3, 2)) -> np.ndarray:
    """Thirds: single-precision numbers without a short decimal form, all different."""
    return (np.arange(start, start + np.prod(shape)).reshape(shape) / 3).astype(np.float32)


def travel(divergence: np.ndarray | None = None) -> Travel:
    return Travel(
        POSITIONS,
        T,
        numbers(1),
        numbers(10),
        numbers(20),
        numbers(30),
        numbers(40),
        numbers(50, (3, 2, 2)),
        (0.5, 0.2),
        16,
        divergence,
    )


def table(csv: bytes) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(csv))


# ---- CSV


def test_a_travel_is_one_line_per_position_and_time_with_the_records_own_numbers():
    found, record = table(tables.travel_csv(travel(), IDS)), travel()
    assert found.columns.tolist() == [
        "sample_id",
        "grid_row",
        "grid_column",
        "group",
        "t",
        "norm",
        "speed",
        "radial_speed",
        "alignment",
        "straightness",
        "plane_1",
        "plane_2",
    ]
    assert found.t.tolist() == [0, 0.5, 1] * 2
    assert found.group.tolist() == ["crack"] * 3 + ["good"] * 3
    assert found[["grid_row", "grid_column"]].drop_duplicates().to_numpy().tolist() == [[3, 5], [4, 6]]
    for name in ("norm", "speed", "alignment", "straightness"):
        assert np.array_equal(found[name].to_numpy(np.float32), getattr(record, name).T.ravel()), name
    assert np.array_equal(found.radial_speed.to_numpy(np.float32), record.radial.T.ravel())
    assert np.array_equal(found[["plane_1", "plane_2"]].to_numpy(np.float32)[1], record.plane[1, 0])


def test_the_divergence_is_a_column_only_where_it_was_computed():
    assert "divergence" not in table(tables.travel_csv(travel(), IDS))
    assert np.array_equal(
        table(tables.travel_csv(travel(numbers(60)), IDS)).divergence.to_numpy(np.float32), numbers(60).T.ravel()
    )


def test_a_name_that_looks_like_a_formula_is_quoted_and_a_negative_number_is_not():
    found = table(tables.travel_csv(travel(-numbers(60)), IDS))
    assert found.sample_id.tolist() == ["'=test/crack/1.png"] * 3 + ["test/good/0.png"] * 3
    assert (found.divergence < 0).all()


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@S(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "'=1", "a;=1", "a\t-1"])
def test_every_start_of_a_formula_is_quoted_and_comes_back(text):
    (cell,) = cells([text])
    assert cell != text
    assert cell.replace("'", "") == text.replace("'", "")
    assert tables.cell_from_csv(cell) == text


@pytest.mark.parametrize("text", ["plain", "", "a=1", "it's", "'quoted'", "a - b", "scratch; dent", "ü 螺 😀", "1;2"])
def test_other_text_stays_as_it_is(text):
    assert cells([text]) == [text]


def cells(texts):
    """The cells of a column of text, read back by a program that knows CSV."""
    content = tables.csv_bytes(pd.DataFrame({"row": range(len(texts)), "name": texts}))
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert rows[0] == ["row", "name"]
    assert [row[0] for row in rows[1:]] == [str(i) for i in range(len(texts))], "numbers stay numbers"
    return [row[1] for row in rows[1:]]


@given(st.lists(st.text(st.sampled_from("=+-@;,'\t\r\n\"ü a1＝"), max_size=8), min_size=1, max_size=4))
def test_no_text_begins_a_formula_wherever_a_spreadsheet_cuts_and_every_text_comes_back(texts):
    found = cells(texts)
    assert [tables.cell_from_csv(cell) for cell in found] == texts
    for cell in found:
        assert not re.match(r"[=+\-@\t\r\n＝]", cell)
        assert not any(re.match(r"[=+\-@＝]", part) for part in re.split(r"[;\t\r\n]", cell))


def test_a_spreadsheet_learns_that_a_csv_is_utf_8():
    content = tables.csv_bytes(pd.DataFrame({"name": ["Lücke"]}))
    assert content == "\ufeffname\nLücke\n".encode()


def test_positions_of_images_that_have_no_id_are_refused():
    with pytest.raises(FlowError, match="up to number 1, but 1 ids"):
        tables.travel_csv(travel(), IDS[:1])


def test_a_projection_is_one_line_per_point_and_time():
    projection = Projection("umap", T, numbers(1, (3, 2, 2)), 2)
    found = table(tables.projection_csv(projection, POSITIONS, IDS))
    assert np.array_equal(found[["x", "y"]].to_numpy(np.float32), np.swapaxes(projection.points, 0, 1).reshape(-1, 2))
    assert found.t.tolist() == [0, 0.5, 1] * 2 and set(found.method) == {"umap"}
    with pytest.raises(FlowError, match="3 points do not belong to 2 positions"):
        tables.projection_csv(Projection("pca", T, np.zeros((3, 3, 2)), 3), POSITIONS, IDS)


def test_steps_are_one_line_each_and_a_metric_that_is_not_defined_is_empty():
    rows = [
        StepsRow("euler", 1, 1, 0.5, {"image_auroc": 0.75, "aupro": None}, {"good": (1.0, 2.0, 3.0)}, False),
        StepsRow("heun", 4, 8, 4.25, {"image_auroc": 0.875, "aupro": 0.5}, {"good": (4.0, 5.0, 6.0)}, True),
    ]
    found = table(tables.steps_csv(rows))
    assert found[
        ["solver", "steps", "evaluations", "is_default", "ms_per_image", "image_auroc"]
    ].to_numpy().tolist() == [
        ["euler", 1, 1, False, 0.5, 0.75],
        ["heun", 4, 8, True, 4.25, 0.875],
    ]
    assert np.isnan(found.aupro[0]) and found.aupro[1] == 0.5
    assert found[["norm_good_5_percent", "norm_good_median", "norm_good_95_percent"]].to_numpy().tolist() == [
        [1, 2, 3],
        [4, 5, 6],
    ]


def test_returns_and_escapes_are_one_line_per_group_and_step_or_time():
    found = table(tables.return_csv([ReturnTrip("euler", 4, {"good": (0.125, 0.25, 0.5), "-odd": (1.0, 2.0, 3.0)})]))
    assert found.to_numpy().tolist() == [["euler", 4, "good", 0.125, 0.25, 0.5], ["euler", 4, "'-odd", 1, 2, 3]]
    escaped = table(tables.escape_csv(T, {"good": np.array([0.0, 0.25, 0.5]), "crack": np.array([0.5, 0.75, 1.0])}))
    assert escaped.query("group == 'crack' and t == 0.5").share_outside.item() == 0.75
    assert len(escaped) == 6


def test_each_line_of_the_ideal_is_a_position_at_a_time_on_its_own_path():
    """One position goes from (2, 4) to (0, 0): half-way it is at (1, 2)."""
    start = np.array([[2.0, 4.0], [1.0, 1.0]])
    norms = np.array([[3.0, 1.0], [2.0, 1.5], [1.0, 2.0]])
    given = Ideal(
        T, start, {"worst": np.zeros((2, 2))}, np.ones((3, 2, 2)), {"worst": norms, "learned": norms}, {}, {}, "worst"
    )
    found = table(tables.ideal_csv(given))
    line = found.query("coupling == 'worst' and position == 0 and t == 0.5")
    assert line[["x", "y", "norm"]].to_numpy().tolist() == [[1.0, 2.0, 2.0]]
    assert len(found) == 12
    assert table(tables.depth_csv(T, np.array([1.0, 0.5, -2.0]))).to_numpy().tolist()[-1] == [1.0, -2.0]


def test_each_ring_of_the_radius_map_is_a_line_with_its_two_radii():
    found = table(
        tables.radius_csv(T, np.array([0.0, 2.0, 4.0]), {"good": np.array([[1.0, 0.0], [0.5, 0.5], [0.25, 0.75]])})
    )
    assert found.to_numpy().tolist()[-1] == ["good", 1.0, 2.0, 4.0, 0.75]
    assert len(found) == 6


def test_a_landscape_point_keeps_its_own_field_and_potential():
    x, y = np.array([-1.0, 0.0, 1.0]), np.array([10.0, 20.0])
    velocity, potential = np.arange(12.0).reshape(2, 3, 2), np.arange(6.0).reshape(2, 3)
    found = table(tables.landscape_csv(Landscape(0.5, x, y, velocity, potential, 0.9, 0.4, ("one", "other"))))
    assert found.query("x == 1 and y == 20")[["t", "velocity_x", "velocity_y", "potential"]].to_numpy().tolist() == [
        [0.5, 10.0, 11.0, 5.0]
    ]


def test_nothing_to_write_is_still_a_header():
    assert table(tables.return_csv([])).columns.tolist()[:3] == ["solver", "steps_each_way", "group"]
    assert tables.escape_csv(T, {}).decode("utf-8-sig") == "group,t,share_outside\n"


# ---- the menu


def menu() -> None:
    """A page with one menu; its address names the run. `st` and the rest are imported here, because this function is
    run as a script.
    """
    import streamlit as st

    from pages.ui import state
    from pages.ui.downloads import show_downloads
    from wtflow.errors import MovieError

    def too_early() -> bytes:
        raise RuntimeError("drawn before a click")

    def movie(ending, progress) -> bytes:
        progress(1, 2)
        if st.session_state.get("fails"):
            raise MovieError("No frame.", fix="Choose some.")
        return b"a movie"

    state.sync("page", ("run",))
    show_downloads("paths", png=too_early, svg=too_early, csv=too_early, movie=movie)


def open_menu(**session: object) -> AppTest:
    page = AppTest.from_function(menu, default_timeout=PATIENCE_S)
    page.query_params["run"] = "20260101-screw.1"
    for key, value in session.items():
        page.session_state[key] = value
    return page.run()


def buttons(page: AppTest) -> dict[str, object]:
    return {button.label: button for button in page.button}


def offered(page: AppTest) -> list[str]:
    return [element.proto.label for element in page.get("download_button")]


def test_the_menu_offers_the_files_and_draws_none_of_them():
    page = open_menu()
    assert not page.exception
    assert offered(page) == ["PNG", "SVG", "CSV"]
    assert all(element.proto.deferred_file_id for element in page.get("download_button"))


def test_a_file_is_named_after_its_run_and_its_figure():
    assert file_name("20260101-screw.v2", "paths", "png") == "20260101-screw.v2-paths.png"
    assert file_name(None, "steps / norms", "csv") == "figure-steps___norms.csv"


def test_a_movie_is_made_by_a_button_and_then_offered():
    page = open_menu()
    buttons(page)["Make GIF"].click().run()
    assert not page.exception
    assert "Save GIF" in offered(page)


def test_a_movie_that_cannot_be_made_says_why():
    page = open_menu(fails=True)
    buttons(page)["Make GIF"].click().run()
    assert page.error[0].value == "**No frame.**  \nChoose some."
    assert "Save GIF" not in offered(page)


def test_without_ffmpeg_the_menu_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    page = open_menu()
    assert buttons(page)["Make MP4"].disabled and not buttons(page)["Make GIF"].disabled
    assert "sudo apt install ffmpeg" in page.caption[0].value
