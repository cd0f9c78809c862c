"""`1,200` is 1200 or 1.2 as the file tells, or nothing."""

from argparse import ArgumentTypeError

import pytest

from hybrid.data.labels import read_labels
from hybrid.data.numbers import Numbers, typed_number, typed_seed
from hybrid.data.problems import DatasetError


@pytest.mark.parametrize(
    "text, others, value",
    [
        ("1,200", ["0.5"], 1200),
        ("1,200", ["0,5"], 1.2),
        ("1,200", ["0,500"], 1.2),  # no number of thousands begins with 0
        ("1,200", ["800"], None),
        ("1,200", ["0.5", "0,5"], None),
        ("12,000", ["1.5"], 12000),
        ("1.200", ["0,5"], 1200),
        ("1.200", ["800"], 1.2),  # a point is decimal for every program
        ("1.000", ["0.000", "1.000"], 1),
        ("1.200", ["0.5", "0,5"], None),
        ("1,20", ["0.5"], 1.2),
        ("1,2000", [], 1.2),
        ("0,200", [], 0.2),
        ("1,200.5", ["0.5"], None),
        ("1200", ["0.5", "0,5"], 1200),
    ],
)
def test_what_a_number_is(text, others, value):
    assert Numbers.of([text, *others]).read(text) == value


def test_numbers_typed_in_wide_digits_are_numbers(make_dataset):
    labels = read_labels(make_dataset("clip,A,B\na.mkv,\uff11,\uff12\uff10\nb.mkv,\uff10\uff0e\uff15,3\n"))
    assert labels.votes_NK.tolist() == [[1, 20], [0.5, 3]]


def test_votes_that_may_be_two_numbers_are_refused(make_dataset):
    with pytest.raises(DatasetError, match="'A' of clip 'a.mkv' is '1,200', which may mean 1200 or 1.2"):
        read_labels(make_dataset('clip,A,B\na.mkv,"1,200",800\nb.mkv,1000,1000\n'))


def test_thousands_beside_decimal_points(make_dataset):
    labels = read_labels(make_dataset('clip,A,B\na.mkv,"1,200",800\nb.mkv,999.5,1000.5\n'))
    assert labels.votes_NK.tolist() == [[1200, 800], [999.5, 1000.5]]


def test_a_number_of_a_command_line_has_a_point():
    assert typed_number("0.38") == 0.38 and typed_number("-1e3") == -1000
    with pytest.raises(ArgumentTypeError, match="write 0.38, with a point, not 0,38"):
        typed_number("0,38")
    with pytest.raises(ArgumentTypeError, match="'many' is no number"):
        typed_number("many")


def test_a_seed_of_a_command_line_is_one_that_every_generator_takes():
    assert typed_seed("0") == 0 and typed_seed(str(2**32 - 1)) == 2**32 - 1
    for text in ("-1", str(2**32), "1.5", ""):
        with pytest.raises(ArgumentTypeError, match="a seed is a whole number from 0 to 4294967295, not"):
            typed_seed(text)
