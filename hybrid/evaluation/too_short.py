"""Protocols that show the machinery: too short to rank models, or for these to learn what is worth asking."""

from collections.abc import Iterable, Mapping
from typing import Any

SHORT = {"smoke": 2, "quick": 4}
"""by name, and their epochs"""


def too_short(protocol: Mapping[str, Any], starts: Iterable[str]) -> str:
    """Words for a protocol that is too short for models that start so (`pretrained`), to go on with; or ''."""
    name = protocol.get("name", "")
    if protocol["epochs"] > SHORT.get(name, 0):
        return ""
    if name == "smoke":  # its two folds are too few for any contrast, whatever the weights know
        return "The protocol smoke"
    return f"From fresh weights, the protocol {name}" if "none" in starts else ""
