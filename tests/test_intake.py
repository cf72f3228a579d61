"""Images come into a data set: from folders, uploads and zips of every kind, also hostile ones."""

import io
import os
import stat
import struct
import zipfile

import pytest
from image_folders import encode, make_mvtec, noise, save

from wtflow.datasets.allowed import allowed, list_below
from wtflow.errors import ArchiveError, DatasetError, SettingsError
from wtflow.intake.adding import add_files, add_folder, add_uploads, add_zip
from wtflow.intake.words import added_words, refuse_clashes
from wtflow.records.intake import Labelled
from wtflow.store.datasets import create_set, open_set, original_of

GOOD, BAD = Labelled("good"), Labelled("defect", "defect")


@pytest.fixture
def plates(store):
    create_set(store, "plates")
    return store


def png(seed: int) -> bytes:
    return encode(noise(seed), "PNG")


def zipped(files: dict[str, bytes], **changes: int) -> io.BytesIO:
    """A zip of these files; changes: fields of every entry."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            for field, value in changes.items():
                setattr(info, field, value)
            archive.writestr(info, content)
    file.seek(0)
    return file


def names(store) -> list[str]:
    return [item.name for item in open_set(store, "plates").items.values()]


# -- folders and files -------------------------------------------------------------------------------------------------


def test_a_folder_is_read_with_its_folders_and_without_junk(plates, tmp_path):
    save(tmp_path / "in/a.png", noise(1))
    save(tmp_path / "in/deep/er/Ü 2.png", noise(2))
    save(tmp_path / "in/.hidden.png", noise(3))
    save(tmp_path / "in/__MACOSX/x.png", noise(4))
    (tmp_path / "in/notes.txt").write_text("x")
    (tmp_path / "in/more.zip").write_bytes(b"PK")
    added = add_folder(plates, "plates", tmp_path / "in", GOOD)
    assert sorted(names(plates)) == ["a.png", "Ü 2.png"]
    assert added.n_ignored == 1
    assert [(one.name, "archive" in one.reason) for one in added.refused] == [("more.zip", True)]


def test_folders_name_the_types_of_defects(plates, tmp_path):
    save(tmp_path / "bad/scratch/1.png", noise(1))
    save(tmp_path / "bad/scratch/cam2/2.png", noise(2))
    save(tmp_path / "bad/dent/1.png", noise(3))
    save(tmp_path / "bad/loose.png", noise(4))
    add_folder(plates, "plates", tmp_path / "bad", BAD, by_folder=True)
    assert open_set(plates, "plates").types == {"defect": 1, "dent": 1, "scratch": 2}


def test_the_same_contents_are_one_image_and_said(plates, tmp_path):
    for name in ("a.png", "b.png", "sub/c.png"):
        save(tmp_path / "in" / name, noise(1))
    added = add_folder(plates, "plates", tmp_path / "in", GOOD)
    again = add_folder(plates, "plates", tmp_path / "in", GOOD)
    assert (len(added.added), len(added.same)) == (1, 2)
    assert (len(again.added), len(again.same)) == (0, 3)
    assert "2 files hold what another one holds, and count once" in " ".join(added_words(added))


def test_one_image_called_good_and_defective_is_a_mistake_that_names_both_files(plates, tmp_path):
    save(tmp_path / "good/a.png", noise(1))
    save(tmp_path / "bad/b.png", noise(1))
    add_folder(plates, "plates", tmp_path / "good", GOOD)
    added = add_folder(plates, "plates", tmp_path / "bad", BAD)
    with pytest.raises(DatasetError, match="one image cannot have two labels") as error:
        refuse_clashes(open_set(plates, "plates"), added)
    assert "b.png" in error.value.message
    assert "a.png" in error.value.message
    assert open_set(plates, "plates").counts["good"] == 1


def test_an_image_that_was_not_sorted_takes_the_label_that_it_comes_with_later(plates, tmp_path):
    save(tmp_path / "in/a.png", noise(1))
    add_folder(plates, "plates", tmp_path / "in", Labelled("unsorted"))
    assert len(add_folder(plates, "plates", tmp_path / "in", BAD).relabelled) == 1
    assert len(add_folder(plates, "plates", tmp_path / "in", Labelled("unsorted")).same) == 1
    assert open_set(plates, "plates").types == {"defect": 1}


def test_each_file_that_cannot_be_read_is_listed_with_its_reason(plates, tmp_path):
    folder = tmp_path / "in"
    save(folder / "sound.png", noise(1))
    (folder / "empty.png").touch()
    (folder / "cut.png").write_bytes(png(2)[:-20])
    (folder / "text.jpg").write_text("no image")
    (folder / "dead.png").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe.png")  # waits for ever where it is opened
    added = add_folder(plates, "plates", folder, GOOD)
    assert names(plates) == ["sound.png"]
    found = {os.path.basename(one.name): one.reason for one in added.refused}  # noqa: PTH119
    assert found.keys() == {"empty.png", "cut.png", "text.jpg", "dead.png"}
    assert "0 bytes" in found["empty.png"]
    assert "damaged" in found["cut.png"]
    assert "link" in found["dead.png"]


def test_originals_are_copies_unless_links_are_asked_for(plates, tmp_path):
    path = save(tmp_path / "in/a.png", noise(1))
    add_files(plates, "plates", [path], GOOD)
    create_set(plates, "linked")
    add_files(plates, "linked", [path], GOOD, is_linking=True)
    (copy,), (link,) = (open_set(plates, name).items.values() for name in ("plates", "linked"))
    assert not original_of(plates, "plates", copy).samefile(path)
    assert original_of(plates, "linked", link).samefile(path)
    assert link.is_linked
    assert not copy.is_linked


def test_a_folder_without_images_a_data_set_and_nothing_at_all_are_refused(plates, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").mkdir()
    (tmp_path / "text/a.txt").write_text("x")
    make_mvtec(tmp_path / "root/bolt")
    for folder, why in (
        ("empty", "holds no PNG"),
        ("text", "1 file there is something else"),
        ("nowhere", "is no folder"),
        ("root/bolt", "is a data set already"),
        ("root/bolt/ground_truth", "is a data set already"),
    ):
        with pytest.raises(DatasetError, match=why):
            add_folder(plates, "plates", tmp_path / folder, GOOD)
    assert names(plates) == []


def test_masks_that_lie_among_images_are_not_taken_for_images(plates, tmp_path):
    save(tmp_path / "in/x/a.png", noise(1))
    save(tmp_path / "in/x/ground_truth/a_mask.png", noise(2))
    added = add_folder(plates, "plates", tmp_path / "in", GOOD)
    assert names(plates) == ["a.png"]
    assert "holds masks" in added.refused[0].reason


# -- uploads and zips --------------------------------------------------------------------------------------------------


def test_uploads_and_a_zip_among_them_come_in_and_names_lead_nowhere(plates, tmp_path):
    files = [
        ("../../etc/passwd.png", png(1)),
        ("C:\\photos\\b.png", io.BytesIO(png(2))),
        ("x.zip", zipped({"c.png": png(3)})),
    ]
    added = add_uploads(plates, "plates", files, GOOD)
    assert len(added.added) == 3
    assert sorted(names(plates)) == ["b.png", "c.png", "passwd.png"]
    inside = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix == ".png"]
    assert all(path.parent.name == "originals" for path in inside)


def test_a_zip_names_types_by_its_folders_below_the_one_that_wraps_them(plates):
    archive = zipped(
        {"bad/scratch/1.png": png(1), "bad/dent/2.png": png(2), "bad/3.png": png(3), "bad/read me.txt": b"x"}
    )
    added = add_zip(plates, "plates", archive, BAD, by_folder=True, title="bad.zip")
    assert open_set(plates, "plates").types == {"defect": 1, "dent": 1, "scratch": 1}
    assert added.n_ignored == 1
    assert {item.source for item in open_set(plates, "plates").items.values()} >= {"bad.zip: bad/3.png"}


@pytest.mark.parametrize(
    "name", ["../out.png", "a/../../out.png", "/etc/out.png", "C:/out.png", "..\\out.png", "\\out.png"]
)
def test_a_name_that_leads_out_of_a_zip_refuses_all_of_it(plates, name):
    with pytest.raises(ArchiveError, match="leads out of the archive. Nothing of it was taken"):
        add_zip(plates, "plates", zipped({"fine.png": png(1), name: png(2)}), GOOD)
    assert names(plates) == []


@pytest.mark.parametrize(
    ("kind", "why"), [(stat.S_IFLNK, "is a link"), (stat.S_IFCHR, "device"), (stat.S_IFIFO, "device")]
)
def test_links_and_devices_in_a_zip_are_listed_and_not_followed(plates, kind, why):
    archive = zipped({"a.png": b"/etc/passwd"}, external_attr=(kind | 0o777) << 16)
    added = add_zip(plates, "plates", archive, GOOD)
    assert why in added.refused[0].reason
    assert names(plates) == []


def test_a_zip_inside_a_zip_is_left_and_said(plates):
    inner = zipped({"b.png": png(2)}).getvalue()
    added = add_zip(plates, "plates", zipped({"a.png": png(1), "inner.ZIP": inner}), GOOD)
    assert names(plates) == ["a.png"]
    assert "archive inside" in added.refused[0].reason


def test_an_encrypted_zip_is_refused(plates):
    content = bytearray(zipped({"a.png": png(1)}).getvalue())
    content[content.index(b"PK\1\2") + 8] |= 1  # the flag in the list, which is what readers go by
    with pytest.raises(ArchiveError, match="is encrypted"):
        add_zip(plates, "plates", io.BytesIO(bytes(content)), GOOD)


def test_a_bomb_is_refused_by_its_list_before_anything_is_unpacked(plates):
    with pytest.raises(ArchiveError, match="times its size"):
        add_zip(plates, "plates", zipped({"a.png": bytes(60_000_000)}), GOOD)


def test_an_archive_that_lies_about_sizes_gives_no_more_than_it_promised(plates):
    content = zipped({"a.bmp": encode(noise(1, (64, 64)), "BMP")}).getvalue()
    at = content.index(b"PK\1\2")
    lying = content[: at + 24] + struct.pack("<L", 10) + content[at + 28 :]
    added = add_zip(plates, "plates", io.BytesIO(lying), GOOD)
    assert len(added.refused) == 1
    assert names(plates) == []


@pytest.mark.parametrize(
    "content", [b"", b"PK\3\4 cut off", b"\x1f\x8b gzip", zipped({"a.png": b"x" * 99}).getvalue()[:60]]
)
def test_what_is_no_zip_is_refused(plates, content):
    with pytest.raises(ArchiveError, match="is no zip archive that can be read"):
        add_zip(plates, "plates", io.BytesIO(content), GOOD)


def test_a_damaged_entry_is_listed_and_the_others_are_taken(plates):
    content = zipped({"a.png": png(1), "b.png": png(2)}).getvalue()
    at = content.index(b"a.png") + 10
    added = add_zip(plates, "plates", io.BytesIO(content[:at] + b"\0\0\0" + content[at + 3 :]), GOOD)
    assert names(plates) == ["b.png"]
    assert "cannot be unpacked" in added.refused[0].reason


def test_an_entry_with_two_names_is_refused_in_words_without_its_bytes(plates):
    content = zipped({"a.png": png(1), "b.png": png(2)}).getvalue()
    at = content.index(b"a.png")
    added = add_zip(plates, "plates", io.BytesIO(content[:at] + b"\0\xff\\xg" + content[at + 5 :]), GOOD)
    assert names(plates) == ["b.png"]
    assert "another name where its contents begin" in added.refused[0].reason
    assert "\\" not in added.refused[0].reason


def test_limits_come_from_the_environment_and_are_said(plates, monkeypatch):
    archive = {f"{i}.png": png(i) for i in range(3)}
    monkeypatch.setenv("WTFLOW_UPLOAD_FILES", "2")
    with pytest.raises(ArchiveError, match="holds 3 files; at most 2 are taken"):
        add_zip(plates, "plates", zipped(archive), GOOD)
    with pytest.raises(ArchiveError, match="What was dropped holds 3 files"):
        add_uploads(plates, "plates", list(archive.items()), GOOD)
    monkeypatch.setenv("WTFLOW_UPLOAD_FILES", "9")
    monkeypatch.setenv("WTFLOW_UPLOAD_GB", "1e-7")
    with pytest.raises(ArchiveError, match="at most 100 bytes"):
        add_zip(plates, "plates", zipped(archive), GOOD)
    monkeypatch.delenv("WTFLOW_UPLOAD_GB")
    monkeypatch.setenv("WTFLOW_UPLOAD_PIXELS", "63")
    assert all(
        "8 x 8 pixels; at most 63" in one.reason for one in add_zip(plates, "plates", zipped(archive), GOOD).refused
    )
    for text in ("many", "-1", "nan", "0"):
        monkeypatch.setenv("WTFLOW_UPLOAD_PIXELS", text)
        with pytest.raises(SettingsError, match="WTFLOW_UPLOAD_PIXELS"):
            add_zip(plates, "plates", zipped(archive), GOOD)
    assert names(plates) == []


def test_more_entries_than_allowed_are_refused_before_the_list_is_read(plates, monkeypatch):
    monkeypatch.setenv("WTFLOW_UPLOAD_FILES", "5")
    content = bytearray(zipped({"a.png": png(1)}).getvalue())
    at = content.rindex(b"PK\5\6")
    content[at + 8 : at + 12] = struct.pack("<HH", 60_000, 60_000)
    with pytest.raises(ArchiveError, match="holds 60,000 files"):
        add_zip(plates, "plates", io.BytesIO(bytes(content)), GOOD)


# -- folders of the server ---------------------------------------------------------------------------------------------


def test_only_what_lies_in_the_roots_may_be_read_whatever_links_say(tmp_path, monkeypatch):
    (tmp_path / "photos/good").mkdir(parents=True)
    (tmp_path / "photos-private").mkdir()
    (tmp_path / "photos/out").symlink_to(tmp_path / "photos-private")
    (tmp_path / "in").symlink_to(tmp_path / "photos/good")
    monkeypatch.setenv("WTFLOW_ROOTS", str(tmp_path / "photos"))
    assert allowed(tmp_path / "photos")
    assert allowed(tmp_path / "photos/good")
    assert allowed(tmp_path / "in"), "it leads inside"
    for path in ("photos/out", "photos/../photos-private", "photos-private", "", "photos/good/../../..", "a\0b"):
        assert not allowed(tmp_path / path if path else "/"), path
    assert not allowed("~")


def test_the_home_folder_is_the_root_without_the_setting_and_several_can_be_named(tmp_path, monkeypatch):
    monkeypatch.delenv("WTFLOW_ROOTS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home/x").mkdir(parents=True)
    assert allowed(tmp_path / "home/x")
    assert allowed("~/x")
    assert not allowed(tmp_path)
    monkeypatch.setenv("WTFLOW_ROOTS", os.pathsep.join([str(tmp_path / "a"), "", str(tmp_path / "b")]))
    assert [allowed(tmp_path / one) for one in ("a", "b", "home")] == [True, True, False]


def test_a_folder_is_listed_with_the_number_of_images_in_each_folder_that_may_be_read(tmp_path, monkeypatch):
    save(tmp_path / "photos/good/1.png", noise(1))
    save(tmp_path / "photos/good/deep/2.png", noise(2))
    (tmp_path / "photos/good/a.txt").touch()
    (tmp_path / "photos/out").symlink_to(tmp_path)
    monkeypatch.setenv("WTFLOW_ROOTS", str(tmp_path / "photos"))
    (found,) = list_below(tmp_path / "photos")
    assert (found.path.name, found.n_images, found.n_folders) == ("good", 1, 1)
    for path, why in ((tmp_path, "outside the folders"), (tmp_path / "photos/no", "no folder")):
        with pytest.raises(DatasetError, match=why):
            list_below(path)


def test_links_out_of_the_roots_are_refused_while_a_page_adds_a_folder(plates, tmp_path, monkeypatch):
    secret = save(tmp_path / "private/secret.png", noise(1))
    save(tmp_path / "photos/a.png", noise(2))
    (tmp_path / "photos/b.png").symlink_to(secret)
    monkeypatch.setenv("WTFLOW_ROOTS", str(tmp_path / "photos"))
    added = add_folder(plates, "plates", tmp_path / "photos", GOOD, is_allowed=allowed)
    assert names(plates) == ["a.png"]
    assert "leads out" in added.refused[0].reason
