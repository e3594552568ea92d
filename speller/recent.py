"""What was asked for last, so that what comes again costs nothing."""

from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Remembers the values of the keys that were used last. Several threads may use it at once.

    >>> recent = Recent[str, int](2)
    >>> for key, value in (("a", 1), ("b", 2), ("a", 1), ("c", 3)):
    ...     recent.put(key, value)
    >>> recent.get("a"), recent.get("b"), recent.get("c")
    (1, None, 3)
    """

    def __init__(self, capacity: int) -> None:
        """Takes how many keys are remembered at most."""
        self.capacity = capacity
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        """How many keys are remembered."""
        return len(self._values)

    def get(self, key: Key) -> Value | None:
        """The key's value, where it is remembered."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key]

    def put(self, key: Key, value: Value) -> None:
        """Remember a key's value, and forget the key that was used longest ago where there are too many."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            if len(self._values) > self.capacity:
                self._values.popitem(last=False)
