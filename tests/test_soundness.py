"""Whether a file is whole, told from its length, head and end."""

import json
import os

import numpy as np
import pandas as pd
import pytest
from hand_made_runs import score_table, write_finished_run
from hypothesis import given
from hypothesis import strategies as st
from run_folders import tiny_settings
from safetensors.numpy import save_file

from wtflow.errors import DamagedRunError
from wtflow.records.truth import RunTruth
from wtflow.results import open_results
from wtflow.store import layout
from wtflow.store.files import write_array, write_arrays
from wtflow.store.runs import RunStore
from wtflow.store.soundness import why_damaged

WRITE = {
    "scores.parquet": lambda path: score_table().to_parquet(path, index=False),
    "empty.parquet": lambda path: pd.DataFrame({"a": []}).to_parquet(path),
    "maps.npy": lambda path: write_array(path, np.ones((7, 4, 4), np.float32)),
    "none.npy": lambda path: write_array(path, np.ones((0, 4, 4), np.float32)),
    "whole.npz": lambda path: write_arrays(path, {"mean": np.ones(9), "centre": np.array(1.0)}),
    "metrics.json": lambda path: path.write_text(json.dumps({"metrics": {"image_auroc": 0.5}})),
    "last.safetensors": lambda path: save_file(
        {"a": np.ones(5, np.float32), "b": np.ones((0, 2))}, path, {"step": "1"}
    ),
}


@pytest.fixture(scope="module", params=WRITE)
def file(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / request.param
    WRITE[request.param](path)
    return path


def test_a_whole_file_is_sound_and_one_cut_anywhere_emptied_or_filled_with_noise_is_not(file):
    content = file.read_bytes()
    assert why_damaged(file) == ""
    try:
        for length in range(len(content)):
            file.write_bytes(content[:length])
            assert why_damaged(file), f"cut to {length} of {len(content)} bytes"
        for noise in (os.urandom(len(content)), bytes(len(content))):
            file.write_bytes(noise)
            assert why_damaged(file)
        file.unlink()
        file.mkdir()
        assert why_damaged(file), "a folder in its place"
    finally:
        if file.is_dir():
            file.rmdir()
        file.write_bytes(content)


@given(st.binary(max_size=200), st.sampled_from([name.split(".")[1] for name in WRITE]))
def test_no_bytes_make_it_fail(content, ending):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file.{ending}"
        path.write_bytes(content)
        assert isinstance(why_damaged(path), str)


def test_a_run_that_lost_its_truth_says_so_instead_of_reading_masks_as_they_are_now(tmp_path):
    store = RunStore(tmp_path / "runs")
    run_id = write_finished_run(store, tiny_settings())
    assert store.truth(run_id) is None, "it never held one"
    store.write_truth(run_id, RunTruth((4, 4), {}, {}))
    store.write_metrics(run_id, store.metrics(run_id) | {"files": [layout.SCORES, layout.MAPS, layout.TRUTH]})
    assert store.truth(run_id) == RunTruth((4, 4), {}, {})
    (store.folder(run_id) / layout.TRUTH).unlink()
    with pytest.raises(DamagedRunError, match=r"truth\.npz is missing"):
        open_results(store, run_id)
