"""Clips simulated once for all tests of pretraining, and configurations as the command line makes them."""

from pathlib import Path

import pytest
from support import ROOT

from hybrid.config import register_schemas
from hybrid.data.clip import ClipSpec
from hybrid.experiment.hydra_jobs import composed
from hybrid.pretraining.attributes import Attributes
from hybrid.pretraining.pool import PoolClips, Request, open_pool

NUM_CLIPS, NUM_HELD_OUT, SEED = 8, 4, 10**6


@pytest.fixture(scope="session")
def request_made() -> Request:
    return Request(SEED, "standard", ClipSpec())


@pytest.fixture(scope="session")
def pool_root(tmp_path_factory, request_made) -> Path:
    """Holds a pool of eight clips, and four of the next seed; read only."""
    root = tmp_path_factory.mktemp("pools")
    open_pool(root, request_made, NUM_CLIPS, workers=1)
    open_pool(root, Request(SEED + 1, "standard", ClipSpec()), NUM_HELD_OUT, workers=1)
    return root


@pytest.fixture(scope="session")
def pool_values(pool_root, request_made):
    """(8, V) of the pool's clips."""
    return PoolClips(pool_root, request_made, NUM_CLIPS, Attributes("dense", 16, 16.0)).values_NV


@pytest.fixture
def words(tmp_path, pool_root):
    """The words of a pretraining on these clips that takes seconds."""
    return [
        f"data.root={pool_root}",
        f"data.pool={NUM_CLIPS}",
        "data.grows=0",
        f"data.held_out={NUM_HELD_OUT}",
        f"data.seed={SEED}",
        "data.workers=1",
        "protocol=smoke",
        "protocol.batch_size=4",
        "clips=24",
        "clips_an_epoch=8",
        "logger=disabled",
        f"runs_dir={tmp_path / 'runs'}",
        "experiment=p",
        "threads=1",
    ]


@pytest.fixture
def config_of_pretraining(words):
    """`config_of_pretraining("model=slowfast", ...)`"""
    register_schemas()

    return lambda *overrides: composed(ROOT / "configs", "pretrain", [*words, *overrides])
