"""The wrong codes that a register has: of the kinds that people and machines make."""

import random
from collections.abc import Callable, Sequence

SHARE = 0.03
KINDS = {"neighbour": 0.45, "former activity": 0.25, "other activity": 0.2, "swapped digits": 0.1}
"""The kinds of wrong codes and their shares: another class of the group, or else of the division; what the business did before; its
other activity; two digits in each other's place. What a business cannot have becomes a neighbour."""


class WrongCodes:
    """Makes a part of the codes wrong."""

    def __init__(self, codes: Sequence[str]) -> None:
        """`codes` are all classes of the nomenclature."""
        self._codes = list(codes)
        self._all = set(codes)

    def drawn(self, code: str, other: str | None, former: Callable[[], str], chooser: random.Random) -> tuple[str, str | None]:
        """A code as a register has it, and which of KINDS it is if it is wrong. `other` is the code of another activity of the business, if
        there is one, `former` draws that of what it did before."""
        if chooser.random() >= SHARE:
            return code, None
        kind = chooser.choices(list(KINDS), list(KINDS.values()))[0]
        if kind == "former activity":
            found = former()
        elif kind == "other activity":
            found = other
        else:
            found = self._swapped(code) if kind == "swapped digits" else None
        if found is None or found == code:
            kind, found = "neighbour", self._neighbour(code, chooser)
        return found, kind

    def _swapped(self, code: str) -> str | None:
        """A code with two neighbouring digits swapped that is a class too, if there is one."""
        digits = code.replace(".", "")
        for i in range(len(digits) - 1):
            swapped = digits[:i] + digits[i + 1] + digits[i] + digits[i + 2 :]
            found = f"{swapped[:2]}.{swapped[2:]}"
            if found != code and found in self._all:
                return found
        return None

    def _neighbour(self, code: str, chooser: random.Random) -> str:
        """Another class of the group, or of the division, or the class nearest in the order of codes."""
        for upper in (code[:4], code[:2]):
            near = [each for each in self._codes if each.startswith(upper) and each != code]
            if near:
                return chooser.choice(near)
        place = self._codes.index(code)
        return self._codes[place - 1 if place else 1]
