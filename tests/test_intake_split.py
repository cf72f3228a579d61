"""Near-duplicates and the split: what is linked, what keeps its side, and what versions hold."""

import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_folders import noise, save

from wtflow.datasets.health import check_category
from wtflow.datasets.scan import scan_category
from wtflow.errors import ChangedMeanwhileError, DamagedDataSetError, DatasetError
from wtflow.intake import versions
from wtflow.intake.adding import add_folder
from wtflow.intake.masks import write_mask
from wtflow.intake.near import correlations, groups_of, pairs_of
from wtflow.intake.sorting import pin, set_labels
from wtflow.intake.split import place
from wtflow.intake.versions import delete_version, members_of, publish, runs_of, what_changes
from wtflow.records.intake import DataSet, Item, Labelled, Pair, Version
from wtflow.store.dataset_versions import newest_version, open_version, version_numbers, version_root
from wtflow.store.datasets import create_set, mask_of, open_set, original_of

GOOD = Labelled("good")


def item(i: int, label: str = "good", **more) -> Item:
    return Item(f"{i:064x}"[::-1], ".png", f"{i}.png", "test", 8, 8, label, "spot" * (label == "defect"), **more)


def set_of(items: list[Item], share: float = 0.3, seed: int = 0) -> DataSet:
    return DataSet("plates", {one.id: one for one in items}, seed, share)


def version_with(data: DataSet, placed) -> Version:
    return Version("plates", 1, 0.0, members_of(data, placed), data.seed, data.test_share)


# -- the split ---------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=50)
@given(
    n_good=st.integers(0, 30),
    n_bad=st.integers(0, 5),
    links=st.lists(st.tuples(st.integers(0, 34), st.integers(0, 34)), max_size=20),
    share=st.floats(0, 0.9),
    seed=st.integers(0, 5),
)
def test_no_group_lies_on_both_sides_defects_test_and_never_more_good_ones_than_asked_for(
    n_good, n_bad, links, share, seed
):
    items = [item(i) for i in range(n_good)] + [item(100 + i, "defect") for i in range(n_bad)]
    pairs = [Pair(items[a].id, items[b].id, 0.1) for a, b in links if a < len(items) and b < len(items) and a != b]
    data = set_of(items, share, seed)
    sides = place(data, pairs, None).sides
    assert sides.keys() == data.items.keys()
    assert all(sides[pair.first] == sides[pair.second] for pair in pairs)
    assert all(sides[one.id] == "test" for one in data.of("defect"))
    groups = groups_of(data.items, [(pair.first, pair.second) for pair in pairs])
    forced = sum(
        len([k for k in g if data.items[k].label == "good"]) for g in groups if any(data.items[k].defect for k in g)
    )
    tested = sum(sides[one.id] == "test" for one in data.of("good"))
    assert tested <= max(round(share * n_good), forced)
    if not pairs:
        assert tested == round(share * n_good)


@settings(deadline=None, max_examples=50)
@given(st.integers(2, 20), st.integers(0, 10), st.integers(0, 3))
def test_images_that_are_in_a_version_keep_their_side_when_others_come(n_old, n_new, seed):
    old = set_of([item(i) for i in range(n_old)], seed=seed)
    first = place(old, [], None)
    grown = set_of([item(i) for i in range(n_old + n_new)], seed=seed)
    second = place(grown, [], version_with(old, first))
    assert {key: second.sides[key] for key in first.sides} == dict(first.sides)
    assert not second.moved
    tested = sum(side == "test" for side in second.sides.values())
    assert tested == max(round(0.3 * (n_old + n_new)), round(0.3 * n_old))


def test_an_image_moves_only_where_its_group_forces_it_and_the_reason_is_said():
    old = set_of([item(i) for i in range(10)])
    first = place(old, [], None)
    train, test = (next(key for key, side in first.sides.items() if side == wanted) for wanted in ("train", "test"))
    before = version_with(old, first)
    joined = place(old, [Pair(train, test, 0.01)], before)
    assert joined.sides[test] == joined.sides[train] == "train", "what trained a run is no fair test"
    assert "is nearly the same as an image that trains" in joined.moved[test]
    with_defect = set_of([*old.items.values(), item(50, "defect")])
    forced = place(with_defect, [Pair(train, item(50).id, 0.01)], before)
    assert forced.sides[train] == "test"
    assert forced.moved == {
        train: f"{old.items[train].name} is nearly the same as 50.png, which is defective and tests."
    }


def test_pins_hold_for_the_group_and_contradictions_are_refused():
    a, b, c = item(1, pinned="train"), item(2), item(3, "defect")
    assert place(set_of([a, b], 0.9), [Pair(a.id, b.id, 0)], None).sides == {a.id: "train", b.id: "train"}
    for items, pairs, why in (
        ([a, c], [Pair(a.id, c.id, 0)], "nearly the same as 3.png, which is defective"),
        ([a, replace(b, pinned="test")], [Pair(a.id, b.id, 0)], "which is pinned to the test"),
        ([replace(c, pinned="train")], [], "is defective and pinned to training"),
    ):
        with pytest.raises(DatasetError, match=why):
            place(set_of(items), pairs, None)
    apart = replace(set_of([a, c]), apart=frozenset([(min(a.id, c.id), max(a.id, c.id))]))
    assert place(apart, [Pair(a.id, c.id, 0)], None).sides == {a.id: "train", c.id: "test"}


# -- near-duplicates ---------------------------------------------------------------------------------------------------


def details(images: np.ndarray) -> np.ndarray:
    flat = images - images.mean((1, 2), keepdims=True)
    return flat / flat.std((1, 2), keepdims=True)


def test_the_correlation_is_that_of_the_best_shift_found_one_by_one():
    """A second method: every shift cut out and correlated by numpy.corrcoef."""
    one, other = np.random.default_rng(0).normal(size=(2, 3, 32, 32))
    other[1] = np.roll(one[1], (2, -3), (0, 1))
    m = round(6 / 64 * 32)
    for k, found in enumerate(correlations(one, other)):
        middle = one[k, m:-m, m:-m].ravel()
        windows = [
            other[k, r : r + 32 - 2 * m, c : c + 32 - 2 * m].ravel() for r in range(2 * m + 1) for c in range(2 * m + 1)
        ]
        assert found == pytest.approx(max(np.corrcoef(middle, window)[0, 1] for window in windows), abs=1e-6)
    assert correlations(one[1:2], other[1:2])[0] == pytest.approx(1, abs=1e-6)


def test_shifted_brighter_and_noisy_copies_are_linked_and_other_parts_are_not():
    generator = np.random.default_rng(1)
    parts = np.repeat(np.repeat(generator.normal(size=(20, 16, 16)), 4, 1), 4, 2)
    copies = np.stack([np.roll(parts[0], 3, 1), 2 * parts[1] + 5, parts[2] + generator.normal(0, 0.3, (64, 64))])
    looks = generator.normal(size=(20, 8))
    vectors = np.concatenate([looks, looks[:3] + 0.01])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    pairs = pairs_of([f"{i:02}" for i in range(23)], vectors, details(np.concatenate([parts, copies])))
    assert {(pair.first, pair.second) for pair in pairs} == {("00", "20"), ("01", "21"), ("02", "22")}
    assert [pair.distance for pair in pairs] == sorted(pair.distance for pair in pairs)


def test_a_chain_of_parts_that_look_alike_by_and_by_raises_the_threshold_and_a_burst_does_not():
    generator = np.random.default_rng(2)
    base, step = generator.normal(size=(2, 64, 64))
    angle = np.linspace(0, np.pi / 2 * 0.9, 40)[:, None, None]
    chain = np.cos(angle) * base + np.sin(angle) * step  # neighbours correlate at .999, the ends hardly
    names, same = [f"{i:02}" for i in range(40)], np.ones((40, 4)) / 2
    groups = groups_of(names, [(p.first, p.second) for p in pairs_of(names, same, details(chain))])
    assert max(map(len, groups)) > 12, "the highest threshold there is still links neighbours"
    burst = base + generator.normal(0, 0.15, (40, 64, 64))
    linked = groups_of(names, [(p.first, p.second) for p in pairs_of(names, same, details(burst))])
    assert [len(group) for group in linked] == [40]


def test_few_images_and_flat_ones_have_no_near_duplicates():
    assert pairs_of([], np.zeros((0, 4)), np.zeros((0, 64, 64))) == ()
    assert pairs_of(["a"], np.ones((1, 4)), np.ones((1, 64, 64))) == ()
    assert pairs_of(["a", "b"], np.zeros((2, 4)), np.zeros((2, 64, 64))) == ()


# -- versions ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def plates(store, tmp_path, monkeypatch):
    """Ten good images and two defective ones, one with a mask; nothing looks for near-duplicates."""
    monkeypatch.setattr(versions, "find_pairs", lambda *_: ())
    for i in range(10):
        save(tmp_path / f"good/{i}.png", noise(i))
    for i in range(2):
        save(tmp_path / f"bad/{i}.png", noise(100 + i))
    create_set(store, "plates")
    add_folder(store, "plates", tmp_path / "good", GOOD)
    add_folder(store, "plates", tmp_path / "bad", Labelled("defect", "spot"))
    mask = np.zeros((8, 8), bool)
    mask[2:4, 2:4] = True
    write_mask(store, "plates", open_set(store, "plates").of("defect")[0].id, mask)
    return store


def files_of(store, number: int) -> dict[str, bytes]:
    root = version_root(store, "plates", number)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_version_is_a_sound_category_whose_files_are_those_of_the_set(plates):
    version = publish(plates, "plates")
    root = version_root(plates, "plates", 1)
    report = check_category(scan_category(root, "plates"))
    assert report.counts == {"train": {"good": 7}, "test": {"good": 3, "spot": 2}}
    assert [one.code for one in report.findings if one.severity != "info"] == ["missing_mask"]
    assert version.counts == {"train": {"good": 7}, "test": {"good": 3, "spot": 2}}
    member = version.members[0]
    one = open_set(plates, "plates").items[member.id]
    assert (root / "plates" / member.path).samefile(original_of(plates, "plates", one)), "a link, not a copy"


def test_the_next_version_says_what_changes_and_leaves_the_first_as_it_was(plates, tmp_path):
    publish(plates, "plates")
    before = files_of(plates, 1)
    data = open_set(plates, "plates")
    first, second = data.of("defect")
    mask = np.ones((8, 8), bool)
    write_mask(plates, "plates", first.id, mask)
    good = [
        member
        for member in open_version(plates, "plates", 1).members
        if member.side == "test" and member.defect == "good"
    ]
    set_labels(plates, "plates", {second.id: Labelled("defect", "dent"), good[0].id: Labelled("out")})
    save(tmp_path / "more/x.png", noise(77))
    added = add_folder(plates, "plates", tmp_path / "more", GOOD).added
    changes = what_changes(plates, "plates")
    assert (changes.added, changes.removed, changes.relabelled, changes.masks) == (
        added,
        (good[0].id,),
        (second.id,),
        (first.id,),
    )
    version = publish(plates, "plates")
    assert (
        version.words
        == "Against version 1: 1 image added, 1 image removed, 1 image relabelled, 1 image with another mask."
    )
    assert files_of(plates, 1) == before
    assert version_numbers(plates, "plates") == (1, 2)


def test_nothing_new_and_too_few_good_images_make_no_version(plates):
    publish(plates, "plates")
    with pytest.raises(DatasetError, match="Version 1 of plates holds exactly this already"):
        publish(plates, "plates")
    data = open_set(plates, "plates")
    set_labels(plates, "plates", {one.id: Labelled("unsorted") for one in data.of("good")[1:]})
    with pytest.raises(DatasetError, match="at least 2 are needed"):
        publish(plates, "plates")
    assert version_numbers(plates, "plates") == (1,)


def test_what_is_not_sorted_or_left_out_is_in_no_version(plates):
    data = open_set(plates, "plates")
    one, other = data.of("good")[:2]
    set_labels(plates, "plates", {one.id: Labelled("unsorted"), other.id: Labelled("out")})
    assert {one.id, other.id}.isdisjoint(member.id for member in publish(plates, "plates").members)


def test_a_change_on_the_way_publishes_nothing(plates, monkeypatch):
    seen = open_set(plates, "plates")
    key = next(iter(seen.items))
    pin(plates, "plates", {key: "train"})
    with pytest.raises(ChangedMeanwhileError, match="so no version was made"):
        publish(plates, "plates", seen=seen.serial)
    write = versions._write_images

    def write_and_change(store, *rest):
        write(store, *rest)
        pin(store, "plates", {key: None})

    monkeypatch.setattr(versions, "_write_images", write_and_change)
    with pytest.raises(ChangedMeanwhileError, match="was changed while version 1 was made"):
        publish(plates, "plates")
    assert version_numbers(plates, "plates") == ()
    assert not list(version_root(plates, "plates", 1).parent.iterdir()), "nothing half-made is left"


def test_a_linked_image_that_another_program_wrote_into_is_not_published(plates, tmp_path):
    for i in range(2):
        save(tmp_path / f"linked/{i}.png", noise(500 + i))
    add_folder(plates, "plates", tmp_path / "linked", GOOD, is_linking=True)
    with (tmp_path / "linked/0.png").open("ab") as file:
        file.write(b"edited")
    with pytest.raises(DamagedDataSetError, match="another program wrote into its file"):
        publish(plates, "plates")


def test_a_lost_image_or_mask_is_named(plates):
    data = open_set(plates, "plates")
    masked = next(one for one in data.items.values() if one.has_mask)
    mask_of(plates, "plates", masked).unlink()
    with pytest.raises(DamagedDataSetError, match=f"The mask of {masked.name}"):
        publish(plates, "plates")
    original_of(plates, "plates", masked).unlink()
    with pytest.raises(DamagedDataSetError, match=f"The image {masked.name} of plates is gone"):
        publish(plates, "plates")


def test_a_version_that_a_run_uses_stays_and_numbers_are_given_once(plates):
    from run_folders import tiny_settings

    publish(plates, "plates")
    run_id = plates.create(version_root(plates, "plates", 1), "plates", tiny_settings())
    assert runs_of(plates, "plates") == runs_of(plates, "plates", 1) == (run_id,)
    with pytest.raises(DatasetError, match=f"is used by 1 run: {run_id}"):
        delete_version(plates, "plates", 1)
    plates.delete(run_id)
    delete_version(plates, "plates", 1)
    assert newest_version(plates, "plates") is None
    assert publish(plates, "plates").number == 2


def test_a_version_whose_list_is_damaged_is_said(plates):
    publish(plates, "plates")
    path = version_root(plates, "plates", 1) / "version.json"
    os.unlink(path)  # noqa: PTH108 - as a person would
    with pytest.raises(DatasetError, match="has no version 1"):
        open_version(plates, "plates", 1)
    path.write_text("{}")
    with pytest.raises(DamagedDataSetError, match="version.json of version 1"):
        newest_version(plates, "plates")


def test_where_a_disk_knows_no_links_versions_hold_copies(plates, monkeypatch):
    def refuse(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    member = publish(plates, "plates").members[0]
    one = open_set(plates, "plates").items[member.id]
    copy = version_root(plates, "plates", 1) / "plates" / member.path
    assert copy.read_bytes() == original_of(plates, "plates", one).read_bytes()
    assert not copy.samefile(original_of(plates, "plates", one))
