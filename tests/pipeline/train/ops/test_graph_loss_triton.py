import os
import subprocess
import sys
from functools import partial
from itertools import product

import pytest
import torch
from torch.autograd.functional import vjp

from pipeline.train.losses import graph_loss as module
from pipeline.train.losses.graph_loss import graph_loss
from pipeline.train.ops.graph_loss_tiled import tiled_graph_loss
from pipeline.train.ops.graph_loss_triton import triton_graph_loss
from pipeline.train.world import World

RELAXATIONS = ["none", "paper", "hinge"]


@pytest.mark.parametrize("relaxation", RELAXATIONS)
@pytest.mark.parametrize("label", [-1, 3, 10**12])
def test_a_label_outside_reads_nothing_and_makes_the_loss_nan(
    interpreter, make_case, relaxation, label
):
    case = make_case(41, 5, 3)
    case.label[7] = label
    compute = partial(triton_graph_loss, *case, margin=0.9, relaxation=relaxation, precision="fp32")
    assert interpreter(partial(compute, with_gradient=True))[0].isnan()


def test_loss_alone_is_the_same(run, interpreter, make_case):
    case = make_case(41, 20, 5)
    compute = partial(triton_graph_loss, *case, margin=0.9, relaxation="paper", precision="fp32")
    loss, gradient = interpreter(partial(compute, with_gradient=False))
    assert gradient is None
    assert torch.equal(loss, run("triton", case)[0])


@pytest.mark.parametrize("own", [1, 20, 40])
def test_a_process_s_own_rows_are_those_of_the_tiles(interpreter, make_case, assert_close, own):
    case = make_case(41, 20, 5)
    how = {"margin": 0.9, "relaxation": "paper", "precision": "fp32", "with_gradient": True}
    found = interpreter(partial(triton_graph_loss, *case, **how, own=own))
    expected = tiled_graph_loss(*case, **how, own=own)
    assert found[1].shape == (own, 20)
    assert_close(found, expected)


def share_of(case, rank):
    """What one of two processes gets from the public function, the other's part left out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "sum_of_all", lambda part, world: part)
        how = {"margin": 0.9, "kernel": "triton", "world": World(rank, 2)}
        return vjp(lambda embedding: graph_loss(embedding, *case[1:], **how), case.embedding)


def test_the_shares_of_two_processes_are_the_whole(
    interpreter, make_case, definition, assert_close
):
    case = make_case(40, 6, 3)
    (loss_0, gradient_0), (loss_1, gradient_1) = (interpreter(share_of, case, n) for n in (0, 1))
    assert_close((loss_0 + loss_1, gradient_0 + gradient_1), definition(case, 0.9, "paper"))
    own = [*range(10), *range(20, 30)]
    assert (gradient_0.abs().sum(dim=1) > 0).nonzero().flatten().tolist() == own


def test_what_it_cannot_run_on_is_refused(interpreter, make_case):
    case = make_case(4, 3, 2)
    arguments = {"margin": 0.9, "kernel": "triton"}
    with pytest.raises(ValueError, match=r"needs float32, got torch\.float64; use tiled"):
        interpreter(partial(graph_loss, *make_case(4, 3, 2, torch.float64), **arguments))
    if os.environ.get("TRITON_INTERPRET") != "1":
        with pytest.raises(ValueError, match="needs CUDA, the embeddings are on cpu; use tiled"):
            graph_loss(*case, **arguments)


# The interpreter checks neither types nor resources, and the compiler needs no GPU.
COMPILE = """
import sys
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from pipeline.train.ops import graph_loss_triton as op

kernel, dtype, capability = op._graph_loss_kernel, sys.argv[1], int(sys.argv[2])
tile = op.TILES[dtype]
constants = dict(
    DIM=512, RELAXATION="paper", WITH_GRADIENT=True, ROWS=tile.rows, COLUMNS=tile.columns,
    CHUNK=tile.chunk, FEATURES=tile.most_features, MULTIPLY=op.MULTIPLY, INTERPRETED=False,
)
types = [f"*{dtype}", "*i64", "*fp32", "*fp32", "*fp32", "i32", "i32", "i32", "fp32", "fp32"]
signature = dict(zip(kernel.arg_names, types)) | dict.fromkeys(constants, "constexpr")
source = ASTSource(
    kernel, signature, {(kernel.arg_names.index(name),): value for name, value in constants.items()}
)
compiled = triton.compile(
    source,
    target=GPUTarget("cuda", capability, 32),
    options={"num_warps": tile.warps, "num_stages": tile.stages},
)
print(compiled.metadata.shared)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dtype", "capability", "kibibytes"), [("fp32", 80, 99), ("bf16", 80, 99), ("fp32", 90, 227)]
)
def test_compiles_within_the_shared_memory_of_a_gpu(tmp_path, dtype, capability, kibibytes):
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    done = subprocess.run(
        [sys.executable, "-c", COMPILE, dtype, str(capability)],
        env=environment | {"TRITON_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) <= kibibytes * 1024


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_equals_the_definition_on_a_gpu(make_case, definition, assert_close):
    sizes = [(101, 33, 7), (513, 512, 40)]
    cases = [*product(sizes, RELAXATIONS, ["fp32", "bf16"])]
    # In bfloat16 the loss of one embedding is its rounding, and nothing else.
    cases += product([(1, 3, 1)], RELAXATIONS, ["fp32"])
    for size, relaxation, precision in cases:
        case = make_case(*size)
        on_gpu = [tensor.cuda() for tensor in case]
        loss, gradient = triton_graph_loss(
            *on_gpu, margin=0.9, relaxation=relaxation, precision=precision, with_gradient=True
        )
        expected = definition(case, 0.9, relaxation)
        assert_close((loss.cpu(), gradient.cpu()), expected, precision)
