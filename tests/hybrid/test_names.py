"""What is told of a name that there is not."""

import pytest

from hybrid.errors import UserError
from hybrid.names import check_names, did_you_mean

MODELS = ("slowfast", "x3d", "hybrid")


@pytest.mark.parametrize(
    "name, told",
    [("hybird", "; did you mean hybrid?"), ("SlowFast", "; did you mean slowfast?"), ("q", "")],
)
def test_a_name_that_is_not_there_is_told_with_what_may_be_meant(name, told):
    check_names("model", MODELS, MODELS)
    with pytest.raises(UserError, match="^no model is named") as refused:
        check_names("model", ["x3d", name], MODELS)
    assert str(refused.value) == f"no model is named {name!r}; there are: slowfast, x3d, hybrid{told}"


def test_settings_are_known_by_their_last_part_and_by_its_initials():
    known = ["model.recipe.learning_rate", "protocol.epochs"]
    assert did_you_mean("lr", known) == did_you_mean("recipe.lr", known) == "; did you mean model.recipe.learning_rate?"
    assert did_you_mean("zzz", known) == "; --help lists them"
