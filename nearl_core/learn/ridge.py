"""The linear algebra of `learn/instant.py`: one ridge regression for several ridges.

Of the two products of the examples with themselves the smaller is factorised, N x N or F x F, in
the precision of the rows that are given. (One eigendecomposition for all ridges was turned down: it
takes as long as eight factorisations.)
"""

import numpy as np
import torch
from torch import Tensor

from nearl_core.learn.examples import Features, FloatArray, unless_alike

_LEAST = 1e-12


class Ridge:
    """W = (X' S X + k I)^-1 X' S Y, for ridges k in units of the mean square."""

    def __init__(self, rows: Features, root: FloatArray, gram: Features | None = None) -> None:
        """Take the roots of N weights, and N x F rows times them.

        Their products with each other, N x N, may be given where N < F.
        """
        self._rows, self._root = rows, root[:, None].clip(_LEAST)
        self._few = rows.shape[0] < rows.shape[1]
        # numpy knows that a product with itself is symmetric: half the time of torch's.
        made = (rows @ rows.T if self._few else rows.T @ rows) if gram is None else gram
        self._gram = torch.from_numpy(made)
        square = float(self._gram.diagonal().sum(dtype=torch.float64))
        self._mean = unless_alike(square) / min(rows.shape)
        self._factors = dict[float, Tensor]()
        self._leverages = dict[float, FloatArray]()

    def solution(self, ridge: float, y: FloatArray) -> FloatArray:
        """W for a ridge and N x K targets: F x K, to the rows' rounding."""
        found = self._found(ridge, y)
        return (self._rows.T @ found if self._few else found).astype(np.float64)

    def fitted(self, ridge: float, y: FloatArray) -> FloatArray:
        """X W for a ridge and N x K targets: N x K."""
        rows, found = self._rows, self._found(ridge, y)
        made = self._gram.numpy() @ found if self._few else rows @ found
        return np.asarray(made.astype(np.float64) / self._root)

    def leverage(self, ridge: float) -> FloatArray:
        """How much of its own target each example takes: N, in [0, 1)."""
        if ridge not in self._leverages:
            rows = self._rows
            inverse = torch.cholesky_inverse(self._factor(ridge)).numpy()
            if self._few:
                lever = 1 - ridge * self._mean * inverse.diagonal()
            else:
                lever = np.einsum("nf,nf->n", rows @ inverse, rows)
            self._leverages[ridge] = lever.astype(np.float64)
        return self._leverages[ridge]

    def _found(self, ridge: float, y: FloatArray) -> Features:
        """The solution by the factor: N x K of the rows where these are few, else F x K."""
        rows = self._rows
        asked = (self._root * y).astype(rows.dtype)
        wanted = torch.from_numpy(asked if self._few else rows.T @ asked)
        return np.asarray(torch.cholesky_solve(wanted, self._factor(ridge)).numpy())

    def _factor(self, ridge: float) -> Tensor:
        if ridge not in self._factors:
            lifted = self._gram.clone()
            lifted.diagonal().add_(ridge * self._mean)
            self._factors[ridge] = torch.linalg.cholesky(lifted)
        return self._factors[ridge]
