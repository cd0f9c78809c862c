"""Whole pretrainings, from a pool and from one that grows: what they learn."""

from hybrid.pretraining.run import check_pretraining, pretrain

MODEL = "model=resnet50"


def test_it_learns_a_few_clips_by_heart(config_of_pretraining):
    still = [f"protocol.augment.{key}=0" for key in ("shift", "gain", "offset")]
    config = config_of_pretraining(
        MODEL, *still, "protocol.augment.flips_and_turns=False", "data.pool=4", "clips=400", "clips_an_epoch=200"
    )
    errors = pretrain(config)["errors"]["train"]
    groups = ("casa", "form", "motion", "event", "relations", "frames", "all")
    assert set(errors) > set(groups) and max(errors[group] for group in groups) < 0.25


def test_a_growing_pool_is_learned_from(config_of_pretraining):
    config = config_of_pretraining(
        MODEL, "data.pool=4", "data.grows=2", "clips=12", "clips_an_epoch=4", "targets=dense_no_events"
    )
    check_pretraining(config)
    result = pretrain(config)
    assert (result["pool"], result["grows"]) == (4, 2) and result["simulated"]["seed"] == 10**6
    assert "event" not in result["errors"]["test"]
