"""What do the end-to-end tests share: the program, checkpoints made on the spot, directories that go away again?"""
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile
import unittest

import h5py
import numpy as np

SOURCE = pathlib.Path(os.environ.get("STEMMA_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
STEMMA = os.environ.get("STEMMA", str(SOURCE / "build/release/stemma"))
DATA = pathlib.Path(os.environ.get("STEMMA_TEST_DATA", SOURCE.parent / "shared/data"))
ZOO = SOURCE / "tests/data/zoo"
PATIENCE = float(os.environ.get("STEMMA_TEST_PATIENCE", 1))  # multiplies limits; sanitizers are slow and want memory

# An array of uint16 holds bfloat16 bit patterns: numpy has no such type.
NAMES = {"float64": "F64", "float32": "F32", "float16": "F16", "uint16": "BF16", "int64": "I64", "bool": "BOOL"}
TYPES = {name: np.dtype(kind) for kind, name in NAMES.items()}
BYTES = {name: kind.itemsize for name, kind in TYPES.items()}


def bf16(values):
    """Bit patterns of the nearest bfloat16, ties to even."""
    bits = np.asarray(values, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def widened(array):
    """The values of a stored array in float64, exactly."""
    if array.dtype == np.uint16:
        array = (array.astype(np.uint32) << 16).view(np.float32)
    return array.astype(np.float64)


def mpirun(ranks):
    return ["mpirun", "--quiet", "--allow-run-as-root", "--oversubscribe", "-n", str(ranks)]


def stemma(*arguments, ranks=1, cwd=None, limit=120, before=None, **environment):
    """Runs the program to its end; stdout and stderr are text. One rank needs no mpirun."""
    command = [STEMMA, *map(str, arguments)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    if ranks > 1:
        command = mpirun(ranks) + command
        # After a bad exit code mpirun waits, most often for nothing: everything was said before MPI_Finalize.
        env["OMPI_MCA_odls_base_sigkill_timeout"] = "0"
    env |= environment
    return subprocess.run(command, cwd=cwd, env=env, text=True, capture_output=True, timeout=PATIENCE * limit, preexec_fn=before,
                          check=False)


def header_of(entries, metadata=None):
    """The first bytes of a safetensors file. `entries` maps names to (type, shape, bytes) in the order of the data."""
    header, end = ({"__metadata__": metadata} if metadata else {}), 0
    for name, (kind, shape, size) in entries.items():
        header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text, end


def write_safetensors(path, tensors):
    arrays = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    head, _ = header_of({n: (NAMES[a.dtype.name], a.shape, a.nbytes) for n, a in arrays.items()})
    with open(path, "wb") as file:
        file.write(head)
        for array in arrays.values():
            file.write(array.tobytes())


def write_sparse(path, shapes, kind="BF16"):
    """Header only: the weights are a hole in the file. `shapes` maps names to shapes."""
    size = {name: int(np.prod(shape, dtype=np.int64)) * BYTES[kind] for name, shape in shapes.items()}
    head, data = header_of({name: (kind, shape, size[name]) for name, shape in shapes.items()})
    pathlib.Path(path).write_bytes(head)
    os.truncate(path, len(head) + data)


def write_index(directory, weight_map, total):
    text = json.dumps({"metadata": {"total_size": total}, "weight_map": weight_map})
    (pathlib.Path(directory) / "model.safetensors.index.json").write_text(text)


def write_checkpoint(directory, tensors, config, shards=1):
    """A model directory as Hugging Face lays it out."""
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True)
    if config is not None:
        (directory / "config.json").write_text(json.dumps(config))
    if shards == 1:
        write_safetensors(directory / "model.safetensors", tensors)
        return directory
    names, weight_map = list(tensors), {}
    for i in range(shards):
        file = f"model-{i + 1:05}-of-{shards:05}.safetensors"
        mine = names[i * len(names) // shards:(i + 1) * len(names) // shards]
        write_safetensors(directory / file, {name: tensors[name] for name in mine})
        weight_map.update(dict.fromkeys(mine, file))
    write_index(directory, weight_map, sum(array.nbytes for array in tensors.values()))
    return directory


def read_safetensors(path):
    """{name: array} by the published layout, with nothing of ours in between."""
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[begin:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors


LLAMA = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64, "num_attention_heads": 4,
         "num_key_value_heads": 2, "head_dim": 16, "intermediate_size": 96, "vocab_size": 128, "hidden_act": "silu"}


def llama_config(layers, **changes):
    return {**LLAMA, "num_hidden_layers": layers, **changes}


def llama_shapes(config):
    d, f, v, w = (config[k] for k in ("hidden_size", "intermediate_size", "vocab_size", "head_dim"))
    q, kv = config["num_attention_heads"] * w, config["num_key_value_heads"] * w
    shapes = {"model.embed_tokens.weight": (v, d)}
    for i in range(config["num_hidden_layers"]):
        layer = f"model.layers.{i}."
        shapes |= {layer + "input_layernorm.weight": (d,), layer + "post_attention_layernorm.weight": (d,),
                   layer + "self_attn.q_proj.weight": (q, d), layer + "self_attn.k_proj.weight": (kv, d),
                   layer + "self_attn.v_proj.weight": (kv, d), layer + "self_attn.o_proj.weight": (d, q),
                   layer + "mlp.gate_proj.weight": (f, d), layer + "mlp.up_proj.weight": (f, d),
                   layer + "mlp.down_proj.weight": (d, f)}
    return shapes | {"model.norm.weight": (d,), "lm_head.weight": (v, d)}


def trained_matrix(rng, shape, scale):
    """Noise with a few strong directions, as training leaves them; random_init must not flag it."""
    out = rng.standard_normal(shape)
    for k in range(6):
        out += np.outer(rng.standard_normal(shape[0]), rng.standard_normal(shape[1])) * 0.6 / (k + 1)
    return scale * out


def llama_tensors(config, seed):
    """float32 tensors under Llama's names; the scale wanders over the layers."""
    rng, tensors, scale = np.random.default_rng(seed), {}, 0.02
    for name, shape in llama_shapes(config).items():
        scale = float(np.clip(scale * np.exp(0.1 * rng.standard_normal()), 0.005, 0.08))
        tensors[name] = (1 + 0.3 * rng.random(shape) if len(shape) == 1 else trained_matrix(rng, shape, scale))
    return {name: array.astype(np.float32) for name, array in tensors.items()}


def read_tsv(path):
    """Rows as {column: text}; the first line names the columns."""
    lines = pathlib.Path(path).read_text(encoding="utf-8").split("\n")
    header = lines[0].split("\t")
    return [dict(zip(header, line.split("\t"), strict=True)) for line in lines[1:] if line]


def write_tsv(path, columns, rows):
    pathlib.Path(path).write_text("".join("\t".join(row) + "\n" for row in [columns, *rows]), encoding="utf-8")


class EndToEnd(unittest.TestCase):
    """A test with a directory of its own, where `path` and `run` begin."""

    maxDiff = 4000

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="stemma_"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def stemma(self, *arguments, code=0, **options):
        """Runs the program here and checks its exit code."""
        done = stemma(*arguments, cwd=self.directory, **options)
        self.assertEqual(done.returncode, code, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done

    def write(self, name, text):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def forge(self, source, name, edit):
        """A copy of an archive in which `edit` changed something, with hashes and a seal that say it was always so."""
        xxhsum = shutil.which("xxhsum")
        if not xxhsum:
            self.skipTest("xxhsum is absent (Debian package xxhash)")
        path = self.directory / name
        shutil.copyfile(source, path)
        path.chmod(0o644)
        with h5py.File(path, "r+") as file:
            edit(file)
        stated = stemma("verify", path).stdout
        with h5py.File(path, "r+") as file:
            for which, digest in re.findall(r"/@(canonical_\w+): \w+ is stored, the columns give (\w+)", stated):
                file.attrs.modify(which, digest)
        digest = subprocess.run([xxhsum, "-H128", path], capture_output=True, check=True).stdout.lstrip(b"\\")[:32].decode()
        size = path.stat().st_size
        with open(path, "ab") as file:
            file.write(b"STEMSEAL" + struct.pack("<QQQ", size, int(digest[:16], 16), int(digest[16:], 16)))
        return path

    def fingerprint(self, name, *models, code=0, ranks=1):
        """An archive of models; its path."""
        self.stemma("fingerprint", *models, "-o", name, code=code, ranks=ranks)
        return self.directory / name
