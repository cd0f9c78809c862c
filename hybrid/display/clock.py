"""A time as people read it; apart from tables, for it needs no pandas."""

from tqdm import tqdm


def clock(seconds: float | None) -> str:
    """'1:02:03' or '02:03'; '?' where unknown."""
    return "?" if seconds is None else tqdm.format_interval(seconds)
