"""Do names in other languages find what an English catalogue has? `python -m benchmarks.languages`.

The catalogue is the sample, whose items have names in fourteen languages (Unicode's, of package
emoji). A name asks for its own item, one item of each group of variants:

- name: among the English names of all items, by the text encoder's vectors alone;
- picture: among the pictures of the test items, by towers that were trained on English names with
  that encoder as `text.encoders: [sentence]`, all else as shipped.

Intervals are of a bootstrap over the names, differences over the same names.

Shape letters: N items of one language, M items, D embedding.
"""

import os
from pathlib import Path
from typing import Annotated, NamedTuple

import emoji
import numpy as np
import pandas as pd
import torch
import typer
from ruamel.yaml import YAML

from benchmarks.catalogs.raw import make_raw
from benchmarks.harness import environment, write_results
from huse import Huse
from pipeline.core.table import read_table
from pipeline.encoders.text.sentence import Encoder, Settings
from pipeline.metrics.bootstrap import interval_ends, resampled_means
from stages import (
    catalog,
    clean_text,
    image_features,
    semantic_graph,
    text_block,
    text_features,
    train,
)
from stages.paths import ITEMS, SPLITS

ENCODERS = ("all_minilm_l6_v2", "muse_v3", "multilingual_e5_small")
SHIPPED = ENCODERS[0]
ENGLISH = "en"
CUTOFFS = (1, 10)
Hits = dict[tuple[str, str, int], np.ndarray]
"""[N] by encoder, what was looked for, and cut-off: whether each name found its item."""


class Names(NamedTuple):
    """What items are called."""

    table: pd.DataFrame
    """A row per item with its `image` and `split`, and a column of names per language."""

    def of(self, language: str, rows: pd.Series) -> tuple[list[str], np.ndarray]:
        """Names of the wanted items that have one, and their places among these items."""
        names = self.table.loc[rows, language]
        present_M = names.notna().to_numpy()
        return names[present_M].tolist(), np.flatnonzero(present_M)


def main(
    folder: Annotated[Path, typer.Option(help="Where the catalogue and the models are made.")],
    out: Annotated[Path, typer.Option(help="Results, without suffix.")] = Path(
        "benchmarks/results/languages"
    ),
) -> None:
    """Measure every encoder in every language and write a table."""
    torch.set_num_threads(1)
    out, params = out.resolve(), Path("params.yaml").resolve()
    raw = make_raw("sample", folder).resolve()
    place = folder / "languages"
    place.mkdir(parents=True, exist_ok=True)
    os.chdir(place)
    _configure(params, raw, SHIPPED)
    for stage in (catalog, clean_text, image_features, semantic_graph):
        stage.main()
    names = _names(raw / "catalog.csv")
    hits: dict[str, Hits] = {language: {} for language in [ENGLISH, *_languages()]}
    for encoder in ENCODERS:
        _find_names(names, encoder, hits)
        _configure(params, raw, encoder)
        for stage in (text_block, text_features, train):
            stage.main()
        _find_pictures(names, raw / "images", encoder, hits)
    rows = [
        _row(language, encoder, found) for language, found in hits.items() for encoder in ENCODERS
    ]
    for row in rows:
        print(*(value for value in row.values() if value is not None), sep=" | ")
    write_results(
        out,
        title="Names in other languages",
        notes=[
            "`python -m benchmarks.languages --folder FOLDER`; figure and 95 % interval over names",
            f"the sample: {len(names.table)} items, one of each group of variants, "
            f"{(names.table['split'] == 'test').sum()} of them test items",
            "name: a name looks for its item among the English names of all items, by the vectors "
            "of the text encoder alone",
            "picture: among the pictures of the test items, by towers trained on the English names "
            "with text.encoders: [sentence] and that encoder; the graph is MiniLM's in all",
            "less MiniLM: difference in R@1 over the same names",
            "muse_v3 is published for all of these languages but fa and id",
        ],
        columns={key: key for key in rows[0]},
        rows=rows,
        environment=environment(),
    )


def _languages() -> list[str]:
    return sorted(set(emoji.LANGUAGES) - {ENGLISH})


def _configure(params: Path, raw: Path, encoder: str) -> None:
    yaml = YAML()
    values = yaml.load(params)
    values["catalog"].update(path=str(raw / "catalog.csv"), images=str(raw / "images"))
    values["text"]["encoders"] = ["sentence"]
    values["text"]["sentence"]["model"] = f"packaged/{encoder}"
    with Path("params.yaml").open("w", encoding="utf-8") as stream:
        yaml.dump(values, stream)


def _names(table: Path) -> Names:
    """The first item of each group with its names, as emoji has them."""
    first = pd.read_csv(table).groupby("group", sort=False).first()["image"]
    items = read_table(ITEMS, ["item_id", "image"]).merge(read_table(SPLITS, ["item_id", "split"]))
    chosen = items[items["image"].isin(first)].reset_index(drop=True)
    emoji.config.load_language()
    known = [emoji.EMOJI_DATA.get(_characters(image), {}) for image in chosen["image"]]
    for language in [ENGLISH, *_languages()]:
        chosen[language] = [_plain(entry.get(language)) for entry in known]
    return Names(chosen)


def _characters(image: str) -> str:
    return "".join(chr(int(code, 16)) for code in Path(image).stem.split("-"))


def _plain(name: str | None) -> str | None:
    return None if name is None else name.strip(":").replace("_", " ")


def _find_names(names: Names, encoder: str, hits: dict[str, Hits]) -> None:
    settings = Settings(
        model=f"packaged/{encoder}", input="text", batch_size=32, device="cpu", precision="fp32"
    )
    encode = Encoder.open(settings, Path(".dvc/cache/word_features")).encode
    every = names.table[ENGLISH].notna()
    english_MD = _unit(encode(names.table.loc[every, ENGLISH].tolist()))
    for language in _languages():
        asked, place_N = names.of(language, every)
        _note(hits[language], encoder, "name", _unit(encode(asked)) @ english_MD.T, place_N)


def _find_pictures(names: Names, images: Path, encoder: str, hits: dict[str, Hits]) -> None:
    model = Huse.load("data/model")
    tested = names.table["split"] == "test"
    pictures = [images / image for image in names.table.loc[tested, "image"]]
    picture_MD = model.embed(images=pictures).image_ND
    for language, found in hits.items():
        asked, place_N = names.of(language, tested)
        text_ND = model.embed(texts=asked).text_ND
        _note(found, encoder, "picture", text_ND @ picture_MD.T, place_N)


def _note(
    found: Hits, encoder: str, what: str, similarity_NM: np.ndarray, place_N: np.ndarray
) -> None:
    own_N = similarity_NM[np.arange(len(place_N)), place_N]
    better_N = (similarity_NM > own_N[:, None]).sum(axis=1)
    for k in CUTOFFS:
        found[encoder, what, k] = (better_N < k).astype(float)


def _unit(vector_ND: np.ndarray) -> np.ndarray:
    return vector_ND / np.linalg.norm(vector_ND, axis=1, keepdims=True)


def _row(language: str, encoder: str, found: Hits) -> dict[str, str | None]:
    row: dict[str, str | None] = {"language": language, "encoder": encoder}
    for what in ("name", "picture"):
        for k in CUTOFFS:
            row[f"{what} R@{k}"] = _with_interval(found.get((encoder, what, k)))
        less = None
        if encoder != SHIPPED and (encoder, what, 1) in found:
            less = found[encoder, what, 1] - found[SHIPPED, what, 1]
        row[f"{what}, less MiniLM"] = _with_interval(less, "+")
    return row


def _with_interval(value_N: np.ndarray | None, sign: str = "") -> str | None:
    if value_N is None:
        return None
    drawn_SC = resampled_means(value_N[:, None], np.arange(len(value_N)), seed=0)
    low, high = interval_ends(drawn_SC)[0]
    return f"{value_N.mean():{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"


if __name__ == "__main__":
    typer.run(main)
