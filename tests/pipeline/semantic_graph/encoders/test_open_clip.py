import numpy as np
import open_clip
import torch

from pipeline.semantic_graph.encoders.open_clip import Settings, embed


def test_a_class_is_the_mean_of_what_the_library_makes_of_its_parts(tiny_clip, tmp_path):
    found = embed(
        [["Shoes", "Ankle boots"], ["Hats"]], "parts_mean", Settings(model=tiny_clip), tmp_path
    )
    architecture, _, weights = tiny_clip.partition("/")
    library = open_clip.create_model(architecture, pretrained=weights).eval()
    tokens = open_clip.get_tokenizer(architecture)(["Shoes", "Ankle boots", "Hats"])
    with torch.no_grad():
        shoes, boots, hats = library.encode_text(tokens).numpy()
    assert np.allclose(found.embedding_KE, [(shoes + boots) / 2, hats], atol=1e-6)
