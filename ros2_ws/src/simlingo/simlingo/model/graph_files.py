"""The exported graphs on disk: small ONNX files that read their weights from one file beside them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from simlingo.model.folder import GRAPH_WEIGHTS_FILE, digest

#: Weights smaller than this many values stay in their graph.
_SMALL = 256
#: Each tensor begins at a multiple of this, as ONNX asks for files that are mapped into memory.
_ALIGNMENT = 4096


def share_weights(folder: Path, metadata: dict[str, str]) -> None:
    """Move the weights of all graphs of ``folder`` into one file, each tensor once and as fp16.

    The stored weights are fp16 already, so a cast behind each gives the same numbers; what is not exact in fp16 (a
    constant that the exporter folded) stays fp32.

    Args:
        folder: holds ``*.onnx`` with their weights inside.
        metadata: written into every graph, with the digest of the common file as ``weights``.
    """
    places: dict[bytes, tuple[int, int]] = {}
    graphs: dict[Path, onnx.ModelProto] = {}
    with (folder / GRAPH_WEIGHTS_FILE).open("wb") as data:
        for path in sorted(folder.glob("*.onnx")):
            model = onnx.load(str(path))
            casts = []
            for tensor in model.graph.initializer:
                values = numpy_helper.to_array(tensor)
                if values.size < _SMALL:
                    continue
                tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))  # as bytes, whatever field held them
                half = values.astype(np.float16) if values.dtype == np.float32 else values
                if values.dtype == np.float32 and np.array_equal(half.astype(np.float32), values):
                    name = tensor.name
                    casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
                    tensor.CopyFrom(numpy_helper.from_array(half, f"{name}_half"))
                _move(tensor, data, places)
            nodes = list(model.graph.node)
            del model.graph.node[:]
            model.graph.node.extend(casts + nodes)
            graphs[path] = model
    for path, model in graphs.items():
        _clean(model, {**metadata, "weights": digest(folder / GRAPH_WEIGHTS_FILE)})
        onnx.save(model, str(path))


def _move(tensor: TensorProto, data: BinaryIO, places: dict[bytes, tuple[int, int]]) -> None:
    """Write a tensor's values to the common file, unless they are there, and point to them."""
    values = tensor.raw_data
    key = hashlib.sha256(values).digest()
    if key not in places:
        data.write(b"\0" * (-data.tell() % _ALIGNMENT))
        places[key] = data.tell(), len(values)
        data.write(values)
    offset, length = places[key]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for name, value in (("location", GRAPH_WEIGHTS_FILE), ("offset", offset), ("length", length)):
        entry = tensor.external_data.add()
        entry.key, entry.value = name, str(value)


def _clean(model: onnx.ModelProto, metadata: dict[str, str]) -> None:
    """Only ``metadata`` as notes: the exporter's own name files of the machine it ran on."""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    del model.graph.value_info[:]
    del model.graph.metadata_props[:]
    del model.metadata_props[:]
    for key, value in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
