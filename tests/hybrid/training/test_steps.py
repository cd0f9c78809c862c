from hybrid.device import choose_machine
from hybrid.training.steps import measure_steps


def test_a_steps_parts_are_less_than_the_whole_and_most_of_it(config_of):
    configs = [config_of(f"model={name}", "protocol.epochs=2") for name in ("resnet50", "rostfine")]
    table, beside = measure_steps(configs, choose_machine("cpu", "32-true"), rounds=1)
    assert beside.empty
    assert list(table["model"]) == ["resnet50", "rostfine"]
    parts = table[["forward_ms", "backward_ms", "update_ms"]]
    assert (parts > 0).all(axis=None) and (parts.sum(axis=1) < table["step_ms"]).all()
    assert table["outside_percent"].between(0, 50).all()
    assert table["forward_ms"][1] > table["update_ms"][1]
