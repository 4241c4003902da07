"""The shipped small model as a Policy: one ONNX graph on ONNX Runtime, no torch."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import onnxruntime

from simlingo.contracts import (
    PATH_POINTS,
    SPEED_WAYPOINTS,
    Answer,
    DrivingPlan,
    Instruction,
    InvalidInputError,
    Observation,
)
from simlingo.model.camera import to_model_camera
from simlingo.model.config import ModelConfig
from simlingo.model.folder import CONFIG_FILE, GRAPH_FILE, TOKENIZER_FILE, fingerprint
from simlingo.model.preprocess import model_image
from simlingo.model.prompt import DRIVING_ANSWER, RouteAs, chat, driving_prompt
from simlingo.model.tokenizer import PromptTokenizer


class MiniPolicy:
    """Plans with the graph of a model folder.

    Args:
        folder: the model folder.
        threads: CPU threads of the network.
        route_as: whether target points or the command's words tell the route.

    Raises:
        InvalidInputError: a file is missing, damaged or of another model.
    """

    def __init__(self, folder: Path, threads: int = 2, route_as: RouteAs = RouteAs.TARGET_POINT) -> None:
        self.config = ModelConfig.load(folder / CONFIG_FILE)
        self.name = self.config.name
        self._tokenizer = PromptTokenizer.load(folder / TOKENIZER_FILE)
        self._session = _open_graph(folder, threads)
        self._route_as = route_as
        self._instruction: Instruction | None = None

    def reset(self) -> None:
        """Nothing is remembered between plans but the instruction, which a new route clears."""
        self._instruction = None

    def plan(self, observation: Observation) -> DrivingPlan:
        """One pass of the network; see :class:`simlingo.policy.Policy`."""
        begin = time.perf_counter()
        navigation = observation.navigation
        if not (np.isfinite(observation.speed) and np.isfinite(navigation.target_points).all()):
            raise InvalidInputError("speed or target points are not finite; check odometry and route")
        frame = model_image(to_model_camera(observation.image, observation.intrinsics), self.config.image)
        prompt = driving_prompt(observation.speed, navigation, self._route_as)
        ids = self._tokenizer.encode(chat(prompt, DRIVING_ANSWER, self.config.image_tokens))
        prepared = time.perf_counter()
        path, speed = self._session.run(
            None,
            {
                "frame": frame[None],
                "input_ids": np.asarray([ids], dtype=np.int64),
                "target_points": navigation.target_points[None].astype(np.float32),
            },
        )
        done = time.perf_counter()
        instruction = self._instruction
        return DrivingPlan(
            stamp=observation.stamp,
            path=_points(path, PATH_POINTS),
            speed_waypoints=_points(speed, SPEED_WAYPOINTS),
            instruction_id=instruction.id if instruction else "",
            timing={"preprocess": prepared - begin, "network": done - prepared},
        )

    def set_instruction(self, instruction: Instruction | None) -> None:
        """The route carries a navigation instruction out; plans name it."""
        self._instruction = instruction

    def ask(self, question: str) -> Answer:
        """This model was trained to drive only."""
        return Answer(error=f"{self.name} was not trained to answer questions")


def _points(values: np.ndarray, count: int) -> np.ndarray:
    points = np.asarray(values[0], dtype=np.float64)
    if points.shape != (count, 2) or not np.isfinite(points).all():
        raise InvalidInputError("the network's answer is not finite; the weights are damaged")
    return points


def _open_graph(folder: Path, threads: int) -> onnxruntime.InferenceSession:
    path = folder / GRAPH_FILE
    if not path.is_file():
        raise InvalidInputError(f"model file {path} is missing; copy the whole model folder again")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that spin between two plans take the cores from camera and controller.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no base class
        raise InvalidInputError(f"model file {path} is damaged ({error}); copy the whole model folder again") from error
    carried = session.get_modelmeta().custom_metadata_map.get("fingerprint")
    if carried != fingerprint(folder):
        raise InvalidInputError(f"{path} was exported for another configuration or tokenizer; export the model again")
    return session
