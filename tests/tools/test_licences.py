"""What is needed is listed with its licence."""

import re
import runpy

import av
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
    assert [name for name, (_, licence, _) in packages.items() if licence == LICENCES["UNTOLD"]] == []


def test_every_weights_licence_is_told_and_what_has_conditions_is_found():
    weights = LICENCES["weights"]()
    assert len(weights) == len(set(weights))
    assert len(weights) >= 15 and LICENCES["UNTOLD"] not in {licence for *_, licence in weights}
    conditions = {name for name, _, licence in weights if LICENCES["CONDITIONS"].search(licence)}
    assert {"timesformer", "videomae"} <= {name.split()[0] for name in conditions}
    told = LICENCES["ffmpeg"]()
    assert "GPL" in told
    for encoder in ("x264", "x265"):  # what is in FFmpeg, though its own licence does not say so
        assert (encoder in told) == (f"lib{encoder}" in av.codecs_available)
