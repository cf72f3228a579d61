"""Odd masks on the pages Data and Train: the choice on the finding, what it changes, and the way back."""

from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from page_runs import OpenPage, open_with_size, texts
from PIL import Image

from wtflow.errors import StoreError
from wtflow.records.reading import Reading
from wtflow.store.readings import keep_reading, reading_of
from wtflow.store.runs import RunStore

UNCLEAR = "It is not certain what the masks mean"


@pytest.fixture
def odd(root: Path) -> Path:
    """The tiny category with masks of 0, 1 and a rim of 255."""
    for path in (root / "plate/ground_truth/spot").iterdir():
        mask = np.asarray(Image.open(path)) > 0
        row, column = np.argwhere(mask).min(0)
        values = np.zeros(mask.shape, np.uint8)
        values[max(0, row - 2) : row + 14, max(0, column - 2) : column + 14] = 255
        values[mask] = 1
        Image.fromarray(values).save(path)
    return root


def words(page) -> str:
    return texts(page).replace("\\", "")


def tables(page) -> str:
    return "".join(element.proto.body for element in page.get("html"))


def use(page, rule: str):
    """Press the button of the card that shows a rule."""
    cards = [text.value for text in page.markdown if text.value.startswith("**`")]
    return page.button(key=f"mask_use_{cards.index(f'**`{rule}`**')}").click().run()


@pytest.mark.parametrize("where", ["data", "train"])
def test_odd_masks_are_a_question_that_a_click_settles_and_another_takes_back(
    open_page: OpenPage, store: RunStore, odd: Path, where: str
):
    page = open_page(where, root=str(odd))
    assert not page.exception
    assert UNCLEAR in words(page) and "What the masks mean" not in str(page.expander)
    assert "unclear</td>" in tables(page)
    assert "1 is the defect; 255 counts in neither class; everything else is normal." in words(page)
    page = use(page, "defect=1,ignore=255")
    assert not page.exception
    assert reading_of(store, odd, "plate") == Reading(masks="defect=1,ignore=255")
    assert UNCLEAR not in words(page)
    assert "What the masks mean: `defect=1,ignore=255`, as a person said" in [box.label for box in page.expander]
    assert "left out</td>" in tables(page) and "unclear</td>" not in tables(page)
    assert "3 regions, none smaller than a pixel of the map at 256 px." in words(page)
    next(button for button in page.button if button.label == "Forget it").click().run()
    assert reading_of(store, odd, "plate") == Reading()
    assert UNCLEAR in words(page)


def test_before_a_training_stands_of_which_defects_pixel_metrics_will_be(open_page: OpenPage, odd: Path):
    page = open_page("train", root=str(odd))
    absent = "Pixel metrics will be absent: 3 of 3 defective images have masks whose values are unclear."
    assert absent in page.warning[0].value.replace("\\", "")
    page = use(page, "defect=nonzero")
    assert not page.warning
    (odd / "plate/ground_truth/spot/001_mask.png").unlink()
    st.cache_data.clear()  # folders are listed again after some seconds
    page.run()
    assert page.warning[0].value.replace("\\", "") == (
        "Pixel metrics will be of 2 of 3 defects only: 1 of 3 defective images has no mask. To have them of all, add"
        " the masks before you train. Image metrics do not need masks."
    )


def test_a_rule_of_ones_own_is_shown_before_it_holds_and_a_wrong_one_gets_a_sentence(
    open_page: OpenPage, store: RunStore, odd: Path
):
    page = open_page("data", root=str(odd))
    page.text_input(key="mask_rule_plate_auto").set_value("defekt=1").run()
    assert "'defekt=1' in 'defekt=1' is no rule for masks." in page.error[0].value.replace("\\", "")
    page.text_input(key="mask_rule_plate_auto").set_value("defect=1").run()
    assert not page.error and not page.exception
    page.checkbox(key="mask_invert_plate_auto").check().run()
    assert "1 is normal; everything else is the defect." in words(page)
    assert reading_of(store, odd, "plate") == Reading(), "nothing holds before it is said"
    page.button(key="mask_use_own").click().run()
    assert reading_of(store, odd, "plate") == Reading(masks="invert,defect=1")
    page.toggle(key="mask_open_plate_invert,defect=1").set_value(True).run()
    assert page.text_input(key="mask_rule_plate_invert,defect=1").value == "invert,defect=1"
    assert page.button(key="mask_use_own").disabled, "it holds already"
    page = use(page, "defect=255,ignore=1")
    assert reading_of(store, odd, "plate") == Reading(masks="defect=255,ignore=1")
    assert not page.exception


def test_what_was_said_about_folders_stays_when_masks_are_settled(open_page: OpenPage, store: RunStore, odd: Path):
    (odd / "plate/test/good").rename(odd / "plate/test/OK")
    keep_reading(store, odd, "plate", Reading(good=("OK",)))
    page = use(open_page("data", root=str(odd)), "defect=nonzero")
    assert reading_of(store, odd, "plate") == Reading(masks="defect=nonzero", good=("OK",))
    next(button for button in page.button if button.label == "Forget it").click().run()
    assert reading_of(store, odd, "plate") == Reading(good=("OK",))


def test_a_second_tab_reads_masks_as_the_first_one_said(open_page: OpenPage, odd: Path):
    first, second = open_page("data", root=str(odd)), open_page("train", root=str(odd))
    use(first, "defect=1,ignore=255")
    second.run()
    assert not second.exception and UNCLEAR not in words(second)


def test_a_store_that_cannot_be_written_gets_a_sentence(open_page: OpenPage, store: RunStore, odd: Path, monkeypatch):
    def refuse(*_):
        raise StoreError("The folder of runs is read-only.", fix="Make it writable.")

    page = open_page("data", root=str(odd))
    monkeypatch.setattr("pages.ui.masks.choice.keep_reading", refuse)
    page = use(page, "defect=1,ignore=255")
    assert not page.exception
    assert "is read-only" in page.error[0].value and UNCLEAR in words(page)


def test_masks_that_are_certain_are_shown_folded_and_may_be_said_otherwise(
    open_page: OpenPage, store: RunStore, root: Path
):
    page = open_page("data", root=str(root))
    box = next(box for box in page.expander if box.label.startswith("What the masks mean"))
    assert box.label == "What the masks mean: `defect=255`, read without doubt" and not box.proto.expanded
    page.toggle(key="mask_open_plate_auto").set_value(True).run()
    page = use(page, "invert")
    assert reading_of(store, root, "plate") == Reading(masks="invert")
    assert not page.exception


def test_masks_of_turned_images_may_be_said_to_be_as_stored(open_page: OpenPage, store: RunStore, root: Path):
    for path in (root / "plate/test/spot").iterdir():
        image = Image.open(path)
        exif = Image.Exif()
        exif[274] = 3
        image.save(path, exif=exif)
    page = open_page("data", root=str(root))
    assert "that EXIF turns otherwise than the image" in words(page)
    assert next(box for box in page.expander if box.label.startswith("What the masks mean")).proto.expanded
    page.toggle(key="mask_open_plate_auto").set_value(True).run()
    page.toggle(key="mask_as_stored_plate").set_value(True).run()
    page = use(page, "auto")
    assert reading_of(store, root, "plate") == Reading(masks_as_stored=True)
    assert not page.exception and "EXIF turns otherwise" not in words(page)


def test_the_size_that_is_chosen_counts_the_regions_that_are_too_small(open_page: OpenPage, root: Path):
    """A region of one pixel of 128 x 128 is a quarter of a pixel at 64, and several at 256."""
    for path in (root / "plate/test/spot/000.png", root / "plate/ground_truth/spot/000_mask.png"):
        pixels = np.array(Image.open(path).resize((128, 128), Image.Resampling.NEAREST))
        pixels[0, 0] = 255
        Image.fromarray(pixels).save(path)
    page = open_page("train", root=str(root))
    assert "4 regions, none smaller than a pixel of the map at 256 px." in words(page)
    page = open_with_size(root, "64")
    assert "1 of 4 regions is smaller than a pixel of the map at 64 px; at 128 px none would be." in words(page)
    assert not page.exception


def test_a_rule_by_which_no_mask_can_be_read_may_be_changed_right_there(
    open_page: OpenPage, store: RunStore, root: Path
):
    keep_reading(store, root, "plate", Reading(masks="alpha"))
    page = open_page("data", root=str(root))
    box = next(box for box in page.expander if box.label == "No mask can be read by `alpha`")
    assert box.proto.expanded
    page.toggle(key="mask_open_plate_alpha").set_value(True).run()
    use(page, "auto")
    assert reading_of(store, root, "plate") == Reading()
