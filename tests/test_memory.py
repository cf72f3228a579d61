"""What grows with the number of images, and what must not. A process of its own, because memory once given is seldom
given back.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import PATIENCE_S

ROOT = Path(__file__).parent.parent

MEASURE = """
import resource, sys
from pathlib import Path
import numpy as np, torch
from wtflow.config import settings_from
from wtflow.scoring.detector import Detector
from wtflow.flow.velocity import build_velocity
from wtflow.scoring.normalise import empty_normaliser
from wtflow.records.core import Sample
from wtflow.store.features import FeatureCache
from wtflow.datasets.run_images import RunData
from wtflow.scoring.rows import mean_features

torch.set_num_threads(1)
n, channels = 240, 384
cache = FeatureCache(Path(sys.argv[1]))
with cache.writer("k", (n, 32, 32, channels)) as writer:
    for _ in range(0, n, 8):
        writer.append(np.ones((8, 32, 32, channels), np.float16))
settings = settings_from("fast", {"width": 8})
normaliser = empty_normaliser("pca", channels, channels)
detector = Detector(settings, normaliser, build_velocity(settings, channels))
data = RunData(tuple(Sample(str(i), Path("x"), "train", "good") for i in range(n)), (), ("0",) * n, (), ())
detector.start(np.ones((8, 32, 32, channels), np.float16))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
mean_features(detector, cache, "k", data)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.slow
def test_mean_features_take_no_memory_per_image(tmp_path):
    """240 images hold 377 MB of normalised features; one batch holds 13. Before that was fixed, nearly all 377
    stayed.
    """
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", "-c", MEASURE, str(tmp_path)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    assert float(result.stdout) < 120
