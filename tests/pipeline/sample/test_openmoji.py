import csv

import pytest
from PIL import Image

from pipeline.core.errors import InputError
from pipeline.sample.openmoji import Emoji, base_name, make_sample_catalog, read_emoji

LINES = """\
# group: Smileys & Emotion
# subgroup: heart
2764 FE0F                                              ; fully-qualified     # ❤️ E0.6 red heart
2764                                                   ; unqualified         # ❤ E0.6 red heart
# subgroup: face-smiling
1F600                                                  ; fully-qualified     # 😀 E1.0 grinning face

# group: Component
1F3FB                                                  ; component     # 🏻 E1.0 light skin tone
# group: People & Body
# subgroup: person
1F468 1F3FD 200D 1F9B0 ; fully-qualified # 👨🏽‍🦰 E11.0 man: medium skin tone, red hair
""".splitlines()


def rows(folder):
    with (folder / "catalog.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample") / "openmoji"
    assert make_sample_catalog(folder, 24) == 24
    return folder


def test_fully_qualified_rows_are_read_with_their_groups():
    assert list(read_emoji(LINES)) == [
        Emoji("2764-FE0F", "red heart", "Smileys & Emotion", "heart"),
        Emoji("1F600", "grinning face", "Smileys & Emotion", "face-smiling"),
        Emoji(
            "1F468-1F3FD-200D-1F9B0",
            "man: medium skin tone, red hair",
            *("People & Body", "person"),
        ),
    ]


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("waving hand", "waving hand"),
        ("waving hand: light skin tone", "waving hand"),
        ("woman: medium skin tone, red hair", "woman: red hair"),
        ("kiss: woman, man, dark skin tone, light skin tone", "kiss: woman, man"),
        ("flag: Yemen", "flag: Yemen"),
    ],
)
def test_skin_tones_of_one_emoji_share_a_name(name, base):
    assert base_name(name) == base


def test_a_sample_is_a_catalogue_like_any_other(sample):
    table = rows(sample)
    assert list(table[0]) == ["image", "text", "classes", "group"]
    assert len(table) == len({row["image"] for row in table}) == 24
    # An even sample of the list reaches from the first group to the last.
    assert table[0]["text"] == "grinning face"
    assert table[0]["classes"] == "Smileys & Emotion<face-smiling"
    assert table[-1]["classes"].startswith("Flags<")
    assert len({row["classes"] for row in table}) > 6
    files = sorted(path.name for path in (sample / "images").iterdir())
    assert files == sorted(row["image"] for row in table)


def test_pictures_are_drawn_at_the_size_of_the_backbone(sample):
    for row in rows(sample):
        with Image.open(sample / "images" / row["image"]) as image:
            assert image.size == (224, 224)
            alpha_low, alpha_high = image.convert("RGBA").getchannel("A").getextrema()
        assert (alpha_low, alpha_high) == (0, 255)


def test_a_sample_is_replaced_as_a_whole(sample):
    assert make_sample_catalog(sample, 5) == 5
    assert len(rows(sample)) == len(list((sample / "images").iterdir())) == 5
    assert [path.name for path in sample.parent.iterdir()] == ["openmoji"]


def test_the_same_command_gives_the_same_bytes(tmp_path):
    contents = []
    for name in ("a", "b"):
        make_sample_catalog(tmp_path / name, 4)
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        contents.append([(path.name, path.read_bytes()) for path in files])
    assert contents[0] == contents[1]


def test_somebody_elses_folder_is_never_deleted(tmp_path):
    own = tmp_path / "own"
    (own / "images").mkdir(parents=True)
    (own / "catalog.csv").write_text("image,text,classes,group\n1.jpg,red shirt,shirts,a\n")
    notes = tmp_path / "notes"
    make_sample_catalog(notes, 2)
    (notes / "notes.txt").write_text("mine")
    other = tmp_path / "other"
    other.mkdir()
    (other / "catalog.csv").write_text("image,text,classes\n")
    file = tmp_path / "file"
    file.write_text("mine")
    for place in (own, notes, other, file):
        before = sorted(path for path in place.rglob("*"))
        with pytest.raises(InputError, match="exists and is not a sample catalogue"):
            make_sample_catalog(place, 2)
        assert sorted(path for path in place.rglob("*")) == before
    assert file.read_text() == "mine"


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "new").mkdir()
    assert make_sample_catalog(tmp_path / "new", 2) == 2
