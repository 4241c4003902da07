"""The SimLingo network in torch: InternVL of transformers, target-point encoder, queries and heads.

Shapes: B frames, P prompts per frame, N = B * P sequences, L tokens, D hidden size of the language model.
Point outputs are metres in the ego frame (x forward, y right).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import InternVLConfig, InternVLModel, Qwen2Config
from transformers.models.internvl.configuration_internvl import InternVLVisionConfig

from simlingo.contracts import PATH_POINTS, SPEED_WAYPOINTS
from simlingo.model.config import ModelConfig
from simlingo.model.judgement import SCORES
from simlingo.model.preprocess import IMAGE_MEAN, IMAGE_STD


def internvl_config(config: ModelConfig, image_context_id: int) -> InternVLConfig:
    """The transformers configuration of this size."""
    vision = InternVLVisionConfig(
        hidden_size=config.vision.hidden_size,
        num_hidden_layers=config.vision.layers,
        num_attention_heads=config.vision.heads,
        intermediate_size=config.vision.intermediate_size,
        image_size=[config.image.tile, config.image.tile],
        patch_size=[config.vision.patch, config.vision.patch],
        attention_bias=True,
        use_mean_pooling=True,  # InternVL2 has no final norm in the vision tower
    )
    language = Qwen2Config(
        hidden_size=config.language.hidden_size,
        num_hidden_layers=config.language.layers,
        num_attention_heads=config.language.heads,
        num_key_value_heads=config.language.key_value_heads,
        intermediate_size=config.language.intermediate_size,
        vocab_size=config.language.vocab_size,
        rms_norm_eps=config.language.rms_norm_eps,
        rope_parameters={"rope_type": "default", "rope_theta": config.language.rope_theta},
        max_position_embeddings=4096,
        tie_word_embeddings=False,
    )
    return InternVLConfig(
        vision_config=vision,
        text_config=language,
        image_token_id=image_context_id,
        image_seq_length=config.tokens_per_tile,
        downsample_ratio=config.downsample_ratio,
        tie_word_embeddings=False,
    )


class SimLingoNetwork(nn.Module):
    """One network for every size of SimLingo (spec A.1)."""

    image_mean: Tensor
    image_std: Tensor

    def __init__(self, config: ModelConfig, image_context_id: int, target_point_id: int) -> None:
        super().__init__()
        self.config = config
        self.image_context_id = image_context_id
        self.target_point_id = target_point_id
        width = config.language.hidden_size
        self.vlm = InternVLModel(internvl_config(config, image_context_id))
        self.lm_head = nn.Linear(width, config.language.vocab_size, bias=False)
        first, second = config.point_hidden
        self.point_encoder = nn.Sequential(
            nn.Linear(2, first), nn.ReLU(), nn.Linear(first, second), nn.ReLU(), nn.Linear(second, width)
        )
        self.route_queries = nn.Parameter(0.02 * torch.randn(1, PATH_POINTS, width))
        self.speed_queries = nn.Parameter(0.02 * torch.randn(1, SPEED_WAYPOINTS, width))
        wide, narrow = config.route_hidden
        self.route_head = nn.Sequential(
            nn.Linear(width, wide), nn.SiLU(), nn.Linear(wide, narrow), nn.SiLU(), nn.Linear(narrow, 2, bias=False)
        )
        self.speed_head = nn.Sequential(
            nn.Linear(width, config.speed_hidden), nn.SiLU(), nn.Linear(config.speed_hidden, 2, bias=False)
        )
        self.judgement_head: nn.Sequential | None = None
        if config.judgement_hidden:
            self.judgement_head = nn.Sequential(
                nn.Linear(width, config.judgement_hidden), nn.SiLU(), nn.Linear(config.judgement_hidden, SCORES)
            )
        self.register_buffer("image_mean", torch.tensor(IMAGE_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("image_std", torch.tensor(IMAGE_STD).view(1, 3, 1, 1), persistent=False)
        embeddings = self.vlm.vision_tower.embeddings
        for parameter in (embeddings.cls_token, embeddings.position_embeddings):  # transformers leaves both at zero
            nn.init.trunc_normal_(parameter, std=0.02)

    def tile_pixels(self, frames: Tensor) -> Tensor:
        """Normalised tiles (2 * B, 3, tile, tile) of ``frames`` (B, tile, 2 * tile, 3) uint8, left tile first.

        They are made in fp32 and then rounded to the type that vision runs in, as the published transform does (spec A.2).
        """
        count, tile = frames.shape[0], self.config.image.tile
        # Halves first, so that one axis alone moves: ONNX Runtime takes ten times as long for one permutation of all.
        halves = torch.stack((frames[:, :, :tile], frames[:, :, tile:]), dim=1)
        tiles = halves.reshape(count * 2, tile, tile, 3).permute(0, 3, 1, 2)
        pixels = (tiles.to(torch.float32) / 255.0 - self.image_mean) / self.image_std
        return pixels.to(self.vlm.vision_tower.embeddings.cls_token.dtype)

    def vision_tokens(self, frames: Tensor) -> Tensor:
        """Patch features of ``frames`` (B, tile, 2 * tile, 3) uint8: (B, 2, patches, vision width), left tile first."""
        hidden: Tensor = self.vlm.vision_tower(pixel_values=self.tile_pixels(frames)).last_hidden_state[:, 1:]
        return hidden.reshape(frames.shape[0], 2, hidden.shape[1], hidden.shape[2])

    def image_embeddings(self, vision: Tensor) -> Tensor:
        """Patch features to language-model inputs (B, image_tokens, D): pixel unshuffle and projector (spec A.3)."""
        count, tiles, patches, width = vision.shape
        side = round(patches**0.5)
        # Not transformers' pixel_shuffle: it computes with the ratio as a float, which fails for 1/3.
        edge = self.config.unshuffle
        grid = vision.reshape(count * tiles, side // edge, edge, side // edge, edge, width).transpose(2, 3)
        features: Tensor = self.vlm.multi_modal_projector(grid.reshape(count * tiles, -1, edge * edge * width))
        return features.reshape(count, -1, features.shape[-1])

    def prompt_embeddings(self, input_ids: Tensor, target_points: Tensor, image: Tensor) -> Tensor:
        """Token embeddings (N, L, D) with picture and target points spliced in.

        Args:
            input_ids: (N, L) token ids; placeholders may lie beyond the vocabulary.
            target_points: (N, 2, 2) m, ego frame.
            image: (N, image_tokens, D).
        """
        known = input_ids
        if self.config.added_tokens:  # placeholders have no embedding of their own: what is looked up is overwritten
            known = input_ids.clamp_max(self.config.language.vocab_size - 1)
        embeddings: Tensor = self.vlm.language_model.embed_tokens(known)
        context = (input_ids == self.image_context_id).unsqueeze(-1)
        embeddings = embeddings.masked_scatter(context, image)
        points = self.point_encoder(target_points.to(_type_of(self.point_encoder))).to(embeddings.dtype)
        first = (input_ids == self.target_point_id).unsqueeze(-1)
        order = first.cumsum(1)
        embeddings = torch.where(first & (order == 1), points[:, :1], embeddings)
        return torch.where(first & (order == 2), points[:, 1:], embeddings)

    def sequence_hidden(self, embeddings: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Final hidden states (N, L + 30, D) of the prompt (N, L, D) followed by 20 route and 10 speed queries.

        ``attention_mask`` (N, L): 1 for tokens, 0 for padding on the left; without it nothing is padded.
        """
        states, mask, positions = self._with_queries(embeddings, attention_mask)
        output = self.vlm.language_model(
            inputs_embeds=states, attention_mask=mask, position_ids=positions, use_cache=False
        )
        hidden: Tensor = output.last_hidden_state
        return hidden

    def _with_queries(
        self, embeddings: Tensor, attention_mask: Tensor | None
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """The prompt (N, L, D) followed by the queries, with mask and positions (N, L + 30) where anything is padded."""
        count = embeddings.shape[0]
        queries = torch.cat((self.route_queries, self.speed_queries), dim=1).expand(count, -1, -1)
        states = torch.cat((embeddings, queries), dim=1)
        if attention_mask is None:
            return states, None, None
        mask = torch.cat((attention_mask, attention_mask.new_ones(count, queries.shape[1])), dim=1)
        return states, mask, (mask.cumsum(1) - 1).clamp_min(0)

    def shared_hidden(self, embeddings: Tensor, attention_mask: Tensor, prompts: int, shared: int) -> Tensor:
        """The same as :meth:`sequence_hidden`, for ``prompts`` sequences a frame that begin with ``shared`` equal embeddings.

        What they share is computed once a frame, and gradients of all of them flow through it.

        Args:
            embeddings: (N, L, D), frame by frame.
            attention_mask: (N, L), 1 in the shared part.
            prompts: N is a multiple of it.
            shared: less than L; 0: nothing is shared.
        """
        if not shared or prompts == 1:
            return self.sequence_hidden(embeddings, attention_mask)
        first = self.vlm.language_model(inputs_embeds=embeddings[::prompts, :shared], use_cache=True)
        cache = first.past_key_values
        cache.batch_repeat_interleave(prompts)
        states, mask, positions = self._with_queries(embeddings, attention_mask)
        assert positions is not None  # there is a mask
        output = self.vlm.language_model(
            inputs_embeds=states[:, shared:],
            attention_mask=mask,
            position_ids=positions[:, shared:],
            past_key_values=cache,
            use_cache=True,
        )
        common = first.last_hidden_state.repeat_interleave(prompts, dim=0)
        return torch.cat((common, output.last_hidden_state), dim=1)

    def heads(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Path (N, 20, 2) and speed waypoints (N, 10, 2), sums of the heads' steps (spec A.7).

        ``hidden`` (N, >= 30, D) ends with the 30 query states; it is cast to the type of the heads' weights.
        """
        queries = hidden[:, -(PATH_POINTS + SPEED_WAYPOINTS) :].to(_type_of(self.route_head))
        route = self.route_head(queries[:, :PATH_POINTS]).cumsum(1)
        speed = self.speed_head(queries[:, PATH_POINTS:]).cumsum(1)
        return route, speed

    def judgement(self, hidden: Tensor) -> Tensor | None:
        """Scores (N, SCORES) of what becomes of the prompt's instruction, see :mod:`simlingo.model.judgement`.

        ``hidden`` (N, >= 1, D) ends with the last query's state, which has seen the prompt and all other queries. None: the
        network has no such head.
        """
        if self.judgement_head is None:
            return None
        scores: Tensor = self.judgement_head(hidden[:, -1].to(_type_of(self.judgement_head)))
        return scores

    def forward(self, frames: Tensor, input_ids: Tensor, target_points: Tensor) -> tuple[Tensor, Tensor]:
        """Plan for frames (B, tile, 2 * tile, 3) uint8, ids (B, L) and points (B, 2, 2): path and speed waypoints."""
        image = self.image_embeddings(self.vision_tokens(frames))
        return self.heads(self.sequence_hidden(self.prompt_embeddings(input_ids, target_points, image)))


def _type_of(part: nn.Module) -> torch.dtype:
    """Type of a part's weights: parts that handle metres may keep more precision than the rest."""
    return next(part.parameters()).dtype
