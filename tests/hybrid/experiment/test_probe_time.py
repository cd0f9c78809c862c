"""What a probe takes is measured of the benchmark itself, which finds all features and builds no network."""

from support import ROOT

from hybrid.config import register_schemas
from hybrid.experiment.probe_time import measure_probes

WITHOUT_NETWORKS = f"""
import runpy, sys
from baselines.frozen import FrozenModel
FrozenModel.net = property(lambda _: sys.exit("a network was built"))
sys.argv[0] = "{ROOT / "tools" / "benchmark.py"}"
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_a_probe_is_measured_on_made_up_features_of_its_size(tmp_path):
    register_schemas()
    program = tmp_path / "benchmark.py"
    program.write_text(WITHOUT_NETWORKS)
    here = ["hydra/launcher=basic", "logger=disabled", "accelerator=cpu", "protocol=smoke"]
    (row,) = measure_probes(ROOT / "configs", program, ["mvit"], here, clips=20).to_dict("records")
    assert (row["model"], row["tokens"], row["width"], row["epochs"]) == ("mvit", 8 * 16, 48, 2)
    assert 0 < 2 * row["run_s"] < row["wall_s"] and row["processor_s"] > 2 * row["run_s"] / 20
