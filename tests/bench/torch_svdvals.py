"""How long does PyTorch take for what `spectrum` computes: the singular values of all matrices of a checkpoint?

torch_svdvals.py CHECKPOINT [--dtype float32] [--threads 2] [--sample]: JSON. --sample times one matrix of each shape and
multiplies by their number, for a quick look.
"""
import argparse
import collections
import json
import mmap
import pathlib
import struct
import time

import numpy as np
import torch


def matrices(directory):
    """(name, float32 matrix) of every 2-D bf16 tensor, read when it is asked for."""
    for path in sorted(pathlib.Path(directory).glob("*.safetensors")):
        with open(path, "rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        (length,) = struct.unpack("<Q", data[:8])
        for name, entry in json.loads(data[8:8 + length]).items():
            if name == "__metadata__" or len(entry["shape"]) != 2:
                continue
            begin, end = (8 + length + at for at in entry["data_offsets"])
            codes = np.frombuffer(data[begin:end], np.uint16).astype(np.uint32) << 16
            yield name, codes.view(np.float32).reshape(entry["shape"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("checkpoint")
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sample", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    seconds, count, largest = collections.Counter(), collections.Counter(), {}
    for name, values in matrices(options.checkpoint):
        count[values.shape] += 1
        if options.sample and values.shape in seconds:
            continue
        begin = time.perf_counter()
        singular = torch.linalg.svdvals(torch.from_numpy(values).to(getattr(torch, options.dtype)))
        largest[name] = float(singular[0])
        seconds[values.shape] += time.perf_counter() - begin
    total = sum(s * (count[shape] if options.sample else 1) for shape, s in seconds.items())
    print(json.dumps({"torch": torch.__version__, "dtype": options.dtype, "threads": torch.get_num_threads(), "sampled": options.sample,
                      "matrices": sum(count.values()), "seconds": total,
                      "processor_seconds": time.process_time(), "largest": largest}))


if __name__ == "__main__":
    main()
