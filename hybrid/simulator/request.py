"""What a simulated data set was asked for, and whether a folder holds it: known without all that makes clips."""

from dataclasses import asdict, dataclass
from pathlib import Path

from hybrid.data.simulated import SIMULATION
from hybrid.errors import UserError
from hybrid.files import read_json
from hybrid.simulator.presets import get_preset
from hybrid.simulator.settings import Settings

VERSION = 2
"""of the simulator: raised whenever the same request would give other clips or votes"""


@dataclass(frozen=True)
class Request:
    """All that a data set depends on."""

    preset: str
    num_clips: int
    seed: int
    settings: Settings = Settings()

    def __post_init__(self):
        get_preset(self.preset)
        if self.num_clips < 1:
            raise UserError(f"num_clips must be at least 1, not {self.num_clips}")
        if not 0 <= self.seed < 2**63:
            raise UserError(f"seed must be from 0 to 2^63 - 1, not {self.seed}")

    def record(self) -> dict:
        microscope = self.settings.microscope or get_preset(self.preset).look.microscope
        return {"simulator": VERSION, **asdict(self), "settings": {**asdict(self.settings), "microscope": microscope}}


def is_made(root: Path, request: Request) -> bool:
    """True if `root` is this very data set, False if nothing is there; anything else there is a UserError."""
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return False
    try:
        record = read_json(root / SIMULATION)
    except (OSError, ValueError):
        raise UserError(f"{root} exists and is not a simulated data set; choose another folder") from None
    wanted = request.record()
    if record == wanted:
        return True
    different = [
        f"{key}: {record.get(key)!r} there, {wanted.get(key)!r} asked for"
        for key in {**wanted, **record}
        if record.get(key) != wanted.get(key)
    ]
    raise UserError(
        f"{root} holds another simulated data set ({'; '.join(different)}); choose another folder; programs that train "
        "take what is there with data=folder"
    )
