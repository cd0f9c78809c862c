import pytest
import torch
from support import write_dataset

from hybrid import create_model
from hybrid.errors import UserError
from hybrid.training.grafting import graft_checkpoint


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A data set and two trained-looking networks' files."""
    folder = tmp_path_factory.mktemp("graft")
    torch.manual_seed(0)
    for name in ("slowfast", "timesformer"):
        torch.save({"model": create_model(name, "tiny").state_dict()}, folder / f"{name}.pt")
    write_dataset(folder / "clips", num_clips=20)
    return folder


def asked(made, options, **others):
    words = dict(
        size="tiny", slowfast=str(made / "slowfast.pt"), timesformer=str(made / "timesformer.pt"), num_clips=20
    )
    return graft_checkpoint(made / "clips", made / "out.pt", options=options, **words | others)


def test_a_hybrid_starts_from_what_was_written(made):
    explained = asked(made, dict(init="timesformer", stages="res5"))
    assert set(explained) == {"res5.slow", "res5.fast"}
    model = create_model("hybrid", "tiny", pretrained=str(made / "out.pt"), init="timesformer", stages="res5").eval()
    assert not model.load_report.new and not model.load_report.missing
    slowfast = create_model("slowfast", "tiny", pretrained=str(made / "slowfast.pt")).eval()
    teacher = create_model("timesformer", "tiny", pretrained=str(made / "timesformer.pt"))
    qkv = teacher.blocks[-1].temporal_attn.qkv.weight
    assert torch.equal(model.temporal["res5"].to_q.weight, qkv[:48])
    clip = torch.randn(1, 3, 16, 64, 64)
    with torch.no_grad():
        assert torch.equal(model(clip), slowfast(clip))


def test_what_cannot_be_grafted_is_said(made):
    with pytest.raises(UserError, match="set init='timesformer' or stitch"):
        asked(made, dict(stages="res5"))
    with pytest.raises(UserError, match="20 clips or more"):
        asked(made, dict(stitch=2), num_clips=10)
    with pytest.raises(UserError, match="has 20 clips, not 40"):
        asked(made, dict(stitch=2), num_clips=40)
