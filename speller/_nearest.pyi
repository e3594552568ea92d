from typing import Any

import numpy as np
from numpy.typing import NDArray

def search(
    words: tuple[NDArray[Any], ...],
    written: NDArray[np.uint32],
    ends: NDArray[np.int64],
    beyond: int,
    numbers: NDArray[np.int64],
    sizes: NDArray[np.int64],
    /,
) -> None: ...
