"""How a picture follows a cell: smoothly, so that the head's side-to-side movement is seen in it."""

import numpy as np
from scipy import ndimage

TRACKING = 0.11
"""s, the standard deviation of the smoothing of the camera's path"""


def smoothed(path_T2: np.ndarray, frames: float) -> np.ndarray:
    """Gaussian smoothing of a path that goes on beyond its ends as it does within them, turned half round: there it
    stays where it is. Without that, the first picture's place would tell where the cell is about to go.

    frames: the standard deviation.
    """
    reach = min(len(path_T2) - 1, int(4 * frames) + 1)
    longer = np.pad(path_T2, ((reach, reach), (0, 0)), mode="reflect", reflect_type="odd")
    return ndimage.gaussian_filter1d(longer, frames, axis=0, mode="nearest")[reach : reach + len(path_T2)]
