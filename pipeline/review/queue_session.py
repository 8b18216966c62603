"""Labelling a queue: one item after the other, each label in its file at once."""

from collections.abc import Collection, Sequence
from functools import partial

from pipeline.drift.queue_file import SKIP, QueueFile, QueueItem, Said
from pipeline.features.class_path import normalize_class_path
from pipeline.review.steps import Steps, Written

LABEL = "label"


class QueueSession(Steps):
    """Where somebody is in a queue of what to label."""

    def __init__(self, file: QueueFile, classes: Collection[str], separator: str) -> None:
        """Begin at the first item that is not decided; those that were skipped come last.

        Args:
            file: The queue.
            classes: Class paths of the catalogue.
            separator: What joins the parts of a class path.

        Raises:
            InputError: The queue cannot be read, or the labelled rows cannot be written.
        """
        waiting = [one for one in file.read() if not one.said.is_decided]
        self.items: Sequence[QueueItem] = sorted(waiting, key=lambda one: one.said.decision == SKIP)
        super().__init__(len(self.items))
        # A class that was added after training is no item's yet.
        suggested = {path for one in self.items for path, _ in one.suggestions}
        self.classes = sorted({*classes, *suggested})
        self.file = file
        self._separator = separator
        # The queue may have been filled in by hand.
        file.write_labelled()

    def decide(self, place: int, word: str, class_path: str = "") -> None:
        """Write what is said of an item and go on to the next; `said` tells what came of it.

        Args:
            place: Of the item that was shown.
            word: LABEL, or one of DECISIONS.
            class_path: With LABEL, the class.
        """
        self.step(place, word, lambda: self._write(self.items[place], word, class_path))

    def _write(self, item: QueueItem, word: str, class_path: str) -> Written:
        new = Said(decision=word)
        if word == LABEL:
            new = Said(normalize_class_path(class_path, self._separator))
        say = partial(self.file.say, item.image, item.text)
        before = say(new)
        is_new = bool(new.class_path) and new.class_path not in self.classes
        said = "That is a class that the catalogue does not have yet." * is_new
        return Written(partial(say, before), said)
