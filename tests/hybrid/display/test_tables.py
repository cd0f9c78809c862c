"""Every form a table is written in."""

import pandas as pd
import pytest

from hybrid.display.clock import clock
from hybrid.display.tables import Column, Table, as_latex, as_markdown, as_terminal, formatted


@pytest.fixture
def small():
    frame = pd.DataFrame({"name": ["a_b", "c|d"], "value": [-1.5, None]})
    text = lambda row: "-" if pd.isna(row.value) else f"{row.value:.1f}"  # noqa: E731
    columns = (Column("name", lambda row: row.name, "name", figure=False), Column("MSE x10^-2", text, "value"))
    return Table("small", "50 % of it", frame, columns)


def test_latex_escapes_what_latex_would_read(small):
    text = as_latex(small, ("note & more",))
    assert r"a\_b & $-$1.5 \\" in text and r"\caption{50 \% of it}" in text
    assert r"name & MSE $\times10^{-2}$ \\" in text and r"note \& more" in text
    assert r"c|d & - \\" in text


def test_markdown_keeps_its_cells_apart(small):
    assert as_markdown(small).splitlines() == [
        "| name | MSE x10^-2 |",
        "| :-- | --: |",
        "| a_b | -1.5 |",
        r"| c\|d | - |",
    ]


def test_terminal_aligns_and_leaves_out(small):
    assert as_terminal(small).splitlines()[2] == "a_b         -1.5"
    assert "MSE" not in as_terminal(small, leave_out=("MSE x10^-2",))


def test_files_hold_full_figures_or_what_people_read(small, tmp_path):
    small.write(tmp_path, ("a note",))
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "small.csv"), small.frame)
    assert (tmp_path / "small.md").read_text().endswith("a note\n") and (tmp_path / "small.tex").exists()


def test_formatted_tables_show_a_dash_for_what_is_unknown_and_no_empty_column():
    frame = pd.DataFrame({"model": ["a", "b"], "gmac": [12.3456, None], "train_gb": [None, None], "odd": [1, 2]})
    shown = formatted(frame, {"model": ("model", "{}"), "gmac": ("GMAC", "{:.4g}"), "train_gb": ("train GB", "{:.2f}")})
    assert as_markdown(shown) == "| model | GMAC |\n| :-- | --: |\n| a | 12.35 |\n| b | - |"
    assert as_terminal(shown).splitlines() == ["model   GMAC", "-----  -----", "a      12.35", "b          -"]


def test_the_clock_reads_like_a_clock():
    assert clock(None) == "?" and clock(65) == "01:05" and clock(3723) == "1:02:03"
