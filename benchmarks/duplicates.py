"""Are copies found? `python -m benchmarks.duplicates --project FOLDER`, once per catalogue.

Plants changed copies of pictures and titles among a finished project's items, and looks for them
with `pipeline/audit/near_pictures.py` and `pipeline/audit/near_titles.py`. Features of planted
pictures come from their files by the project's own recipe.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
import typer
from PIL import Image

from benchmarks.finished_project import index_project
from benchmarks.harness import environment, write_results
from pipeline.audit.item_features import ItemFeatures
from pipeline.audit.near_pictures import PictureFiles, find_near_pictures
from pipeline.audit.near_titles import LEAST_WORDS, are_near, find_near_titles
from pipeline.audit.words import WORD
from pipeline.catalog.near_text import near_text, plain_text
from pipeline.core.location import Location
from pipeline.core.params import read_value
from pipeline.core.share_interval import share_interval
from pipeline.core.table import read_metadata, read_table
from pipeline.image_features.picture_encoder import load_picture_encoder
from pipeline.pictures.decode import decode_image
from pipeline.pictures.thumbnail import thumbnail
from stages.command import require_folder
from stages.paths import IMAGE_FEATURES, ITEMS, PARAMS

COPIES = 500
"""Of pictures, and as many of titles; shared out among the kinds of change."""
SHOWN = 20
"""Pairs of the catalogue itself on a sheet."""
SIDE = 128


class Case(NamedTuple):
    """One planted copy."""

    kind: str
    found: bool
    """Paired with its source."""
    right: int
    """Pairs of it that are with its source or a duplicate of that."""
    wrong: int
    """Pairs of it with something else."""
    source_pairs: int
    """Of the right pairs those with its source."""


def main(
    project: Annotated[list[Path], typer.Option(help="Folder of a finished project.")],
    neighbours: Annotated[int, typer.Option(help="As audit.pairs.neighbours.")] = 10,
    sheets: Annotated[
        Path | None, typer.Option(help="Folder to show pairs of the catalogues themselves in.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Results, without suffix.")] = Path(
        "benchmarks/results/duplicates"
    ),
) -> None:
    """Measure every project, and write the table."""
    rows: list[dict[str, Any]] = []
    notes = []
    for folder in project:
        for what, measure in (
            ("picture", lambda one: _pictures(one, neighbours, sheets)),
            ("title", _titles),
        ):
            cases, note = measure(folder)
            notes.append(f"{folder.name}: {note}")
            kinds = [*dict.fromkeys(case.kind for case in cases), "all"]
            for kind in kinds:
                some = [case for case in cases if kind in (case.kind, "all")]
                rows.append({"catalog": folder.name, "what": what, "kind": kind} | _figures(some))
                print(*rows[-1].values(), sep=", ", flush=True)
    write_results(
        out,
        title="Changed copies, found again",
        notes=[
            f"`python -m benchmarks.duplicates --project FOLDER`; {COPIES} copies of pictures and "
            f"{COPIES} of titles, of random items; {neighbours} neighbours",
            "recall: copies that are paired with their source; 95 % intervals by Wilson",
            "with the source: of the pairs of copies; precision: those too with what is paired "
            "with the source as well, as the catalogues have duplicates of their own",
            "pictures: crop keeps 0.8 to 0.95 of each side, anywhere; JPEG has quality 40 to 80; "
            "scaled to 0.5 to 0.9; shifted by up to 0.08 of each side, with a white border. "
            "Fashion's pictures have 60 x 80 pixels to begin with. Limits were fitted "
            "to other such copies",
            "titles: a word dropped, two neighbours swapped, a letter changed, another title's "
            "word added; the copy is filed under a random other class, as no others are listed. "
            "Found is also what differs by a size, a colour or a number, which is another kind",
            *notes,
        ],
        columns={
            "catalog": "catalogue",
            "what": "copies of",
            "kind": "change",
            "copies": "copies",
            "recall": "recall",
            "pairs": "pairs",
            "source": "with the source",
            "precision": "precision",
        },
        rows=rows,
        environment=environment(),
    )


def cropped(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Keep a part of each side, anywhere."""
    kept = [round(s * f) for s, f in zip(image.size, generator.uniform(0.8, 0.95, 2), strict=True)]
    left, top = (
        int(generator.integers(0, side - keep + 1))
        for side, keep in zip(image.size, kept, strict=True)
    )
    return image.crop((left, top, left + kept[0], top + kept[1]))


def scaled(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Make it smaller."""
    scale = generator.uniform(0.5, 0.9)
    width, height = (max(1, round(side * scale)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BICUBIC)


def shifted(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Shift it within its frame."""
    place = [
        round(s * f) for s, f in zip(image.size, generator.uniform(-0.08, 0.08, 2), strict=True)
    ]
    moved = Image.new("RGB", image.size, "#ffffff")
    moved.paste(image, (place[0], place[1]))
    return moved


Change = Callable[[Image.Image, np.random.Generator], Image.Image]
PICTURE_CHANGES: dict[str, tuple[list[Change], bool]] = {
    "crop": ([cropped], False),
    "JPEG": ([], True),
    "scaled": ([scaled], False),
    "shifted": ([shifted], False),
    "crop, scaled, JPEG": ([cropped, scaled], True),
}
"""What is done to a picture, and whether it becomes a JPEG of low quality."""


def drop_word(words: list[str], generator: np.random.Generator, _: list[str]) -> list[str]:
    """Leave one out."""
    at = int(generator.integers(len(words)))
    return words[:at] + words[at + 1 :]


def swap_words(words: list[str], generator: np.random.Generator, _: list[str]) -> list[str]:
    """Swap two neighbours."""
    at = int(generator.integers(len(words) - 1))
    return [*words[:at], words[at + 1], words[at], *words[at + 2 :]]


def misspell(words: list[str], generator: np.random.Generator, _: list[str]) -> list[str]:
    """Change a letter of one of the longest words."""
    at = max(range(len(words)), key=lambda place: len(words[place]))
    letter = int(generator.integers(len(words[at])))
    # Not by itself: the alphabet without the letter that is there.
    others = "abcdefghijklmnopqrstuvwxyz".replace(words[at][letter].lower(), "")
    changed = words[at][:letter] + str(generator.choice(list(others))) + words[at][letter + 1 :]
    return [*words[:at], changed, *words[at + 1 :]]


def add_word(words: list[str], generator: np.random.Generator, known: list[str]) -> list[str]:
    """Put a word of another title between them."""
    at = int(generator.integers(len(words) + 1))
    return [*words[:at], str(generator.choice(known)), *words[at:]]


TITLE_CHANGES = {
    "word dropped": drop_word,
    "order": swap_words,
    "typo": misspell,
    "word added": add_word,
}


def _pictures(folder: Path, neighbours: int, sheets: Path | None) -> tuple[list[Case], str]:
    index = index_project(folder)
    metadata = read_metadata(folder / IMAGE_FEATURES)
    encoder, generator = load_picture_encoder(metadata, None), np.random.default_rng(0)
    images = require_folder("catalog.images", read_value(folder / PARAMS, "catalog.images"))
    image_of = read_table(folder / ITEMS, ["item_id", "image"]).set_index("item_id")["image"]
    first = np.sort(np.unique(index.shared_N3[:, 1], return_index=True)[1])
    files: list[Location] = [images / image_of[item_id] for item_id in index.item_ids[first]]
    source_C = generator.permutation(len(first))[:COPIES]
    kinds = [list(PICTURE_CHANGES)[at % len(PICTURE_CHANGES)] for at in range(len(source_C))]
    background = metadata.get("background", "#ffffff")
    with TemporaryDirectory() as made:
        copies: list[Location] = []
        for at, (source, kind) in enumerate(zip(source_C, kinds, strict=True)):
            image = decode_image(files[source], background).image
            changes, is_jpeg = PICTURE_CHANGES[kind]
            for change in changes:
                image = change(image, generator)
            copy = Path(made) / f"{at}.{'jpg' if is_jpeg else 'png'}"
            # PNG has no such setting, and Pillow passes over it.
            image.save(copy, quality=int(generator.integers(40, 81)))
            copies.append(copy)
        copy_CF, reasons = encoder.encode(copies)
        assert not any(reasons), reasons
        features = ItemFeatures(index)
        count = len(first)

        def read(position: np.ndarray) -> np.ndarray:
            found = np.empty((len(position), copy_CF.shape[1]), dtype=np.float32)
            planted = position >= count
            found[planted] = copy_CF[position[planted] - count]
            found[~planted] = features.read_images(first[position[~planted]])
            return found

        pictures = PictureFiles(Path(), list(map(str, files + copies)), background)
        pair_P2 = find_near_pictures(read, pictures, neighbours).pair_P2
    # A copy is never the first of a pair with an item of the catalogue.
    own_P = pair_P2[:, 1] < count
    near = {*map(tuple, pair_P2.tolist())}
    cases = []
    for at, (source, kind) in enumerate(zip(source_C.tolist(), kinds, strict=True)):
        others = pair_P2[(pair_P2[:, 1] == count + at) & (pair_P2[:, 0] < count), 0].tolist()
        right = [o for o in others if o == source or (min(o, source), max(o, source)) in near]
        found = source in others
        cases.append(Case(kind, found, len(right), len(others) - len(right), int(found)))
    if sheets is not None:
        shown = pair_P2[own_P][generator.permutation(own_P.sum())[:SHOWN]]
        _show(sheets / f"{folder.name}.png", [[files[one] for one in pair] for pair in shown])
    return cases, f"{count} different pictures, {own_P.sum()} near pairs among themselves"


def _titles(folder: Path) -> tuple[list[Case], str]:
    items = read_table(folder / ITEMS, ["item_id", "text", "class_path"])
    generator = np.random.default_rng(0)
    known = sorted({word for text in items["text"] for word in text.split()})
    paths = sorted(items["class_path"].unique())
    several = items[items["text"].map(lambda text: len(text.split())) > 1].drop_duplicates("text")
    source_C = several.index.to_numpy()[generator.permutation(len(several))[:COPIES]]
    kinds = [list(TITLE_CHANGES)[at % len(TITLE_CHANGES)] for at in range(len(source_C))]
    copies = []
    for source, kind in zip(source_C, kinds, strict=True):
        words = TITLE_CHANGES[kind](items["text"][source].split(), generator, known)
        elsewhere = [path for path in paths if path != items["class_path"][source]]
        copies.append((" ".join(words), str(generator.choice(elsewhere))))
    planted = pd.DataFrame(copies, columns=["text", "class_path"])
    every = pd.concat([items[["text", "class_path"]], planted], ignore_index=True)
    every["title"] = every["text"].map(plain_text)
    every["near_text"] = every["text"].map(near_text)
    pair_P2 = np.sort(find_near_titles(every), axis=1)
    pair_P2 = pair_P2[np.not_equal(*every["class_path"].to_numpy()[pair_P2].T)]
    words_of = every["text"].str.casefold().map(WORD.findall)
    cases, long = [], []
    for at, (source, kind) in enumerate(zip(source_C, kinds, strict=True)):
        copy = len(items) + at
        others = pair_P2[(pair_P2 == copy).any(axis=1)].sum(axis=1) - copy
        right = [
            other
            for other in others
            if every["near_text"][other] == every["near_text"][source]
            or are_near(words_of[other], words_of[source])
        ]
        known_already = every["near_text"][copy] == every["near_text"][source]
        own = int((every["title"][others] == every["title"][source]).sum())
        found = bool(known_already or own)
        cases.append(Case(kind, found, len(right), len(others) - len(right), own))
        if min(len(words_of[source]), len(words_of[copy])) >= LEAST_WORDS:
            long.append(cases[-1])
    among = int((pair_P2 < len(items)).all(axis=1).sum())
    return cases, (
        f"{items['text'].nunique()} different titles, {among} near pairs filed differently among "
        f"themselves; recall of the {len(long)} copies of at least {LEAST_WORDS} words: "
        f"{_share(sum(case.found for case in long), len(long))}"
    )


def _figures(cases: list[Case]) -> dict[str, Any]:
    right, pairs = sum(case.right for case in cases), sum(case.right + case.wrong for case in cases)
    return {
        "copies": len(cases),
        "recall": _share(sum(case.found for case in cases), len(cases)),
        "pairs": pairs,
        "source": _share(sum(case.source_pairs for case in cases), pairs),
        "precision": _share(right, pairs),
    }


def _share(part: int, whole: int) -> str | None:
    if not whole:
        return None
    low, high = share_interval(part, whole, 0.95)
    return f"{part / whole:.3f} ({low:.3f} to {high:.3f})"


def _show(path: Path, pairs: list[list[Location]]) -> None:
    """Write pairs of pictures side by side, five a row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet = Image.new("RGB", (5 * 2 * (SIDE + 8), -(-len(pairs) // 5) * (SIDE + 8)), "#888888")
    for at, pair in enumerate(pairs):
        for side, one in enumerate(pair):
            place = ((at % 5 * 2 + side) * (SIDE + 8) - 6 * side, at // 5 * (SIDE + 8))
            sheet.paste(thumbnail(one, SIDE, "#ffffff"), place)
    sheet.save(path)


if __name__ == "__main__":
    typer.run(main)
