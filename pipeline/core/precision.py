"""Which number type a network's matrix products are done in."""

import torch

from pipeline.core.errors import InputError


def autocast_type(key: str, precision: str, device: torch.device) -> torch.dtype | None:
    """Choose the type of matrix products.

    Args:
        key: The parameter that asks for it, for the message.
        precision: `fp32`; `bf16`; or `auto`: bf16 on CUDA devices that have it, else fp32.
        device: Where the network runs.

    Returns:
        The type for autocast; None for none. What autocast keeps in float32 stays so.

    Raises:
        InputError: bf16 was asked for and the device does not have it.
    """
    has_bf16 = device.type == "cpu" or torch.cuda.is_bf16_supported()
    if precision == "bf16" and not has_bf16:
        raise InputError(f"{key}: this device has no bf16; use auto or fp32")
    wanted = precision == "bf16" or (precision == "auto" and device.type == "cuda" and has_bf16)
    return torch.bfloat16 if wanted else None
