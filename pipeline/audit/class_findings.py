"""What is odd about a class tree, by its names and by where the items are.

Nothing here looks at features; a catalogue that has not been trained on yet has all of it.
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import NamedTuple

from pipeline.audit.words import WORD

Path = tuple[str, ...]


class ClassFinding(NamedTuple):
    """Something about one class, or about two."""

    kind: str
    """One of KINDS."""
    path: Path
    other: Path | None
    """The other class of a pair."""
    items: int
    """At and below `path`; of a class without any, its rejected rows."""
    other_items: int


KINDS = {
    "spelling": "two names that differ in spelling alone",
    "same_name": "a name that stands in several places of the tree",
    "only_child": "a class whose only subclass has all of its items",
    "inner_items": "items filed under a class that has subclasses",
    "one_item": "a class of a single item",
    "no_items": "a class of which every row of the table was rejected",
}
"""What is found, in the order in which it is listed."""

# A name of fewer letters has neighbours that are other words: hat, mat.
_LEAST_LETTERS = 5
# A slip of the pen is rarer than what was meant; shirts and tshirts both have many items.
_SLIPS = 0.1


def find_in_tree(
    class_paths: Iterable[Path], rejected_paths: Iterable[Path] = ()
) -> list[ClassFinding]:
    """Look for what is odd about the classes of N items.

    Two names under the same class are spelt differently where they are the same but for case,
    accents, signs, `and` and plurals, or where one letter differs and few items have the rarer of
    them, which comes first. The time is linear in the number of classes.

    Args:
        class_paths: Parts of each item's class path, at least one.
        rejected_paths: Of each rejected row.

    Returns:
        Findings by kind, as KINDS has them; within a kind those of most items first.
    """
    own = Counter(class_paths)
    below: Counter[Path] = Counter()
    for path, count in own.items():
        for depth in range(1, len(path) + 1):
            below[path[:depth]] += count
    children: dict[Path, list[Path]] = defaultdict(list)
    for node in sorted(below):
        children[node[:-1]].append(node)
    found = [
        *_spellings(children, below),
        *_same_names(below, children),
        *(
            ClassFinding("only_child", node, some[0], below[node], below[some[0]])
            for node, some in children.items()
            if node and len(some) == 1 and not own[node]
        ),
        *(
            ClassFinding("inner_items", node, None, own[node], 0)
            for node in below
            if own[node] and children.get(node)
        ),
        *(
            ClassFinding("one_item", node, None, 1, 0)
            for node in below
            if below[node] == 1 and not children.get(node)
        ),
        *(
            ClassFinding("no_items", node, None, rows, 0)
            for node, rows in Counter(rejected_paths).items()
            if node not in below
        ),
    ]
    order = {kind: number for number, kind in enumerate(KINDS)}
    return sorted(found, key=lambda one: (order[one.kind], -one.items, one.path, one.other or ()))


def plain_name(name: str) -> str:
    """What a class's name has in common with its other spellings."""
    return "".join(map(_singular, _words(name))) or name


def _words(name: str) -> list[str]:
    folded = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return [word for word in WORD.findall(letters) if word != "and"]


def _singular(word: str) -> str:
    """An English noun without its plural's ending; near enough to tell that two are the same."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _spellings(children: dict[Path, list[Path]], below: Counter[Path]) -> Iterator[ClassFinding]:
    for siblings in children.values():
        by_spelling: dict[str, list[Path]] = defaultdict(list)
        for node in siblings:
            for spelling in _neighbours(node[-1]):
                by_spelling[spelling].append(node)
        # Most names are alone; two that are alike may meet at more than one neighbour.
        pairs = {
            pair for nodes in by_spelling.values() for pair in combinations(sorted(set(nodes)), 2)
        }
        for one, other in pairs:
            fewer, more = sorted((one, other), key=lambda node: (below[node], node))
            is_same = plain_name(one[-1]) == plain_name(other[-1])
            if is_same or below[fewer] <= _SLIPS * below[more]:
                yield ClassFinding("spelling", fewer, more, below[fewer], below[more])


def _neighbours(name: str) -> set[str]:
    """The plain name, and what is left of the name without one of its letters.

    Two names meet here where one letter is added, left out or another: no pair of names has to be
    compared (the symmetric deletes of SymSpell).
    """
    letters = "".join(_words(name))
    if len(letters) < _LEAST_LETTERS or any(letter.isdigit() for letter in letters):
        return {plain_name(name)}
    shorter = (letters[:place] + letters[place + 1 :] for place in range(len(letters)))
    return {plain_name(name), letters, *shorter}


def _same_names(below: Counter[Path], children: dict[Path, list[Path]]) -> Iterator[ClassFinding]:
    """Each place of a leaf's name with the one that has most items."""
    by_name: dict[str, list[Path]] = defaultdict(list)
    for node in below:
        if not children.get(node):
            by_name[plain_name(node[-1])].append(node)
    for nodes in by_name.values():
        largest, *others = sorted(nodes, key=lambda node: (-below[node], node))
        for node in others:
            # Siblings are spellings of each other.
            if node[:-1] != largest[:-1]:
                yield ClassFinding("same_name", node, largest, below[node], below[largest])
