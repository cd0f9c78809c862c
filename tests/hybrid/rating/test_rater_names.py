import pytest

from hybrid.errors import UserError
from hybrid.rating.raters import rater_name, read_tokens


def test_a_name_is_kept_as_typed_and_known_in_other_capitals_spaces_and_forms():
    assert rater_name("  Dr.  Zoe\u0308 ", []) == "Dr. Zo\u00eb"
    assert rater_name("dr. ZO\u00cb", ["Eva", "Dr. Zo\u00eb"]) == "Dr. Zo\u00eb"
    assert rater_name("R01", ["R1"]) == "R01"


@pytest.mark.parametrize("typed", ["", " ", "x" * 61, "=1+1", "@me", "a\x00b"])
def test_what_is_no_name_is_refused(typed):
    with pytest.raises(UserError, match="is no name for a rater"):
        rater_name(typed, [])


def test_tokens_are_read_as_tables_are(tmp_path):
    (tmp_path / "tokens.csv").write_text("Rater;Token\nEva;blue-lamp\nAda;tall-tree\n")
    assert read_tokens(tmp_path / "tokens.csv") == {"blue-lamp": "Eva", "tall-tree": "Ada"}


def test_all_that_is_wrong_with_tokens_is_told_at_once(tmp_path):
    rows = ["rater,token", "Eva,blue-lamp", "eva,other-one", "Ada,blue-lamp", "Ida,short", ",no-name-here"]
    (tmp_path / "tokens.csv").write_text("\n".join(rows))
    with pytest.raises(UserError) as caught:
        read_tokens(tmp_path / "tokens.csv")
    message = str(caught.value)
    for part in (
        "row 3: the rater 'Eva'",
        "row 4: 'Ada' has the token of 'Eva'",
        "row 5: the token of 'Ida'",
        "row 6:",
    ):
        assert part in message


@pytest.mark.parametrize("text", [None, "name,password\nEva,blue-lamp\n", "rater,token\n"])
def test_another_file_is_no_table_of_tokens(tmp_path, text):
    if text:
        (tmp_path / "tokens.csv").write_text(text)
    with pytest.raises(UserError, match="tokens.csv"):
        read_tokens(tmp_path / "tokens.csv")
