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
