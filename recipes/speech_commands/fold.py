"""Turn a trained temporal residual network into the weights that the package ships.

Batch normalisation is folded into the convolutions, and the weights are stored in 16 bits.
"""

import argparse

import torch
from safetensors.torch import load_file, save_file
from torch.nn.utils import fuse_conv_bn_eval

from skreprogram.sources import KeywordNetwork
from temporal_residual import TemporalResidualNetwork


def folded(trained):
    """State dict of `KeywordNetwork` that computes what the trained network computes."""
    state = {f"head.{name}": tensor for name, tensor in trained.head.state_dict().items()}
    state.update({f"front_end.{n}": t for n, t in trained.front_end.state_dict().items()})
    state.update(_convolution("stem", trained.stem[0], trained.stem[1]))
    for i, stage in enumerate(trained.residual_stages):
        prefix = f"residual_stages.{i}"
        state.update(_convolution(f"{prefix}.first", stage.body[0], stage.body[1]))
        state.update(_convolution(f"{prefix}.second", stage.body[3], stage.body[4]))
        if len(stage.around):
            state.update(_convolution(f"{prefix}.around", *stage.around))
    return state


def _convolution(name, convolution, normalisation):
    fused = fuse_conv_bn_eval(convolution, normalisation)
    return {f"{name}.weight": fused.weight.detach().unsqueeze(2), f"{name}.bias": fused.bias}


def main():
    """Fold, compare the two networks on noise, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trained", help="safetensors file of train.py")
    parser.add_argument("out", help="safetensors file to write")
    options = parser.parse_args()
    trained = TemporalResidualNetwork().eval()
    trained.load_state_dict({n: t.float() for n, t in load_file(options.trained).items()})
    state = {n: t.detach().half().contiguous() for n, t in folded(trained).items()}
    # the front end's constants span too many decades for 16 bits
    state.update({f"front_end.{n}": t for n, t in trained.front_end.state_dict().items()})
    network = KeywordNetwork().eval()
    network.load_state_dict({n: t.float() for n, t in state.items()})
    noise = 0.1 * torch.randn(64, 16_000, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        difference = (network(noise) - trained(noise)).abs().max().item()
        agree = (network(noise).argmax(1) == trained(noise).argmax(1)).float().mean().item()
    save_file(state, options.out)
    print(f"largest difference of logits {difference:.4f}, same keyword {agree:.1%}")


if __name__ == "__main__":
    main()
