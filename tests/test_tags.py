"""What weights are called: by their tag, by what they were trained on, and under which licence."""

import pytest

from wtflow.config import settings_from
from wtflow.errors import BackboneError
from wtflow.features.tags import full_name, learned_from, licence_notice, pretrained_label


@pytest.mark.parametrize(
    ("name", "tag", "data", "licence"),
    [
        ("resnet18", "a1_in1k", "ImageNet-1k", "apache-2.0"),
        ("vit_tiny_patch16_224", "augreg_in21k_ft_in1k", "ImageNet-21k, then ImageNet-1k", "apache-2.0"),
        ("vit_small_patch14_reg4_dinov2", "lvd142m", "LVD-142M (DINOv2, without labels)", "apache-2.0"),
        ("convnext_tiny.dinov3_lvd1689m", "", "LVD-1689M (DINOv3, without labels)", "dinov3-license"),
    ],
)
def test_weights_are_called_by_their_tag_their_images_and_their_licence(name, tag, data, licence):
    whole = f"{name}.{tag}" if tag else name
    assert pretrained_label(name) == f"{whole}, pretrained on {data}, licence {licence}"
    assert full_name(name) == full_name(whole) == whole


def test_only_what_was_trained_on_imagenet_is_called_so():
    for name in ("vit_small_patch14_reg4_dinov2", "vit_small_patch16_dinov3", "vit_base_patch32_clip_224.openai"):
        assert "ImageNet" not in pretrained_label(name)
    assert learned_from("hiera_tiny_224") == "ImageNet-1k", "twice the same images are named once"


def notice(backbone: str, weights: str = "pretrained") -> str:
    return licence_notice(settings_from("paper", {"backbone": backbone, "weights": weights}))


def test_terms_of_their_own_are_said_before_weights_are_downloaded():
    assert "Meta's own DINOv3 licence, not an open one (https://ai.meta.com/" in notice("vit_small_patch16_dinov3")
    assert "before they are downloaded" in notice("convnext_tiny.dinov3_lvd1689m")
    assert "it forbids commercial use" in notice("hiera_tiny_224")
    for free in ("resnet18", "vit_small_patch14_reg4_dinov2", "swin_tiny_patch4_window7_224"):
        assert notice(free) == ""
    assert notice("vit_small_patch16_dinov3", "untrained") == "", "nothing is downloaded"


def test_a_model_that_timm_does_not_have_has_no_label():
    with pytest.raises(BackboneError, match="timm has no model"):
        pretrained_label("resnet19")
