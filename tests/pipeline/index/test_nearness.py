import pytest

from pipeline.index.nearness import Nearness, decide

FAR_TEXT = Nearness(False, 0.614, 0.38, 0.98, "text")
FAR_PICTURE = Nearness(False, 0.7, 0.6, 0.98, "image")
NEAR_PICTURE = Nearness(True, 0.2, 0.3, 0.98, "image")
UNKNOWN_WORDS = Nearness(False, None, 0.38, 0.98, "text")
NO_CLAIM = Nearness(None, 0.9, None, 0.98, "image")


def test_what_is_far_is_told_with_its_numbers():
    assert FAR_TEXT.warning() == (
        "nothing in the catalogue is near this text "
        "(feature distance 0.61; 98 % of the validation texts are within 0.38)"
    )
    assert FAR_TEXT._replace(share=0.995, modality="image").warning() == (
        "nothing in the catalogue is near this picture "
        "(feature distance 0.61; 99.5 % of the validation pictures are within 0.38)"
    )
    assert UNKNOWN_WORDS.warning().endswith("near this text: no word of it is known")


@pytest.mark.parametrize("quiet", [NEAR_PICTURE, NO_CLAIM])
def test_nothing_is_said_of_what_is_near_or_cannot_be_told(quiet):
    assert quiet.warning() is None


@pytest.mark.parametrize(
    ("parts", "decides"),
    [
        ([FAR_TEXT], FAR_TEXT),
        # One part that is near is enough, and one of which nothing is known forbids a claim.
        ([NEAR_PICTURE, FAR_TEXT], NEAR_PICTURE),
        ([FAR_TEXT, NO_CLAIM], NO_CLAIM),
        ([NO_CLAIM, NEAR_PICTURE], NEAR_PICTURE),
        ([UNKNOWN_WORDS, FAR_TEXT], FAR_TEXT),
        # 0.7 of 0.6 is nearer than 0.61 of 0.38.
        (
            [FAR_TEXT, FAR_TEXT._replace(distance=0.7, limit=0.6)],
            FAR_TEXT._replace(distance=0.7, limit=0.6),
        ),
    ],
)
def test_the_part_that_is_nearest_for_its_kind_decides(parts, decides):
    assert decide(parts) == decides
