import shutil
from pathlib import Path

import numpy as np
import pytest
from page_runs import OpenPage, open_with_size, texts, write_run
from PIL import Image
from safetensors.numpy import save_file

from pages.ui import health
from pages.ui.train import size_field
from pages.ui.train.fields import ADVANCED, MAIN, WEIGHTS
from wtflow.config import FILLED_IN, WEIGHT_WORDS, Settings
from wtflow.jobs import listing, trainings
from wtflow.records.core import RunStatus
from wtflow.records.reading import Reading
from wtflow.store.runs import RunStore


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Settings]]:
    """What was asked to be trained; no process is started."""
    asked = []

    def start(store: RunStore, root: Path, category: str, settings: Settings, reading: Reading, sized=None) -> str:
        asked.append((category, settings))
        run_id = store.create(root, category, settings, reading, sized)
        store.write_status(run_id, RunStatus(state="stopped", heartbeat=1.0, message="Not run in this test."))
        return run_id

    monkeypatch.setattr(trainings, "start", start)
    return asked


def button(page, label: str):
    return next(button for button in page.button if button.label == label)


def test_the_form_has_a_field_for_every_setting():
    shown = {"preset", "image_size", *MAIN, *(name for names in ADVANCED.values() for name in names)} - {"length"}
    assert shown == set(Settings.model_fields) - {FILLED_IN}


def test_the_form_opens_on_preset_fast_with_an_estimate(open_page: OpenPage, root: Path):
    page = open_page("train", root=str(root))
    assert not page.exception
    assert page.number_input(key="set_width").value == 256
    assert {metric.label for metric in page.metric} >= {"Expected time", "Space on disk"}


def test_start_trains_with_the_changed_settings_and_watches_the_run(open_page: OpenPage, root: Path, started):
    page = open_page("train", root=str(root))
    page.number_input(key="set_iterations").set_value(7)
    page.selectbox(key="set_coupling").set_value("independent")
    button(page, "Start training").click().run()
    assert not page.exception
    ((category, settings),) = started
    assert (category, settings.iterations, settings.coupling) == ("plate", 7, "independent")
    assert page.query_params["watch"] and not page.number_input


def test_the_size_is_chosen_with_a_reason_and_what_others_cost_unless_a_person_chooses(
    open_page: OpenPage, root: Path, started
):
    page = open_page("train", root=str(root))
    field = page.selectbox(key="set_image_size")
    assert field.value == "auto" and field.options[0].startswith("auto: 256 px, ")
    assert field.options[2].startswith("384 px, "), "with its time"
    assert "**Image size 256 px:** the smallest that is chosen unasked; the normals have 64 px" in texts(page)
    assert "Expected time: about " in texts(page) and "; 384 px: about " in texts(page)
    button(page, "Start training").click().run()
    page = open_with_size(root, "96")
    assert "**Image size 96 px** as you chose; auto would be 256 px" in texts(page)
    button(page, "Start training").click().run()
    assert [settings.image_size for _, settings in started] == [256, 96]
    chosen = [RunStore().config(run_id).sized for run_id in reversed(RunStore().ids())]
    assert chosen[0].size_px == 256 and chosen[1] is None
    page = open_page("train", watch=RunStore().ids()[-1])
    assert "Image size 256 px (auto): the smallest" in texts(page).replace("\\", "")


def test_a_label_that_a_browser_sends_late_and_words_that_are_no_size(store: RunStore, root: Path):
    for typed, taken in (("auto: 448 px, 9 s", "auto"), ("320 px, 1 min 2 s", "320"), (" 400px", "400")):
        assert size_field._read(typed) == taken
    page = open_with_size(root, "auto: 448 px, 9 s")
    assert page.selectbox(key="set_image_size").value == "auto" and not page.error
    page = open_with_size(root, "38.4")
    assert "image_size" in page.error[0].value.replace("\\", "") and button(page, "Start training").disabled
    page.button_group(key="set_preset").set_value("paper").run()
    assert page.selectbox(key="set_image_size").value == "256", "the paper's own"
    assert "**Image size 256 px** as preset paper has it" in texts(page)


def test_less_time_gives_a_smaller_size(open_page: OpenPage, root: Path):
    wave = np.tile(127 + 100 * np.sin(2 * np.pi * np.arange(512) / 3), (512, 1))  # it takes 341 px
    for path in (root / "plate/train/good").iterdir():
        Image.fromarray(wave.astype(np.uint8)).save(path)
    page = open_page("train", root=str(root))
    page.number_input(key="set_iterations").set_value(3000).run()
    assert page.selectbox(key="set_image_size").options[0].startswith("auto: 384 px")
    page.number_input(key="size_minutes").set_value(1).run()
    assert page.selectbox(key="set_image_size").options[0].startswith("auto: 256 px")
    assert "384 px would show more" in texts(page) and "1 min 0 s are allowed" in texts(page)


def test_the_folded_settings_say_how_many_differ_from_the_preset(open_page: OpenPage, root: Path):
    page = open_page("train", root=str(root))

    def line() -> str:
        return next(box.label for box in page.expander if "Settings" in box.label)

    assert "as the preset has them" in line()
    page.number_input(key="set_seed").set_value(5).run()
    page.text_input(key="set_stages").set_value("1, 2,3").run()  # the preset's, written otherwise
    page.toggle(key="set_umap_after").set_value(False).run()
    assert line() == "**Settings: 2 changed** (Seed, Prepare the UMAP of the wells, too)"
    button(page, "Back to preset fast").click().run()
    assert "as the preset has them" in line() and page.number_input(key="set_seed").value == 0


def test_findings_are_counted_in_a_line_that_is_open_where_something_must_be_done(open_page: OpenPage, root: Path):
    shutil.copytree(root / "plate/test/good", root / "plate/test/OK")
    page = open_page("train", root=str(root))
    (fold,) = [box for box in page.expander if "warning" in box.label]
    assert fold.label.startswith("**3 warnings:** test/OK") and not fold.proto.expanded
    (root / "plate/train/good/000.png").write_bytes(b"no picture")
    page.run()
    (fold,) = [box for box in page.expander if "to fix" in box.label]
    assert fold.label.startswith("**1 problem to fix, 3 warnings:** 1 image cannot be read") and fold.proto.expanded


def test_a_preset_brings_all_its_values(open_page: OpenPage, root: Path):
    page = open_page("train", root=str(root))
    page.number_input(key="set_width").set_value(99).run()
    page.button_group(key="set_preset").set_value("paper").run()
    assert page.number_input(key="set_width").value == 128
    assert page.number_input(key="set_epochs").value == 100


def test_settings_that_do_not_fit_together_block_the_start(open_page: OpenPage, root: Path):
    page = open_page("train", root=str(root))
    page.selectbox(key="set_scope").set_value("image").run()
    assert "whole images" in page.error[0].value
    assert button(page, "Start training").disabled


def test_a_category_with_health_errors_is_not_started(open_page: OpenPage, root: Path, started):
    shutil.rmtree(root / "plate/train/good")
    (root / "plate/train/good").mkdir()
    page = open_page("train", root=str(root))
    button(page, "Start training").click().run()
    assert not page.exception
    assert "cannot be trained yet" in page.error[0].value
    assert started == []


def test_what_is_wrong_with_the_images_stands_above_the_button(open_page: OpenPage, root: Path, started):
    shutil.copytree(root / "plate/test/good", root / "plate/test/OK")
    (root / "plate/train/good/000.png").rename(root / "plate/train/good/x.txt")
    page = open_page("train", root=str(root))
    words = texts(page).replace("\\", "")
    assert "test/OK (2 images, without masks) counts as a defect type, but its name says good." in words
    assert "nothing reads" not in words, "notes stay on the data page"
    button(page, "Read test/OK as good").click().run()
    assert not page.exception
    assert "As you said, this reads test/OK as good." in texts(page).replace("\\", "")
    assert "counts as a defect type" not in texts(page)
    button(page, "Start training").click().run()
    assert RunStore().config(page.query_params["watch"]).reading == Reading(good=("OK",))
    assert len(started) == 1


def test_regions_are_compared_with_the_map_of_the_size_that_is_chosen(open_page: OpenPage, root: Path):
    """A square of 2 px in 300 is a pixel of the map at 150: more at 256, less at 64."""
    for path in (root / "plate").rglob("*.png"):
        Image.open(path).resize((300, 300), Image.Resampling.NEAREST).save(path)
    for path in (root / "plate/ground_truth/spot").iterdir():
        mask = np.zeros((300, 300), np.uint8)
        mask[100:102, 100:102] = 255
        Image.fromarray(mask).save(path)
    page = open_page("train", root=str(root))
    assert "3 regions, none smaller than a pixel of the map at 256 px." in texts(page)
    assert "are smaller than a pixel" not in texts(page)
    page = open_with_size(root, "64")
    assert "3 of 3 regions are smaller than a pixel of the map at 64 px; at 150 px none would be." in texts(page)


def test_warnings_that_only_reading_every_image_shows_ask_for_a_second_click(
    open_page: OpenPage, root: Path, started, monkeypatch
):
    monkeypatch.setattr(health, "CHECK_AT_ONCE", 3)
    shutil.copy(root / "plate/train/good/000.png", root / "plate/test/good/copy.png")
    page = open_page("train", root=str(root))
    assert "same pixels" not in texts(page)
    button(page, "Start training").click().run()
    assert next(box for box in page.expander if "warning" in box.label).proto.expanded
    assert started == [] and "1 test image with the same pixels as a training image" in texts(page)
    button(page, "Start training").click().run()
    assert len(started) == 1


def test_a_busy_category_gets_the_sentence_of_the_store(open_page: OpenPage, store: RunStore, root: Path, monkeypatch):
    monkeypatch.setattr(trainings, "reconcile", lambda store, progress=None: listing.look(store))
    run_id = write_run(store, root)
    store.write_status(run_id, RunStatus(state="queued", heartbeat=1.0))
    page = open_page("train", root=str(root))
    button(page, "Start training").click().run()
    assert "is already being trained" in page.error[0].value


def test_a_stopped_run_can_be_resumed_and_deleted_but_not_stopped(open_page: OpenPage, store: RunStore, root: Path):
    run_id = write_run(store, root)
    store.write_status(
        run_id, RunStatus(state="stopped", stage="train", percent=40.0, heartbeat=1.0, message="Stopped.")
    )
    page = open_page("train", watch=run_id)
    assert not page.exception
    labels = {button.label for button in page.button}
    assert {"Resume", "Delete"} <= labels and "Stop" not in labels


def test_a_finished_run_offers_to_resume_only_where_a_file_of_it_is_lost_and_names_that(
    open_page: OpenPage, store: RunStore, finished: str, monkeypatch
):
    monkeypatch.setattr(trainings, "_max_running", lambda: 0)
    checkpoint = store.folder(finished) / "checkpoints/last.safetensors"
    checkpoint.parent.mkdir(exist_ok=True)
    save_file({"velocity.a": np.zeros(3, np.float32)}, checkpoint)
    page = open_page("train", watch=finished)
    assert not {"Resume", "Write it again"} & {button.label for button in page.button}
    assert not page.warning
    checkpoint.unlink()
    page = open_page("train", watch=finished)
    assert "no checkpoint" in page.warning[0].value
    (store.folder(finished) / "maps.npy").unlink()
    page = open_page("train", watch=finished)
    assert "maps.npy is missing" in page.error[0].value.replace("\\", "")
    button(page, "Write it again").click().run()
    assert not page.exception
    assert store.status(finished).state == "queued"


def test_deleting_asks_first(open_page: OpenPage, store: RunStore, root: Path, finished: str):
    page = open_page("train", watch=finished)
    button(page, "Delete").click().run()
    assert not page.exception
    assert {button.label for button in page.button} >= {"Keep it", "Delete for good"}
    assert store.ids() == [finished]


def test_a_failed_run_shows_what_was_wrong_and_what_to_do(open_page: OpenPage, store: RunStore, root: Path):
    run_id = write_run(store, root)
    store.write_status(
        run_id,
        RunStatus(state="failed", heartbeat=1.0, message="The disk is full.", fix="Free some space, then resume."),
    )
    page = open_page("train", watch=run_id)
    assert "The disk is full" in page.error[0].value and "Free some space" in page.error[0].value


@pytest.mark.parametrize("watched", ["nonsense", "../../etc/passwd", "20260101-000000-plate"])
def test_an_unknown_run_gets_a_sentence(open_page: OpenPage, watched: str):
    page = open_page("train", watch=watched)
    assert not page.exception
    assert "There is no run" in page.error[0].value


def test_every_source_of_weights_can_be_chosen_by_its_label(open_page: OpenPage, root: Path):
    """Also one that is added to the settings: its label is then its word and meaning."""
    assert list(WEIGHTS) == [*WEIGHT_WORDS, "file"]
    assert all(WEIGHTS[word].lower().startswith(word) for word in WEIGHT_WORDS)
    assert open_page("train", root=str(root)).selectbox(key="set_weights").options == list(WEIGHTS.values())


def test_an_embedded_or_untrained_backbone_is_named_before_the_start(open_page: OpenPage, root: Path):
    page = open_page("train", root=str(root))
    assert "Embedded backbone" in texts(page) and "ImageNet weights find a little more" in texts(page)
    page.selectbox(key="set_weights").set_value("untrained").run()
    assert "random weights" in texts(page) and "Embedded backbone" not in texts(page)


def test_a_backbone_that_the_embedded_weights_do_not_fit_is_refused_before_the_start(open_page: OpenPage, root: Path):
    page = open_page("train", root=str(root))
    page.selectbox(key="set_backbone").set_value("wide_resnet50_2").run()
    assert "embedded weights are for resnet18" in page.error[0].value
    assert button(page, "Start training").disabled


def test_what_a_network_takes_and_whose_weights_and_values_are_is_said_before_the_start(
    open_page: OpenPage, root: Path, started
):
    page = open_page("train", root=str(root))
    page.segmented_control(key="set_preset").set_value("paper").run()
    assert "Which values are ours" in "".join(one.label for one in page.expander)
    assert "licence apache-2.0" in texts(page) and not page.warning
    held = {"preset": "paper", "backbone": "vit_small_patch16_dinov3", "stages": "2,5,8,11"}
    page = open_with_size(root, "250", held)
    assert not page.exception
    assert "Meta's own DINOv3 licence" in page.warning[0].value
    assert "Image size 256 px instead of 250" in texts(page).replace("\\", "")
    button(page, "Start training").click().run()
    ((_, settings),) = started
    assert (settings.image_size, settings.stages, settings.cells) == (256, (2, 5, 8, 11), (16,) * 4)
