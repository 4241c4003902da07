"""Declared parameters: each with a type, a range or choices and a description, read again whenever it changes."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from simlingo.contracts import InvalidInputError

Value = bool | int | float | str | list[str]
#: Parameters that rclpy declares itself.
_BUILT_IN = ("use_sim_time", "start_type_description_service", "qos_overrides.")


@dataclass(frozen=True)
class Parameter:
    """One parameter of a node; its type is that of ``default``."""

    name: str
    default: Value
    description: str  # with the unit
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    fixed: bool = False  # read once, when the node is configured; a change later is rejected

    def problem(self, value: Any) -> str | None:
        """Why ``value`` is not allowed; ``None`` when it is."""
        if self.choices and value not in self.choices:
            close = difflib.get_close_matches(str(value), self.choices, n=1)
            hint = f"; did you mean '{close[0]}'?" if close else ""
            return f"parameter '{self.name}' is '{value}', but must be one of {', '.join(self.choices)}{hint}"
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return None
        low, high = self.minimum, self.maximum
        if not (low is None or value >= low) or not (high is None or value <= high) or value != value:
            return f"parameter '{self.name}' is {value}, but must lie in [{low}, {high}]"
        return None

    def descriptor(self) -> ParameterDescriptor:
        """The description that ``ros2 param describe`` shows."""
        text = self.description + (f" One of: {', '.join(self.choices)}." if self.choices else "")
        descriptor = ParameterDescriptor(description=text)
        low, high = self.minimum, self.maximum
        if low is not None and high is not None:
            if isinstance(self.default, float):
                descriptor.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high))]
            else:
                descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
        return descriptor


class Parameters:
    """The parameters of one node as attributes: ``parameters["name"]`` is always the current value."""

    def __init__(self, node: Node, declared: Sequence[Parameter]) -> None:
        """Declare all and take the values given at start.

        Raises:
            InvalidInputError: an unknown parameter was given, or a value of wrong type or range.
        """
        self._by_name = {parameter.name: parameter for parameter in declared}
        self._values: dict[str, Any] = {}
        self._listeners: list[Callable[[], None]] = []
        self.frozen = False
        _reject_unknown(node, list(self._by_name))
        for parameter in declared:
            self._values[parameter.name] = _declare(node, parameter)
        node.add_on_set_parameters_callback(self._on_set)

    def __getitem__(self, name: str) -> Any:
        """Current value of a declared parameter."""
        return self._values[name]

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after every accepted change."""
        self._listeners.append(listener)

    def _on_set(self, changes: list[RosParameter]) -> SetParametersResult:
        for change in changes:
            parameter = self._by_name.get(change.name)
            if parameter is None:
                continue
            problem = parameter.problem(change.value)
            if problem is None and parameter.fixed and self.frozen:
                problem = (
                    f"parameter '{change.name}' is read at configuration: clean the node up and configure it again"
                )
            if problem is not None:
                return SetParametersResult(successful=False, reason=problem)
        self._values.update({change.name: change.value for change in changes if change.name in self._by_name})
        for listener in self._listeners:
            listener()
        return SetParametersResult(successful=True)


def _declare(node: Node, parameter: Parameter) -> Any:
    try:
        value = node.declare_parameter(parameter.name, parameter.default, parameter.descriptor()).value
    except Exception as error:  # rclpy's kinds of error differ between distributions; all mean a bad value
        raise InvalidInputError(f"parameter '{parameter.name}' was given a wrong value: {error}") from error
    problem = parameter.problem(value)
    if problem is not None:
        raise InvalidInputError(problem)
    return value


def _reject_unknown(node: Node, known: list[str]) -> None:
    """ROS ignores overrides of undeclared parameters silently; a misspelt one must not pass."""
    for name in node._parameter_overrides:
        if name in known or name.startswith(_BUILT_IN):
            continue
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"known are: {', '.join(sorted(known))}"
        raise InvalidInputError(f"node '{node.get_name()}' has no parameter '{name}'; {hint}")
