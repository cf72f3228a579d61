"""Inspections by another runtime than torch: the same table, never two runtimes in one without saying so.

The packages are optional. So the machinery is tested with torch in their place, behind the same calls; the tests at the
end take the packages themselves, and skip without them.
"""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from run_folders import tiny_settings, train_here, write_tiny_category
from shell import call, last_json

from wtflow.detector.file import write_file
from wtflow.detector.opened import open_run
from wtflow.detector.score import score_images
from wtflow.errors import ExportError
from wtflow.export.onnx.inner import InnerDetector, found_by
from wtflow.inspecting import kept, tasks
from wtflow.inspecting.runtimes import measure, pick
from wtflow.inspecting.work import inspect_here
from wtflow.records.inspect import InspectSettings
from wtflow.records.runtimes import Measured
from wtflow.store import inspections
from wtflow.store.graphs import GRAPH
from wtflow.store.runs import RunStore

ONNX = InspectSettings(runtime="onnx")
AUTO = InspectSettings(runtime="auto")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runtimes")
    store = RunStore(folder / "runs")
    return store, train_here(store, write_tiny_category(folder / "data")), folder / "data" / "plate" / "test"


@pytest.fixture
def made(trained, tmp_path, monkeypatch):
    """A store of its own with the run, and the folder of its test images."""
    store, run_id, images = trained
    shutil.copytree(store.folder(run_id), tmp_path / "runs" / run_id)
    monkeypatch.setenv("WTFLOW_HOME", str(tmp_path / "runs"))
    return RunStore(tmp_path / "runs"), run_id, images


class StandIn:
    """torch in place of the packages: what was made, what was opened, and how wrong it is."""

    def __init__(self, opened):
        grid = score_images(opened, np.zeros((1, *opened.shape, 3), np.float32)).maps.shape[1:]
        self.graph, self.version = InnerDetector(opened, grid).eval(), "1.0"
        self.n_made, self.n_calls, self.factor = 0, 0, 1.0

    def make(self, opened):
        self.n_made += 1
        return b"graph"

    def open(self, runtime, path, n_threads):
        assert path.read_bytes() == b"graph"

        def run(images):
            self.n_calls += 1
            with torch.no_grad():
                raw, spread, means = (one.numpy() for one in self.graph(torch.from_numpy(images)))
            return [raw * self.factor, spread, means]

        return run


@pytest.fixture
def stand_in(made, monkeypatch):
    found = StandIn(open_run(made[0], made[1]))
    monkeypatch.setattr(pick, "inner_graph", found.make)
    monkeypatch.setattr(pick, "open_graph", found.open)
    monkeypatch.setattr(pick, "installed", lambda: ("onnx",))
    monkeypatch.setattr(pick, "require", lambda runtime: None)
    monkeypatch.setattr(pick, "graph_versions", lambda: "stand-in")
    for module in (pick, measure):
        monkeypatch.setattr(module, "version_of", lambda runtime: found.version)
    monkeypatch.setattr(measure, "REPEATS", 1)
    return found


def run(made, *, settings, source=None, detector=None, **options):
    store, run_id, images = made
    begun = tasks.create(store, detector or run_id, [source or images], settings=settings)
    return inspect_here(store, begun.inspection_id, **options)


def assert_same_tables(store, one, other, rtol):
    for mine, theirs in zip(kept.rows(store, one), kept.rows(store, other), strict=True):
        assert (mine.image, mine.verdict) == (theirs.image, theirs.verdict)
        assert [name for name, _ in mine.nearest] == [name for name, _ in theirs.nearest]
        for name in ("score", "level", "whole_score"):
            assert getattr(mine, name) == pytest.approx(getattr(theirs, name), rel=rtol, nan_ok=True), name
        assert mine.area == pytest.approx(theirs.area, abs=rtol), "a pixel at the threshold may fall to either side"
        distances = [[far for _, far in row.nearest] for row in (mine, theirs)]
        np.testing.assert_allclose(*distances, rtol=rtol, atol=1e-5)


# -- the machinery -----------------------------------------------------------------------------------------------------


def test_another_runtime_gives_torchs_table_and_its_graph_is_made_once(made, stand_in):
    store, *_ = made
    plain, said = run(made, settings=InspectSettings()), []
    ended = run(made, settings=ONNX, tell=lambda now: said.append((now.status.stage, now.status.message)))
    assert_same_tables(store, ended.inspection_id, plain.inspection_id, 1e-4)
    assert plain.runtime.name == "torch" and not plain.runtime.words
    assert ended.runtime.title == "ONNX Runtime 1.0"
    assert ended.runtime.measured[0].n_checked == 8
    assert any(stage == "runtime" and "Writing the detector as a graph" in words for stage, words in said)
    n_calls = stand_in.n_calls
    again = run(made, settings=ONNX)
    assert again.runtime == ended.runtime
    assert stand_in.n_made == 1
    assert stand_in.n_calls == n_calls + 2, "measured again"


def test_a_damaged_graph_is_made_again(made, stand_in):
    run(made, settings=ONNX)
    [graph] = (made[0].home / ".graphs").glob(f"*/{GRAPH}")
    graph.write_bytes(b"grap")
    assert run(made, settings=ONNX).status.state == "finished"
    assert stand_in.n_made == 2


def test_a_runtime_that_does_not_agree_is_refused_and_never_chosen(made, stand_in):
    stand_in.factor = 1.01
    with pytest.raises(ExportError, match="does not agree with torch on 8 images"):
        run(made, settings=ONNX)
    settings = replace(AUTO, watch=True)  # however many will come
    ended = run(made, settings=settings, tell=stop_when_done)
    assert ended.runtime.name == "torch"
    assert "does not agree" in ended.runtime.words


def stop_when_done(inspection):
    from wtflow.machine.progress import StopRequestedError

    if inspection.counts.n_done == 8:
        raise StopRequestedError


def test_a_file_without_its_images_is_checked_on_the_first_ones_to_be_inspected(made, stand_in, tmp_path):
    store, run_id, images = made
    write_file(open_run(store, run_id), tmp_path / "plate.wtf")
    ended = run(made, settings=ONNX, detector=str(tmp_path / "plate.wtf"), source=images / "spot")
    assert ended.runtime.measured[0].n_checked == 4


def test_few_images_stay_with_torch_and_nothing_is_made_for_them(made, stand_in):
    ended = run(made, settings=AUTO)
    assert ended.runtime.name == "torch"
    assert "8 images do not earn back" in ended.runtime.words
    assert stand_in.n_made == stand_in.n_calls == 0


@pytest.mark.parametrize(
    ("per_second", "opening_s", "chosen"), [(20.0, 0.0, "onnx"), (12.0, 0.0, "torch"), (20.0, 9.0, "torch")]
)
def test_what_was_measured_before_decides(made, stand_in, monkeypatch, per_second, opening_s, chosen):
    measured = Measured("onnx", "1.0", 8, 0.0, 0.0, 1.0, 0, True, 10.0, per_second, opening_s)
    monkeypatch.setattr(pick, "measure", lambda *arguments: [measured])
    run(made, settings=ONNX)  # keeps it
    monkeypatch.setattr(pick, "measure", None)
    ended = run(made, settings=AUTO)
    assert (ended.runtime.name, ended.runtime.measured) == (chosen, (measured,))
    stand_in.version = "1.1"  # of another version nothing is known
    assert "8 images do not earn back what choosing" in run(made, settings=AUTO).runtime.words


@pytest.mark.parametrize(("before", "now", "is_again"), [(3.0, 1.0, True), (3.0, 3.0, False), (1.0, 3.0, False)])
def test_what_was_timed_on_a_busy_computer_is_timed_again_once_it_is_quiet(
    made, stand_in, monkeypatch, before, now, is_again
):
    loads = [before, now]
    for module in (pick, measure):
        monkeypatch.setattr(module, "load", lambda: loads[0])
    assert run(made, settings=ONNX).runtime.measured[0].load == before
    loads.pop(0)
    assert run(made, settings=ONNX).runtime.measured[0].load == (now if is_again else before)


# -- going on ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def half_done(made, stand_in, monkeypatch):
    """An inspection by ONNX Runtime that was stopped after some images."""
    monkeypatch.setattr("wtflow.inspecting.session.STATUS_EVERY_S", 0.0)
    store, run_id, images = made
    begun = tasks.create(store, run_id, [images], settings=ONNX)
    ended = inspect_here(
        store, begun.inspection_id, each=lambda row: inspections.request_stop(store, begun.inspection_id)
    )
    assert ended.status.state == "stopped"
    assert 0 < ended.counts.n_done < 8
    inspections.clear_stop(store, begun.inspection_id)
    return ended


def test_an_inspection_goes_on_by_the_runtime_that_it_began_with(made, stand_in, half_done):
    store, *_ = made
    ended = inspect_here(store, half_done.inspection_id)
    assert ended.runtime == half_done.runtime
    assert_same_tables(store, ended.inspection_id, run(made, settings=ONNX).inspection_id, 1e-6)


def test_asked_for_another_runtime_it_goes_on_as_it_began_and_says_so(made, half_done):
    store, *_ = made
    for _ in range(2):
        inspections.change_settings(store, half_done.inspection_id, InspectSettings(runtime="torch"))
        ended = inspect_here(store, half_done.inspection_id)
    assert ended.runtime.name == "onnx"
    assert ended.runtime.words.count("It began by ONNX Runtime and goes on by it") == 1


def test_where_its_runtime_is_gone_torch_goes_on_and_it_is_said_which_images_are_whose(made, half_done, monkeypatch):
    def gone(runtime):
        raise ExportError("It is gone.", fix="Install it.")

    monkeypatch.setattr(pick, "require", gone)
    ended = inspect_here(made[0], half_done.inspection_id)
    assert (ended.status.state, ended.runtime.name) == ("finished", "torch")
    n = half_done.counts.n_done
    assert (
        f"The first {n} images were scored by ONNX Runtime 1.0, the others by torch: It is gone." in ended.runtime.words
    )


def test_where_its_version_is_another_it_is_said_which_images_are_whose(made, stand_in, half_done):
    stand_in.version = "2.0"
    ended = inspect_here(made[0], half_done.inspection_id)
    assert ended.runtime.title == "ONNX Runtime 2.0"
    assert "by ONNX Runtime 1.0, the others by ONNX Runtime 2.0." in ended.runtime.words


# -- refusals ----------------------------------------------------------------------------------------------------------


def test_without_the_packages_the_shell_refuses_one_and_says_of_auto_that_torch_computes(made, monkeypatch):
    store, run_id, images = made
    monkeypatch.setattr("wtflow.inspecting.runtimes.installed.missing_packages", lambda: ["onnx"])
    refused = call("inspect", run_id, images, "--runtime", "openvino")
    assert refused.exit_code == 2
    assert "needs packages that are not installed: onnx" in refused.stderr
    assert call("inspect", run_id, images, "--runtime", "fast").exit_code == 2
    assert inspections.ids(store) == []
    done = call("inspect", run_id, images, "--runtime", "auto", "--json")
    assert done.exit_code == 0
    assert "computed by" in done.stdout
    found = last_json(done.stdout)["runtime"]
    assert found["name"] == "torch"
    assert "not installed: onnx" in found["words"]


def test_tiles_are_refused_with_a_sentence(made, stand_in):
    opened = open_run(made[0], made[1])
    tiled = replace(opened, settings=tiny_settings(tile=32))
    with pytest.raises(ExportError, match="tiles cannot be exported"):
        pick.refuse_runtime(tiled, "onnx")
    pick.refuse_runtime(tiled, "torch")


# -- the packages themselves -------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
def test_the_packages_give_torchs_table(made, runtime):
    for name in ("onnx", "onnxscript", "onnxruntime", *(["openvino"] if runtime == "openvino" else [])):
        pytest.importorskip(name, reason="requirements-export.txt is not installed")
    store, *_ = made
    plain = run(made, settings=InspectSettings())
    ended = run(made, settings=InspectSettings(runtime=runtime))
    assert ended.runtime.name == runtime
    assert_same_tables(store, ended.inspection_id, plain.inspection_id, 2e-3)


def test_values_that_are_not_finite_are_refused_as_torchs_are(made):
    opened = open_run(made[0], made[1])
    with pytest.raises(Exception, match="not finite"):
        found_by(opened, np.full((1, 4, 4), np.inf), np.zeros((1, 3)), np.zeros((1, 3)))
