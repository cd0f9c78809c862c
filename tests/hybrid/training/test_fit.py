import pytest
from filelock import FileLock
from pytorch_lightning.utilities import rank_zero_only

from hybrid.errors import UserError
from hybrid.folders import RunFolder
from hybrid.training.fit import once


def test_a_run_is_done_by_one_program_and_by_all_of_its_processes(tmp_path, monkeypatch):
    run = RunFolder(tmp_path)
    with FileLock(tmp_path / ".lock"):
        with pytest.raises(UserError, match="by another process"):
            once(run, dict)
        monkeypatch.setattr(rank_zero_only, "rank", 1)  # the first one holds the lock
        assert once(run, lambda: {"trained": True}) == {"trained": True}


def test_what_is_done_is_not_done_again(tmp_path):
    run = RunFolder(tmp_path)
    run.result.write_text('{"kept": 1}')
    assert once(run, lambda: pytest.fail("trained again")) == {"kept": 1}
