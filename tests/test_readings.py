"""How a person said that a data set is to be read: remembered per data set, kept in the run."""

import json
from pathlib import Path

import pytest
from image_folders import make_btad, make_mvtec, make_visa, noise, save
from shell import call, last_json

from wtflow.config import settings_from
from wtflow.config.checking import build
from wtflow.datasets.scan import good_folders, scan_category
from wtflow.errors import LayoutError, SettingsError, StoreError
from wtflow.jobs import trainings
from wtflow.records.reading import Reading
from wtflow.store import layout
from wtflow.store.readings import keep_reading, reading_of

SAID = Reading(masks="defect=1,ignore=255", good=("OK", "gut ä"), masks_as_stored=True)


# -- the store ---------------------------------------------------------------------------------------------------------


def test_a_reading_comes_back_for_its_data_set_and_for_no_other(tmp_path, store):
    keep_reading(store, tmp_path / "data", "part", SAID)
    assert reading_of(store, tmp_path / "data", "part") == SAID
    for root, category in ((tmp_path / "data", "Part"), (tmp_path / "other", "part"), (tmp_path, "part")):
        assert reading_of(store, root, category) == Reading()


def test_a_data_set_is_the_same_by_a_link_and_by_a_relative_path(tmp_path, store, monkeypatch):
    make_mvtec(tmp_path / "data/part")
    (tmp_path / "link").symlink_to(tmp_path / "data")
    keep_reading(store, tmp_path / "link", "part", SAID)
    monkeypatch.chdir(tmp_path)
    for root in (tmp_path / "data", Path("data"), tmp_path / "data/../link"):
        assert reading_of(store, root, "part") == SAID


def test_the_folder_of_images_is_left_alone_and_runs_do_not_list_readings(tmp_path, store):
    folder = make_mvtec(tmp_path / "data/part")
    before = sorted(folder.rglob("*"))
    keep_reading(store, tmp_path / "data", "part", SAID)
    assert sorted(folder.rglob("*")) == before
    assert store.ids() == []


def test_as_found_is_remembered_by_no_file(tmp_path, store):
    keep_reading(store, tmp_path, "part", SAID)
    keep_reading(store, tmp_path, "part", Reading())
    assert list((store.home / layout.READINGS).iterdir()) == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"reading": {}}', '{"root": "", "category": "", "reading": 3}'])
def test_a_damaged_file_is_told_and_never_taken_for_as_found(tmp_path, store, content):
    keep_reading(store, tmp_path, "part", SAID)
    (path,) = (store.home / layout.READINGS).iterdir()
    path.write_text(content)
    with pytest.raises(StoreError, match="unknown how part is to be read"):
        reading_of(store, tmp_path, "part")


@pytest.mark.parametrize("text", ["", "defect=", "defect=1,", "=1"])
def test_words_about_masks_that_mean_nothing_are_refused(text):
    with pytest.raises(SettingsError, match="masks"):
        build(Reading, {"masks": text})


# -- folders of good images --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make, normal", [(make_mvtec, "good"), (make_btad, "ok")])
def test_a_folder_called_good_holds_good_test_images(tmp_path, make, normal):
    folder = make(tmp_path / "part")
    save(folder / "test/Gut/7.png", noise(7))
    as_found, said = scan_category(tmp_path, "part"), scan_category(tmp_path, "part", Reading(good=("Gut",)))
    of = {"found": as_found.samples, "said": said.samples}
    assert [s.id for s in of["found"]] == [s.id for s in of["said"]]
    assert [(s.id, s.defect) for s in of["found"] if s not in of["said"]] == [("test/Gut/7.png", "Gut")]
    assert [(s.id, s.defect) for s in of["said"] if s not in of["found"]] == [("test/Gut/7.png", "good")]
    assert said.reading == Reading(good=("Gut",))


def test_names_are_taken_as_the_disk_spells_them_and_unknown_ones_refused(tmp_path):
    folder = make_mvtec(tmp_path / "part")
    save(folder / "test/OK/7.png", noise(7))
    assert good_folders(tmp_path, "part", ("ok", "OK")) == ("OK",)
    with pytest.raises(LayoutError, match="no folder test/fine") as caught:
        good_folders(tmp_path, "part", ("fine",))
    assert "OK, broken, good" in caught.value.fix
    (folder / "test/ok").mkdir(exist_ok=True)
    if len(list((folder / "test").iterdir())) == 4:  # the file system tells case
        assert good_folders(tmp_path, "part", ("ok",)) == ("ok",)
        with pytest.raises(LayoutError, match="no folder test/Ok"):
            good_folders(tmp_path, "part", ("Ok",))


def test_a_split_file_decides_what_is_good_in_visa(tmp_path):
    make_visa(tmp_path)
    with pytest.raises(LayoutError, match="1cls.csv says which images are good"):
        good_folders(tmp_path, "candle", ("Anomaly",))


# -- the shell ---------------------------------------------------------------------------------------------------------


def test_check_remembers_what_was_said_says_so_and_forgets_with_auto(tmp_path, store):
    folder = make_mvtec(tmp_path / "data/part")
    save(folder / "test/OK/7.png", noise(7))
    first = call("check", tmp_path / "data", "--good", "ok", "--mask-values", "defect=nonzero", "--json")
    assert last_json(first.stdout)["categories"][0]["counts"]["test"] == {"good": 3, "broken": 2}
    for again in (first, call("check", tmp_path / "data", "--json")):
        assert "part is read with --good OK --mask-values defect=nonzero (remembered" in again.stderr
        assert last_json(again.stdout)["categories"][0]["reading"] == {
            "masks": "defect=nonzero",
            "good": ["OK"],
            "masks_as_stored": False,
        }
    call("check", tmp_path / "data", "--masks-as-stored")
    assert reading_of(store, tmp_path / "data", "part").masks_as_stored
    last = call("check", tmp_path / "data", "--good", "auto", "--mask-values", "auto", "--masks-upright", "--json")
    assert last_json(last.stdout)["categories"][0]["counts"]["test"] == {"good": 2, "OK": 1, "broken": 2}
    assert "part is read as found again." in last.stderr
    assert reading_of(store, tmp_path / "data", "part") == Reading()


def test_words_for_all_categories_pass_over_those_without_such_a_folder(tmp_path, store):
    for name in ("cup", "nut"):
        make_mvtec(tmp_path / "data" / name)
    save(tmp_path / "data/nut/test/OK/7.png", noise(7))
    result = call("check", tmp_path / "data", "--good", "OK", "--json")
    assert [one["reading"]["good"] for one in last_json(result.stdout)["categories"]] == [[], ["OK"]]
    assert call("check", tmp_path / "data", "--good", "OK", "--category", "cup").exit_code == 2
    nowhere = call("check", tmp_path / "data", "--good", "fine")
    assert nowhere.exit_code == 2 and "No category has a folder test/fine" in nowhere.stderr


def test_a_wrong_word_ends_in_one_sentence_and_is_not_remembered(tmp_path, store):
    make_mvtec(tmp_path / "data/part")
    for words in (["--good", "fine"], ["--mask-values", "defect="]):
        for command in (["check", tmp_path / "data"], ["train", tmp_path / "data", "part"]):
            failed = call(*command, *words)
            assert failed.exit_code == 2 and "Traceback" not in failed.stderr
    assert not (store.home / layout.READINGS).exists() and store.ids() == []


# -- the run -----------------------------------------------------------------------------------------------------------


def test_a_run_starts_with_the_reading_of_its_data_set_unless_another_is_given(tmp_path, store, monkeypatch):
    monkeypatch.setattr(trainings, "_advance", lambda *_: None)  # leave them queued: no process is started
    keep_reading(store, tmp_path, "part", SAID)
    other = Reading(good=("Gut",))
    assert store.config(trainings.start(store, tmp_path, "part", settings_from())).reading == SAID
    assert store.config(trainings.start(store, tmp_path, "disc", settings_from())).reading == Reading()
    assert store.config(trainings.start(store, tmp_path, "ring", settings_from(), reading=other)).reading == other


def test_a_configuration_without_a_reading_opens_as_before(tmp_path, store):
    run_id = store.create(tmp_path, "part", settings_from())
    path = store.folder(run_id) / layout.CONFIG
    values = json.loads(path.read_text())
    assert values.pop("reading") == Reading().model_dump(mode="json")
    path.write_text(json.dumps(values))
    assert store.config(run_id).reading == Reading()
