from hybrid.device import choose_machine
from hybrid.profiling.models import Setting, compare_layouts


def test_both_layouts_are_timed():
    table = compare_layouts(["vit", "r3d"], Setting("tiny", 8, 64, 2, choose_machine("cpu", "32-true"), False))
    assert list(table["model"]) == ["vit", "r3d"]
    assert (table[["contiguous_ms", "channels_last_ms"]] > 0).all().all()
    assert (table["times_faster"] == table["contiguous_ms"] / table["channels_last_ms"]).all()
