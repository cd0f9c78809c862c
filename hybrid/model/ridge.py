"""Linear regression with a penalty, from sums that fit in memory whatever the number of samples."""

from __future__ import annotations

import torch
from torch import Tensor


class Ridge:
    """Fits z = W x + b to samples given in parts, in double precision.

    Minimises sum |z - W x - b|^2 + penalty * v * N * |W|^2, v the mean variance of the inputs: Hoerl and
    Kennard, Ridge regression, 1970, with a penalty that has no unit. The intercept is not penalised.
    """

    def __init__(self, inputs: int, outputs: int):
        self.count = 0
        self.xx, self.xz = torch.zeros(inputs, inputs).double(), torch.zeros(inputs, outputs).double()
        self.x, self.z, self.zz = torch.zeros(inputs).double(), torch.zeros(outputs).double(), 0.0

    def add(self, x_NI: Tensor, z_NO: Tensor) -> None:
        x_NI, z_NO = x_NI.double().cpu(), z_NO.double().cpu()
        self.count += len(x_NI)
        self.xx += x_NI.T @ x_NI
        self.xz += x_NI.T @ z_NO
        self.x += x_NI.sum(0)
        self.z += z_NO.sum(0)
        self.zz += float(z_NO.square().sum())

    def solve(self, penalty: float) -> tuple[Tensor, Tensor]:
        """W (outputs, inputs) and b (outputs,)."""
        if self.count < 2:
            raise ValueError(f"a regression needs 2 samples or more, not {self.count}")
        xx = self.xx - torch.outer(self.x, self.x) / self.count
        xz = self.xz - torch.outer(self.x, self.z) / self.count
        xx.diagonal().add_(penalty * xx.diagonal().mean() + 1e-12)
        weight_OI = torch.linalg.solve(xx, xz).T
        return weight_OI, (self.z - weight_OI @ self.x) / self.count

    def explained(self, weight_OI: Tensor, bias_O: Tensor) -> float:
        """R^2 of a map on these samples, over all outputs together: 1 is perfect, 0 as good as their mean."""
        # sum |z - Wx - b|^2 by its terms
        fitted = (weight_OI @ self.xx * weight_OI).sum() + 2 * (bias_O * (weight_OI @ self.x)).sum()
        product = (weight_OI.T * self.xz).sum() + (bias_O * self.z).sum()
        error = self.zz - 2 * product + fitted + self.count * bias_O.square().sum()
        return float(1 - error / (self.zz - self.z.square().sum() / self.count))
