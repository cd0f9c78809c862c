"""Whole pretrainings, from the pool and from the endless stream: what they learn."""

from hybrid.pretraining.run import check_pretraining, pretrain

MODEL = "model=resnet50"


def test_it_learns_a_few_clips_by_heart(config_of_pretraining):
    still = [f"protocol.augment.{key}=0" for key in ("shift", "gain", "offset")]
    config = config_of_pretraining(
        MODEL, *still, "protocol.augment.flips_and_turns=False", "data.pool=4", "clips=400", "clips_an_epoch=200"
    )
    errors = pretrain(config)["errors"]["train"]
    assert set(errors) == {"path", "casa", "form", "motion", "event", "all"}
    assert max(errors.values()) < 0.25


def test_an_endless_stream_is_learned_from(config_of_pretraining):
    config = config_of_pretraining(MODEL, "data.pool=null", "clips=8", "clips_an_epoch=4", "targets=physics")
    check_pretraining(config)
    result = pretrain(config)
    assert result["pool"] is None and result["simulated"]["seed"] == 10**6 and "event" not in result["errors"]["test"]
