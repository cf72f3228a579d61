"""Pages of a run whose images were deleted, moved or replaced: they show what was scored, or say that they cannot."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from made_once import answered_run, copy_store
from page_runs import OpenPage, texts
from PIL import Image
from run_folders import write_tiny_category
from streamlit.testing.v1 import AppTest

from wtflow.pictures import CHANGED, GONE
from wtflow.store import layout
from wtflow.store.runs import RunStore

SAMPLE = "test/spot/000.png"
SECOND = "20200101-000000-plate"
PAGES_OF_A_RUN = {
    "results": {},
    "localization": {"sample": SAMPLE, "position": "1,1"},
    "failures": {"sample": SAMPLE},
    "trajectories": {},
    "wells": {},
    "inspect": {},
    "train": {},
    "overview": {},
    "data": {},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """A store, the images, and a run with a second one beside it."""
    made, run_id = answered_run(tmp_path_factory, 2, 3)
    home = tmp_path_factory.mktemp("gone")
    copy_store(made, RunStore(home))
    shutil.copytree(home / run_id, home / SECOND)
    path = home / SECOND / layout.CONFIG
    values = json.loads(path.read_text())
    path.write_text(json.dumps(values | {"run_id": SECOND, "created": 0.0}))
    return home, made.parent / "images", run_id


@pytest.fixture
def run_id(trained, store: RunStore, root: Path) -> str:
    """The run over images of its own, which a test may change."""
    home, images, run_id = trained
    shutil.copytree(home, store.home, dirs_exist_ok=True)
    for one in (run_id, SECOND):
        for name in (layout.CONFIG, layout.DATA):
            path = store.folder(one) / name
            path.write_text(path.read_text().replace(str(images), str(root)))
        table = store.scores(one)
        for name in ("path", "mask_path"):
            table[name] = table[name].str.replace(str(images), str(root))
        store.write_scores(one, table)
    return run_id


def replace_image(root: Path) -> None:
    pixels = np.random.default_rng(99).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(root / "plate" / SAMPLE)


def pictures(page: AppTest) -> list[str]:
    """Addresses of the pictures of a page; Streamlit names them by their contents."""
    return [one.url for element in page.get("image") for one in element.proto.imgs]


def shown(open_page: OpenPage, name: str, **params: str) -> AppTest:
    page = open_page(name, **params)
    assert not page.exception, name
    return page


def params_of(name: str, run_id: str) -> dict:
    return {"runs": [run_id, SECOND], "part": "images"} if name == "compare" else {"run": run_id} | PAGES_OF_A_RUN[name]


@pytest.mark.parametrize("name", [*PAGES_OF_A_RUN, "compare"])
@pytest.mark.parametrize("keeps", ["pictures", "no pictures", "neither pictures nor masks"])
def test_every_page_opens_when_all_images_are_gone(
    open_page: OpenPage, store: RunStore, root: Path, run_id: str, name: str, keeps: str
):
    for one in (run_id, SECOND) if keeps != "pictures" else ():
        (store.folder(one) / layout.PICTURES).unlink()
        if keeps != "no pictures":  # as a run of 0.3.0
            (store.folder(one) / layout.TRUTH).unlink()
            store.write_metrics(one, {k: v for k, v in store.metrics(one).items() if k != "files"})
    shutil.rmtree(root)
    page = shown(open_page, name, **params_of(name, run_id))
    alone = texts(page).count("its map stands alone") + texts(page).count("No picture left")
    if name in ("results", "failures", "localization", "compare"):
        assert (alone == 0) == (keeps == "pictures"), texts(page)
    if name == "results":
        assert ("holds no pictures of its own" in texts(page)) == (keeps != "pictures")
        assert any("no longer in" in one.label for one in page.expander)
        assert len(pictures(page)) == 5


@pytest.mark.parametrize("name", ["results", "failures"])
def test_small_pictures_are_those_that_were_scored_whatever_lies_under_their_names(
    open_page: OpenPage, root: Path, run_id: str, name: str
):
    before = pictures(shown(open_page, name, **params_of(name, run_id)))
    replace_image(root)
    for mask in (root / "plate/ground_truth/spot").iterdir():
        Image.fromarray(np.full((64, 64), 255, np.uint8)).save(mask)
    (root / "plate/test/spot/002.png").unlink()
    st.cache_data.clear()
    st.cache_resource.clear()
    assert len(before) >= 3
    assert pictures(shown(open_page, name, **params_of(name, run_id))) == before


@pytest.mark.parametrize(("happens", "note"), [("replaced", CHANGED), ("gone", GONE)])
def test_localization_says_why_it_shows_the_runs_own_picture_and_computes_on_no_other(
    open_page: OpenPage, root: Path, run_id: str, happens: str, note: str
):
    params = params_of("localization", run_id)
    page = shown(open_page, "localization", **params)
    assert note not in texts(page) and not page.error
    replace_image(root) if happens == "replaced" else (root / "plate" / SAMPLE).unlink()
    page = shown(open_page, "localization", **params)  # the same process: what it kept in memory does not count
    assert note in texts(page)
    refused = " ".join(error.value.replace("\\", "") for error in page.error)
    assert SAMPLE in refused and ("has changed" if happens == "replaced" else "does not exist") in refused
    assert any("no longer in" in one.label for one in page.expander) == (happens == "gone")
    page.toggle(key="what_if_open").set_value(True).run()  # redraws the section alone
    assert not page.exception
    assert SAMPLE in page.error[-1].value.replace("\\", "")


def test_a_mask_that_is_redrawn_moves_the_outline_on_the_data_page_and_not_on_the_runs(
    open_page: OpenPage, root: Path, run_id: str
):
    pages = [("data", {"root": str(root), "category": "plate", "group": "test spot"}), ("results", {"run": run_id})]
    before = [pictures(shown(open_page, name, **params)) for name, params in pages]
    mask = np.zeros((64, 64), np.uint8)
    mask[40:60, 4:30] = 255
    Image.fromarray(mask).save(root / "plate/ground_truth/spot/000_mask.png")
    after = [pictures(shown(open_page, name, **params)) for name, params in pages]
    assert len(before[1]) == 5
    thumbnails = zip(before[0][-3:], after[0][-3:], strict=True)  # above them, findings have a picture, too
    assert [a != b for a, b in thumbnails] == [True, False, False]
    assert before[1] == after[1]


def test_a_run_is_told_on_the_page_where_its_images_are(open_page: OpenPage, tmp_path: Path, root: Path, run_id: str):
    root.rename(tmp_path / "disk")
    page = shown(open_page, "localization", **params_of("localization", run_id))
    assert GONE in texts(page)
    page.text_input(key=f"new_root_{run_id}").set_value(str(tmp_path))
    page.button(key="relocate").click().run()
    assert "has no folder plate" in texts(page)
    other = write_tiny_category(tmp_path / "other", n_good=2, n_bad=2)
    page.text_input(key=f"new_root_{run_id}").set_value(str(other))
    page.button(key="relocate").click().run()
    assert "images and masks agree" in texts(page) and "are missing" in texts(page)
    page.text_input(key=f"new_root_{run_id}").set_value(str(tmp_path / "disk"))
    page.button(key="relocate").click().run()
    assert not page.exception and not page.error
    assert GONE not in texts(page)
    assert not any("no longer in" in one.label for one in page.expander)
