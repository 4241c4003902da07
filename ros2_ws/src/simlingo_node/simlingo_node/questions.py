"""The service ``/simlingo/ask``: questions about the newest frame, beside the plans."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import MultiThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from simlingo_msgs.srv import Ask

from simlingo.contracts import Answer
from simlingo.policy import ANSWER_WITHIN_S
from simlingo_node.conversions import ns_to_stamp

#: So many questions are answered or wait at once; the model answers them one after the other.
MOST_WAITING = 4
#: Threads beyond those that wait, so that there is always one to refuse.
_SPARE_THREADS = 2
#: Requests that may come at once without one being lost on the way here.
_DEPTH = 512


class Questions:
    """Serves questions on threads and a node of its own: whoever waits for an answer holds no plan up.

    Args:
        parent: the node that drives; the service's node is named after it.
        ask: gives the answer within so many seconds; may block.
        refusal: why nothing can be asked now; empty: it can.
        model: name of the model that answers.
    """

    def __init__(
        self, parent: Node, ask: Callable[[str, float], Answer], refusal: Callable[[], str], model: str
    ) -> None:
        self._ask, self._refusal, self._model = ask, refusal, model
        self._lock = threading.Lock()
        self._waiting = 0
        self._node = Node(
            f"{parent.get_name()}_questions",
            context=parent.context,
            use_global_arguments=False,  # the process's node name is the parent's
            enable_rosout=False,
            start_parameter_services=False,
        )
        self._service = self._node.create_service(
            Ask,
            "/simlingo/ask",
            self._on_question,
            qos_profile=QoSProfile(depth=_DEPTH),
            callback_group=ReentrantCallbackGroup(),
        )
        self._executor = MultiThreadedExecutor(MOST_WAITING + _SPARE_THREADS, context=parent.context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._executor.spin, name="questions", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Serve no more; who still waits is answered by the model's end."""
        self._executor.shutdown(timeout_sec=0.2)
        self._thread.join(timeout=0.5)
        self._node.destroy_node()

    def _on_question(self, request: Ask.Request, response: Ask.Response) -> Ask.Response:
        """Exactly one of answer and error."""
        answer = self._answer(request)
        response.answer, response.error = answer.text or "", answer.error or ""
        if answer.text is not None and not answer.text:
            response.error = "the model has said nothing; ask in other words"
        if not response.error:
            response.stamp = ns_to_stamp(answer.stamp)
        response.model = self._model
        return response

    def _answer(self, request: Ask.Request) -> Answer:
        if reason := self._refusal():
            return Answer(error=reason)
        with self._lock:
            if self._waiting >= MOST_WAITING:
                return Answer(error=f"{MOST_WAITING} questions wait already; ask again when they are answered")
            self._waiting += 1
        try:
            within_s = request.deadline_s if request.deadline_s > 0.0 else ANSWER_WITHIN_S
            return self._ask(request.question, min(within_s, ANSWER_WITHIN_S))
        finally:
            with self._lock:
                self._waiting -= 1
