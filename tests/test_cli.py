"""The command line: what it prints, where, and with which exit code; in this process, and as a person starts it."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hand_made_runs import write_finished_run
from image_folders import make_mvtec, save
from run_folders import TINY, write_tiny_category
from shell import call, last_json
from waiting import PATIENCE_S, wait_until

from wtflow.config import WEIGHT_WORDS, choices, settings_from
from wtflow.jobs import processes, trainings
from wtflow.metrics import METRICS
from wtflow.store.features import FeatureCache
from wtflow.store.notes import name_run, star_run
from wtflow.store.runs import RunStore

ROOT = Path(__file__).parent.parent
QUICK = [
    part
    for name, value in TINY.items()
    for part in ("--set", f"{name}={','.join(map(str, value)) if isinstance(value, tuple) else value}")
]


def environment(home):
    return os.environ | {"WTFLOW_HOME": str(home), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def start(home, *arguments):
    """The command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "wtflow", *map(str, arguments)],
        env=environment(home),
        cwd=home.parent,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


# -- train, end to end -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """(home, the finished process's code, stdout, stderr) of a real training."""
    folder = tmp_path_factory.mktemp("cli")
    write_tiny_category(folder / "data")
    process = start(
        folder / "runs", "train", "data", "plate", *QUICK, "--steps", "3", "--backbone-arg", "drop_rate=0.0", "--json"
    )
    out, err = process.communicate(timeout=PATIENCE_S)
    return folder / "runs", process.returncode, out, err


def test_training_prints_progress_on_stderr_and_one_json_object_last_on_stdout(trained):
    home, code, out, err = trained
    assert code == 0, err
    facts = last_json(out)
    assert facts.keys() >= {"run_id", "metrics", "seconds", "peak_rss_mib", "undefined"}
    assert METRICS.keys() == facts["metrics"].keys()
    assert {"image_auroc", "image_ap", "image_f1_max", "pixel_auroc", "pixel_ap", "aupro"} <= facts["metrics"].keys()
    assert all(0 <= value <= 1 for value in facts["metrics"].values())
    assert list(facts["seconds"]) == ["read", "features", "train", "score", "metrics"]
    assert facts["peak_rss_mib"] > 50
    assert "image_auroc" in out.splitlines()[0], "for people, before it"
    assert "100\N{NBSP}%" not in out
    assert facts["run_id"] in err
    assert "\x1b" not in out + err, "no colours where there is no terminal"


def test_what_was_asked_for_is_what_was_trained(trained):
    home, _, out, _ = trained
    store = RunStore(home)
    config = store.config(last_json(out)["run_id"])
    expected = settings_from("fast", TINY | {"steps": 3, "backbone_args": {"drop_rate": 0.0}})
    assert config.settings == expected
    assert config.category == "plate"
    assert Path(config.root) == home.parent / "data", "absolute, wherever the command was typed"


def test_evaluating_again_reports_the_same_metrics_and_other_steps_report_others(trained, monkeypatch):
    home, _, out, _ = trained
    monkeypatch.setenv("WTFLOW_HOME", str(home))
    run_id, metrics = last_json(out)["run_id"], last_json(out)["metrics"]
    same = call("evaluate", run_id, "--json")
    assert same.exit_code == 0
    assert last_json(same.stdout)["metrics"] == pytest.approx(metrics, abs=2e-3)
    other = last_json(
        call("evaluate", run_id, "--steps", "1", "--solver", "heun", "--score", "relative", "--json").stdout
    )
    assert other["changes"] == {"steps": 1, "solver": "heun", "score": "relative"}
    assert other["metrics"]["pixel_ap"] != pytest.approx(metrics["pixel_ap"], abs=0.01)
    by_place = last_json(
        call("evaluate", run_id, "--set", "whole_image=false", "--set", "precision=full", "--json").stdout
    )
    assert by_place["changes"] == {"whole_image": "false", "precision": "full"}
    assert "width is fixed once run" in call("evaluate", run_id, "--set", "width=8").stderr
    wrong = call("evaluate", run_id, "--steps", "0")
    assert wrong.exit_code == 2
    assert wrong.stderr.startswith("steps: ")


def test_exporting_writes_scores_metrics_and_maps(trained, monkeypatch, tmp_path):
    home, _, out, _ = trained
    monkeypatch.setenv("WTFLOW_HOME", str(home))
    run_id = last_json(out)["run_id"]
    result = call("export", run_id, "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert last_json(result.stdout)["n_files"] == len(files) == 4 + 3 * 9, "a map twice and a picture of each"
    assert len(pd.read_csv(tmp_path / "out/scores.csv")) == 9
    assert (
        json.loads((tmp_path / "out/metrics.json").read_text())["metrics"] == RunStore(home).metrics(run_id)["metrics"]
    )
    assert np.load(next((tmp_path / "out/maps").glob("*.npy"))).shape == (64, 64)


def test_the_cache_is_shown_and_cleared(trained, monkeypatch):
    home, _, _, _ = trained
    monkeypatch.setenv("WTFLOW_HOME", str(home))
    used = last_json(call("cache", "--json").stdout)["used_bytes"]
    assert used > 0
    cleared = last_json(call("cache", "--clear", "--json").stdout)
    assert (cleared["freed_bytes"], cleared["used_bytes"]) == (used, 0)
    assert FeatureCache(home).used_bytes() == 0


@pytest.mark.slow
def test_ctrl_c_stops_the_run_and_resume_finishes_it(tmp_path):
    write_tiny_category(tmp_path / "data")
    store = RunStore(tmp_path / "runs")
    process = start(store.home, "train", tmp_path / "data", "plate", *QUICK, "--iterations", "1500", "--json")
    wait_until(lambda: store.ids() and len(store.steps(store.ids()[0])))
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    (run_id,) = store.ids()
    assert last_json(out) == {"run_id": run_id, "state": "stopped"}
    assert f"python -m wtflow resume {run_id}" in err
    assert "Traceback" not in err
    assert store.status(run_id).state == "stopped"
    process = start(store.home, "resume", run_id, "--json")
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    assert last_json(out)["run_id"] == run_id
    assert store.steps(run_id).step.max() == 1500


def test_ctrl_c_while_a_run_is_being_started_stops_it(tmp_path, store, monkeypatch):
    """On a busy machine some seconds pass between the worker's start and the first look at the run."""
    write_tiny_category(tmp_path / "data")
    begin = trainings.start

    def begin_and_press(*arguments):
        run_id = begin(*arguments)
        signal.raise_signal(signal.SIGINT)
        return run_id

    monkeypatch.setattr(trainings, "start", begin_and_press)
    monkeypatch.setattr(trainings, "launch", lambda store, run_id: None)  # it stays in the queue
    result = call("train", tmp_path / "data", "plate", *QUICK, "--json")
    assert result.exit_code == 130
    (run_id,) = store.ids()
    assert last_json(result.stdout) == {"run_id": run_id, "state": "stopped"}
    assert store.status(run_id).state == "stopped"


# -- mistakes ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path):
    return write_tiny_category(tmp_path / "data", n_train=2, n_good=1, n_bad=1)


MISTAKES = {
    "no such root": (lambda data: ["train", data / "absent", "plate"], "absent"),
    "no such category": (lambda data: ["train", data, "cup"], "cup"),
    "root one level too low": (lambda data: ["train", data / "plate", "plate"], "is itself a category"),
    "root one level too high": (lambda data: ["check", data.parent], "is too high"),
    "unknown preset": (lambda data: ["train", data, "plate", "--preset", "slow"], "no preset 'slow'"),
    "unknown setting": (lambda data: ["train", data, "plate", "--set", "stepz=3"], "Did you mean steps"),
    "a preset among the settings": (
        lambda data: ["train", data, "plate", "--set", "preset=paper"],
        "preset cannot be changed",
    ),
    "setting without value": (
        lambda data: ["train", data, "plate", "--set", "steps"],
        "--set 'steps' is not NAME=VALUE",
    ),
    "argument without value": (
        lambda data: ["train", data, "plate", "--backbone-arg", "same"],
        "--backbone-arg 'same' is not NAME=VALUE",
    ),
    "value out of range": (lambda data: ["train", data, "plate", "--size", "9"], "image_size: .*found 9"),
    "value of another kind": (lambda data: ["train", data, "plate", "--stages", "two"], "no stage two"),
    "settings that contradict": (lambda data: ["train", data, "plate", "--scope", "image"], "which the mlp never sees"),
    "no such run to resume": (lambda data: ["resume", "20260101-000000-x"], "There is no run"),
    "no such run to export": (lambda data: ["export", "../../etc", "--out", "x"], "There is no run"),
    "no such run to evaluate": (lambda data: ["evaluate", ""], "There is no run"),
    "no category to check": (lambda data: ["check", data, "--category", "cup"], "cup"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence_on_stderr_and_exit_code_two(store, data, mistake):
    import re

    arguments, words = MISTAKES[mistake]
    result = call(*arguments(data), "--json")
    assert result.exit_code == 2
    assert re.search(words, result.stderr)
    assert len(result.stderr.strip().splitlines()) == 1
    facts = last_json(result.stdout)
    assert facts.keys() == {"error", "fix"}
    assert result.stderr.strip() == f"{facts['error']} {facts['fix']}"
    assert store.ids() == [], "nothing was started"


@pytest.mark.parametrize(
    "arguments", [["train", "data"], ["fly"], ["train", "data", "plate", "--colour", "red"], ["export", "x"], ["demo"]]
)
def test_a_wrong_call_shows_the_usage_and_exits_with_two(store, arguments):
    result = call(*arguments)
    assert result.exit_code == 2
    assert "Usage" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_help_lists_exactly_the_choices_of_a_setting(command):
    """A new choice appears in the help without an edit there."""
    words = {name: choices(name) for name in ("preset", "coupling", "scope", "score", "solver")}
    text = re.sub(r"\s+", " ", call(command, "--help").output)
    listed = {name: found[1] for name in words if (found := re.search(rf"--{name} <str> ([^.]*)\.", text))}
    assert len(listed) >= 2
    assert {name: set(re.findall(r"\w+", line)) - {"or"} for name, line in listed.items()} == {
        name: set(words[name]) for name in listed
    }


def test_help_lists_every_word_for_weights():
    line = re.search(r"--weights <str> (.*) --stages", re.sub(r"\s+", " ", call("train", "--help").output))
    assert line[1] == f"{', '.join(WEIGHT_WORDS)}, or a .safetensors or .pth file."


def test_help_names_every_command():
    result = call("--help")
    assert result.exit_code == 0
    for name in ("demo", "check", "train", "resume", "evaluate", "runs", "export", "cache"):
        assert name in result.stdout


def test_a_real_process_shows_a_mistake_without_a_traceback(tmp_path):
    process = start(tmp_path / "runs", "train", tmp_path, "plate")
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2
    assert out == ""
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1


def test_a_home_that_cannot_be_a_folder_is_a_mistake_too(data, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("WTFLOW_HOME", str(tmp_path / "file" / "runs"))
    result = call("train", data, "plate", *QUICK)
    assert result.exit_code == 2
    assert "cannot be read or written" in result.stderr


def test_a_limit_of_the_cache_that_is_no_number_is_a_mistake_too(store, monkeypatch):
    monkeypatch.setenv("WTFLOW_CACHE_GB", "plenty")
    result = call("cache")
    assert result.exit_code == 2
    assert "WTFLOW_CACHE_GB is 'plenty'" in result.stderr


def test_a_category_with_errors_is_refused_before_anything_starts(store, data):
    (data / "plate/train/good/000.png").write_bytes(b"not an image")
    result = call("train", data, "plate", *QUICK, "--json")
    assert result.exit_code == 2
    assert last_json(result.stdout)["error"].startswith("plate cannot be trained yet: 1 image cannot be read: train/")
    assert last_json(result.stdout)["fix"].startswith("Copy the files again")
    assert store.ids() == []


@pytest.mark.parametrize("words", [[], ["--no-check"]])
def test_warnings_of_the_check_are_printed_before_training_begins(store, data, monkeypatch, words):
    folder = data / "plate"
    (folder / "test/OK").mkdir()
    (folder / "train/good/batch1").mkdir()
    (folder / "train/good/000.png").rename(folder / "train/good/batch1/000.png")
    (folder / "test/good/000.png").rename(folder / "test/OK/000.png")
    (folder / "test/copy.csv").touch()
    written = []
    monkeypatch.setattr(
        trainings, "start", lambda *_: written.append(1) or store.create(data, "plate", settings_from())
    )
    monkeypatch.setattr("wtflow.cli.runs.follow", lambda store, run_id, stops, as_json, more: written.append(more))
    (folder / "train/good/001.png").rename(folder / "train/good/a.png")
    save(folder / "train/good/b.png", np.full((9, 9), 7, np.uint8))
    result = call("train", data, "plate", *QUICK, *words)
    assert result.exit_code == 0 and written[0] == 1
    assert "warning: test/OK (1 image, without a mask) counts as a defect type" in result.stderr
    assert "--good OK" in result.stderr
    assert "warning: 1 file one folder too deep, and not read: 1 in train/good/batch1." in result.stderr
    assert "info:" not in result.stderr
    assert "mixed_sizes" in {one["code"] for one in written[1]["findings"]} or words
    assert {one["code"] for one in written[1]["findings"]} >= {"sounds_good", "too_deep", "extra_file"}


@pytest.mark.slow
def test_a_run_that_fails_says_why_and_exits_with_two(store, data):
    (data / "plate/train/good/000.png").write_bytes(b"not an image")
    result = call("train", data, "plate", *QUICK, "--json", "--no-check")
    assert result.exit_code == 2
    assert "is failed: " in last_json(result.stdout)["error"]
    assert "000.png" in last_json(result.stdout)["error"]
    assert store.status(store.ids()[0]).state == "failed"
    for worker in processes._CHILDREN.values():
        worker.wait(PATIENCE_S)


# -- the other commands ------------------------------------------------------------------------------------------------


def test_a_sound_data_set_is_reported_with_exit_code_zero(data):
    result = call("check", data, "--json")
    assert result.exit_code == 0
    (category,) = last_json(result.stdout)["categories"]
    assert category["category"] == "plate"
    assert category["counts"]["train"] == {"good": 2}
    assert category["counts"]["test"] == {"good": 1, "spot": 1}
    assert not [finding for finding in category["findings"] if finding["severity"] == "error"]


def test_a_data_set_that_cannot_be_trained_on_exits_with_one_and_says_what_to_do(tmp_path):
    make_mvtec(tmp_path / "cup")
    (tmp_path / "cup/train/good/000.png").write_bytes(b"not an image")
    (tmp_path / "cup/train/good/001.png").unlink()
    make_mvtec(tmp_path / "bowl")
    result = call("check", tmp_path, "--json")
    assert result.exit_code == 1
    bowl, cup = last_json(result.stdout)["categories"]
    errors = [finding for finding in cup["findings"] if finding["severity"] == "error"]
    assert errors
    assert all(finding["fix"] for finding in errors)
    assert "error: " in result.stdout
    assert call("check", tmp_path, "--category", "bowl").exit_code == 0


def test_an_empty_store_says_how_to_begin(store):
    result = call("runs", "--json")
    assert result.exit_code == 0
    assert last_json(result.stdout) == {
        "home": str(store.home),
        "counts": {"found": 0, "all": 0, "archived": 0},
        "runs": [],
    }
    assert "python -m wtflow train" in result.stderr


def test_runs_are_listed_with_their_metrics_and_damaged_ones_with_their_reason(store):
    sound = write_finished_run(store, settings_from())
    damaged = "20200101-000000-broken"
    (store.home / damaged).mkdir()
    name_run(store, sound, "[dull] light")
    star_run(store, sound, True)
    result = call("runs", "--json")
    rows = {row["run_id"]: row for row in last_json(result.stdout)["runs"]}
    assert (rows[sound]["name"], rows[sound]["star"]) == ("[dull] light", True)
    assert "* [dull] light" in result.stdout
    assert rows[sound]["state"] == "finished"
    assert rows[sound]["metrics"]["image_auroc"] == pytest.approx(5 / 6)
    assert rows[damaged]["state"] == "damaged"
    assert "config.json is missing" in rows[damaged]["problem"]
    assert "0.833" in result.stdout


@pytest.mark.parametrize("category", ["[/bold]", "[red]", "a [b] c"])
def test_brackets_in_a_name_are_shown_as_they_are(store, category):
    write_finished_run(store, settings_from(), category)
    result = call("runs")
    assert result.exit_code == 0
    assert category in result.stdout


def test_results_of_an_unfinished_run_are_refused(store, tmp_path):
    run_id = store.create(tmp_path, "plate", settings_from())
    for arguments in (["export", run_id, "--out", tmp_path / "out"], ["evaluate", run_id]):
        result = call(*arguments)
        assert result.exit_code == 2
        assert "it is queued" in result.stderr
    assert not (tmp_path / "out").exists()


def test_the_demo_is_written_where_asked(monkeypatch, tmp_path):
    from wtflow.datasets.demo import write as demo

    def write(directory, progress=None, seed=0):
        progress(1, 2)
        return directory

    monkeypatch.setattr(demo, "write_demo", write)
    result = call("demo", tmp_path / "demo", "--json")
    assert result.exit_code == 0
    assert last_json(result.stdout) == {"root": str(tmp_path / "demo"), "categories": list(demo.DEMO_CATEGORIES)}
    assert "drawing the demo 50\N{NBSP}%" in result.stderr
