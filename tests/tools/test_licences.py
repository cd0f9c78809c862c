"""What is needed is listed with its licence."""

import re
import runpy

from support import ROOT

LICENCES = runpy.run_path(str(ROOT / "tools" / "licences.py"))


def test_every_package_is_there_with_its_licence():
    packages = LICENCES["packages"]()
    asked = {re.match(r"[\w-]+", line)[0].lower() for line in LICENCES["PROJECT"]["dependencies"]}
    assert asked <= set(packages), "what is always needed is installed"
    version, licence, extra = packages["torch"]
    assert version[0] in "23456789" and licence.startswith(("Apache", "BSD")) and extra == ""
    assert packages["sympy"][2] == "", "which torch needs"
    assert packages["pytest"][2] == "test"
    assert packages["trackpy"][1].startswith("BSD")


def test_every_weights_licence_is_told_and_what_has_conditions_is_found():
    weights = LICENCES["weights"]()
    assert len(weights) >= 15 and LICENCES["UNTOLD"] not in {licence for *_, licence in weights}
    conditions = {name for name, _, licence in weights if LICENCES["CONDITIONS"].search(licence)}
    assert {"timesformer", "videomae"} <= {name.split()[0] for name in conditions}
    assert "GPL" in LICENCES["ffmpeg"]()
