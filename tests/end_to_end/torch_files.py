"""How are checkpoints of torch.save written without torch, byte by byte?"""
import json
import pathlib
import struct
import zlib

import numpy as np

STORAGES = {"float64": "DoubleStorage", "float32": "FloatStorage", "float16": "HalfStorage", "uint16": "BFloat16Storage",
            "int64": "LongStorage", "bool": "BoolStorage"}  # an array of uint16 holds bfloat16 bit patterns


def text(word):
    data = word.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def number(value):
    return b"K" + bytes([value]) if value < 256 else b"\x8a\x08" + struct.pack("<q", value)


def numbers(values):
    return b"(" + b"".join(map(number, values)) + b"t"


def name(module, word):
    return f"c{module}\n{word}\n".encode()


ORDERED_DICT = name("collections", "OrderedDict")


def rebuilt(key, kind, elements, shape, strides, offset=0):
    """The call that makes a tensor from storage `key`; strides and offset count elements."""
    storage = b"(" + text("storage") + name("torch", kind) + text(key) + text("cpu") + number(elements) + b"tQ"
    return (name("torch._utils", "_rebuild_tensor_v2") + b"(" + storage + number(offset) + numbers(shape) + numbers(strides)
            + b"\x89" + ORDERED_DICT + b")RtR")


def dictionary(entries):
    return b"}(" + b"".join(text(key) + value for key, value in entries.items()) + b"u"


def write_zip(path, entries):
    """Stored entries as torch writes them: sizes behind the data, which begin at multiples of 64."""
    out, central = bytearray(), bytearray()
    for entry, data in entries.items():
        entry, begin, crc = entry.encode(), len(out), zlib.crc32(data)
        padding = -(begin + 30 + len(entry) + 4) % 64
        extra = b"FB" + struct.pack("<H", padding) + b"Z" * padding
        out += struct.pack("<IHHHHHIIIHH", 0x04034B50, 0, 0x0808, 0, 0, 0, 0, 0, 0, len(entry), len(extra)) + entry + extra + data
        out += struct.pack("<IIII", 0x08074B50, crc, len(data), len(data))
        central += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 0, 0, 0x0808, 0, 0, 0, crc, len(data), len(data), len(entry), 0, 0, 0, 0,
                               0, begin) + entry
    end = len(out)
    out += central
    out += struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 0, 0, 0, 0, len(entries), len(entries), len(central), end)
    out += struct.pack("<IIQI", 0x07064B50, 0, end + len(central), 1)
    out += struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, len(entries), len(entries), len(central), end, 0)
    pathlib.Path(path).write_bytes(out)


def write_pickle(path, value, storages=()):
    """An archive of a pickled value and its storages."""
    entries = {"archive/data.pkl": b"\x80\x02" + value + b".", "archive/byteorder": b"little"}
    entries |= {f"archive/data/{i}": data for i, data in enumerate(storages)}
    write_zip(path, {**entries, "archive/version": b"3\n", "archive/.data/serialization_id": b"0" * 40})


def write_torch(path, tensors, below=None, column_major=()):
    """A state dict. `below`: a key under which it lies beside others. Equal arrays (one object) share a storage; matrices named in
    `column_major` are stored as their transpose and read by strides."""
    entries, storages, keys = {}, [], {}
    for tensor, array in tensors.items():
        turned = tensor in column_major
        if id(array) not in keys:
            keys[id(array)] = str(len(storages))
            storages.append((array.T if turned else array).tobytes())
        strides = [stride // array.itemsize for stride in np.empty(array.shape[::-1] if turned else array.shape, array.dtype).strides]
        entries[tensor] = rebuilt(keys[id(array)], STORAGES[array.dtype.name], array.size, array.shape, strides[::-1] if turned else strides)
    value = ORDERED_DICT + b")R" + dictionary(entries)[1:] + b"}" + text("_metadata") + ORDERED_DICT + b")Rsb"
    if below:
        value = dictionary({"epoch": number(3), "optimizer": dictionary({"lr": b"G" + struct.pack(">d", 0.1)}), below: value})
    write_pickle(path, value, storages)


def write_torch_shards(directory, tensors, shards, index=True):
    """pytorch_model-I-of-N.bin and their index."""
    names, weight_map = list(tensors), {}
    for i in range(shards):
        file = f"pytorch_model-{i + 1:05}-of-{shards:05}.bin"
        mine = names[i * len(names) // shards:(i + 1) * len(names) // shards]
        write_torch(directory / file, {tensor: tensors[tensor] for tensor in mine})
        weight_map.update(dict.fromkeys(mine, file))
    if index:
        total = sum(array.nbytes for array in {id(array): array for array in tensors.values()}.values())
        (directory / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {"total_size": total}, "weight_map": weight_map}))
