"""What stays as it is while a whole run trains, and what learns."""

import pytest
import torch

from hybrid import create_model
from hybrid.errors import UserError
from hybrid.experiment.prepare import prepare
from hybrid.training.build import check_model
from hybrid.training.checkpoint import load_trained
from hybrid.training.run import train_run

STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


@pytest.mark.parametrize("frozen", ["none", "batch_norm", "backbone"])
def test_a_run_changes_what_it_may_and_nothing_else(frozen, config_of, tmp_path):
    source = create_model("slowfast", "tiny", num_grades=7)  # the classifier is for other grades
    torch.save(source.state_dict(), tmp_path / "weights.pt")
    config = config_of(
        "model=hybrid",
        f"model.pretrained={tmp_path / 'weights.pt'}",
        f"model.recipe.frozen={frozen}",
        "model.recipe.learning_rate=1e-2",
    )
    check_model(config)
    dataset, folds_RN = prepare(config)
    assert train_run(config, dataset, folds_RN[0])["frozen"] == frozen
    trained = load_trained(next(tmp_path.rglob("model.ckpt"))).model
    start, fresh = source.state_dict(), (*trained.new_module_prefixes, f"{trained.classifier}.")
    for name, value in trained.state_dict().items():
        if name.startswith(fresh):
            continue
        kept = frozen == "backbone" or frozen == "batch_norm" and name.endswith(STATISTICS)
        assert torch.equal(value, start[name]) is kept, name
    if frozen == "backbone":
        moved = [p for key, p in trained.named_parameters() if ".leave." in key]
        assert moved and all(p.abs().max() > 0 for p in moved), "what is new starts at zero and learns"


@pytest.mark.parametrize("frozen", ["batch_norm", "backbone"])
def test_keeping_fresh_weights_is_refused(frozen, config_of):
    with pytest.raises(UserError, match=f"frozen={frozen} keeps what pretrained weights hold, but 'r3d' starts from"):
        check_model(config_of("model=r3d", f"model.recipe.frozen={frozen}"))


def test_an_unknown_name_is_refused(config_of):
    with pytest.raises(UserError, match="must be one of none, batch_norm, backbone, not 'stem'"):
        check_model(config_of("model=r3d", "model.recipe.frozen=stem"))
