"""The linear algebra of `learn/instant.py`: one ridge regression for several ridges.

Of the two products of the examples with themselves the smaller is factorised, N x N or F x F. A
large one is factorised in float32, which is enough to choose a ridge by; what ranks is refined to
float64 from there. (One eigendecomposition for all ridges was turned down: it takes as long as
eight factorisations.)
"""

from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nearl_core.learn.examples import unless_alike

FloatArray = NDArray[np.float64]
_Floats: TypeAlias = NDArray[np.floating]
LARGE = 256
"""From this size on, factors are float32."""
_ROUNDS, _LEAST = 1, 1e-12


class Ridge:
    """W = (X' S X + k I)^-1 X' S Y, for ridges k in units of the mean square."""

    def __init__(self, rows: FloatArray, root: FloatArray, *, exact: bool = False) -> None:
        """Take the roots of N weights, and N x F rows times them; exact is float64 at any size."""
        self._rows, self._root = rows, root[:, None].clip(_LEAST)
        self._few = rows.shape[0] < rows.shape[1]
        whole = exact or min(rows.shape) < LARGE
        kind: np.dtype[np.floating] = np.dtype(np.float64 if whole else np.float32)
        low: _Floats = rows.astype(kind, copy=False)
        # numpy knows that a product with itself is symmetric: half the time of torch's.
        self._gram = torch.from_numpy(low @ low.T if self._few else low.T @ low)
        self._low, self._factors = low, dict[float, Tensor]()
        self._mean = unless_alike(float(np.vdot(rows, rows))) / min(rows.shape)

    def solution(self, ridge: float, y: FloatArray) -> FloatArray:
        """W for a ridge and N x K targets, F x K, to rounding.

        Factors in float32 by iterative refinement, which costs products with a few columns only.
        """
        rows, added = self._rows, ridge * self._mean
        asked = self._root * y if self._few else rows.T @ (self._root * y)
        found = self._solved(ridge, asked).astype(np.float64)
        rounds = 0 if self._gram.dtype == torch.float64 else _ROUNDS
        for _ in range(rounds):  # each wins some three digits
            met = rows @ (rows.T @ found) if self._few else rows.T @ (rows @ found)
            found += self._solved(ridge, asked - met - added * found)
        return np.asarray(rows.T @ found if self._few else found)

    def trial(self, ridge: float, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """For a ridge and N x K targets X W, N x K, and the leverage of each example, N.

        To some 1e-4, and to rounding where the problem is small or exact.
        """
        low = self._low
        asked: _Floats = (self._root * y).astype(low.dtype)
        found = self._solved(ridge, asked if self._few else low.T @ asked)
        inverse = torch.cholesky_inverse(self._factor(ridge)).numpy()
        if self._few:
            lever = 1 - ridge * self._mean * inverse.diagonal()
        else:
            lever = np.einsum("nf,nf->n", low @ inverse, low)
        fitted = (low @ (low.T @ found if self._few else found)).astype(np.float64) / self._root
        return fitted, lever.astype(np.float64)

    def _factor(self, ridge: float) -> Tensor:
        if ridge not in self._factors:
            lifted = self._gram.clone()
            lifted.diagonal().add_(ridge * self._mean)
            self._factors[ridge] = torch.linalg.cholesky(lifted)
        return self._factors[ridge]

    def _solved(self, ridge: float, y: _Floats) -> _Floats:
        """With the factor at hand, in its precision."""
        wanted = torch.from_numpy(y).to(self._gram.dtype)
        return np.asarray(torch.cholesky_solve(wanted, self._factor(ridge)).numpy())
