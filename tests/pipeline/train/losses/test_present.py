import torch

from pipeline.features.present import Present
from pipeline.model.towers import TowersOutput
from pipeline.train.losses.present import embeddings, gap_of_pairs, of_pairs

LABELS = torch.tensor([0, 1, 2])


def output(on_circle, image=(True, True, True), text=(True, True, True)):
    """Pictures at 0, 90 and 180 degrees, each with its text 60 degrees further."""
    nothing = torch.zeros(3, 1)
    present = Present(torch.tensor(image), torch.tensor(text))
    return TowersOutput(
        on_circle(0, 90, 180), on_circle(60, 150, 240), nothing, nothing, None, present=present
    )


def test_the_embeddings_are_those_that_there_are_with_their_classes(on_circle):
    lacking = output(on_circle, image=(True, False, True), text=(True, True, False))
    embedding_ND, label_N = embeddings(lacking, LABELS)
    torch.testing.assert_close(embedding_ND, on_circle(0, 180, 60, 150))
    assert label_N.tolist() == [0, 2, 0, 1]


def test_flags_that_say_all_is_there_change_nothing(on_circle):
    flagged = output(on_circle)
    plain = flagged._replace(present=None)
    for one, other in zip(embeddings(flagged, LABELS), embeddings(plain, LABELS), strict=True):
        assert torch.equal(one, other)
    assert gap_of_pairs(flagged, LABELS) == gap_of_pairs(plain, LABELS)


def test_the_gap_is_of_items_that_have_both(on_circle):
    lacking = output(on_circle, image=(False, True, True), text=(True, True, False))
    lacking.image_BD[0], lacking.text_BD[2] = 99.0, 99.0
    torch.testing.assert_close(gap_of_pairs(lacking, LABELS).item(), 0.5)
    assert of_pairs(lambda image, text, label: label, lacking, LABELS).tolist() == [1]


def test_a_batch_without_pairs_has_no_gap_and_no_gradient(on_circle):
    lacking = output(on_circle, image=(True, False, True), text=(False, True, False))
    image_BD = lacking.image_BD.requires_grad_()
    loss = gap_of_pairs(lacking._replace(image_BD=image_BD), LABELS)
    loss.backward()
    assert loss.item() == 0
    assert image_BD.grad.abs().sum() == 0
