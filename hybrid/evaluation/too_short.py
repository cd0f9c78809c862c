"""Protocols that show the machinery: from fresh weights too short to rank models, or to learn what is worth asking."""

from collections.abc import Iterable, Mapping
from typing import Any

SHORT = {"smoke": 2, "quick": 4}
"""by name, and their epochs"""


def too_short(protocol: Mapping[str, Any], starts: Iterable[str]) -> str:
    """The name of a protocol that is too short for models that start so (`pretrained`), or ''."""
    name = protocol.get("name", "")
    return name if protocol["epochs"] <= SHORT.get(name, 0) and "none" in starts else ""
