import pytest

from hybrid.errors import UserError
from hybrid.experiment.one_run import do_run
from hybrid.experiment.prepare import check, prepare
from hybrid.files import read_yaml, write_yaml
from hybrid.folders import run_folder
from hybrid.training.lightning import pl


class BegunByAnother(pl.Callback):
    """Another program, which found no run here, writes its own settings over those of this one."""

    def __init__(self, path):
        self.path = path

    def on_train_epoch_end(self, trainer, module):
        write_yaml(self.path, read_yaml(self.path) | {"seed": 5})


def test_a_run_whose_experiment_became_another_has_no_result(config_of):
    config = config_of("model=vgg16")
    run = run_folder(config)
    with pytest.raises(UserError, match="seed: 5 there, 0 asked for"):
        do_run(config, [BegunByAnother(run.experiment.settings)])
    assert not run.done
    write_yaml(run.experiment.settings, read_yaml(run.experiment.settings) | {"seed": 0})
    assert do_run(config)["epochs"] == config.protocol.epochs


class Removed(pl.Callback):
    def __init__(self, path):
        self.path = path

    def on_train_epoch_end(self, trainer, module):
        self.path.unlink(missing_ok=True)


@pytest.mark.parametrize("name", ["experiment.yaml", "folds.csv"])
def test_a_run_whose_experiment_is_moved_away_has_no_result(config_of, name):
    config = config_of("model=vgg16")
    run = run_folder(config)
    with pytest.raises(UserError, match=f"{name}: was moved or removed while vgg16/repeat0-fold0 trained"):
        do_run(config, [Removed(run.experiment.path / name)])
    assert not run.done


def test_a_run_is_refused_on_other_folds_than_those_that_others_began_with(config_of):
    run = run_folder(config_of("model=vgg16"))
    folds, settings = run.experiment.folds, run.experiment.settings
    do_run(config_of("model=vgg16"))
    kept = folds.read_text()
    begun = read_yaml(settings)
    head, *rows = kept.splitlines()
    swapped = [row[:-1] + {"0": "1", "1": "0"}[row[-1]] for row in rows]
    folds.write_text("\n".join([head, *swapped, ""]))
    with pytest.raises(UserError, match="folds.csv: was changed; runs of .* with other folds in repeat0: put it back"):
        do_run(config_of("model=vgg16", "fold=1"))
    write_yaml(settings, {key: begun[key] for key in begun if key != "folds"})  # of before they were kept
    check(config_of("model=vgg16", "fold=1"))
    folds.write_text(kept)
    prepare(config_of("model=vgg16", "protocol.repeats=2"))
    prepare(config_of("model=vgg16", "fold=1"))
    folds_now = read_yaml(settings)["folds"]
    assert list(folds_now) == ["repeat0", "repeat1"] and folds_now["repeat0"] == begun["folds"]["repeat0"]
