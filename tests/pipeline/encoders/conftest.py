"""Tiny random models of real architectures, made on the fly."""

import pytest
import torch

VOCABULARY = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *("red", "blue", "shirt", "hat", "silk", "wool", "with", "a", "##s", "shoe"),
]


@pytest.fixture(scope="session")
def bert(tmp_path_factory):
    """Folder of a BERT with 3 layers of 16 units, room for 12 tokens and 15 word pieces."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("bert")
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n")
    # The class itself takes the file by other names in other versions, and ignores a wrong name.
    tokenizer = BertTokenizerFast.from_pretrained(folder, model_max_length=12)
    assert len(tokenizer) == len(VOCABULARY)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=12,
    )
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def sentence_model(bert, tmp_path_factory):
    """Folder of a sentence-transformers model: the tiny BERT, mean over tokens, unit norm."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Normalize, Pooling, Transformer

    words = Transformer(str(bert), max_seq_length=12)
    modules = [words, Pooling(16), Normalize()]
    folder = tmp_path_factory.mktemp("sentence")
    SentenceTransformer(modules=modules, device="cpu").save(str(folder))
    return folder
