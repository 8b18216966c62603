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
        ([NEAR_PICTURE], NEAR_PICTURE),
        ([UNKNOWN_WORDS], UNKNOWN_WORDS),
        # 0.2 / 0.3 and 0.614 / 0.38: their root mean square is 1.24.
        ([NEAR_PICTURE, FAR_TEXT], FAR_TEXT),
        # 0.2 / 0.3 and 0.45 / 0.38: 0.96.
        ([NEAR_PICTURE, FAR_TEXT._replace(distance=0.45)], NEAR_PICTURE),
        # Of two that are far, the farther for its kind: 0.614 / 0.38 beyond 0.7 / 0.6.
        ([FAR_PICTURE, FAR_TEXT], FAR_TEXT),
        # Of two that are near, the nearer: 0.5 / 0.6 beyond 0.2 / 0.3.
        ([FAR_PICTURE._replace(near=True, distance=0.5), NEAR_PICTURE], NEAR_PICTURE),
        # Of what has no limit nothing is claimed, unless the other part is near.
        ([FAR_TEXT, NO_CLAIM], NO_CLAIM),
        ([NO_CLAIM, NEAR_PICTURE], NEAR_PICTURE),
        # A text without a known word says nothing beside a picture.
        ([NEAR_PICTURE, UNKNOWN_WORDS], NEAR_PICTURE),
        ([FAR_PICTURE, UNKNOWN_WORDS], FAR_PICTURE),
        ([NO_CLAIM, UNKNOWN_WORDS], NO_CLAIM),
    ],
)
def test_an_item_is_judged_by_all_parts_in_units_of_their_limits(parts, decides):
    assert decide(parts) == decides
    assert decide(parts[::-1]) == decides


@pytest.mark.parametrize(("distance", "near"), [(0.0, True), (0.1, False)])
def test_a_limit_of_zero_allows_nothing_but_zero(distance, near):
    """As of a catalogue where every validation item has a double."""
    part = Nearness(near, distance, 0.0, 0.98, "text")
    assert decide([part, NEAR_PICTURE]).near is near
