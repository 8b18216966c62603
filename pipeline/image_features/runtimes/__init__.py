"""Registry of runtimes: what each can compute in, by kind of device. The first that fits is auto's.

Only what gives torch's float32 numbers may stand before torch under `fp32`.
"""

RUNTIMES: dict[tuple[str, str], list[str]] = {
    ("cpu", "fp32"): ["onnxruntime", "torch", "openvino"],
    ("cpu", "bf16"): ["openvino", "torch"],
    ("cuda", "fp32"): ["torch"],
    ("cuda", "bf16"): ["torch"],
    ("cuda", "fp16"): ["torch"],
}
