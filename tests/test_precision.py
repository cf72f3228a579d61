"""Where the flow is computed in bfloat16: only where settings and processor say so, and then with the same ranks."""

import contextlib

import numpy as np
import pytest
import torch
from networks import stirred
from scipy.stats import spearmanr

from wtflow.config import settings_from
from wtflow.flow.velocity import ResidualMLP, UNet
from wtflow.scoring import precision
from wtflow.scoring.maps import compute_map
from wtflow.scoring.precision import autocast, multiplies_bfloat16, type_of_products

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.fixture(params=[True, False], ids=["with instructions", "without"])
def has_instructions(request, monkeypatch):
    monkeypatch.setattr(precision, "multiplies_bfloat16", lambda: request.param)
    return request.param


def test_products_are_rounded_where_the_processor_multiplies_bfloat16_and_the_settings_let_it(has_instructions):
    assert type_of_products(CPU, settings_from()) == (torch.bfloat16 if has_instructions else None)
    assert type_of_products(CPU, settings_from("fast", {"precision": "full"})) is None
    assert type_of_products(CUDA, settings_from()) is None, "autocast does that there"


def test_a_gpu_casts_unless_full_precision_is_asked_for_and_a_cpu_never_does(monkeypatch):
    monkeypatch.setattr(torch, "autocast", lambda kind, dtype: (kind, dtype))  # the real one wants a GPU
    full = settings_from("fast", {"precision": "full"})
    assert autocast(CUDA, settings_from()) == ("cuda", torch.bfloat16)
    for context in (autocast(CUDA, full), autocast(CPU, settings_from()), autocast(CPU, full)):
        assert isinstance(context, contextlib.nullcontext)


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [({"avx512_bf16": True}, True), ({"amx_bf16": True}, True), ({"avx2": True}, False), ({}, False)],
)
def test_the_processor_is_asked_for_its_instructions(monkeypatch, capabilities, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    multiplies_bfloat16.cache_clear()
    assert multiplies_bfloat16() is expected
    multiplies_bfloat16.cache_clear()


def test_a_torch_that_does_not_say_counts_as_a_processor_without(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    multiplies_bfloat16.cache_clear()
    assert multiplies_bfloat16() is False
    multiplies_bfloat16.cache_clear()


def test_maps_keep_their_ranks_and_full_precision_is_the_same_everywhere(has_instructions):
    network, x = stirred(ResidualMLP(48, 64, 3)).eval(), torch.randn(2, 16, 16, 48)
    auto = compute_map(network, x, settings_from(), 0)
    full = compute_map(network, x, settings_from("fast", {"precision": "full"}), 0)
    assert np.array_equal(auto, full) is not has_instructions
    assert spearmanr(auto.ravel(), full.ravel()).statistic > 0.999


@pytest.mark.parametrize("changes", [{"solver": "heun"}, {"score": "deviation"}, {"score": "mismatch"}], ids=str)
def test_only_eulers_steps_are_rounded(monkeypatch, changes):
    network, x = stirred(ResidualMLP(8, 16, 2)).eval(), torch.randn(1, 4, 4, 8)
    monkeypatch.setattr(precision, "multiplies_bfloat16", lambda: True)
    auto = compute_map(network, x, settings_from("fast", changes), 0)
    np.testing.assert_array_equal(
        auto, compute_map(network, x, settings_from("fast", changes | {"precision": "full"}), 0)
    )


def test_a_unet_is_not_rounded_on_a_cpu(monkeypatch):
    network, x = stirred(UNet(5, 8)).eval(), torch.randn(1, 4, 4, 5)
    monkeypatch.setattr(precision, "multiplies_bfloat16", lambda: True)
    np.testing.assert_array_equal(
        compute_map(network, x, settings_from(), 0),
        compute_map(network, x, settings_from("fast", {"precision": "full"}), 0),
    )
