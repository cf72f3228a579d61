"""The dialog that corrects an image starts from the mask that it has; a copy is compared with the folder behind it."""

import base64
import io
import json
from pathlib import Path

import numpy as np
from page_runs import OpenPage, components, texts
from PIL import Image
from streamlit.testing.v1 import AppTest
from test_compare_page import TWIN, write_twin

from wtflow.store import layout
from wtflow.store.dataset_versions import version_root
from wtflow.store.datasets import create_set
from wtflow.store.runs import RunStore


def ask(open_page: OpenPage, run_id: str, sample: str) -> AppTest:
    """The page with the dialog, in which *This is a defect* is chosen."""
    page = open_page("localization", run=run_id, sample=sample)
    page.session_state["correct_kind"] = "defect"
    page.button(key="correct").click().run()
    assert not page.exception and not page.error
    return page


def drawn_on(page: AppTest) -> str:
    """The mask that the editor opens with."""
    (editor,) = [one for one in components(page) if one.key == "correct_mask"]
    return json.loads(editor.proto.json)["mask"]


def test_the_editor_opens_with_the_mask_of_the_image_and_says_whether_there_is_one(
    open_page: OpenPage, finished: str, root: Path
):
    page = ask(open_page, finished, "test/spot/000.png")
    png = base64.b64decode(drawn_on(page).partition(",")[2])
    truth = Image.open(root / "plate/ground_truth/spot/000_mask.png")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png))), np.asarray(truth))
    assert "This is the mask that it has" in texts(page)
    page = ask(open_page, finished, "test/good/000.png")
    assert drawn_on(page) == "" and "It has no mask yet" in texts(page)


def test_a_run_on_a_copy_under_another_name_is_offered_with_the_runs_on_the_folder(
    open_page: OpenPage, store: RunStore, finished: str, root: Path
):
    create_set(store, "plate 2", origin=str(root / "plate"))
    write_twin(store, finished)
    path = store.folder(TWIN) / layout.CONFIG
    there = {"root": str(version_root(store, "plate 2", 1)), "category": "plate 2"}
    path.write_text(json.dumps(json.loads(path.read_text()) | there))
    table, data = store.scores(TWIN), store.data(TWIN)
    names = {name: name.replace("/00", "/a-00") for name in table.sample_id}
    store.write_scores(TWIN, table.replace({"sample_id": names}))
    for one in data["samples"]:
        one["id"] = names.get(one["id"], one["id"])
    store.write_data(TWIN, data)
    page = open_page("compare")
    assert not page.exception and not page.error
    assert page.query_params["runs"] == [finished, TWIN]
    assert "same 5 images (2 normal, 3 defective), equal by content: 5 have another name in B" in texts(page)
    page = open_page("compare", runs=[finished, TWIN], part="images", sample="test/spot/000.png")
    assert not page.exception
    links = {link.proto.label: link.proto.query_string for link in page.get("page_link")}
    assert "sample=test%2Fspot%2Fa-000.png" in links["Look at it in B"], "each run is asked for its own name"
