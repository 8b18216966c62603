import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product

import pytest
import torch
from torch.autograd.functional import vjp

from pipeline.train.losses.graph_loss import graph_loss
from pipeline.train.ops.graph_loss_triton import triton_graph_loss

RELAXATIONS = ["none", "paper", "hinge"]


@pytest.fixture(scope="module")
def interpreter():
    """Run functions in a process in which Triton interprets its kernels on the CPU.

    Triton decides that when it is first imported, so it cannot be this process.
    """
    before = os.environ.get("TRITON_INTERPRET")
    os.environ["TRITON_INTERPRET"] = "1"
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        pool.submit(torch.set_num_threads, 1).result()
        if before is None:
            del os.environ["TRITON_INTERPRET"]
        yield lambda function, *arguments: pool.submit(function, *arguments).result()


@pytest.fixture
def run(interpreter):
    """Loss and gradient of the public function with kernel="triton"."""

    def compute(case, margin=0.9, relaxation="paper", precision="fp32", upstream=1.0):
        loss_of_embedding = partial(
            graph_loss,
            label_N=case.label,
            adjacency_KK=case.adjacency,
            margin=margin,
            relaxation=relaxation,
            kernel="triton",
            precision=precision,
        )
        return interpreter(vjp, loss_of_embedding, case.embedding, torch.tensor(upstream))

    return compute


@pytest.mark.parametrize("relaxation", RELAXATIONS)
@pytest.mark.parametrize("size", [(1, 3, 1), (41, 20, 5), (64, 16, 64), (101, 70, 7)])
def test_equals_the_definition(run, make_case, definition, assert_close, size, relaxation):
    case = make_case(*size)
    assert_close(run(case, relaxation=relaxation), definition(case, 0.9, relaxation))


def test_a_dimension_of_several_slices(run, make_case, definition, assert_close):
    case = make_case(41, 300, 5)
    assert_close(run(case), definition(case, 0.9, "paper"))


@pytest.mark.parametrize("relaxation", RELAXATIONS)
def test_bfloat16_products(run, make_case, definition, assert_close, relaxation):
    case = make_case(101, 33, 7)
    result = run(case, relaxation=relaxation, precision="bf16")
    assert result[1].dtype == torch.float32
    assert_close(result, definition(case, 0.9, relaxation), "bf16")


def test_a_bfloat16_embedding(run, make_case, definition, assert_close):
    case = make_case(41, 20, 5)
    case = case._replace(embedding=case.embedding.bfloat16())
    loss, gradient = run(case)
    assert gradient.dtype == torch.bfloat16
    wide = case._replace(embedding=case.embedding.float())
    assert_close((loss, gradient), definition(wide, 0.9, "paper"), "bf16")


@pytest.mark.parametrize("relaxation", RELAXATIONS)
def test_one_class_whose_pairs_are_all_inside_the_margin(
    run, make_case, definition, assert_close, relaxation
):
    case = make_case(41, 5, 1)
    assert_close(run(case, 2.5, relaxation), definition(case, 2.5, relaxation))


def test_no_active_pair_gives_zero_and_no_gradient(run, make_case):
    case = make_case(2, 2, 1)._replace(
        embedding=torch.tensor([[1.0, 0.0], [-1.0, 0.0]]), label=torch.tensor([0, 0])
    )
    loss, gradient = run(case)
    assert loss.item() == 0
    assert torch.equal(gradient, torch.zeros(2, 2))


def test_distances_exactly_at_the_margin_are_dropped(run, make_case):
    case = make_case(2, 2, 2)._replace(
        embedding=torch.eye(2),
        label=torch.tensor([0, 1]),
        adjacency=torch.tensor([[0.0, 0.25], [0.25, 0.0]]),
    )
    assert run(case, margin=1.0)[0].item() == 0
    assert run(case, margin=1.001)[0].item() == pytest.approx(2 * 0.75**2 / 4)


@pytest.mark.parametrize("relaxation", RELAXATIONS)
def test_a_nan_reaches_the_loss(run, make_case, relaxation):
    case = make_case(41, 5, 3)
    case.embedding[7] = torch.nan
    assert run(case, relaxation=relaxation)[0].isnan()


@pytest.mark.parametrize("relaxation", RELAXATIONS)
@pytest.mark.parametrize("label", [-1, 3, 10**12])
def test_a_label_outside_reads_nothing_and_makes_the_loss_nan(
    interpreter, make_case, relaxation, label
):
    case = make_case(41, 5, 3)
    case.label[7] = label
    compute = partial(triton_graph_loss, *case, margin=0.9, relaxation=relaxation, precision="fp32")
    assert interpreter(partial(compute, with_gradient=True))[0].isnan()


def test_upstream_gradient_scales_the_gradient(run, make_case):
    case = make_case(41, 20, 5)
    loss, gradient = run(case)
    same_loss, doubled = run(case, upstream=2.0)
    assert torch.equal(same_loss, loss)
    assert torch.equal(doubled, 2 * gradient)


def test_strided_input_gives_the_same_bits(run, make_case):
    case = make_case(41, 20, 5)
    strided = [tensor.T.contiguous().T for tensor in case[::2]]
    assert not any(tensor.is_contiguous() for tensor in strided)
    found = run(case._replace(embedding=strided[0], adjacency=strided[1]))
    for one, other in zip(run(case), found, strict=True):
        assert torch.equal(one, other)


def test_loss_alone_is_the_same(run, interpreter, make_case):
    case = make_case(41, 20, 5)
    compute = partial(triton_graph_loss, *case, margin=0.9, relaxation="paper", precision="fp32")
    loss, gradient = interpreter(partial(compute, with_gradient=False))
    assert gradient is None
    assert torch.equal(loss, run(case)[0])


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
constants = dict(
    DIM=512, RELAXATION="paper", WITH_GRADIENT=True, ROWS=op.ROWS, COLUMNS=op.COLUMNS,
    CHUNK=op.CHUNK, FEATURES=op.MAX_SLICE, INTERPRETED=False,
)
types = [f"*{dtype}", "*i64", "*fp32", "*fp32", "*fp32", "i32", "i32", "fp32", "fp32"]
signature = dict(zip(kernel.arg_names, types)) | dict.fromkeys(constants, "constexpr")
source = ASTSource(
    kernel, signature, {(kernel.arg_names.index(name),): value for name, value in constants.items()}
)
compiled = triton.compile(
    source,
    target=GPUTarget("cuda", capability, 32),
    options={"num_warps": op.WARPS, "num_stages": op.STAGES},
)
print(compiled.metadata.shared)
"""


@pytest.mark.parametrize(("dtype", "capability"), [("fp32", 80), ("bf16", 90)])
def test_compiles_within_the_shared_memory_of_a_gpu(tmp_path, dtype, capability):
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    done = subprocess.run(
        [sys.executable, "-c", COMPILE, dtype, str(capability)],
        env=environment | {"TRITON_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) <= 99 * 1024


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_equals_the_definition_on_a_gpu(make_case, definition, assert_close):
    sizes = [(1, 3, 1), (101, 33, 7), (513, 512, 40)]
    for size, relaxation, precision in product(sizes, RELAXATIONS, ["fp32", "bf16"]):
        case = make_case(*size)
        on_gpu = [tensor.cuda() for tensor in case]
        loss, gradient = triton_graph_loss(
            *on_gpu, margin=0.9, relaxation=relaxation, precision=precision, with_gradient=True
        )
        expected = definition(case, 0.9, relaxation)
        assert_close((loss.cpu(), gradient.cpu()), expected, precision)
