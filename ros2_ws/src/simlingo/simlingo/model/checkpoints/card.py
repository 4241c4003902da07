"""The model card of a written folder: what it is, where it comes from, what may be done with it."""

from __future__ import annotations

from simlingo.model.checkpoints.reader import Checkpoint


def model_card(checkpoint: Checkpoint, has_tokenizer: bool) -> str:
    """The text of ``README.md``."""
    config, origin = checkpoint.config, checkpoint.provenance
    vision, language = config.vision, config.language
    adapters = (
        f"LoRA of rank {config.lora.rank}, scale {config.lora.scale:g}, kept apart from the weights it adapts"
        if config.lora
        else "no LoRA factors apart"
    )
    restriction = "\nThe planner goes active with these weights in simulation only.\n" if origin.simulation_only else ""
    revision = f", revision {origin.revision}" if origin.revision else ""
    notes = "".join(f"- {note}\n" for note in origin.notes)
    return f"""# {config.name}

Written by `./simlingo checkpoint import`. Research software for simulation, no certified safety function.

## Origin

- read from: {origin.origin}{revision}
- layout there: {origin.layout}
- tensors {len(checkpoint.tensors)}, weights {checkpoint.weights:,}
{notes}
The configuration it came with lies unchanged in `source/`.

## Licence

{origin.licence}
{restriction}
## Sizes

- picture: rows {config.image.crop_top} to {config.image.crop_bottom - 1} of {config.image.raw_width}x{config.image.raw_height}, two tiles of {config.image.tile}, {config.image_tokens} visual tokens{", after a JPEG round trip" if config.image.jpeg_round_trip else ""}
- vision: {vision.layers} layers of {vision.hidden_size}, {vision.heads} heads, patches of {vision.patch}
- language: {language.layers} layers of {language.hidden_size}, {language.heads} heads ({language.key_value_heads} for keys and values), {language.vocab_size} tokens
- {adapters}
- tokenizer: {"tokenizer.json" if has_tokenizer else "none; this folder answers to token ids only"}

## Files

`sha256sum -c SHA256SUMS` checks the weights; `./simlingo checkpoint inspect` lists them.
"""
