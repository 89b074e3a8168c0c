"""Frames that all rows of a batch share are computed once, and change nothing."""

import pytest
import torch

from skreprogram.sources import AttentionRNN, KeywordNetwork, SourceModel
from skreprogram.sources._log_mel import LogMel
from skreprogram.sources._shared_frames import touched_frames
from skreprogram.transformations import TilingTransformation

NETWORKS = {
    "keyword": lambda: KeywordNetwork(plan=((16, 1, 1), (16, 2, 2))),
    "decibel": lambda: AttentionRNN(6, front_end="decibel"),
    "log_magnitude": lambda: AttentionRNN(6, front_end="log_magnitude"),
}


@pytest.fixture(params=sorted(NETWORKS))
def network(request):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = NETWORKS[request.param]()
    source = SourceModel.from_module(module, (16_000,), value_range=(-1, 1), sampling_rate=16_000)
    return source.load(dtype=torch.float64), source.input_space


def tiled(space, n_replicas, length=150, n_rows=4):
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(n_rows, 1, length, generator=generator, dtype=torch.float64)
    tiling = TilingTransformation(n_replicas)
    params = tiling.init(X, space, generator)
    return tiling, params, X


@pytest.mark.parametrize("n_replicas", [1, 3, 40])
def test_outputs_are_those_of_whole_waveforms(network, n_replicas):
    network, space = network
    tiling, params, X = tiled(space, n_replicas)
    waveforms = tiling.apply(params, X, space)
    alike = waveforms[:1], tiling.own_spans(X.shape[1:], space)
    torch.testing.assert_close(network.outputs(waveforms, alike), network.outputs(waveforms))


def test_the_gradient_is_that_of_whole_waveforms(network):
    network, space = network
    tiling, params, X = tiled(space, 3)
    gradients = []
    for shared in (False, True):
        program = params["program"].clone().requires_grad_()
        used = {**params, "program": program}
        waveforms = tiling.apply(used, X, space)
        alike = (tiling.apply(used, X[:1], space), tiling.own_spans((1, 150), space))
        network.outputs(waveforms, alike if shared else None).square().sum().backward()
        gradients.append(program.grad)
    torch.testing.assert_close(gradients[1], gradients[0])


def test_a_frame_is_touched_when_its_window_reaches_the_span():
    front_end = LogMel()
    moved = torch.zeros(1, 16_000)
    moved[0, 5_000:5_100] = 0.5
    frames = front_end(torch.cat([torch.zeros_like(moved), moved]))
    (first, last) = touched_frames([(5_000, 5_100)], front_end, frames.shape[-1])[0]
    differs = (frames[0] != frames[1]).any(0).nonzero().flatten()
    # the taper is exactly zero at the end of a window, so that one frame may be touched for nothing
    assert first <= differs.min() <= first + 1
    assert last - 2 <= differs.max() <= last - 1


def test_spans_that_share_frames_become_one_interval():
    assert len(touched_frames([(0, 10), (20, 30)], LogMel(), 100)) == 1
    assert len(touched_frames([(0, 10), (8_000, 8_010)], LogMel(), 100)) == 2


def test_bfloat16_rounds_outputs_to_a_few_digits():
    network = SourceModel.from_module(KeywordNetwork(), (16_000,)).load()
    waveforms = 0.1 * torch.randn(3, 16_000, generator=torch.Generator().manual_seed(0))
    exact, rounded = network.outputs(waveforms), network.with_precision("bf16").outputs(waveforms)
    assert rounded.dtype == torch.float32
    assert not torch.equal(exact, rounded)
    torch.testing.assert_close(rounded, exact, atol=0.02 * exact.abs().max().item(), rtol=0)
