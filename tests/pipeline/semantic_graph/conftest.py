import pytest
import torch


@pytest.fixture
def infersent_weights(tmp_path):
    """Write the state dict of a small InferSent encoder with random weights, as torch.save does."""

    def build(word_dimension=50, units=6, name="infersent.pkl"):
        torch.manual_seed(3)
        lstm = torch.nn.LSTM(word_dimension, units, bidirectional=True)
        weights = {f"enc_lstm.{key}": value for key, value in lstm.state_dict().items()}
        torch.save(weights, tmp_path / name)
        return tmp_path / name

    return build
