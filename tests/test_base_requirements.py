"""What `pip install .` brings: what scoring an image imports, and for each command that needs more, a sentence."""

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from base_only import BASE, CONTENTS, PROJECT, hidden_modules, required
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image
from waiting import PATIENCE_S

from wtflow.cli.extras import EXTRAS, missing

BASE_ONLY = Path(__file__).with_name("base_only.py")
LISTED = {extra: set(lines) for extra, lines in CONTENTS["project"]["optional-dependencies"].items()}


# -- lists -------------------------------------------------------------------------------------------------------------


def test_the_list_for_make_is_the_base_and_the_extra_app():
    lines = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert {line for line in lines if not line.startswith("#")} == set(CONTENTS["project"]["dependencies"]) | LISTED[
        "app"
    ]


def test_the_extra_all_is_every_other_extra():
    [line] = LISTED["all"]
    assert Requirement(line).extras == LISTED.keys() - {"all"}


def test_the_sentences_know_every_package_of_every_extra_by_the_name_of_its_module():
    listed = {extra: {Requirement(line).name for line in lines} for extra, lines in LISTED.items() if extra != "all"}
    assert {extra: set(packages.values()) for extra, packages in EXTRAS.items()} == listed
    known = metadata.packages_distributions()
    for module, package in EXTRAS["app"].items():
        assert package in {name.lower() for name in known[module]}


def test_a_module_that_no_extra_brings_has_no_sentence():
    assert missing("wtflow.studies.no_such", "wtflow train") is None
    assert missing(None, "wtflow train") is None
    assert "scikit-learn" in str(missing("sklearn.covariance", "wtflow train"))


def test_what_is_hidden_is_what_a_base_install_lacks():
    """An empty list would let everything below hold."""
    assert {"streamlit", "pandas", "scipy", "sklearn", "psutil", "plotly", "matplotlib", "umap"} <= hidden_modules()
    assert not {"torch", "torchvision", "timm", "numpy", "PIL", "typer"} & hidden_modules()
    assert "torchvision" in required(BASE)


# -- one process that has the base alone -------------------------------------------------------------------------------

CODE = """
import contextlib, io, json, sys
from pathlib import Path
before = set(sys.modules)
import wtflow
first = sorted(set(sys.modules) - before)
from wtflow import console
from wtflow.cli.app import main
told = {"first": first, "heavy": sorted({"torch", "timm"} & sys.modules.keys())}
for line in LINES:
    sys.argv = ["wtflow", *line.split()]
    console.err.file = io.StringIO()
    try:
        main()
    except SystemExit as end:
        told[line] = [end.code, console.err.file.getvalue()]

import numpy as np
from wtflow.config import settings_from
from wtflow.datasets.images import load_image
from wtflow.detector import file, score
from wtflow.features.backbone import load_backbone
from wtflow.flow.velocity import build_velocity
from wtflow.scoring.detector import Detector
from wtflow.scoring.normalise import empty_normaliser
from wtflow.scoring.pixels import scores_of, upsample
settings = settings_from("fast", {"image_size": 64, "width": 16})
features = load_backbone(settings).compute(load_image(Path("part.png"), 64)[None])
detector = Detector(settings, empty_normaliser(settings.normalise, features.shape[-1], 8), build_velocity(settings, 8))
found = detector.maps(features)
scores = scores_of(upsample(found.after, (64, 64), settings.score), found.whole, settings.top_fraction)
told["scores"] = scores.tolist()
told["loaded"] = sorted({name.partition(".")[0] for name in sys.modules})
print("\\n" + json.dumps(told))
"""
LINES = (
    "demo d",
    "check d",
    "train d fabric",
    "resume x",
    "evaluate x",
    "runs",
    "export x --out o",
    "report x --out r.html",
    "lesson well --out l",
    "bench --quick",
)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Command line -> its exit code and what it says on stderr; then an image is scored."""
    folder = tmp_path_factory.mktemp("base")
    for place in ("d/fabric/train/good", "d/fabric/test/good"):
        (folder / place).mkdir(parents=True)
    Image.new("RGB", (80, 80), "grey").save(folder / "part.png")
    command = [sys.executable, str(BASE_ONLY), CODE.replace("LINES", repr(LINES))]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("line", LINES)
def test_a_command_that_needs_an_extra_says_which(told, line):
    code, text = told[line]
    assert code == 2
    assert text.count("\n") == 1
    assert re.match(rf"`wtflow {line.split()[0]}` needs [\w-]+, which is not installed\. ", text)
    assert text.endswith("pip install 'wtflow-studio[app]'\n")


def test_importing_the_package_imports_nothing_else(told):
    """0.2 ms, by -X importtime; its public names load what they need once somebody asks for them."""
    assert told["first"] == ["wtflow"]


def test_the_shell_opens_without_a_network(told):
    assert told["heavy"] == []


def test_an_image_is_scored_by_the_base_alone_and_needs_all_of_it(told):
    [score] = told["scores"]
    assert score >= 0
    loaded = set(told["loaded"])
    assert not loaded & hidden_modules()
    owners = {
        canonicalize_name(name)
        for module, names in metadata.packages_distributions().items()
        if module in loaded
        for name in names
    }
    unused = [one.name for one in BASE if canonicalize_name(one.name) not in owners]
    assert unused == []
