"""Networks of every family, untrained and small: grid, channels, and features against those that hooks on the whole
network find.
"""

import functools
from typing import Any

import numpy as np
import pytest
import timm
import torch
from run_folders import tiny_settings

from wtflow.config import settings_from
from wtflow.features import timm_models
from wtflow.features.backbone import load_backbone
from wtflow.features.fitting import fitted
from wtflow.features.grids import averaged
from wtflow.features.stages import _KNOWN, RESNET18_PER_PIXEL, effort, layout
from wtflow.features.weight_sources import build_model

SLOW = pytest.mark.slow
FOUR = (2, 5, 8, 11)
# Model, size, stages; grid with the finest cells of 8 px, channels of each stage.
FAMILIES = [
    ("resnet18", 64, (1, 2, 3), 8, (64, 128, 256)),
    pytest.param("wide_resnet50_2", 64, (2, 3), 8, (512, 1024), marks=SLOW),
    ("efficientnet_b0", 64, (1, 2, 3), 8, (24, 40, 112)),
    ("tf_efficientnet_lite0", 64, (1, 2, 3), 8, (24, 40, 112)),
    ("convnext_atto", 64, (0, 1, 2), 8, (40, 80, 160)),
    pytest.param("convnext_tiny.dinov3_lvd1689m", 96, (1, 2), 12, (192, 384), marks=SLOW),
    ("vit_tiny_patch16_224", 64, FOUR, 4, (192,) * 4),
    pytest.param("vit_small_patch8_224.dino", 64, FOUR, 8, (384,) * 4, marks=SLOW),
    ("vit_small_patch14_reg4_dinov2", 70, FOUR, 5, (384,) * 4),
    ("vit_small_patch16_dinov3", 64, FOUR, 4, (384,) * 4),
    pytest.param("swin_tiny_patch4_window7_224", 64, (0, 1, 2), 8, (96, 192, 384), marks=SLOW),
    pytest.param("hiera_tiny_224", 64, (0, 1, 2), 8, (96, 192, 384), marks=SLOW),
]


def chosen(name: str, stages: Any, size: int = 64, **changes):
    plain = {"pool_window": 1, "pool_stride": 1, "finest_grid": 2, "padding": "zeros"}
    return tiny_settings(**plain | {"backbone": name, "stages": stages, "image_size": size} | changes)


def pictures(size: int, n: int = 1):
    return np.random.default_rng(0).random((n, size, size, 3), dtype=np.float32)


@pytest.mark.parametrize(("name", "size", "stages", "side", "channels"), FAMILIES)
def test_every_family_gives_one_grid_of_the_channels_that_it_promises(name, size, stages, side, channels):
    found = fitted(chosen(name, stages, size))
    assert found.said == () and found.settings.image_size == size
    backbone = load_backbone(found.settings)
    features = backbone.compute(pictures(size))
    assert features.shape == (1, side, side, sum(channels)) and backbone.channels == sum(channels)
    known = layout(found.settings)
    assert tuple(known.channels[stage] for stage in stages) == channels
    assert max(size // cell for cell in found.settings.stage_cells if cell >= 8) == side
    assert features.astype(np.float32).std() > 1e-3


@pytest.mark.parametrize(
    ("name", "size", "n_prefix"),
    [
        ("test_vit", 64, 1),
        pytest.param("vit_small_patch14_reg4_dinov2", 70, 5, marks=SLOW),
        pytest.param("vit_small_patch16_dinov3", 64, 5, marks=SLOW),
    ],
)
@pytest.mark.parametrize("is_normed", [False, True])
def test_tokens_are_those_that_hooks_find_without_class_and_registers(name, size, n_prefix, is_normed):
    settings = fitted(chosen(name, (1, 4), size, block_norm=is_normed)).settings
    found = load_backbone(settings).compute(pictures(size))
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        whole = timm.create_model(name, img_size=size).eval()
    seen: dict[int, torch.Tensor] = {}
    for number in (1, 4):
        keep = lambda _, __, out, number=number: seen.__setitem__(number, out)  # noqa: E731
        whole.blocks[number].register_forward_hook(keep)
    cfg = timm.get_pretrained_cfg(name)
    mean, std = (torch.tensor(one).view(1, 3, 1, 1) for one in (cfg.mean, cfg.std))
    with torch.inference_mode():
        whole((torch.from_numpy(pictures(size)).permute(0, 3, 1, 2) - mean) / std)
        tokens = [whole.norm(seen[number]) if is_normed else seen[number] for number in (1, 4)]
    side = size // settings.cells[0]
    assert tokens[0].shape[1] == n_prefix + side * side
    expected = torch.cat([one[:, n_prefix:].reshape(1, side, side, -1) for one in tokens], -1)
    np.testing.assert_allclose(found, expected, rtol=4e-3, atol=4e-3)


def test_blocks_are_averaged_in_groups_of_neighbours():
    blocks = [torch.full((1, 2, 3, 3), float(value)) for value in (1, 2, 4, 8, 16)]
    assert [one.mean().item() for one in averaged(blocks, 2)] == [pytest.approx(7 / 3), 12]
    assert [one.mean().item() for one in averaged(blocks, 1)] == [pytest.approx(6.2)]
    assert averaged(blocks, 0) is blocks and len(averaged(blocks, 5)) == 5
    each, grouped = (
        load_backbone(chosen("test_vit", (0, 1, 3, 5), cells=(16,) * 4, block_groups=n)).compute(pictures(64))
        for n in (0, 2)
    )
    assert grouped.shape == (1, 4, 4, 128)
    expected = each.astype(np.float32).reshape(1, 4, 4, 2, 2, 64).mean(4).reshape(1, 4, 4, 128)
    np.testing.assert_allclose(grouped, expected, atol=4e-3)


def test_tiles_of_a_transformer_are_joined_cell_by_cell():
    """Without position embeddings and beyond the overlap a token depends on its whole square; so only the grid and the
    features of a canvas of one square can be compared.
    """
    settings = fitted(chosen("test_vit", (0, 1), 70, tile="side")).settings
    assert (settings.image_size, settings.coarsest_cell) == (64, 16)
    one = pictures(64)
    tiled, plain = (load_backbone(settings.changed({"tile": tile})).compute(one) for tile in ("side", "off"))
    assert tiled.tobytes() == plain.tobytes()
    strip = np.concatenate([one, one, one], 2)
    joined = load_backbone(settings).compute(strip)
    assert joined.shape == (1, 4, 12, 128)
    np.testing.assert_allclose(joined[:, :, 0], plain[:, :, 0], atol=2e-3)


def test_a_size_other_than_its_own_is_resampled_from_the_weights_of_a_file(tmp_path):
    """timm can also tell a whole model a new size afterwards: a second way to the same position embeddings."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        whole = timm.create_model("test_vit").eval()
    torch.save(whole.state_dict(), tmp_path / "w.pth")
    found = load_backbone(chosen("test_vit", (5,), 64, weights=str(tmp_path / "w.pth"))).compute(pictures(64))
    whole.set_input_size(64)
    torch.save(whole.state_dict(), tmp_path / "small.pth")
    again = load_backbone(chosen("test_vit", (5,), 64, weights=str(tmp_path / "small.pth"))).compute(pictures(64))
    np.testing.assert_allclose(found, again, atol=2e-3)
    assert not np.allclose(found[:, 0], found[:, -1], atol=2e-3)


@pytest.mark.parametrize("name", _KNOWN)
def test_what_is_known_of_a_network_without_building_it_is_what_timm_says(name):
    built = timm_models.layout_of(name, {})
    assert (built.names, built.channels, built.cells) == (_KNOWN[name].names, _KNOWN[name].channels, _KNOWN[name].cells)
    assert (built.is_column, built.is_fixed, built.is_cut, built.has_padding) == (False, False, False, True)


def test_a_large_network_is_described_without_being_built():
    """1.1 billion parameters would take seconds and 4.5 GB."""
    found = timm_models.layout_of("vit_giant_patch14_reg4_dinov2", {})
    assert (len(found.names), found.cells[39], found.channels[39], found.is_column) == (40, 14, 1536, True)
    assert found.names[39] == "blocks.39"


@functools.cache
def said(name: str, stages: Any, **changes) -> tuple[Any, tuple[str, ...]]:
    found = fitted(chosen(name, stages, **changes))
    return found.settings, found.said


def test_stages_may_be_named_as_timm_names_them():
    assert said("resnet18", "layer3,layer2")[0].stages == (2, 3)
    assert said("test_vit", "blocks.4,1")[0].stages == (1, 4)
    assert said("convnext_atto", "stages.1")[0].cells == (8,)
    assert said("hiera_tiny_224", "blocks.9")[0].stages == (2,), "the last block of its third stage"
    with pytest.raises(timm_models.BackboneError, match="resnet18 has no stage layer9: it has 5") as caught:
        said("resnet18", "layer9")
    assert "act1, layer1" in caught.value.fix


@pytest.mark.parametrize(
    ("name", "wanted", "size"),
    [
        ("vit_small_patch14_reg4_dinov2", 256, 252),
        ("vit_small_patch14_reg4_dinov2", 64, 70),
        ("vit_small_patch14_reg4_dinov2", 1024, 1022),
        ("vit_tiny_patch16_224", 250, 256),
        ("swin_tiny_patch4_window7_224", 100, 96),
        ("convnext_atto", 100, 96),
        ("resnet18", 100, 100),
        ("efficientnet_b0", 101, 101),
    ],
)
def test_the_image_size_is_rounded_to_what_the_network_takes_and_this_is_said(name, wanted, size):
    settings, words = said(name, (1, 2), size=wanted)
    assert settings.image_size == size
    assert [
        line.startswith(f"Image size {size} px instead of {wanted}: {name} takes multiples of") for line in words
    ] == [True] * (size != wanted)
    assert fitted(settings).said == () and fitted(settings).settings == settings


def test_a_transformer_sees_images_at_several_sizes_that_its_patches_fill():
    settings, words = said("test_vit", (0, 1), size=140, smaller_sizes=(70,))
    assert (settings.image_size, settings.smaller_sizes, len(words)) == (128, (64,), 1)
    features = load_backbone(settings).compute(pictures(128))
    assert features.shape == (1, 8, 8, 256)
    settings, words = said("swin_tiny_patch4_window7_224", (1,), size=128, smaller_sizes=(64,))
    assert settings.smaller_sizes == () and "one size alone" in words[0]


def test_what_a_network_has_no_use_for_is_left_out_in_a_sentence_and_not_an_error():
    settings, words = said("test_vit", (0, 1), padding="reflect")
    assert settings.padding == "zeros" and ["no convolutions" in line for line in words] == [True]
    settings, words = said("convnext_atto", (1, 2), block_norm=True, block_groups=2)
    assert (settings.block_norm, settings.block_groups) == (False, 0)
    assert ["block_norm" in words[0], "block_groups" in words[1]] == [True, True]
    settings, words = said("test_vit", (0, 1), block_groups=3)
    assert settings.block_groups == 0 and words == ("3 groups of 2 blocks: each block is a group by itself.",)
    settings, words = said("tf_efficientnet_lite0", (1, 2), padding="reflect")
    assert settings.padding == "zeros" and words[0].startswith("At 64 px grids of tf_efficientnet_lite0 are too small")
    settings, words = said("tf_efficientnet_lite0", (1, 2), padding="reflect", size=96)
    assert (settings.padding, words) == ("reflect", ())
    assert load_backbone(settings).compute(pictures(96)).shape == (1, 12, 12, 64)


@pytest.mark.parametrize("name", ["mobilenetv2_100", "tf_efficientnet_lite0"])
def test_stages_behind_the_last_one_read_are_not_computed_and_change_nothing(name):
    settings = chosen(name, (1, 2))
    backbone, seen = load_backbone(settings), []
    for block in backbone.model.blocks:
        block[0].register_forward_hook(lambda *_, block=block: seen.append(block))
    found = backbone.compute(pictures(64))
    assert seen == list(backbone.model.blocks[:3])
    whole = build_model(settings, {}).eval()
    cfg = timm.get_pretrained_cfg(name)
    mean, std = (torch.tensor(one).view(1, 3, 1, 1) for one in (cfg.mean, cfg.std))
    with torch.inference_mode():
        stages = whole((torch.from_numpy(pictures(64)).permute(0, 3, 1, 2) - mean) / std)
    np.testing.assert_allclose(found, backbone.joined(stages).permute(0, 2, 3, 1), rtol=2e-3, atol=2e-3)
    assert backbone.model.state_dict().keys() == whole.state_dict().keys()


def test_grids_finer_than_the_finest_are_told_by_their_cells_not_by_their_number():
    """Stage 0 of a ConvNeXt has cells of 4 px, as stage 1 of a ResNet has."""
    for stages, side in (((0, 1, 2), 8), ((1, 2), 8), ((2,), 4), ((0,), 16)):
        settings = said("convnext_atto", stages)[0]
        assert load_backbone(settings).compute(pictures(64)).shape[1:3] == (side, side)


def test_the_effort_of_a_network_is_that_of_its_multiplications():
    """A convolution of k x k from c to d channels on n positions multiplies n k k c d times: resnet18's 17, by hand."""
    size = 64
    stem = 32 * 32 * 49 * 3 * 64
    stages = [16 * 16 * 9 * 64 * 64 * 4]
    for side, c in ((8, 64), (4, 128)):
        stages.append(side * side * (9 * c * 2 * c + 3 * 9 * 2 * c * 2 * c + c * 2 * c))
    settings = chosen("resnet18", (1, 2, 3), size)
    assert timm_models.multiplications(settings) == stem + sum(stages)
    assert timm_models.multiplications(settings) / size**2 == pytest.approx(RESNET18_PER_PIXEL, rel=0.01)
    assert effort(settings) == 1 and effort(chosen("tf_efficientnet_lite0", (1, 2, 3))) == 0.6
    vit = fitted(settings_from("best", {"weights": "untrained"})).settings
    assert 4 < effort(vit) < 6.5, "measured: 434 ms against 36 ms at 256 px, which is 5.1 at the same size"
