"""The harness that kills programs can do so at any moment."""

import os

import pytest
from interruption import Program


def test_a_program_is_killed_even_before_it_has_begun(tmp_path):
    for _ in range(20):
        program = Program(tmp_path, "simulate", "--help")
        program.kill()
        with pytest.raises(ProcessLookupError):
            os.kill(program.pid, 0)
