"""Which runtime pays off, by figures worked out by hand, and graphs kept on disk."""

import math
import os
from dataclasses import asdict, replace

import pytest

from wtflow.errors import MissingPackageError
from wtflow.inspecting.runtimes import decide, installed
from wtflow.records.inspect import Inspection, plan_from_json, plan_to_json
from wtflow.records.runtimes import Measured, RuntimeUsed
from wtflow.store.graphs import MOST_KEPT, GraphCache

QUICK = Measured("onnx", "1.32.0", 32, 1e-5, 1e-4, 1.0, 0, True, 20.0, 30.0, 0.2)


def test_a_runtime_earns_back_what_choosing_it_took_at_the_number_of_images_worked_out_by_hand():
    # 400 images: 20 s at 20 a second, 10 s at twice that; so 10 s are earned back.
    assert decide.earns_back(10.0, 20.0, 2.0) == pytest.approx(400)
    assert decide.earns_back(0.0, 20.0, 2.0) == 0
    assert decide.earns_back(10.0, 20.0, 1.0) == math.inf


def test_choosing_costs_the_graph_three_passes_on_one_core_and_the_timing_on_all():
    # 32 images three times on one of two cores, at 5 a second: 19.2 s. 96 images twice on both, at 10: 19.2 s.
    assert decide.costs(12.0, 10.0, 2, 32, 96, 1) == pytest.approx(12 + 19.2 + 19.2)


@pytest.mark.parametrize(
    "changes",
    [{"per_second": 25.9}, {"is_equal": False}, {"n_checked": 7}],
    ids=["1.295 times as fast", "another verdict", "too few images"],
)
def test_what_is_too_slow_does_not_agree_or_was_hardly_checked_is_not_chosen(changes):
    assert decide.best_of([replace(QUICK, **changes)]) is None


def test_the_fastest_of_those_that_may_be_used_is_chosen():
    just = replace(QUICK, per_second=26.0)
    quicker = replace(QUICK, runtime="openvino", per_second=31.0)
    wrong = replace(QUICK, per_second=90.0, is_equal=False)
    assert decide.best_of([just]) == just
    assert decide.best_of([QUICK, quicker, wrong]) == quicker
    assert decide.best_of([]) is None


def test_the_words_hold_the_figures():
    assert "30.0 images a second where torch scored 20.0 (1.50 times)" in decide.words_of(QUICK)
    assert "(1.50 times, while other programs kept the cores busy)" in decide.words_of(replace(QUICK, load=1.6))
    wrong = replace(QUICK, is_equal=False, n_verdicts_differ=1, score_share=0.02)
    assert "does not agree with torch on 32 images: 1 verdict differs," in decide.words_of(wrong)
    assert "8 images are needed" in decide.why_torch([replace(QUICK, n_checked=3)])


def test_an_inspection_keeps_what_computed_it_and_older_ones_open():
    made = Inspection("20260101-000000-plate", runtime=RuntimeUsed("onnx", "1.32.0", "Fast.", (QUICK,)))
    values = plan_to_json(made)
    assert plan_from_json(values) == made
    del values["runtime"], values["settings"]["runtime"]
    assert plan_from_json(values) == replace(made, runtime=None)


def test_a_runtime_that_is_not_here_is_refused_with_what_to_install(monkeypatch):
    monkeypatch.setattr(installed, "missing_packages", lambda: ["onnxscript"])
    assert installed.installed() == ()
    installed.require("torch")
    with pytest.raises(MissingPackageError, match="not installed: onnxscript.*requirements-export.txt"):
        installed.require("onnx")


# -- kept graphs -------------------------------------------------------------------------------------------------------


def test_a_graph_is_found_as_it_was_kept_by_its_detector_and_versions_alone(tmp_path):
    cache = GraphCache(tmp_path)
    kept = cache.keep("f" * 64, "torch-2", b"graph", 9.5)
    kept.keep_measured("here", {"measured": [asdict(QUICK)]})
    found = cache.find("f" * 64, "torch-2")
    assert found == kept
    assert found.path.read_bytes() == b"graph"
    assert found.measured("here") == {"measured": [asdict(QUICK)]}
    assert found.measured("elsewhere") == {}
    assert cache.find("f" * 64, "torch-3") is None
    assert cache.find("e" * 64, "torch-2") is None


@pytest.mark.parametrize("name", ["graph.onnx", "graph.json"])
def test_a_damaged_graph_is_none_and_what_was_measured_of_it_is_gone(name, tmp_path):
    cache = GraphCache(tmp_path)
    kept = cache.keep("f" * 64, "torch-2", b"graph", 9.5)
    kept.keep_measured("here", {"measured": []})
    damaged = kept.path.with_name(name)
    damaged.write_bytes(damaged.read_bytes()[:-1])
    assert cache.find("f" * 64, "torch-2") is None
    again = cache.keep("f" * 64, "torch-2", b"graph", 9.5)
    assert again.measured("here") == {}


def test_graphs_unused_for_longest_go_first(tmp_path):
    cache = GraphCache(tmp_path)
    for i in range(MOST_KEPT):
        kept = cache.keep(f"{i:064d}"[::-1], "torch-2", b"graph", 1.0)
        os.utime(kept.path.parent, (i, i))
    assert cache.find(f"{0:064d}"[::-1], "torch-2") is not None  # used now
    cache.keep("f" * 64, "torch-2", b"graph", 1.0)
    there = [cache.find(f"{i:064d}"[::-1], "torch-2") is not None for i in range(MOST_KEPT)]
    assert there == [True, False] + [True] * (MOST_KEPT - 2)
    assert cache.clear() > 0
    assert cache.find("f" * 64, "torch-2") is None
