"""What becomes of a trained model that is pruned, deepened, upcycled to experts or quantised, and trained on?

derive.py SOURCES DIRECTORY --models NAME ... [--kinds KIND ...] [--steps 300] [--prose DIR ...]

SOURCES holds models of train.py, or those of tests/data/zoo. Of each model NAME come NAME-KIND, with its weights cut or
copied and then healed by so many steps of train.py's loop on the second half of the prose, at 1e-3:

    pruned-depth   a third of the layers left out, every other one from the third on
    pruned-width   the stream cut to three quarters of its width, the MLPs to the 58 % of their largest neurons
    pruned-mlp     58 % of the neurons of every MLP, drawn at random
    deepened       the first two thirds of the layers, then the last two thirds (arXiv 2312.15166)
    moe            every MLP as four experts alike, of which two answer, and a new router (arXiv 2212.05055), Mixtral's names
    moe-half       likewise, and a half of every expert's neurons, drawn for each anew, start over
    moe-noise      likewise whole, with noise of half of the weights' standard deviation
    int4           every weight of the layers rounded to 15 values for each 32 of a row, not trained

What was made from which layers of what stands in DIRECTORY/truth.tsv. A model that is there is not made again.
"""
import argparse
import pathlib
import time

import numpy as np
import torch

from train import PROSE, fit, save, texts
from harness import write_tsv
from launder import read_model
from surgery import as_experts, drawn, in_four_bits, largest, with_layers, with_neurons, with_stream

MLP_SHARE, WIDTH_SHARE, EXPERTS, RATE = 0.58, 0.75, 4, 1e-3


def kept_layers(kind, layers):
    """Numbers of the source's layers, in the order in which a model of this kind has them."""
    third = layers // 3
    if kind == "pruned-depth":
        return [i for i in range(layers) if i not in range(2, 2 + 2 * third, 2)]
    return [*range(layers - third), *range(third, layers)] if kind == "deepened" else list(range(layers))


def upcycled(t, config, rng, **how):
    return as_experts(t, config, [[i] * EXPERTS for i in range(config["num_hidden_layers"])], rng, **how)


def narrow(config):
    return round(MLP_SHARE * config["intermediate_size"])


KINDS = {
    "pruned-depth": lambda t, config, rng: with_layers(t, config, kept_layers("pruned-depth", config["num_hidden_layers"])),
    "pruned-width": lambda t, config, rng: with_stream(*with_neurons(t, config, largest(narrow(config))),
                                                       round(WIDTH_SHARE * config["hidden_size"])),
    "pruned-mlp": lambda t, config, rng: with_neurons(t, config, drawn(narrow(config), rng)),
    "deepened": lambda t, config, rng: with_layers(t, config, kept_layers("deepened", config["num_hidden_layers"])),
    "moe": upcycled,
    "moe-half": lambda t, config, rng: upcycled(t, config, rng, fresh=0.5),
    "moe-noise": lambda t, config, rng: upcycled(t, config, rng, noise=0.5),
    "int4": lambda t, config, rng: in_four_bits(t, config),
}


def healed(t, config, data, steps, order):
    """Trained on; tensors and the mean loss of the last 50 steps."""
    tensors = {name: torch.from_numpy(np.ascontiguousarray(a)).float().requires_grad_() for name, a in t.items()}
    loss = fit(config, list(tensors.values()), lambda: tensors, data, steps, RATE, order,
               96 if config["hidden_size"] <= 64 else 128)
    return {name: a.detach() for name, a in tensors.items()}, loss


def save_truth(directory, rows):
    write_tsv(directory / "truth.tsv", ["id", "base", "relation", "layers", "detail"],
              [row for row in rows if (directory / row[0]).is_dir()])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sources", type=pathlib.Path)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--models", nargs="+", required=True)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--prose", nargs="+", default=PROSE)
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = texts(options.prose, {".txt", ".md", ".rst"}, 2)[1]
    options.directory.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, name in enumerate(options.models):
        t, config = read_model(options.sources / name)
        for kind in options.kinds:
            steps = 0 if kind == "int4" else options.steps
            layers = " ".join(map(str, kept_layers(kind, config["num_hidden_layers"])))
            rows.append([f"{name}-{kind}", name, kind, layers, f"{steps} steps at {RATE:g}"])
            if (options.directory / rows[-1][0]).is_dir():
                continue
            begin = time.time()
            tensors, changed = KINDS[kind](t, config, np.random.default_rng([number, list(KINDS).index(kind)]))
            tensors, loss = healed(tensors, changed, data, steps, 3000 + number) if steps else (
                {key: torch.from_numpy(a).float() for key, a in tensors.items()}, float("nan"))
            save(options.directory, rows[-1][0], tensors, changed)
            save_truth(options.directory, rows)
            print(f"{rows[-1][0]}: loss {loss:.3f}, {time.time() - begin:.0f} s", flush=True)
    save_truth(options.directory, rows)


if __name__ == "__main__":
    main()
