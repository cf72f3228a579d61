"""The bench: what a figure is, that a floor is measured in turn with the figure, and what the command
prints. No test waits for a time.
"""

import dataclasses
import json
import platform
from pathlib import Path

import numpy as np
import pytest
import torch
from run_folders import TINY
from typer.testing import CliRunner

from wtflow.bench import actions, gpu, memory, memory_stage, pages, runtimes, start
from wtflow.bench.children import run_python
from wtflow.bench.command import make_table, run_bench
from wtflow.bench.drawn import draw_category
from wtflow.bench.figures import Figure, Spread, Target, interleaved, milliseconds, per_second
from wtflow.bench.machine import machine_facts
from wtflow.bench.parts import PARTS, choose_parts, run_parts
from wtflow.bench.scored_run import write_scored_run
from wtflow.bench.workshop import CATEGORY, Sizes, Workshop, bench_settings
from wtflow.cli.app import app
from wtflow.config import settings_from
from wtflow.datasets.health import check_category
from wtflow.datasets.scan import scan_category
from wtflow.errors import SettingsError, StoreError
from wtflow.jobs.estimate import STAGES
from wtflow.machine.memory import peak_mib
from wtflow.results import add_outcomes, open_results
from wtflow.store.runs import RunStore
from wtflow.training.loop import total_steps

CPU = torch.device("cpu")
SMALL = Sizes(repeats=3, images=16, steps=2, points=20, run_images=30, growth=(10, 20, 40))
TINY_BENCH = bench_settings(
    {name: value for name, value in TINY.items() if name not in ("weights", "edge_quantile")}
    | {"iterations": 60, "width": 32}
)
UNITS = {"images/s", "iterations/s", "ms", "ms/image", "s", "MiB", "%", "Spearman"}


def figure(value=(1.0, 2.0, 6.0), floor=(4.0,), target=None):
    return Figure("flow", "one step", "ms", Spread.of(value), "nothing", Spread.of(floor) if floor else None, target)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return Workshop(tmp_path_factory.mktemp("bench"), TINY_BENCH, SMALL, CPU)


# -- taking times ------------------------------------------------------------------------------------------------------


def test_things_take_turns_after_one_unmeasured_run_and_every_second_turn_is_backwards():
    calls = []
    interleaved({"floor": lambda: calls.append("floor"), "thing": lambda: calls.append("thing")}, 3)
    assert calls == ["floor", "thing", "floor", "thing", "thing", "floor", "floor", "thing"]


def test_seconds_are_those_of_the_clock_between_start_and_end_of_each_call():
    now = [0.0]
    costs = {
        "floor": iter([50.0, 1.0, 2.0, 3.0]),
        "thing": iter([90.0, 10.0, 20.0, 30.0]),
    }  # the first of each is the warm-up

    def spend(name):
        now[0] += next(costs[name])

    found = interleaved({name: lambda name=name: spend(name) for name in costs}, 3, clock=lambda: now[0])
    assert found == {"floor": [1.0, 2.0, 3.0], "thing": [10.0, 20.0, 30.0]}


def test_seconds_become_milliseconds_each_and_things_a_second():
    assert milliseconds([0.2, 0.1, 0.6], 4) == Spread(50.0, 25.0, 150.0, 3)
    assert per_second([0.5, 0.25, 1.0], 4) == Spread(8.0, 4.0, 16.0, 3)


# -- figures -----------------------------------------------------------------------------------------------------------


def test_a_ratio_is_the_quotient_of_the_two_medians():
    assert figure().ratio == 0.5
    assert figure(floor=None).ratio is None


@pytest.mark.parametrize(
    ("target", "is_met"),
    [
        (None, None),
        (Target("ratio", "at least", 0.5), True),
        (Target("ratio", "at least", 0.51), False),
        (Target("ratio", "at most", 0.5), True),
        (Target("value", "at most", 2.0), True),
        (Target("value", "at most", 1.9), False),
        (Target("value", "at least", 2.1), False),
    ],
)
def test_a_target_holds_for_the_median_or_for_the_ratio(target, is_met):
    assert figure(target=target).is_met is is_met


def test_a_target_for_the_ratio_is_open_where_there_is_no_floor():
    assert figure(floor=None, target=Target("ratio", "at most", 1.0)).is_met is None


def test_a_figure_in_json_says_its_unit_repeats_extremes_floor_and_target():
    assert figure(target=Target("ratio", "at most", 0.15)).to_json() == {
        "part": "flow",
        "name": "one step",
        "unit": "ms",
        "value": {"median": 2.0, "low": 1.0, "high": 6.0, "repeats": 3},
        "floor": {"name": "nothing", "median": 4.0, "low": 4.0, "high": 4.0, "repeats": 1},
        "ratio": 0.5,
        "target": {"of": "ratio", "bound": "at most", "limit": 0.15},
        "is_met": False,
    }


def test_the_table_shows_medians_extremes_ratio_and_whether_the_target_is_met():
    table = make_table([figure(target=Target("ratio", "at most", 0.15)), figure(value=(1234.4,), floor=None)])
    first, second = (
        dict(zip((str(column.header) for column in table.columns), row, strict=True))
        for row in zip(*(column.cells for column in table.columns), strict=True)
    )
    assert first == {
        "part": "flow",
        "what": "one step",
        "unit": "ms",
        "median": "2",
        "lowest": "1",
        "highest": "6",
        "repeats": "3",
        "floor": "nothing",
        "median of floor": "4",
        "ratio of medians": "0.5",
        "target": "ratio at most 0.15",
        "met": "no",
    }
    assert (second["median"], second["highest"], second["target"], second["met"]) == ("1234", "", "", "")


# -- what is measured on -----------------------------------------------------------------------------------------------


def test_the_bench_measures_preset_fast_as_it_is_for_trained_weights():
    trained = settings_from("fast", {"backbone": "resnet18", "weights": "imagenet"})
    assert bench_settings({}) == trained.changed({"weights": "untrained"})
    assert (bench_settings({}).backbone, bench_settings({}).stages, bench_settings({}).image_size) == (
        "resnet18",
        (1, 2, 3),
        256,
    )


def test_a_drawn_category_is_sound_and_no_image_is_like_another(tmp_path):
    draw_category(tmp_path, "plate", 12, 4, 4, 64)
    report = check_category(scan_category(tmp_path, "plate"))
    assert report.counts == {"train": {"good": 12}, "test": {"good": 4, "spot": 4}}
    assert [
        finding.code for finding in report.findings if finding.severity == "error" or "duplicate" in finding.code
    ] == []


def test_the_run_made_by_hand_opens_like_a_finished_one_and_has_every_outcome(shop, tmp_path):
    draw_category(tmp_path / "images", "plate", 12, 20, 20, 64)
    store = RunStore(tmp_path / "runs")
    run_id = write_scored_run(store, tmp_path / "images", "plate", shop.backbone, shop.training[1], seed=0)
    results = open_results(store, run_id)
    assert len(results.test) == 40
    assert 0.6 < results.metrics["metrics"]["image_auroc"] < 1.0
    threshold = results.metrics["thresholds"]["best_f1"]["value"]
    assert set(add_outcomes(results.test, threshold).outcome) == {"TP", "FP", "TN", "FN"}
    assert results.maps.shape[1:] == shop.features.shape[1:3]
    assert shop.settings.edge_quantile > 0
    assert store.edges(run_id).n_images == (~results.table.is_defective).sum()


def test_facts_of_the_machine_leave_out_its_name():
    facts = machine_facts(CPU)
    assert {"cpu", "cores", "threads", "torch", "device"} <= facts.keys()
    assert facts["threads"] == torch.get_num_threads()
    assert platform.node() not in {str(value) for value in facts.values()}


# -- parts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["features", "coupling", "train", "flow", "scoring"])
def test_a_part_gives_figures_whose_floors_were_measured_as_often_in_the_same_run(shop, part):
    figures = PARTS[part](shop)
    assert figures
    for one in figures:
        assert one.part == part
        assert one.unit in UNITS
        assert one.value.repeats == one.floor.repeats == SMALL.repeats
        assert 0 < one.value.low <= one.value.median <= one.value.high
        assert one.floor_name
        assert one.ratio == one.value.median / one.floor.median


def test_targets_are_those_that_were_asked_for(shop):
    targets = {
        one.name.split(",")[0]: one.target
        for part in ("features", "train", "flow")
        for one in PARTS[part](shop)
        if one.target
    }
    limits = sorted((target.of, target.bound, target.limit) for target in targets.values())
    assert limits == [
        ("ratio", "at least", 0.85),
        ("ratio", "at least", 0.9),
        ("ratio", "at most", 0.15),
        ("ratio", "at most", 0.5),
    ]


def test_the_bench_trains_a_network_that_is_the_settings_own(shop):
    trainer, detector, batches = shop.training
    assert trainer.velocity is detector.velocity
    assert batches(0)[0].shape == (TINY_BENCH.batch_size, detector.normaliser.channels)
    assert shop.start(20).shape == (20, *shop.features.shape[1:3], detector.normaliser.channels)


def test_the_pages_part_asks_for_every_page_and_reports_it_cold_and_cached(shop, monkeypatch):
    asked = []

    def run(arguments, changes):
        asked.append(arguments[4])
        return 'words before\n{"cold": [2.0], "cached": [0.1, 0.3, 0.2], "heading": [0.02, 0.01, 0.03]}\n'

    monkeypatch.setattr(pages, "run_python", run)
    figures = pages.measure(shop)
    from pages.ui.frame import PAGES

    assert asked == sorted(PAGES)
    assert [one.value.median for one in figures[:2]] == [2000.0, 200.0]
    assert figures[1].ratio == pytest.approx(10)
    assert figures[1].is_met
    assert figures[0].target is None


def test_the_actions_part_holds_each_action_against_the_heading_and_first_visits_find_nothing_computed(
    shop, monkeypatch
):
    derived = [shop.shown_runs.home / run_id / "derived" for run_id in shop.shown_runs.ids]
    seen = []

    def run(arguments, changes):
        seen.append((arguments[4], any(folder.exists() for folder in derived)))
        for folder in derived:
            folder.mkdir(exist_ok=True)
        if arguments[4] == "actions":
            return '{"heading": [0.01, 0.03, 0.02], "next image": [0.4, 0.2, 0.1]}\n'
        return '{"cpu_s": 2.5, "wall_s": 6.0, "picture_wall_s": 1.5, "picture_cpu_s": 0.5, "heading": [0.01]}\n'

    monkeypatch.setattr(actions, "run_python", run)
    found = actions.measure(shop)
    assert seen == [("actions", False)] + [("first", False)] * len(actions.FIRST_VISITS)
    assert found[0].ratio == pytest.approx(10)
    assert found[0].is_met
    assert [one.value.median for one in found[1:4]] == [1.5, 6.0, 2.5]


def test_the_memory_part_holds_the_fewest_images_against_imports_and_more_against_the_fewest(shop, monkeypatch):
    peaks = iter([100.0, 110, 200, 400, 300, 150] + [100.0, 110, 200, 400, 300, 170] + [100.0, 110, 200, 400, 300, 150])
    monkeypatch.setattr(memory, "run_python", lambda arguments, changes: f"said before\n{next(peaks)}\n")
    figures = {one.name: one for one in memory.measure(shop)}
    assert len(figures) == 5 * len(SMALL.growth)
    assert figures["train, 10 images"].ratio == 4.0
    assert figures["train, 40 images"].ratio == 1.0
    assert figures["metrics, 20 images"].ratio == pytest.approx(17 / 15)
    assert [name for name, one in figures.items() if one.is_met is False] == ["metrics, 20 images"]
    assert list(shop.folder.glob("memory_*")) == [], "what was written is deleted"


def test_the_inspect_part_holds_it_against_extraction_and_scoring_and_memory_against_the_fewest_images(
    shop, monkeypatch
):
    asked = []

    def run(arguments, changes):
        asked.append(len(list(Path(arguments[-1]).iterdir())))
        return json.dumps({"peak_mib": 100.0 + asked[-1], "rate": 30.0, "n": asked[-1], "n_broken": 0})

    monkeypatch.setattr("wtflow.bench.inspect.run_python", run)
    figures = PARTS["inspect"](shop)
    assert asked == list(shop.sizes.inspected)
    assert figures[0].target == Target("ratio", "at least", 0.85)
    assert figures[0].value.repeats == figures[0].floor.repeats == SMALL.repeats
    memory = [one for one in figures if "peak memory" in one.name]
    assert [one.value.median for one in memory] == [120.0, 200.0]
    assert memory[1].ratio == pytest.approx(200 / 120)


def test_each_stage_of_the_memory_part_finds_what_the_one_before_left(tmp_path):
    draw_category(tmp_path / "images", CATEGORY, 12, 2, 2, 64)
    store = RunStore(tmp_path / "runs")
    run_id = store.create(tmp_path / "images", CATEGORY, TINY_BENCH.changed({"iterations": 3}))
    for stage in STAGES:
        memory_stage.run_stage(store, run_id, stage)
    assert store.maps(run_id).shape[0] == 4 + 1, "four test images, one normal held out"
    assert len(store.steps(run_id)) == 3


def test_the_peak_of_a_process_is_its_own_and_not_that_of_the_one_that_started_it():
    """getrusage would report at least what this process holds."""
    large = np.ones(400 * 2**17)  # 400 MiB
    child = float(run_python(["-c", "from wtflow.machine.memory import peak_mib; print(peak_mib())"]))
    assert child < 200 < large.nbytes / 2**20 < peak_mib()


def test_a_process_of_the_bench_that_fails_is_an_error_with_its_last_words():
    with pytest.raises(StoreError, match="no such luck"):
        run_python(["-c", "import sys; sys.exit('no such luck')"])


@pytest.mark.slow
def test_pages_start_and_memory_are_measured_in_processes_of_their_own(tmp_path):
    shop = Workshop(tmp_path, TINY_BENCH, dataclasses.replace(SMALL, repeats=1, growth=(10, 20)), CPU)
    figures = [*pages.measure(shop), *actions.measure(shop), *start.measure(shop), *memory.measure(shop)]
    assert {one.part for one in figures} == {"pages", "actions", "start", "memory"}
    assert all(one.value.median > 0 and (one.floor is None or one.floor.median > 0) for one in figures)


# -- the GPU's part, as far as a CPU can test it ----------------------------------------------------------------------


def test_scores_in_bf16_rank_positions_as_those_in_fp32_do(shop):
    trainer, detector, batches = shop.training
    trainer.total_steps = trainer.step + 60
    trainer.run(batches, lambda step, loss: None)
    assert 0.999 <= gpu.bf16_agreement(detector, shop) < 1.0


def test_a_whole_run_is_held_against_its_networks_alone(shop):
    whole, agreement = gpu.whole_run(shop)
    assert whole.unit == "s"
    assert f"{SMALL.images} images, {total_steps(TINY_BENCH, 11)} steps" in whole.name
    assert whole.floor.median > 0
    assert agreement.unit == "Spearman"
    assert agreement.target == Target("value", "at least", 0.999)
    assert agreement.ratio is None


def test_the_gpu_is_measured_with_the_papers_backbone_and_both_presets():
    found = gpu.gpu_settings()
    assert list(found) == ["fast", "paper"]
    assert {one.backbone for one in found.values()} == {"wide_resnet50_2"}
    assert all(one.is_untrained for one in found.values())
    assert found["paper"] == settings_from("paper").changed({"weights": "untrained"})


def test_percents_are_read_from_what_nvidia_smi_writes_without_the_first_which_tells_of_before():
    assert gpu.read_percents("3\n 95 \n[N/A]\n88\n") == [95.0, 88.0]
    assert gpu.read_percents("") == []


def test_without_a_device_to_watch_the_work_is_done_and_nothing_is_said(shop, monkeypatch):
    monkeypatch.setattr(gpu, "WATCH_S", 0.0)
    done = []
    assert gpu.busy_percent(lambda: done.append(1), CPU) == []
    assert done == [1]
    assert gpu.watch_training(shop) == []


# -- the command -------------------------------------------------------------------------------------------------------


def call(*arguments):
    return CliRunner().invoke(app, ["bench", *map(str, arguments)], catch_exceptions=False)


def test_parts_are_measured_in_their_own_order_and_unknown_ones_are_refused():
    assert choose_parts(None) == list(PARTS)
    assert choose_parts("train, features") == ["features", "train"]
    for names in ("speed", "train,speed", ""):
        with pytest.raises(SettingsError, match="no part"):
            choose_parts(names)


def test_the_command_refuses_an_unknown_part_and_an_unknown_setting():
    for arguments in (["--parts", "speed"], ["--set", "speed=1"], ["--set", "speed"]):
        result = call(*arguments, "--json")
        assert result.exit_code == 2
        assert "speed" in json.loads(result.stdout.splitlines()[-1])["error"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_cuda_one_line_says_that_the_gpu_was_not_measured():
    result = call("--parts", "gpu", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout.splitlines()[-1])
    assert found["figures"] == []
    assert list(found["not_run"]) == ["gpu"]
    assert sum("no CUDA device" in line for line in result.stderr.splitlines()) == 1


def test_without_the_exporters_packages_one_line_says_that_runtimes_were_not_measured(monkeypatch):
    monkeypatch.setattr("wtflow.bench.runtimes.missing_packages", lambda: ["onnxscript"])
    result = call("--parts", "runtimes", "--json")
    found = json.loads(result.stdout.splitlines()[-1])
    assert (result.exit_code, found["figures"]) == (0, [])
    assert found["not_run"] == {
        "runtimes": "The runtimes were not measured: requirements-export.txt is not installed (onnxscript)."
    }


def test_runtimes_are_held_against_the_app_and_the_app_against_the_backbone(shop):
    pytest.importorskip("onnxscript")
    found = runtimes.measure(shop)
    assert [one.floor_name for one in found[:2]] == ["the bare backbone"] * 2
    assert found[2].name.startswith("ONNX Runtime") and found[2].target == runtimes.WORTH
    assert {one.floor.median for one in found[2:]} == {found[0].value.median}


def test_the_json_holds_the_machine_the_settings_and_every_figure(monkeypatch, tmp_path):
    monkeypatch.setattr("wtflow.bench.command.QUICK", SMALL)
    changes = [f"{name}={TINY[name]}" for name in ("image_size", "width", "depth", "batch_size", "group_size")]
    said = []
    found = run_bench(
        "coupling,flow", True, changes, tmp_path / "bench.json", lambda label, percent: said.append((label, percent))
    )
    assert json.loads((tmp_path / "bench.json").read_text()) == found
    assert found["version"] == 2
    assert found["is_quick"]
    assert found["settings"]["image_size"] == 64
    assert found["machine"]["cores"]
    assert {one["part"] for one in found["figures"]} == {"coupling", "flow"}
    for one in found["figures"]:
        assert one["ratio"] == one["value"]["median"] / one["floor"]["median"]
    assert said == [("measuring coupling", 0.0), ("measuring flow", 50.0), ("measured", 100.0)]


def test_a_part_that_fails_costs_no_other_its_figures_and_the_command_says_so(monkeypatch):
    def give_up(shop):
        raise StoreError("The disk is full.", fix="Make room.")

    monkeypatch.setitem(PARTS, "features", give_up)
    monkeypatch.setattr("wtflow.bench.command.QUICK", SMALL)
    result = call("--parts", "features,coupling", "--quick", "--json")
    found = json.loads(result.stdout.splitlines()[-1])
    assert result.exit_code == 1
    assert found["failed"] == {"features": "The disk is full. Make room."}
    assert {one["part"] for one in found["figures"]} == {"coupling"}
    assert "features failed: The disk is full. Make room." in result.stderr


def test_nothing_is_left_behind(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    figures, facts = run_parts(["coupling"], TINY_BENCH, SMALL, lambda label, percent: None)
    assert figures
    assert facts["not_run"] == facts["failed"] == {}
    assert list(tmp_path.iterdir()) == []
