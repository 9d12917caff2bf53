"""Muon: what a step does to a matrix, against the singular value decomposition."""

import pytest
import torch

from samizdat.optimization.muon import MOMENTUM, POLYNOMIALS, UPDATE_SIZE, Muon, orthogonal

SHAPES = ((24, 24), (24, 96), (96, 24))


def made(shape: tuple[int, ...], seed: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def stepped(matrices: list[torch.Tensor], gradients: list[torch.Tensor], parts: int = 1, **options) -> list:
    """Copies of the matrices after a step for each of the gradients, which are those of one after the other."""
    parameters = [torch.nn.Parameter(matrix.clone()) for matrix in matrices]
    options = {"learning_rate": 0.1, "weight_decay": 0.0, "dtype": torch.float32} | options
    optimizer = Muon([{"params": parameters, "parts": parts}], **options)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient.clone()
    optimizer.step()
    return [parameter.detach() for parameter in parameters]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_matrices_are_made_nearly_orthogonal_and_keep_their_directions(dtype):
    matrices = made((3, 24, 96), 1)
    found = orthogonal(matrices.to(dtype)).float()
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    # In the singular directions of each matrix what was made of it is nearly diagonal.
    inside = left.mT @ found @ right.mT
    sizes = inside.diagonal(dim1=1, dim2=2)
    assert sizes.min() > 0.15
    assert sizes.max() < 1.9
    assert (inside - torch.diag_embed(sizes)).abs().max() < (0.001 if dtype is torch.float32 else 0.15)


@pytest.mark.parametrize("shape", [(24, 24), (24, 40), (24, 48), (24, 96)])
def test_each_singular_value_goes_through_the_polynomials(shape):
    matrices = made((3, *shape), 1).double()
    left, sizes, right = torch.linalg.svd(matrices, full_matrices=False)
    wanted = sizes / (1.01 * sizes.square().sum(dim=1, keepdim=True).sqrt())
    for a, b, c in POLYNOMIALS:
        wanted = a * wanted + b * wanted**3 + c * wanted**5
    torch.testing.assert_close(orthogonal(matrices), left @ torch.diag_embed(wanted) @ right, rtol=0, atol=1e-6)


def test_no_gradient_changes_nothing_and_breaks_nothing():
    matrices = [made(shape, seed) for seed, shape in enumerate(SHAPES)]
    after = stepped(matrices, [torch.zeros_like(matrix) for matrix in matrices])
    assert all(torch.equal(*pair) for pair in zip(matrices, after, strict=True))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_step_goes_against_the_gradient_by_the_learning_rate(shape):
    matrix, gradient = made(shape, 1), made(shape, 2)
    (after,) = stepped([matrix], [gradient])
    change = after - matrix
    left, _, right = torch.linalg.svd(gradient, full_matrices=False)
    likeness = torch.nn.functional.cosine_similarity(change.flatten(), -(left @ right).flatten(), dim=0)
    assert likeness > (0.85 if shape[0] == shape[1] else 0.9)  # a square has singular values near 0, which stay small
    assert change.square().mean().sqrt() == pytest.approx(0.1 * UPDATE_SIZE, rel=0.35)


def test_a_matrix_is_changed_by_its_own_gradient_alone():
    matrices, gradients = ([made(shape, 10 * which + seed) for seed, shape in enumerate(SHAPES)] for which in (1, 2))
    together = stepped(matrices, gradients)
    for matrix, gradient, found in zip(matrices, gradients, together, strict=True):
        (alone,) = stepped([matrix], [gradient])
        torch.testing.assert_close(found, alone, rtol=0, atol=1e-6)


def test_queries_keys_and_values_are_matrices_of_their_own():
    matrix, gradient = made((24, 72), 1), made((24, 72), 2)
    gradient[:, :24] *= 1000  # which would drown the others, were all one matrix
    (whole,) = stepped([matrix], [gradient], parts=3)
    pieces = stepped(list(matrix.chunk(3, dim=1)), list(gradient.chunk(3, dim=1)))
    torch.testing.assert_close(whole, torch.cat(pieces, dim=1), rtol=0, atol=1e-6)


def test_weights_decay_by_the_learning_rate_too():
    matrix = made((24, 24), 1)
    (after,) = stepped([matrix], [torch.zeros_like(matrix)], weight_decay=0.5)
    torch.testing.assert_close(after, matrix * (1 - 0.1 * 0.5))


def test_momentum_remembers_earlier_gradients():
    parameter = torch.nn.Parameter(torch.zeros(24, 24))
    optimizer = Muon([{"params": [parameter]}], learning_rate=1.0, weight_decay=0.0, dtype=torch.float32)
    first, second = made((24, 24), 1), made((24, 24), 2)
    for gradient in (first, second):
        before = parameter.detach().clone()
        parameter.grad = gradient.clone()
        optimizer.step()
    mean = MOMENTUM * (1 - MOMENTUM) * first + (1 - MOMENTUM) * second
    wanted = orthogonal(second.lerp(mean, MOMENTUM)[None])[0]
    torch.testing.assert_close(before - parameter.detach(), wanted * UPDATE_SIZE * 24**0.5, rtol=0, atol=1e-4)


@pytest.mark.parametrize("parts", [1, 3])
def test_where_nothing_overflowed_a_scaled_step_is_a_plain_one(parts):
    """Bit for bit but for the decay, whose factor is then computed on the device in float32."""
    matrices, gradients = ([made((24, 72), 10 * which + seed) for seed in (1, 2)] for which in (1, 2))
    found = []
    for found_inf in (None, torch.zeros(())):
        parameters = [torch.nn.Parameter(matrix.clone()) for matrix in matrices]
        sets = [{"params": parameters, "parts": parts}]
        optimizer = Muon(sets, learning_rate=0.1, weight_decay=0.5, dtype=torch.float32)
        optimizer.found_inf = found_inf
        for _ in range(2):
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = gradient.clone()
            optimizer.step()
        momenta = [optimizer.state[parameter]["momentum"] for parameter in parameters]
        found.append((momenta, [parameter.detach() for parameter in parameters]))
    assert all(torch.equal(*pair) for pair in zip(found[0][0], found[1][0], strict=True))
    for plain, scaled in zip(found[0][1], found[1][1], strict=True):
        torch.testing.assert_close(scaled, plain, rtol=1e-6, atol=1e-6)
