"""What an object makes when it is first asked for it, once even if several threads ask."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import Any, Generic, Self, TypeVar, overload

Value = TypeVar("Value")
_STORE = RLock()
"""Held for a moment, to give each value a lock of its own."""


class once(Generic[Value]):  # noqa: N801  read as a decorator
    """A `functools.cached_property` of which nothing is made twice.

    From Python 3.12 on, that of the library makes its value in every thread that asks before the
    first is ready: a network is then read and held as often. Threads that ask for different values,
    or for those of different objects, do not wait for each other.
    """

    def __init__(self, make: Callable[[Any], Value]) -> None:
        """Take the method that makes the value."""
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        """Remember where the value is kept."""
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...

    def __get__(self, instance: object | None, owner: type) -> Self | Value:
        """Make the value; later look-ups find it in the object itself."""
        if instance is None:
            return self
        kept = vars(instance)
        with _STORE:
            lock = kept.setdefault(f"{self._name} lock", RLock())
        with lock:
            if self._name not in kept:
                kept[self._name] = self._make(instance)
        value: Value = kept[self._name]
        return value
