"""The models that ablations compare the hybrid with: importing this registers them."""

import hybrid.model.slowfast_nln  # noqa: F401, I001
import hybrid.model.late_fusion  # noqa: F401
import hybrid.model.ensemble  # noqa: F401
