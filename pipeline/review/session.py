"""Going through findings: one after the other, each decision in the file at once."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from pipeline.audit.decisions import ACCEPT, Decision, replace_rows
from pipeline.features.class_path import normalize_class_path
from pipeline.review.findings import Finding
from pipeline.review.steps import Steps, Written


class Session(Steps):
    """Where somebody is in a list of findings."""

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
        super().__init__(len(findings))
        self.findings = findings
        self.path_of = path_of
        self.classes = sorted(set(path_of.values()))
        self.decisions = decisions
        """The file."""
        self._separator = separator

    def decide(self, place: int, word: str, other_path: str = "") -> None:
        """Write a decision and go on to the next finding; `said` tells what came of it.

        Args:
            place: Of the finding that was shown.
            word: One of DECISIONS.
            other_path: With `accept`, the class in place of the suggested one.
        """
        self.step(place, word, lambda: self._write(self.findings[place], word, other_path))

    def _write(self, finding: Finding, word: str, other_path: str) -> Written:
        class_path = self.path_of[finding.item_id]
        new_path = ""
        if word == ACCEPT:
            wanted = other_path.strip() or finding.suggested_path
            new_path = normalize_class_path(wanted, self._separator)
            if new_path == class_path:
                return Written(None, "The item has this class already: keep it.")
        decision = Decision(finding.item_id, class_path, word, new_path)
        replace = partial(replace_rows, self.decisions, finding.item_id)
        before = replace([decision._asdict()])
        is_new = bool(new_path) and new_path not in self.classes
        said = "A class that the catalogue does not have yet was accepted." * is_new
        return Written(partial(replace, before), said)
