"""A tiny random CLIP in the layout that open_clip publishes models in."""

from pathlib import Path

TINY_CLIP = {
    "embed_dim": 8,
    "vision_cfg": {"image_size": 16, "layers": 1, "width": 64, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}


def write_published_clip(folder: Path) -> None:
    """Write configuration and weights; its pictures are made ready as SigLIP's."""
    import open_clip
    import torch
    from open_clip.model import CLIP, set_model_preprocess_cfg
    from open_clip.push_to_hf_hub import save_config_for_hf
    from safetensors.torch import save_file

    torch.manual_seed(0)
    model = CLIP(**TINY_CLIP)
    grey = {"mean": [0.5] * 3, "std": [0.5] * 3, "resize_mode": "squash", "size": 16}
    preset = open_clip.transform.PreprocessCfg(**grey)
    set_model_preprocess_cfg(model, vars(preset))
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    save_config_for_hf(model, folder / "open_clip_config.json", model_config=TINY_CLIP)
