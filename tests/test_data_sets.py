"""Data sets made here: names, manifests, and what two windows may do to one of them at once."""

import json

import pytest
from image_folders import noise, save

from wtflow.errors import ChangedMeanwhileError, DamagedDataSetError, DatasetError
from wtflow.intake.adding import add_folder
from wtflow.intake.sorting import pin, say_apart, set_labels, set_split
from wtflow.records.intake import Labelled
from wtflow.store.dataset_versions import title_of, version_of, version_root
from wtflow.store.datasets import (
    create_set,
    delete_set,
    folder_of,
    open_set,
    original_of,
    set_names,
)

GOOD = Labelled("good")


@pytest.fixture
def plates(store, tmp_path):
    """A set of three good images, all different."""
    for i in range(3):
        save(tmp_path / f"photos/IMG_{i}.png", noise(i))
    create_set(store, "plates")
    add_folder(store, "plates", tmp_path / "photos", GOOD)
    return store


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "empty"),
        ("..", "dot"),
        (".hidden", "dot"),
        ("a/b", "holds /"),
        ("a\\b", "holds \\"),
        ("C:x", "holds :"),
        ("nul", "Windows"),
        ("COM1.txt", "Windows"),
        ("a\0b", "cannot be seen"),
        ("a\nb", "cannot be seen"),
        ("abc\u202egnp", "cannot be seen"),
        (" a", "space"),
        ("a.", "dot"),
        ("-rf", "hyphen"),
        ("~root", "tilde"),
        ("x" * 61, "60 characters"),
    ],
)
def test_a_name_that_cannot_be_a_folder_everywhere_is_refused_with_the_reason(store, name, why):
    with pytest.raises(DatasetError, match="cannot name a data set") as error:
        create_set(store, name)
    assert why in error.value.message
    assert set_names(store) == ()


@pytest.mark.parametrize("name", ["pcb", "Müller & Söhne", "基板 3", "a.b", "v2"])
def test_a_name_in_any_script_names_a_set(store, name):
    create_set(store, name)
    assert set_names(store) == (name,)
    assert open_set(store, name).name == name


def test_a_name_is_taken_in_other_capitals_and_other_accents_too(store):
    create_set(store, "Plätze")
    for alike in ("PLÄTZE", "pla\u0308tze"):
        with pytest.raises(DatasetError, match="There is a data set 'Plätze' already"):
            create_set(store, alike)


def test_what_a_set_holds_is_found_again_as_it_was_written(plates):
    data = open_set(plates, "plates")
    assert data.counts == {"good": 3, "defect": 0, "unsorted": 0, "out": 0}
    assert [item.name for item in data.items.values()] == ["IMG_0.png", "IMG_1.png", "IMG_2.png"]
    assert {(item.height, item.width) for item in data.items.values()} == {(8, 8)}
    assert all(item.source.endswith(item.name) for item in data.items.values())
    assert [event.words for event in data.history] == ["Made.", f"3 images came from {data_source(data)}."]


def data_source(data):
    return next(iter(data.items.values())).source.rpartition("/")[0]


def test_labels_change_and_the_answer_undoes_it(plates):
    first, second, _ = open_set(plates, "plates").items
    fresh, before = set_labels(plates, "plates", {first: Labelled("defect", "scratch"), second: GOOD})
    assert fresh.types == {"scratch": 1}
    assert before == {first: GOOD}, "an image that is already called so is not changed"
    undone, _ = set_labels(plates, "plates", before)
    assert undone.counts["good"] == 3


def test_two_windows_that_change_different_images_both_keep_their_change(plates):
    seen = open_set(plates, "plates")
    first, second, _ = seen.items
    set_labels(plates, "plates", {first: Labelled("out")}, seen=seen.serial)
    set_labels(plates, "plates", {second: Labelled("unsorted")}, seen=seen.serial)
    assert open_set(plates, "plates").counts == {"good": 1, "defect": 0, "unsorted": 1, "out": 1}


def test_the_second_of_two_windows_that_change_one_image_is_told_and_changes_nothing(plates):
    seen = open_set(plates, "plates")
    first, second, _ = seen.items
    set_labels(plates, "plates", {first: Labelled("out")}, seen=seen.serial)
    with pytest.raises(ChangedMeanwhileError, match="1 image of plates was changed in another window meanwhile"):
        set_labels(plates, "plates", {first: Labelled("unsorted"), second: Labelled("out")}, seen=seen.serial)
    assert open_set(plates, "plates").counts == {"good": 2, "defect": 0, "unsorted": 0, "out": 1}


def test_an_unknown_image_label_type_or_share_is_refused_and_nothing_written(plates):
    before = (folder_of(plates, "plates") / "manifest.json").read_bytes()
    first = next(iter(open_set(plates, "plates").items))
    for labels, why in (
        ({"0" * 16: GOOD}, "no image"),
        ({first: Labelled("bad")}, "is no label"),
        ({first: Labelled("defect", "../x")}, "cannot name a type of defect"),
        ({first: Labelled("defect", "Good")}, "is no type of defect"),
    ):
        with pytest.raises(DatasetError, match=why):
            set_labels(plates, "plates", labels)
    for share in (-0.1, 1.0, float("nan")):
        with pytest.raises(DatasetError, match="no share"):
            set_split(plates, "plates", test_share=share)
    assert (folder_of(plates, "plates") / "manifest.json").read_bytes() == before


def test_pins_pairs_and_the_split_are_kept(plates):
    first, second, _ = open_set(plates, "plates").items
    pin(plates, "plates", {first: "test"})
    say_apart(plates, "plates", [(second, first)])
    data = set_split(plates, "plates", seed=7, test_share=0.5)
    assert data == open_set(plates, "plates")
    assert data.items[first].pinned == "test"
    assert data.apart == {(min(first, second), max(first, second))}
    assert (data.seed, data.test_share) == (7, 0.5)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "[]",
        lambda text: text.replace('"good"', '"fine"'),
        lambda text: text.replace('"schema_version": 1', '"schema_version": 9'),
        lambda text: text.replace('"items"', '"elements"'),
        lambda text: text.replace('"test_share": 0.3', '"test_share": 30'),
    ],
    ids=["cut off", "list", "label", "schema", "key", "share"],
)
def test_a_damaged_manifest_is_said_and_never_overwritten(plates, damage):
    path = folder_of(plates, "plates") / "manifest.json"
    path.write_text(damaged := damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(DamagedDataSetError, match="cannot be read"):
        set_split(plates, "plates", seed=3)
    assert path.read_text(encoding="utf-8") == damaged


def test_no_field_of_a_manifest_leads_out_of_its_folder(plates):
    """A manifest that somebody sends is a file like any other."""
    path = folder_of(plates, "plates") / "manifest.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    for field, value in (("sha256", "../../../../etc/passwd"), ("suffix", "/../../x"), ("defect", "../../x")):
        changed = json.loads(json.dumps(values))
        changed["items"][0] |= {"label": "defect", "defect": "spot"} | {field: value}
        path.write_text(json.dumps(changed), encoding="utf-8")
        with pytest.raises(DamagedDataSetError):
            open_set(plates, "plates")


def test_originals_hold_what_came_in(plates, tmp_path):
    for item in open_set(plates, "plates").items.values():
        assert original_of(plates, "plates", item).read_bytes() == (tmp_path / "photos" / item.name).read_bytes()


def test_a_root_says_which_version_it_is_by_its_path_alone(plates, tmp_path):
    root = version_root(plates, "plates", 3)
    assert version_of(root) == ("plates", 3)
    assert title_of(root, "plates") == "plates v3"
    for other in (tmp_path, root.parent, root / "plates", "/data/versions/3", ""):
        assert version_of(other) is None
    assert title_of(root, "screw") == "screw"


def test_a_deleted_set_is_gone_and_its_name_is_free(plates):
    delete_set(plates, "plates")
    assert set_names(plates) == ()
    with pytest.raises(DatasetError, match="There is no data set 'plates'"):
        open_set(plates, "plates")
    create_set(plates, "plates")


def test_the_shell_names_the_version_that_a_run_was_trained_on(plates):
    from run_folders import tiny_settings
    from typer.testing import CliRunner

    from wtflow.cli.app import app

    plates.create(version_root(plates, "plates", 2), "plates", tiny_settings())
    assert "plates v2" in CliRunner().invoke(app, ["runs"]).output
