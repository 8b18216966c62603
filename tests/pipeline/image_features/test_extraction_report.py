import pytest
from PIL import Image

from pipeline.image_features.extraction_report import extraction_report, reason_kind

VIEWS = 2


@pytest.fixture
def report(run, small):
    """Extract and report."""

    def report(images, **options):
        found, _ = run(images, views=VIEWS, **options)
        return extraction_report(found, small.recipe.metadata() | {"views": str(VIEWS)})

    return report


def test_added_pictures_and_no_others_count_as_extracted(pictures, report):
    first = pictures(6)
    told = report(first)
    assert (told["pictures"], told["usable"], told["extracted"], told["from_cache"]) == (6, 6, 6, 0)
    added = pictures(3, seed=1)
    (pictures.folder / "copy.png").write_bytes((pictures.folder / first[0]).read_bytes())
    told = report([*added, *first, "copy.png"])
    assert (told["pictures"], told["usable"], told["duplicates"]) == (10, 10, 1)
    assert (told["extracted"], told["from_cache"]) == (3, 6)


def test_the_rate_is_that_of_the_pictures_extracted(pictures, report):
    names = pictures(5)
    told = report(names)
    assert told["seconds"] > 0
    assert told["pictures_per_second"] == pytest.approx(5 / told["seconds"], rel=0.05)
    told = report(names)
    assert (told["seconds"], told["pictures_per_second"]) == (0, None)


def test_failures_are_counted_by_reason_without_its_details(pictures, report):
    names = pictures(2)
    folder = pictures.folder
    for number in range(3):
        broken = (folder / names[0]).read_bytes()[: -100 - number]
        (folder / f"cut-{number}.png").write_bytes(broken)
    for width in (2000, 3000):
        Image.new("1", (width, 1000)).save(folder / f"large-{width}.png")
    bad = ["large-2000.png", "gone.png", "large-3000.png", *(f"cut-{n}.png" for n in range(3))]
    told = report([*names, *bad])
    assert (told["pictures"], told["usable"], told["failed"]) == (8, 2, 6)
    assert list(told["failed_by_reason"].items()) == [
        ("broken picture", 3),
        ("too many pixels", 2),
        ("image not found in the folder catalog.images", 1),
    ]


def test_what_the_speed_goes_by_is_told(pictures, report):
    told = report(pictures(1))
    assert told["backbone"] == "torchvision/squeezenet1_1"
    assert (told["runtime"], told["precision"]) == ("onnxruntime", "fp32")
    assert (told["jpeg"], told["views"]) == ("exact", VIEWS)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("file is empty", "file is empty"),
        ("cannot be read (Permission denied)", "cannot be read"),
        ("broken picture (OSError: bad (x); y)", "broken picture"),
        ("HEIC picture; install the extra `heic` to read these", "HEIC picture"),
    ],
)
def test_a_reason_loses_its_details(reason, kind):
    assert reason_kind(reason) == kind
