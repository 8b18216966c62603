import pandas as pd
import pytest


@pytest.mark.parametrize(("command", "shown"), [("classify", "red heart"), ("embed", "1 item in")])
def test_columns_are_called_as_in_the_catalogue_and_one_that_is_not_used_is_told_of(
    project, command, shown
):
    (project.root / "new.csv").write_text("image,name\n,red heart\n", encoding="utf-8")
    result = project.huse(command, "new.csv")
    assert result.stderr.startswith(
        f"{command}: warning: no column 'text' in new.csv, so image alone is used; it has image"
    )
    named = project.huse(command, "new.csv", "--text-column", "name")
    project.set({"catalog.columns.text": "name"})
    usual = project.huse(command, "new.csv")
    for result in (named, usual):
        assert result.exit_code == 0, result.output
        assert "column" not in result.stderr
        assert shown in result.stdout
    assert named.stdout == usual.stdout


@pytest.mark.parametrize(("command", "shown"), [("classify", "red heart"), ("embed", "1 item in")])
def test_tables_as_excel_makes_them_are_read(project, command, shown):
    frame = pd.DataFrame({"text": ["red heart", None], "Größe": [4.0, 5.0]})
    with pd.ExcelWriter(project.root / "new.xlsx") as book:
        frame.to_excel(book, sheet_name="new", index=False)
        frame.head(0).to_excel(book, sheet_name="old", index=False)
    text = "text;Größe\nred heart;4\n;5\n"
    (project.root / "new.csv").write_text(text, encoding="cp1252")
    (project.root / "same.csv").write_text(text.replace(";", "|"), encoding="utf-16")
    results = [
        project.huse(command, *words)
        for words in (
            ["new.xlsx"],
            ["new.xlsx", "--sheet", "new"],
            ["new.csv", "--encoding", "cp1252"],
            ["new.csv", "--encoding", "cp1252", "--delimiter", ";"],
            ["same.csv"],
        )
    ]
    for result in results:
        assert result.exit_code == 0, result.output
        assert shown in result.stdout
        assert result.stdout == results[0].stdout
    project.set({"catalog.encoding": "cp1252"})
    assert project.huse(command, "new.csv").stdout == results[0].stdout
    message = project.refuse(command, "new.csv", "--encoding", "utf-8")
    assert message.endswith("if it came from Excel, give --encoding cp1252")
    message = project.refuse(command, "new.xlsx", "--sheet", "other")
    assert message == "table: new.xlsx has no sheet 'other'; give --sheet one of new, old"


def test_a_form_that_there_is_not_is_told(project):
    (project.root / "new.csv").write_text("text\nred heart\n")
    message = project.refuse("embed", "new.csv", "--encoding", "excel")
    assert message == "--encoding: excel is no known encoding, such as utf-8 or cp1252"
    message = project.refuse("embed", "new.csv", "--delimiter", "#")
    assert message == "--delimiter: '#' is none of auto , ; | and a tab"
