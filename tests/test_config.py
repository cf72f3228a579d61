import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from wtflow import config
from wtflow.config import (
    PRESETS,
    WEIGHT_WORDS,
    Settings,
    choices,
    describe,
    limits,
    parse_pairs,
    parse_value,
    settings_from,
    settings_from_json,
)
from wtflow.errors import SettingsError

NUMBERS = [name for name in Settings.model_fields if limits(name) != (None, None)]


def test_preset_paper_is_the_pipeline_of_the_paper():
    paper = settings_from("paper")
    assert (paper.backbone, paper.stages, paper.pool_window, paper.pool_stride) == ("wide_resnet50_2", (3,), 3, 2)
    assert (paper.normalise, paper.network, paper.epochs, paper.batch_size) == ("layernorm", "unet", 100, 8)
    assert (paper.solver, paper.steps, paper.top_fraction) == ("euler", 1, 0.03)


def test_preset_fast_pairs_positions_in_groups_of_256_and_takes_four_steps():
    fast = settings_from()
    assert (fast.network, fast.scope, fast.coupling, fast.group_size) == ("mlp", "local", "worst", 256)
    assert (fast.normalise, fast.whiten_power, fast.steps, fast.score) == ("pca", 0.5, 4, "endpoint")


def test_random_weights_are_read_at_early_stages_unless_someone_says_otherwise():
    random = settings_from("fast", {"weights": "untrained"})
    assert (random.stages, random.pool_stride) == ((1, 2), 2)
    assert settings_from("fast", {"weights": "untrained", "stages": (2, 3)}).stages == (2, 3)
    for trained in (settings_from(), settings_from("fast", {"weights": "imagenet"})):
        assert (trained.stages, trained.pool_stride) == ((1, 2, 3), 1)


@pytest.mark.parametrize(
    "changes", [{"backbone": "resnet34"}, {"stages": (3, 4)}, {"backbone": "mobilenetv2_100", "stages": (1,)}]
)
def test_embedded_weights_of_another_model_or_a_later_stage_are_refused_before_anything_starts(changes):
    with pytest.raises(SettingsError, match="embedded weights are for resnet18, stages 0 to 3"):
        settings_from("fast", changes)
    assert settings_from("fast", changes | {"weights": "pretrained"}).weights == "pretrained"


def test_the_word_imagenet_of_older_runs_and_shells_means_pretrained():
    """It never was more than timm's default weights of a model; a run of before keeps its meaning."""
    assert settings_from("fast", {"weights": "imagenet"}) == settings_from("fast", {"weights": "pretrained"})
    older = json.loads(settings_from("fast", {"weights": "pretrained"}).to_json()) | {"weights": "imagenet"}
    assert settings_from_json(json.dumps(older)).weights == "pretrained"


def test_names_of_stages_have_no_number_until_the_model_was_asked():
    named = settings_from("fast", {"stages": "layer2,layer3"})
    with pytest.raises(SettingsError, match="layer2,layer3 are names that were not looked up in resnet18"):
        _ = named.coarsest_cell
    assert settings_from("fast", {"stages": "1,3"}).stage_cells == (4, 16)
    deep = settings_from("best", {"cells": (14, 14, 14, 14), "pool_stride": 2})
    assert (deep.stage_cells, deep.coarsest_cell) == ((14,) * 4, 28)
    with pytest.raises(SettingsError, match="cells has 2 values for 4 stages"):
        settings_from("best", {"cells": (14, 14)})


def test_preset_best_reads_four_blocks_of_a_transformer_without_what_belongs_to_convolutions():
    best = settings_from("best")
    assert (best.stages, best.image_size, best.block_norm) == ((2, 5, 8, 11), 392, True)
    assert (best.padding, best.edge_quantile) == ("zeros", 0.0)


def test_settings_read_back_from_disk_are_not_given_new_defaults():
    """What a preset means may change; what a run was trained with may not."""
    odd = settings_from("fast", {"stages": (0,), "pool_stride": 4, "weights": "untrained"})
    assert settings_from_json(odd.to_json()) == odd
    assert odd.changed({"weights": "imagenet"}).stages == (0,)


def test_a_run_from_before_a_setting_existed_is_read_as_it_was_made():
    values = json.loads(settings_from("fast", {"weights": "imagenet"}).to_json())
    del values["finest_grid"], values["rarity_power"]
    old = settings_from_json(json.dumps(values))
    assert (old.finest_grid, old.rarity_power) == (0, 0.0)


@pytest.mark.parametrize("preset", PRESETS)
def test_settings_survive_json(preset):
    settings = settings_from(
        preset, {"backbone_args": {"pad_type": "same", "drop_rate": 0.5, "scriptable": True, "n": 3}, "seed": 7}
    )
    again = settings_from_json(settings.to_json())
    assert again == settings
    assert [type(value) for value in again.backbone_args.values()] == [str, float, bool, int]


def test_an_unknown_preset_is_named_with_the_known_ones():
    with pytest.raises(SettingsError, match="no preset 'slow'.*fast, best, edge, paper"):
        settings_from("slow")


def test_the_preset_cannot_be_smuggled_in_as_a_setting():
    """It would be recorded as `paper` with every value of `fast`."""
    with pytest.raises(SettingsError, match="preset cannot be changed"):
        settings_from("fast", {"preset": "paper"})


def test_a_misspelt_setting_is_met_with_the_right_name():
    with pytest.raises(SettingsError, match="Did you mean iterations") as caught:
        settings_from("fast", {"iteration": 5})
    assert "no setting 'iteration'" in caught.value.message


def test_a_setting_like_none_of_them_gets_the_list():
    with pytest.raises(SettingsError, match="Settings are: preset, backbone,"):
        settings_from("fast", {"zzzzzz": 5})


@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_is_refused_just_outside_its_limits_and_taken_inside(name):
    low, high = limits(name)
    base = {"network": "mlp", "group_size": 2, "batch_size": 4096, "image_size": 64}
    for outside in (low - 1, high + 1):
        with pytest.raises(SettingsError, match=f"^{name}: ") as caught:
            settings_from("fast", base | {name: outside})
        assert str(outside) in caught.value.message, "the sentence says what was found"
        assert caught.value.fix == describe(name)
    assert getattr(
        settings_from("fast", base | {name: high if name not in ("group_size", "deviation_time") else 0.5 * high or 2}),
        name,
    )


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", float("nan")])
@pytest.mark.parametrize("name", [name for name in NUMBERS if Settings.model_fields[name].annotation is float])
def test_numbers_that_json_cannot_hold_are_refused(name, value):
    with pytest.raises(SettingsError, match=f"^{name}: "):
        settings_from("fast", {name: value})


def test_an_infinite_backbone_argument_is_refused_rather_than_stored_as_null():
    with pytest.raises(SettingsError, match="^backbone_args"):
        settings_from("fast", {"backbone_args": {"drop_rate": float("inf")}})


@pytest.mark.parametrize(
    ("given_stages", "stages"),
    [
        ("2,3", (2, 3)),
        ("3, 2", (2, 3)),
        (3, (3,)),
        ("11,2,8,5", (2, 5, 8, 11)),
        ([1, 0], (0, 1)),
        ((2,), (2,)),
        ("layer3, layer2", ("layer3", "layer2")),
        ("blocks.8,3", (3, "blocks.8")),
    ],
)
def test_stages_are_read_from_text_numbers_and_lists_in_order(given_stages, stages):
    assert settings_from("fast", {"weights": "imagenet", "stages": given_stages}).stages == stages


@pytest.mark.parametrize("stages", ["", "2,2", "64", "-1", "2,-x", [], "2;3", "2 3", tuple(range(17))])
def test_stages_that_make_no_sense_are_refused(stages):
    with pytest.raises(SettingsError, match="^stages"):
        settings_from("fast", {"stages": stages})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"network": "unet"}, "batch_size counts images for the unet, found 1024"),
        ({"scope": "image"}, "which the mlp never sees"),
        ({"group_size": 512, "batch_size": 1000}, r"group_size \(512\) is larger than the 500 pairs of a batch"),
        ({"pool_window": 4}, "odd window"),
        ({"coupling": "best"}, "coupling"),
        ({"weights": ""}, "weights"),
    ],
)
def test_settings_that_contradict_each_other_are_refused_with_the_reason(changes, words):
    with pytest.raises(SettingsError, match=words) as caught:
        settings_from("fast", changes)
    assert caught.value.fix


def test_changing_validates_everything_again_and_leaves_the_old_one_alone():
    old = settings_from("fast", {"width": 64})
    new = old.changed({"steps": 9})
    assert (old.steps, new.steps, new.width) == (4, 9, 64)
    with pytest.raises(SettingsError, match="group_size"):
        old.changed({"batch_size": 128})
    with pytest.raises(SettingsError, match="no setting"):
        old.changed({"stepz": 9})


def test_settings_cannot_be_changed_in_place():
    with pytest.raises(ValidationError, match="frozen"):
        settings_from().width = 3


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"width": 1}', '{"future_setting": 1}', "null"])
def test_settings_that_are_not_sound_on_disk_are_a_settings_error(text):
    with pytest.raises(SettingsError):
        settings_from_json(text)


def test_every_setting_has_a_sentence_for_the_form():
    for name in Settings.model_fields:
        assert describe(name).endswith("."), name


def test_limits_are_those_of_the_validation():
    assert limits("image_size") == (64, 1024)
    assert limits("learning_rate") == (0, 1), "open below: 0 itself is refused"
    assert limits("backbone") == (None, None)


def test_choices_are_those_of_the_validation():
    assert choices("coupling") == ("worst", "independent", "optimal")
    for name in ("preset", "normalise", "coupling", "scope", "network", "schedule", "solver", "score"):
        assert getattr(settings_from(), name) in choices(name)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("3", 3),
        ("-0.5", -0.5),
        ("same", "same"),
        ("1e-3", 1e-3),
        ("", ""),
        ("3px", "3px"),
    ],
)
def test_a_value_from_the_shell_gets_its_type(text, value):
    parsed = parse_value(text)
    assert parsed == value
    assert type(parsed) is type(value)


@given(st.one_of(st.booleans(), st.integers(-(10**12), 10**12), st.floats(allow_nan=False, allow_infinity=False)))
def test_parsing_undoes_printing(value):
    assert parse_value(str(value)) == value


def test_pairs_split_at_the_first_equals_sign():
    assert parse_pairs(["a=1", " b = x=y "], option="--set") == {"a": "1", "b": "x=y"}
    assert parse_pairs([], option="--set") == {}


@pytest.mark.parametrize("pair", ["pad_type", "=same", " =same", ""])
def test_a_pair_without_a_name_or_a_sign_is_refused_naming_the_option(pair):
    with pytest.raises(SettingsError, match="^--backbone-arg .* is not NAME=VALUE"):
        parse_pairs([pair], option="--backbone-arg")


def test_the_label_says_which_weights_and_how_many_steps():
    assert settings_from().label == "resnet18 (embedded), worst coupling, 4 euler steps"
    assert (
        settings_from("fast", {"weights": "untrained"}).label == "resnet18 (untrained), worst coupling, 4 euler steps"
    )
    assert settings_from("paper").label == "wide_resnet50_2 (pretrained), worst coupling, 1 euler step"
    assert "local weights" in settings_from("fast", {"weights": "/data/w.pth"}).label
    assert [
        settings_from("fast", {"weights": weights}).is_untrained for weights in ("untrained", "embedded", "imagenet")
    ] == [True, False, False]
    assert settings_from().is_embedded
    assert not settings_from("paper").is_embedded


def test_the_stored_form_is_plain_json_without_surprises():
    stored = json.loads(settings_from().to_json())
    assert stored.keys() == set(Settings.model_fields)
    assert stored["stages"] == list(settings_from().stages)


def test_what_is_no_word_for_weights_is_a_file_and_every_word_is_in_the_help():
    words = [word for word in (*WEIGHT_WORDS, "imagenet") if word != "embedded"]
    assert [settings_from("paper", {"weights": word}).weights_file for word in words] == [None] * len(words)
    assert settings_from("fast", {"weights": "some/w.pth"}).weights_file == Path("some/w.pth")
    assert [word for word in WEIGHT_WORDS if word not in describe("weights")] == []


def test_every_preset_is_a_choice_and_every_choice_a_preset():
    assert tuple(PRESETS) == choices("preset")


def test_everything_that_the_package_exports_is_there():
    assert [name for name in config.__all__ if not hasattr(config, name)] == []
