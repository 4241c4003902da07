"""An exported graph's products with weights in 8 bit integers, which a CPU computes faster than in fp32."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.quant_utils import add_pre_process_metadata

#: Where the torch exporter notes which modules a node lies in.
_SCOPES = "pkg.torch.onnx.name_scopes"


def quantise_products(path: Path, but: str) -> None:
    """Replace the weights of the linear layers of the graph at ``path`` by integers, a scale for each output.

    What a layer is given is quantised as it comes, to 8 bit over the range that it has. Weights keep to 7 bit: a CPU
    without VNNI adds two products of 8 by 8 bit in 16 bit, which may overflow. So the sums of integers are exact, and the
    same on every CPU; what stands between the layers is fp32, whose last digits are not the same, and a value at the
    edge of a step is then rounded the other way.

    Args:
        path: of an ONNX graph that holds its weights.
        but: the torch module whose layers stay as they are.
    """
    model = onnx.load(str(path))
    add_pre_process_metadata(model)  # the exporter has inferred shapes and folded constants
    quantize_dynamic(
        model,
        path,
        op_types_to_quantize=["MatMul", "Gemm"],
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=[node.name for node in model.graph.node if f".{but}." in _scopes(node)],
    )


def _scopes(node: onnx.NodeProto) -> str:
    return next((entry.value for entry in node.metadata_props if entry.key == _SCOPES), "")
