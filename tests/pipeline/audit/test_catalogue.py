import pandas as pd
import pytest

from pipeline.audit.catalogue import read_catalogue
from pipeline.core.errors import InputError
from stages.paths import CLASSES, GROUPS, ITEMS, PLACEHOLDERS, REJECTED


def read(project):
    return read_catalogue(
        *(project.root / path for path in (ITEMS, GROUPS, CLASSES, REJECTED, PLACEHOLDERS))
    )


def test_what_stage_catalog_wrote_is_read(project):
    path = project.root / "data/raw/openmoji/catalog.csv"
    table = pd.read_csv(path)
    rows = table.head(3).assign(
        image=["gone.png", "gone.png", table["image"][0]],
        text=["a", "b", ""],
        classes=[" lost < found", "a<", "lost<  found"],
    )
    pd.concat([table, rows]).to_csv(path, index=False)
    project.set({"catalog.require": "both"})
    assert project.huse("catalog").exit_code == 0
    found = read(project)
    assert len(found.items) == len(found.shared) == len(table)
    assert found.separator == "<"
    # Of the second row not even the class path can be used.
    assert found.rejected_paths == [("lost", "found")] * 2
    assert found.placeholders.empty


def test_a_catalogue_without_rejected_rows_is_read(project):
    assert read(project).rejected_paths == []


def test_a_damaged_file_is_one_line(project):
    path = project.root / REJECTED
    for content, message in (("", "not a readable CSV"), ("row,image\n", "no column classes")):
        path.write_text(content)
        with pytest.raises(InputError, match=rf"rejected\.csv: {message}.*run huse catalog again"):
            read(project)
    path.unlink()
    with pytest.raises(InputError, match=r"rejected\.csv: not found; run huse catalog first"):
        read(project)
