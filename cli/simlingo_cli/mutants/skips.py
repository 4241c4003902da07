"""What is not mutated, since no test of behaviour could or should notice: words, types, declarations."""

from __future__ import annotations

import ast

#: Methods of loggers and of the warnings module.
_LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical", "log", "warn"}
_LOGGERS = {"log", "logger", "logging", "warnings", "_log", "_logger"}
#: Keyword arguments that are words for a reader, or checks and courtesies of the standard library:
#: ``zip(strict=True)`` only fails in wrong programs, ``flush`` and ``daemon`` change no result.
_QUIET_KEYWORDS = {"help", "description", "epilog", "metavar", "prog", "desc", "strict", "flush", "daemon"}
#: Calls whose two arguments may stand in any order, or whose swap no program survives.
_NO_SWAP = {"min", "max", "hypot", "isclose", "maximum", "minimum", "isinstance", "issubclass", "cast", "add", "gcd"}


def is_words(node: ast.AST) -> bool:
    """Whether ``node`` and all below it is text for a reader, or a statement for the type checker."""
    if isinstance(node, ast.JoinedStr | ast.Assert | ast.Import | ast.ImportFrom | ast.Global | ast.Nonlocal):
        return True
    if isinstance(node, ast.Call):
        return is_talk(node)
    if isinstance(node, ast.If):
        words = ast.unparse(node.test)
        return "TYPE_CHECKING" in words or words.replace('"', "'") == "__name__ == '__main__'"
    if isinstance(node, ast.Assign):
        return any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets)
    if isinstance(node, ast.FunctionDef):
        return node.name == "__repr__"
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) or (isinstance(node.value, ast.Call) and is_talk(node.value))
    return isinstance(node, ast.keyword) and node.arg in _QUIET_KEYWORDS


def is_talk(call: ast.Call) -> bool:
    """Whether a call prints or logs."""
    function = call.func
    if isinstance(function, ast.Name):
        return function.id == "print"
    if isinstance(function, ast.Attribute) and function.attr in _LOG_METHODS:
        owner = function.value
        name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
        return name in _LOGGERS
    return False


def may_swap(call: ast.Call) -> bool:
    """Whether swapped arguments of a call can be a fault that a test has to find."""
    function = call.func
    name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
    return name not in _NO_SWAP


def is_text_sum(node: ast.BinOp) -> bool:
    """Whether an operation joins strings or paths: any other operator is an error there, which proves nothing."""
    sides = (node.left, node.right)
    if any(isinstance(side, ast.JoinedStr) for side in sides):
        return True
    return any(isinstance(side, ast.Constant) and isinstance(side.value, str | bytes) for side in sides)
