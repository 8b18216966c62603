import pytest


@pytest.fixture(scope="session")
def picture_names(picture_folder):
    return sorted(path.name for path in picture_folder.iterdir())[:3]


@pytest.fixture
def table(tmp_path, picture_names):
    """Rows with both, with a text, with a picture, and four that cannot be used."""
    first, second, _ = picture_names
    path = tmp_path / "new.csv"
    rows = [
        f"{first},red heart",
        ",blue heart",
        f"./{second},",
        "nowhere.png,green heart",
        ",",
        f"{first},one,too many",
        "../params.yaml,black heart",
    ]
    path.write_text("\n".join(["image,text", *rows]) + "\n", encoding="utf-8")
    return path
