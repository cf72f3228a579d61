"""Which device computes: named, there, or refused with those that are. Other accelerators are only pretended here."""

import os
import warnings

import pytest
import torch
from shell import call

from wtflow.config import settings_from
from wtflow.errors import SettingsError
from wtflow.machine.devices import devices_here, pick_device
from wtflow.scoring.precision import autocast


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    monkeypatch.delenv("WTFLOW_DEVICE", raising=False)


def pretend(monkeypatch, kind, n=1):
    there = torch.device(kind) if kind else None
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available=False: there)
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: n)


@pytest.mark.parametrize(
    ("kind", "n", "there", "auto"),
    [
        ("", 0, ("cpu",), "cpu"),
        ("cuda", 2, ("cpu", "cuda:0", "cuda:1"), "cuda"),
        ("mps", 1, ("cpu", "mps"), "cpu"),
        ("xpu", 1, ("cpu", "xpu:0"), "cpu"),
        ("hpu", 1, ("cpu",), "cpu"),
    ],
)
def test_auto_takes_cuda_or_the_processor_and_never_what_nobody_has_tried(monkeypatch, kind, n, there, auto):
    pretend(monkeypatch, kind, n)
    assert devices_here() == there
    assert pick_device() == pick_device("auto") == torch.device(auto)


def test_a_named_device_is_taken(monkeypatch):
    pretend(monkeypatch, "cuda", 2)
    for name in ("cpu", "cuda", "cuda:0", "CUDA:1 "):
        assert pick_device(name) == torch.device(name.strip().lower())
    for kind in ("mps", "xpu"):
        pretend(monkeypatch, kind)
        assert pick_device(kind) == torch.device(kind)


@pytest.mark.parametrize(
    "name", ["cuda:2", "mps", "xpu", "cuda:-1", "cuda:", "cuda:0:0", "tpu", "cuda:9999", "x" * 999]
)
def test_one_that_is_not_there_is_refused_with_those_that_are(monkeypatch, name):
    pretend(monkeypatch, "cuda", 2)
    with pytest.raises(SettingsError, match="no device") as refused:
        pick_device(name)
    assert refused.value.fix == "Choose one of these: auto, cpu, cuda:0, cuda:1."
    assert len(refused.value.message) < 100


def test_the_environment_decides_where_nobody_names_one(monkeypatch):
    pretend(monkeypatch, "cuda", 2)
    monkeypatch.setenv("WTFLOW_DEVICE", "cuda:1")
    assert pick_device() == torch.device("cuda:1")
    assert pick_device("cpu") == torch.device("cpu")


def test_only_cuda_computes_in_half_precision():
    settings = settings_from("fast")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # where there is none
        assert isinstance(autocast(torch.device("cuda"), settings), torch.autocast)
    for kind in ("cpu", "mps", "xpu"):
        assert not isinstance(autocast(torch.device(kind), settings), torch.autocast)


@pytest.mark.parametrize(
    "command", [("train", "root", "plate"), ("resume", "run"), ("evaluate", "run"), ("inspect", "run", "folder")]
)
def test_a_command_with_a_device_that_is_not_there_ends_in_a_sentence(command, tmp_path, monkeypatch):
    monkeypatch.setenv("WTFLOW_HOME", str(tmp_path))
    pretend(monkeypatch, "")
    done = call(*command, "--device", "mps")
    assert done.exit_code == 2
    assert done.stderr.endswith("There is no device 'mps' here. Choose one of these: auto, cpu.\n")
    assert "WTFLOW_DEVICE" not in os.environ
