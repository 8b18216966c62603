import pytest

from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json, write_json
from pipeline.features.encoder_digest import encoder_digest
from pipeline.image_features.network_file import find_network, save_network


def test_the_file_that_ran_is_what_is_found(small, tmp_path):
    save_network(tmp_path / "first", small.onnx_file)
    network = find_network(tmp_path / "first")
    assert network.read_bytes() == small.onnx_file.read_bytes()
    save_network(tmp_path / "second", small.onnx_file)
    assert encoder_digest(tmp_path / "first") == encoder_digest(tmp_path / "second")


def test_no_file_is_said_and_takes_the_place_of_an_earlier_one(small, tmp_path):
    save_network(tmp_path / "encoder", small.onnx_file)
    save_network(tmp_path / "encoder", None)
    assert find_network(tmp_path / "encoder") is None
    assert [path.name for path in (tmp_path / "encoder").iterdir()] == ["image_encoder.json"]


def test_a_folder_of_another_version_or_of_nothing_is_refused(small, tmp_path):
    save_network(tmp_path / "encoder", small.onnx_file)
    described = read_json(tmp_path / "encoder" / "image_encoder.json")
    write_json(tmp_path / "encoder" / "image_encoder.json", described | {"format_version": 2})
    with pytest.raises(InputError, match=r"image_encoder\.json: format version 2, .* update the"):
        find_network(tmp_path / "encoder")
    with pytest.raises(InputError, match=r"nowhere/image_encoder\.json: not found"):
        find_network(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["../network.onnx", "/network.onnx", "below/network.onnx"])
def test_no_file_elsewhere_is_opened(small, tmp_path, name):
    save_network(tmp_path / "encoder", small.onnx_file)
    described = read_json(tmp_path / "encoder" / "image_encoder.json")
    write_json(tmp_path / "encoder" / "image_encoder.json", described | {"network": name})
    with pytest.raises(InputError, match=r"image_encoder\.json: .* is no name of a file beside it"):
        find_network(tmp_path / "encoder")
