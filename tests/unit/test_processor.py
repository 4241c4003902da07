"""Driving and training ask a network in the same words, and show it the same pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from dataset_cases import write_dataset  # noqa: E402
from prompt_cases import navigation, tokenizers  # noqa: E402
from tiny_model import JUDGING, write_tiny_model  # noqa: E402

from simlingo.contracts import MODEL_CAMERA, CameraIntrinsics, Command, FloatArray, ImageArray, Observation  # noqa: E402
from simlingo.model.checkpoint import load_network  # noqa: E402
from simlingo.model.config import MINI, ImageConfig  # noqa: E402
from simlingo.model.driver import ModelPolicy, TextOptions  # noqa: E402
from simlingo.model.engine.backend import Outcome  # noqa: E402
from simlingo.model.engine.commentary_trigger import CommentaryMode  # noqa: E402
from simlingo.model.engine.torch_backend import TorchBackend  # noqa: E402
from simlingo.model.language_prompt import QUESTION_ANSWER_START, answer_with_plan, question_prompt  # noqa: E402
from simlingo.model.preprocess import model_image  # noqa: E402
from simlingo.model.processor import Processor, picture_key, picture_of  # noqa: E402
from simlingo.model.prompt import DRIVING_ANSWER, RouteAs, chat, chat_prefix, driving_prompt, open_chat  # noqa: E402
from simlingo.model.tokenizer import PromptTokenizer  # noqa: E402
from training.datasets.reader import open_dataset, read_row  # noqa: E402
from training.language.frame_facts import navigation_of  # noqa: E402
from training.trainer.batches import BatchMaker  # noqa: E402
from training.trainer.config import DataConfig, MixtureConfig, TrainConfig  # noqa: E402
from training.trainer.data import open_data  # noqa: E402


class Listening(TorchBackend):
    """Runs the network, and keeps what it was given."""

    def see(self, picture: ImageArray) -> Any:
        self.picture = picture
        return super().see(picture)

    def plan(self, image: Any, ids: list[int], target_points: FloatArray) -> Outcome:
        self.ids, self.points = ids, target_points
        return super().plan(image, ids, target_points)

    def read(self, image: Any, ids: list[int], target_points: FloatArray) -> Any:
        self.ids, self.points = ids, target_points
        return super().read(image, ids, target_points)


def test_driving_and_training_read_equal_ids_and_pixels_of_one_frame(tmp_path: Path) -> None:
    network, tokenizer = load_network(write_tiny_model(tmp_path, JUDGING, graphs=False))
    folder = write_dataset(tmp_path / "data", {"learn": 2, "check": 2})
    data = open_data([folder], [], tmp_path / "cache", network.config, DataConfig())
    config = TrainConfig(mixture=MixtureConfig(commentary=0.5, seed=1))
    batch = BatchMaker(data.train, Processor(network.config, tokenizer), config).plain(np.arange(4))
    shortest = int(batch["answer_mask"].sum(1).min())
    routes = {route.name: route for route in open_dataset([folder]).routes}
    route = routes[data.train.routes[0]]
    compared = set()
    for number in range(8):
        row, column = divmod(number, 2)
        frame = read_row(route, row, ["image"])["image"]
        told = data.train.labels["other_speed" if column else "speed"][row]
        seen = Observation(1, frame, MODEL_CAMERA, float(told), navigation_of(data.train.labels, row))
        ids = batch["input_ids"][number][batch["attention_mask"][number] > 0].tolist()
        speaks = int(batch["answer_mask"][number].sum()) > shortest
        backend = Listening(network)
        text = TextOptions(CommentaryMode.ALWAYS if speaks else CommentaryMode.NEVER, before_plan=speaks)
        policy = ModelPolicy(backend, tokenizer, list(RouteAs)[column], text)
        policy.plan(seen)
        policy.close()
        answer = int(batch["answer_mask"][number].sum())
        assert backend.ids == (ids[:-answer] if speaks else ids)
        np.testing.assert_array_equal(backend.picture, batch["frames"][row].numpy())
        np.testing.assert_array_equal(backend.points.astype(np.float32), batch["target_points"][number].numpy())
        compared.add((column, speaks))
    assert len(compared) == 4, "both ways to tell the route, with and without words"


def pair(tokenizer: PromptTokenizer) -> tuple[Processor, int]:
    processor = Processor(MINI, tokenizer)
    return processor, MINI.image_tokens


@pytest.mark.parametrize("tokenizer", tokenizers(), ids=["mini", "like the published"])
@pytest.mark.parametrize("route_as", RouteAs)
def test_ids_are_those_of_the_whole_chat(tokenizer: PromptTokenizer, route_as: RouteAs) -> None:
    processor, count = pair(tokenizer)
    encode, told = tokenizer.encode, navigation(Command.LEFT)
    here = processor.situation(5.25, told, route_as)
    plan = processor.plan(here)
    assert plan.ids == encode(chat(driving_prompt(5.25, told, route_as), DRIVING_ANSWER, count))
    assert plan.ids[: -plan.answer] == encode(open_chat(driving_prompt(5.25, told, route_as), count))
    assert plan.ids[: plan.shared] == encode(chat_prefix(here, count))
    assert plan.request == plan.ids[plan.shared :]
    asked, answered = processor.commentary(here), processor.commentary(here, "Go on.")
    assert asked.answer == 0
    assert answered.ids[: -answered.answer] == asked.ids
    assert answered.ids == encode(chat(f"{here} What should the ego do next?", answer_with_plan("Go on."), count))
    assert asked.ids[: asked.shared] == plan.ids[: plan.shared]
    assert processor.commentary_text(answered.ids[-answered.answer :]) == "Go on."


@pytest.mark.parametrize("tokenizer", tokenizers(), ids=["mini", "like the published"])
def test_a_question_begins_its_answer_and_knows_no_situation(tokenizer: PromptTokenizer) -> None:
    processor, count = pair(tokenizer)
    asked = processor.question("Is it red?")
    assert asked.ids == tokenizer.encode(open_chat(question_prompt("", "Is it red?"), count, QUESTION_ANSWER_START))
    assert asked.ids[: asked.shared] == tokenizer.encode(chat_prefix("", count))
    assert asked.answer == 0
    assert processor.text(tokenizer.encode(" yes ")) == "yes"


def test_special_ids_are_the_tokenizers() -> None:
    tokenizer = tokenizers()[0]
    processor = Processor(MINI, tokenizer)
    assert processor.pad == tokenizer.vocabulary["<|endoftext|>"]
    assert processor.end_of_turn == tokenizer.vocabulary["<|im_end|>"]


def test_the_distance_told_is_the_one_that_the_weights_learned() -> None:
    tokenizer = tokenizers()[0]
    told = replace(navigation(Command.LEFT, distance=23.9), target_points=np.array([[10.0, 1.0], [30.0, 0.0]]))
    along, straight = (
        Processor(replace(MINI, distance_to_first_point=first), tokenizer).situation(1.0, told, RouteAs.COMMAND)
        for first in (False, True)
    )
    assert "in 23 meter" in along
    assert "in 10 meter" in straight


def changed_images() -> Sequence[ImageConfig]:
    image = MINI.image
    return (
        replace(image, tile=96),
        replace(image, crop_top=71),
        replace(image, crop_bottom=359),
        replace(image, jpeg_round_trip=True),
    )


def test_the_key_of_pictures_changes_with_all_that_they_depend_on() -> None:
    keys = {picture_key(image) for image in (MINI.image, *changed_images())}
    assert len(keys) == 5
    processor = Processor(replace(MINI, name="other", speaks=True), tokenizers()[0])
    assert processor.key() == picture_key(MINI.image), "what does not touch the pixels keeps the cache"


def test_a_picture_is_the_models_view_of_another_camera_too() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (512, 1024, 3), dtype=np.uint8)
    processor = Processor(MINI, tokenizers()[0])
    np.testing.assert_array_equal(processor.picture(frame), model_image(frame, MINI.image))
    wider = CameraIntrinsics.from_field_of_view(1280, 720, 120.0)
    other = np.random.default_rng(1).integers(0, 256, (720, 1280, 3), dtype=np.uint8)
    np.testing.assert_array_equal(processor.picture(other, wider), picture_of(other, MINI.image, wider))
    assert processor.picture(other, wider).shape == (192, 384, 3)
