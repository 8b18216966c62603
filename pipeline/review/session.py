"""Going through findings: one after the other, each decision in the file at once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock

from pipeline.audit.decisions import ACCEPT, Decision, Row, replace_rows
from pipeline.core.errors import BadRowError, InputError
from pipeline.features.class_path import normalize_class_path
from pipeline.review.findings import Finding


class Session:
    """Where somebody is in a list of findings.

    Requests may come twice or at the same time, from two windows; a decision counts for the finding
    that it was made on, once.
    """

    def __init__(
        self,
        findings: Sequence[Finding],
        path_of: Mapping[str, str],
        decisions: Path,
        separator: str,
    ) -> None:
        """Begin at the first finding.

        Args:
            findings: In their order.
            path_of: Class path by item id, of all items.
            decisions: The decisions file.
            separator: What joins the parts of a class path.
        """
        self.findings = findings
        self.path_of = path_of
        self.classes = sorted(set(path_of.values()))
        self.place = 0
        """Of the finding that is shown; after the last one there is none."""
        self.said = ""
        """What came of the last request, for people."""
        self.decisions = decisions
        """The file."""
        self._separator = separator
        self._done: list[tuple[str, list[Row]]] = []
        self._lock = Lock()

    @property
    def counts(self) -> dict[str, int]:
        """How often each word was decided since the beginning."""
        return Counter(word for word, _ in self._done)

    @property
    def left(self) -> int:
        """How many findings are not yet decided."""
        return len(self.findings) - self.place

    @property
    def can_undo(self) -> bool:
        """Whether there is a decision to take back."""
        return bool(self._done)

    def decide(self, place: int, word: str, other_path: str = "") -> None:
        """Write a decision and go on to the next finding; `said` tells what came of it.

        Args:
            place: Of the finding that was shown.
            word: One of DECISIONS.
            other_path: With `accept`, the class in place of the suggested one.
        """
        with self._lock:
            if place != self.place or place >= len(self.findings):
                self.said = "That one was decided already."
                return
            finding = self.findings[place]
            class_path = self.path_of[finding.item_id]
            new_path = ""
            try:
                if word == ACCEPT:
                    wanted = other_path.strip() or finding.suggested_path
                    new_path = normalize_class_path(wanted, self._separator)
                    if new_path == class_path:
                        self.said = "The item has this class already: keep it."
                        return
                decision = Decision(finding.item_id, class_path, word, new_path)
                before = replace_rows(self.decisions, finding.item_id, [decision._asdict()])
            except (InputError, BadRowError) as error:
                self.said = f"Not written: {error}"
                return
            self._done.append((word, before))
            self.place += 1
            is_new = bool(new_path) and new_path not in self.classes
            self.said = "A class that the catalogue does not have yet was accepted." * is_new

    def undo(self) -> None:
        """Go back to the finding before, as if it had not been decided."""
        with self._lock:
            if not self._done:
                self.said = "There is nothing to take back."
                return
            item_id = self.findings[self.place - 1].item_id
            try:
                replace_rows(self.decisions, item_id, self._done[-1][1])
            except InputError as error:
                self.said = f"Not written: {error}"
                return
            self._done.pop()
            self.place -= 1
            self.said = "Taken back."
