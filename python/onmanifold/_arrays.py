# SPDX-License-Identifier: Apache-2.0
"""Arrays of other libraries as N×D float64, without a copy where the memory is that already."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

# Of DLPack: memory that the processor reads.
_HOST_DEVICES = (1, 3, 11, 13)


def as_points(given: Any, what: str) -> "np.ndarray[Any, Any]":
    """`given` as N×D float64, row-major: itself, a view of it, or a copy where another type or order needs one.

    Takes NumPy arrays, whatever has DLPack or `__array_interface__`, and lists of rows. `what` is its name in messages.
    Raises ValueError where it is no table of real numbers, or lies on a GPU."""
    import numpy as np

    if hasattr(given, "detach"):  # a tensor that gradients flow through
        given = given.detach()
    if not isinstance(given, np.ndarray) and hasattr(given, "__dlpack_device__"):
        device = int(given.__dlpack_device__()[0])
        if device not in _HOST_DEVICES:
            raise ValueError(f"{what}: lies on another device than the processor (DLPack device {device}); copy it first")
        given = np.from_dlpack(given)
    try:
        array = np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{what}: {str(error).splitlines()[0]}") from error
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{what}: numbers of type {array.dtype}, expected real ones")
    if array.ndim != 2:
        raise ValueError(f"{what}: shape {array.shape}, expected (N, D)")
    return np.ascontiguousarray(array, dtype=np.float64)
