"""Which names of grades are one, which are none, and that those of honest laboratories pass."""

import pytest

from hybrid.data.grade_names import grade_key, grade_order, look_alikes, strange_names

HONEST = [
    "A,B,C,D,E",
    "a,b,c,d",
    "1,2,3,4,5",
    "0,1+,2+,3+",
    "I,II,III,IV,V",
    "I,II,III,IV",
    "i,ii,iii",
    "A,AB,B,BC,C",
    "AA,AB,BB",
    "AA,A,B",
    "3a,3b,2,1",
    "A+,A,A-,B",
    "A (best),B,C,D (worst)",
    "A (best),B,C,D,E (worst)",
    "Grade 1,Grade 2,Grade 3",
    "grade_a,grade_b",
    "good,fair,poor",
    "very good,good,bad",
    "yes,no",
    "N,A",
    "normal,abnormal",
    "\u512a,\u826f,\u53ef,\u4e0d\u53ef",
    "\u03b1,\u03b2,\u03b3",
    "< 5 \u03bcm,5 \u03bcm or more",
    "A,B,C,D,F",
    "0.5,1,1.5",
]


@pytest.mark.parametrize("names", HONEST)
def test_names_of_grades(names):
    names = names.split(",")
    assert strange_names(names) == [] and look_alikes(names) == "" and len(set(map(grade_key, names))) == len(names)


@pytest.mark.parametrize(
    "names, strange",
    [
        ("A,B,C,n_raters", "n_raters"),
        ("Nr,A,B,C", "Nr"),
        ("A,B,C,age,n_raters,Nr", "age,n_raters,Nr"),
        ("1,2,3,age", "age"),
        ("1,2,3,nan", "nan"),
        ("A,B,C,D,E,n", "n"),
        ("good,fair,poor,total votes", "total votes"),
        ("Grade 1,Grade 2,unclear", "unclear"),
        ("A,B,total", "total"),
        ("A,B,C,\u60a3\u8005ID", "\u60a3\u8005ID"),
        ("\u512a,\u826f,\u53ef,\u5408\u8a08", "\u5408\u8a08"),
        ("gut,mittel,schlecht,Patientennummer", "Patientennummer"),
        ("good,fair,poor,Patient no,confidence", "Patient no,confidence"),
    ],
)
def test_what_is_no_grade_beside_them(names, strange):
    assert sorted(strange_names(names.split(","))) == sorted(strange.split(","))


def test_letters_of_two_alphabets_that_look_alike():
    assert look_alikes(["g\u043eod", "bad"]) == (
        "'g' is U+0067 LATIN SMALL LETTER G, '\u043e' is U+043E CYRILLIC SMALL LETTER O"
    )
    assert look_alikes(["A", "\u0392"]).endswith("U+0392 GREEK CAPITAL LETTER BETA")
    assert look_alikes(["\u0410", "\u0411", "good"]) == ""


@pytest.mark.parametrize(
    "grades, order",
    [
        ("C,A,B", "A,B,C"),
        ("b,\u00e0", "\u00e0,b"),
        ("10,9,2", "2,9,10"),
        ("\u512a,\u826f,\u53ef", None),
        ("\u30a4,\u30ed,\u30cf", None),
        ("good,bad", None),
    ],
)
def test_letters_and_numbers_have_an_order_and_signs_and_words_have_none(grades, order):
    assert grade_order(grades.split(",")) == (order and order.split(","))
