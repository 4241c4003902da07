"""What turns an observation and a request into the picture and the token ids that a network reads.

Driving, training and benchmarks share it, so that a network is asked in the words and sees the pixels that it learned with.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass

from simlingo.contracts import MODEL_CAMERA, CameraIntrinsics, ImageArray, Navigation
from simlingo.model.camera import to_model_camera
from simlingo.model.config import ImageConfig, ModelConfig
from simlingo.model.language_prompt import (
    FOLLOWING_ANSWER,
    QUESTION_ANSWER_START,
    InstructionFlag,
    answer_with_plan,
    commentary_as_command_prompt,
    commentary_given_prompt,
    commentary_prompt,
    instruction_prompt,
    question_answer,
    question_prompt,
)
from simlingo.model.plain_words import plain_words
from simlingo.model.preprocess import model_image
from simlingo.model.prompt import (
    DRIVING_ANSWER,
    PAD,
    TURN_END,
    RouteAs,
    chat_prefix,
    navigation_text,
    open_chat,
    planning_prompt,
    situation,
)
from simlingo.model.tokenizer import PromptTokenizer
from simlingo.model.user_text import MAX_TEXT_BYTES

#: Raised whenever :func:`picture_of` gives other pixels of the same frame and configuration; caches follow it.
PICTURE_VERSION = 1


def picture_of(frame: ImageArray, image: ImageConfig, intrinsics: CameraIntrinsics = MODEL_CAMERA) -> ImageArray:
    """The picture (tile, 2 * tile, 3) uint8 that a network with ``image`` sees of a camera frame (H, W, 3) uint8 RGB.

    Raises:
        InvalidInputError: frame and intrinsics disagree, or the view is narrower than the model's camera's.
    """
    return model_image(to_model_camera(frame, intrinsics), image)


def picture_key(image: ImageConfig) -> str:
    """SHA-256 of all that :func:`picture_of` depends on beside the frame; a cache of pictures is good for one key."""
    camera = dataclasses.asdict(MODEL_CAMERA)
    fixed = {"version": PICTURE_VERSION, "camera": camera, "image": dataclasses.asdict(image)}
    return hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class PromptIds:
    """One chat as token ids."""

    ids: list[int]
    shared: int  # how many leading ids all chats about the same situation have in common
    answer: int = 0  # how many ids at the end are the answer; 0: the model goes on itself

    @property
    def request(self) -> list[int]:
        """The ids behind the shared ones."""
        return self.ids[self.shared :]


class Processor:
    """Pictures and prompts of one network; may be used from several threads."""

    def __init__(self, config: ModelConfig, tokenizer: PromptTokenizer) -> None:
        self.config = config
        self.tokenizer = tokenizer
        self.pad: int = tokenizer.encode(PAD)[0]
        self.end_of_turn: int = tokenizer.encode(TURN_END)[0]
        self.following: list[int] = tokenizer.encode(FOLLOWING_ANSWER)  # what a model says to what it obeys

    def key(self) -> str:
        """See :func:`picture_key`."""
        return picture_key(self.config.image)

    def picture(self, frame: ImageArray, intrinsics: CameraIntrinsics = MODEL_CAMERA) -> ImageArray:
        """See :func:`picture_of`."""
        return picture_of(frame, self.config.image, intrinsics)

    def situation(self, speed_mps: float, navigation: Navigation, route_as: RouteAs) -> str:
        """What all prompts of one instant begin with.

        Raises:
            InvalidInputError: speed, or the distance to a command that is told, is not finite.
        """
        return situation(speed_mps, navigation_text(navigation, route_as, self.config.distance_to_first_point))

    def plan(self, here: str) -> PromptIds:
        """Asks for a plan in the situation ``here`` and holds the fixed answer."""
        return self._chat(here, planning_prompt(here), DRIVING_ANSWER + TURN_END)

    def commentary(self, here: str, words: str | None = None) -> PromptIds:
        """Asks for words before the plan; with ``words``, they and the plan's own word are the answer."""
        answer = "" if words is None else answer_with_plan(words) + TURN_END
        return self._chat(here, commentary_prompt(here), answer)

    def commentary_given(self, here: str, words: str) -> PromptIds:
        """Asks for the plan that fits a commentary, and holds the fixed answer."""
        return self._chat(here, commentary_given_prompt(here, words), DRIVING_ANSWER + TURN_END)

    def commentary_as_command(self, speed_mps: float, words: str) -> PromptIds:
        """Asks for a plan with a commentary in the route's place, and holds the fixed answer."""
        prompt = commentary_as_command_prompt(speed_mps, words)
        return self._chat(situation(speed_mps), prompt, DRIVING_ANSWER + TURN_END)

    def instruction(
        self, here: str, words: str, flag: InstructionFlag, answer: str | None = FOLLOWING_ANSWER
    ) -> PromptIds:
        """Asks for a plan that obeys ``words``, and holds the ``answer`` of one that does; None: the model goes on itself.

        Raises:
            InvalidInputError: the words are empty, no text, or too long.
        """
        prompt = instruction_prompt(here, self._read(words), flag)
        return self._chat(f"{flag.value} {here}", prompt, "" if answer is None else answer + TURN_END)

    def question(self, question: str, here: str = "", answer: str | None = None) -> PromptIds:
        """Asks about the scene, with the beginning of the answer, which is part of the request.

        Args:
            question: in words.
            here: the situation; without it, of the request alone, which follows on the situation of any other chat.
            answer: what the model shall say; None: it goes on itself.

        Raises:
            InvalidInputError: question or answer is empty, no text, or too long.
        """
        said = "" if answer is None else question_answer(answer).removeprefix(QUESTION_ANSWER_START) + TURN_END
        return self._chat(here, question_prompt(here, self._read(question)), said, QUESTION_ANSWER_START)

    def _read(self, words: str) -> str:
        """What somebody said, as this network reads it; what is refused as too long anyway costs no time here."""
        return plain_words(words) if self.config.plain_words and len(words) <= MAX_TEXT_BYTES else words

    def commentary_text(self, ids: list[int]) -> str:
        """The words of a commentary that the model said, without the plan's own word at its end."""
        return self.tokenizer.decode(ids).strip().removesuffix(DRIVING_ANSWER).strip()

    def text(self, ids: list[int]) -> str:
        """The words of any other answer."""
        return self.tokenizer.decode(ids).strip()

    def _chat(self, here: str, prompt: str, answer: str = "", answer_start: str = "") -> PromptIds:
        """Prefix, request and answer meet at borders between tokens, so each is encoded on its own."""
        encode, count = self.tokenizer.encode, self.config.image_tokens
        prefix = chat_prefix(here, count)
        shared = encode(prefix)
        request = encode(open_chat(prompt, count, answer_start).removeprefix(prefix))
        answered = encode(answer) if answer else []
        return PromptIds([*shared, *request, *answered], len(shared), len(answered))
