import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from pipeline.core.errors import InputError
from pipeline.semantic_graph.bilstm_max import BilstmMax


def sentences(*lengths, dimension=5, seed=0):
    generator = np.random.default_rng(seed)
    return [generator.normal(size=(length, dimension)).astype(np.float32) for length in lengths]


def lstm_by_loops(word_LE, weights, direction):
    """One direction of an LSTM, gate by gate (Hochreiter and Schmidhuber with forget gates)."""

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    w_ih, w_hh, b_ih, b_hh = (
        weights[f"enc_lstm.{kind}_l0{direction}"].double().numpy()
        for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    hidden = cell = np.zeros(w_hh.shape[1])
    outputs = []
    for word in word_LE[::-1] if direction else word_LE:
        gates = w_ih @ word + b_ih + w_hh @ hidden + b_hh
        enter, forget, candidate, leave = np.split(gates, 4)
        cell = sigmoid(forget) * cell + sigmoid(enter) * np.tanh(candidate)
        hidden = sigmoid(leave) * np.tanh(cell)
        outputs.append(hidden)
    return np.max(outputs, axis=0)


def test_outputs_are_those_of_the_equations(infersent_weights):
    path = infersent_weights(word_dimension=5)
    weights = torch.load(path, weights_only=True)
    given = sentences(3, 1, 7, 3, 2)
    expected = [
        np.concatenate([lstm_by_loops(one, weights, ""), lstm_by_loops(one, weights, "_reverse")])
        for one in given
    ]
    encoder = BilstmMax.load(path)
    assert encoder.word_dimension == 5
    vectors = encoder.encode(given)
    assert vectors.dtype == np.float32
    assert vectors.shape == (5, 12)
    assert np.allclose(vectors, expected, atol=1e-6)


def test_packed_sentences_of_different_lengths_agree(infersent_weights):
    # The way of version 2: sorted, packed, zeros behind the end never win.
    path = infersent_weights(word_dimension=5)
    given = sentences(4, 6, 1, 6)
    lstm = torch.nn.LSTM(5, 6, bidirectional=True)
    weights = torch.load(path, weights_only=True)
    lstm.load_state_dict({name.removeprefix("enc_lstm."): w for name, w in weights.items()})
    packed = torch.nn.utils.rnn.pack_sequence(
        [torch.from_numpy(one) for one in given], enforce_sorted=False
    )
    padded, _ = torch.nn.utils.rnn.pad_packed_sequence(lstm(packed)[0], padding_value=-1e9)
    expected = padded.amax(dim=0).detach().numpy()
    assert np.allclose(BilstmMax.load(path).encode(given), expected, atol=1e-6)


def test_a_vector_does_not_depend_on_the_other_sentences(infersent_weights, monkeypatch):
    encoder = BilstmMax.load(infersent_weights(word_dimension=5))
    given = sentences(*[2] * 5, 9)
    together = encoder.encode(given)
    alone = np.concatenate([encoder.encode([one]) for one in given])
    assert np.allclose(together, alone, atol=1e-6)
    monkeypatch.setattr("pipeline.semantic_graph.bilstm_max.SENTENCES_PER_BATCH", 2)
    assert np.allclose(encoder.encode(given), together, atol=1e-6)


def test_safetensors_are_read_too(infersent_weights, tmp_path):
    path = infersent_weights(word_dimension=5)
    save_file(torch.load(path, weights_only=True), tmp_path / "weights.safetensors")
    given = sentences(3)
    from_safetensors = BilstmMax.load(tmp_path / "weights.safetensors").encode(given)
    assert np.array_equal(from_safetensors, BilstmMax.load(path).encode(given))


def test_a_missing_file_is_named_with_what_to_do(tmp_path):
    with pytest.raises(
        InputError, match=r"^graph\.infersent\.weights: .*none\.pkl not found; down"
    ):
        BilstmMax.load(tmp_path / "none.pkl")


@pytest.mark.parametrize("name", ["weights.pkl", "weights.safetensors"])
@pytest.mark.parametrize("content", [b"", b"no weights", b"<html>"])
def test_a_damaged_file_is_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name}: not a readable file of weights"):
        BilstmMax.load(tmp_path / name)


def test_a_cut_file_is_named(infersent_weights):
    path = infersent_weights()
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="not a readable file of weights"):
        BilstmMax.load(path)


def test_code_in_a_pickle_does_not_run(tmp_path):
    torch.save({"enc_lstm.weight_ih_l0": pytest.raises}, tmp_path / "evil.pkl")
    with pytest.raises(InputError, match="not a readable file of weights"):
        BilstmMax.load(tmp_path / "evil.pkl")


def test_other_weights_are_refused(infersent_weights, tmp_path):
    weights = torch.load(infersent_weights(), weights_only=True)
    del weights["enc_lstm.bias_hh_l0_reverse"]
    for name, content in (("a", weights), ("b", {"layer": torch.ones(2)})):
        torch.save(content, tmp_path / name)
        with pytest.raises(InputError, match="not the weights of an InferSent encoder"):
            BilstmMax.load(tmp_path / name)
    torch.save([torch.ones(2)], tmp_path / "c")
    with pytest.raises(InputError, match="holds list, not a state dict"):
        BilstmMax.load(tmp_path / "c")
