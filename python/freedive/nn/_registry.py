"""Which attributes of a module are registered, as live mappings; and the count of structural changes."""

from __future__ import annotations

from collections.abc import MutableMapping

# Counts changes that may alter what a container runs: submodules, hooks, classes. Sequential compares it.
structure = [0]


class View(MutableMapping):
    """The registered values of one kind, by name."""

    __slots__ = ("_owner", "_names")

    def __init__(self, owner, names) -> None:
        self._owner = owner
        self._names = names

    def __getitem__(self, name):
        if name not in self._names:
            raise KeyError(name)
        return self._owner.__dict__[name]

    def __setitem__(self, name, value):
        if self._names is self._owner.__dict__["_buffer_names"]:
            self._names.setdefault(name, True)
        else:
            self._names[name] = None
        self._owner.__dict__[name] = value
        structure[0] += 1

    def __delitem__(self, name):
        del self._names[name]
        del self._owner.__dict__[name]
        structure[0] += 1

    def __iter__(self):
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return repr(dict(self))
