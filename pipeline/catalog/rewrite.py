"""A copy of the user's table in which some rows have another class, and all else stays as it is."""

import csv
import gzip
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from io import StringIO, TextIOWrapper
from pathlib import Path
from typing import BinaryIO, Literal, TextIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.catalog.delimited import choose_delimiter
from pipeline.catalog.excel import EXCEL, read_sheet
from pipeline.catalog.read import DELIMITER_OF, JSON_LINES, text_ending
from pipeline.catalog.records import BATCH
from pipeline.catalog.rows import Source, TableForm
from pipeline.catalog.text_file import check_text, text_opener
from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError


def name_copy(table: Path, word: str) -> Path:
    """Name a copy after its table: products.csv.gz -> products_WORD.csv.gz; of Excel a CSV file."""
    stem, *endings = table.name.split(".")
    if table.suffix.lower() in EXCEL:
        endings = ["csv"]
    return table.with_name(".".join([f"{stem}_{word}", *endings]))


def rewrite_table(
    source: Path,
    out: Path,
    column: str,
    value_of_row: Mapping[int, str],
    form: TableForm | None = None,
) -> None:
    """Copy a table that `read_catalog` can read, with other values in one column of some rows.

    Of a text format all other lines stay byte for byte. An Excel sheet is copied as CSV, in which
    all its rows have their numbers.

    Args:
        source: The user's table, which is not touched.
        out: The copy; of the same format.
        column: Name of the column.
        value_of_row: New values by row, numbered as `read_catalog` does.
        form: How the table is written.

    Raises:
        InputError: The table is a folder, or `out` is the table itself or cannot be written.
    """
    form, ending = form or TableForm(), text_ending(source)
    if source.is_dir():
        raise InputError(f"{source}: a folder is not copied; move its pictures to other folders")
    if out.resolve() == source.resolve():
        raise InputError(f"{out}: that is the table itself; write the copy to another place")
    with atomic_path(out) as temporary:
        if ending in JSON_LINES or ending in DELIMITER_OF:
            encoding = check_text(source, form.encoding, Source())
            with (
                _open(source, "rb", source, encoding) as read,
                _open(temporary, "wb", source, encoding) as write,
            ):
                if ending in JSON_LINES:
                    lines = _changed_json(read, column, value_of_row)
                else:
                    delimiter = _delimiter(source, encoding, column, form)
                    lines = _changed_records(read, delimiter, column, value_of_row)
                try:
                    write.writelines(lines)
                except UnicodeEncodeError as error:
                    raise InputError(
                        f"{out}: {error.object[error.start]!r} of a new value is no character of "
                        f"{encoding}; save {source} as UTF-8"
                    ) from error
        elif source.suffix.lower() in EXCEL:
            _rewrite_sheet(source, temporary, column, value_of_row, form.sheet)
        else:
            _rewrite_parquet(source, temporary, column, value_of_row)


def _delimiter(source: Path, encoding: str, column: str, form: TableForm) -> str:
    if form.delimiter != "auto":
        return form.delimiter
    opener, usual = text_opener(source, encoding), DELIMITER_OF[text_ending(source)]
    return choose_delimiter(source, opener, usual, {"classes": column}, Source())


@contextmanager
def _open(path: Path, mode: Literal["rb", "wb"], like: Path, encoding: str) -> Iterator[TextIO]:
    """Open a text, packed as `like` is; line ends and a byte-order mark are left as they are."""
    with path.open(mode) as file, ExitStack() as stack:
        binary = cast(BinaryIO, file)
        if like.suffix.lower() == ".gz":
            # Without a name and a time in it, so that the same copy is the same bytes.
            packed = gzip.GzipFile("", mode, fileobj=file, mtime=0)
            binary = cast(BinaryIO, stack.enter_context(packed))
        with TextIOWrapper(binary, encoding=encoding, newline="") as text:
            yield text


def _changed_records(
    text: TextIO, delimiter: str, column: str, value_of_row: Mapping[int, str]
) -> Iterator[str]:
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in text:
            taken.append(line)
            # The reader takes the mark for a part of the first name.
            yield line.removeprefix("\ufeff")

    # As `read_delimited`, but that a line that it refuses is copied.
    reader = csv.reader(lines(), delimiter=delimiter, skipinitialspace=True)
    position = None
    number = 0
    for fields in reader:
        original = "".join(taken)
        taken.clear()
        if position is None:
            if any(fields):
                position = fields.index(column)
        else:
            number += 1
            if number in value_of_row:
                fields[position] = value_of_row[number]
                original = _joined(fields, delimiter, original)
        yield original


def _joined(fields: list[str], delimiter: str, original: str) -> str:
    stream = StringIO()
    end = original[len(original.rstrip("\r\n")) :]
    csv.writer(stream, delimiter=delimiter, lineterminator=end).writerow(fields)
    return stream.getvalue()


def _changed_json(text: TextIO, column: str, value_of_row: Mapping[int, str]) -> Iterator[str]:
    # Not every kind of line end, some of which JSON allows inside a string.
    rest = ""
    number = 0
    for piece in text:
        rest += piece
        if not rest.endswith("\n"):
            continue
        number += 1
        yield _changed_line(rest, column, value_of_row.get(number))
        rest = ""
    if rest:
        yield _changed_line(rest, column, value_of_row.get(number + 1))


def _changed_line(line: str, column: str, value: str | None) -> str:
    if value is None:
        return line
    end = line[len(line.rstrip("\r\n")) :]
    record = json.loads(line.removeprefix("\ufeff"))
    return json.dumps({**record, column: value}, ensure_ascii=False) + end


def _rewrite_sheet(
    source: Path, out: Path, column: str, value_of_row: Mapping[int, str], sheet: str | None
) -> None:
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        position = None
        for number, fields in enumerate(read_sheet(source, sheet, Source())):
            if position is None:
                position = fields.index(column)
            elif number in value_of_row:
                fields[position] = value_of_row[number]
            # Blank as in the sheet, which keeps the numbers of the rows below.
            writer.writerow(fields if any(fields) else [])


def _rewrite_parquet(source: Path, out: Path, column: str, value_of_row: Mapping[int, str]) -> None:
    with pq.ParquetFile(source) as file:
        schema = file.schema_arrow
        place = schema.get_field_index(column)
        schema = schema.set(place, schema.field(place).with_type(pa.string()))
        number = 0
        with pq.ParquetWriter(out, schema) as writer:
            for batch in file.iter_batches(BATCH):
                values = batch.column(place).cast(pa.string()).to_pylist()
                for offset in range(len(values)):
                    number += 1
                    values[offset] = value_of_row.get(number, values[offset])
                changed = pa.Table.from_batches([batch])
                changed = changed.set_column(place, schema.field(place), pa.array(values))
                writer.write_table(changed)
