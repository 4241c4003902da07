"""The faults of the mutation run: what each operator makes of a line, and what stays as it is."""

from __future__ import annotations

import textwrap

import pytest

from simlingo_cli.mutants.finding import mutants_of
from simlingo_cli.mutants.mutant import Mutant
from simlingo_cli.mutants.sampling import sample


def mutants(source: str) -> list[Mutant]:
    return mutants_of("folder/file.py", textwrap.dedent(source).encode())


def changed(line: str, operator: str, head: str = "def f(a, b, c):\n    a = 1.5\n    ") -> list[str]:
    """A function's last line, as each mutant of one operator writes it."""
    source = f"{head}{line}\n"
    return [
        mutant.apply(source.encode()).decode().splitlines()[-1].strip()
        for mutant in mutants_of("f.py", source.encode())
        if mutant.operator == operator and mutant.line == source.count("\n")
    ]


@pytest.mark.parametrize(
    ("line", "operator", "expected"),
    [
        ("return a < b", "compare", ["return a <= b", "return a >= b"]),
        ("return a <= b", "compare", ["return a < b", "return a > b"]),
        ("return (a) > (b)", "compare", ["return (a) >= (b)", "return (a) <= (b)"]),
        ("f(0 <= a < b)", "compare", ["f(0 < a < b)", "f(0 > a < b)", "f(0 <= a <= b)", "f(0 <= a >= b)"]),
        ("return a == b", "compare", ["return a != b"]),
        ("return a is not None", "compare", ["return a is None"]),
        ("return a not in b", "compare", ["return a in b"]),
        ("return a + b - c", "arithmetic", ["return a - b - c", "return a + b + c"]),
        ("return a * b", "arithmetic", ["return a / b"]),
        ("return a // b", "arithmetic", ["return a * b"]),
        ("return a ** b", "arithmetic", ["return a * b"]),
        ("b += c", "arithmetic", ["b -= c", "b = c"]),
        ("return -a", "sign", ["return a"]),
        ("return not a", "boolean", ["return a"]),
        ("return a and b or c", "boolean", ["return a or b or c", "return a and b and c"]),
        ("return f(x=True)", "boolean", ["return f(x=False)"]),
        ("return 3", "constant", ["return 4", "return 2"]),
        ("return 0", "constant", ["return 1", "return (-1)"]),
        ("return 0.5", "constant", ["return 0.75", "return 0.25"]),
        ("return 0.0", "constant", ["return 1.0"]),
        ("return b if a else c", "condition", ["return b if not (a) else c"]),
        ("return [x for x in b if x or a]", "condition", ["return [x for x in b if not (x or a)]"]),
        ("return f(a, b, c)", "arguments", ["return f(b, a, c)", "return f(a, c, b)"]),
        ("return f(a, a)", "arguments", []),
        ("return max(a, b)", "arguments", []),
        ("return f(*a, b)", "arguments", []),
        ("return a", "deletion", ["pass"]),
        ("return None", "deletion", []),
        ("b.append(c)", "deletion", ["pass"]),
        ("b.value = c", "deletion", ["pass"]),
        ("b[0] = c", "deletion", ["pass"]),
        ("a = c", "deletion", ["pass"]),
        ("new = c", "deletion", []),
        ("raise ValueError(3, a)", "deletion", ["pass"]),
    ],
)  # fmt: skip
def test_what_an_operator_makes_of_a_line(line: str, operator: str, expected: list[str]) -> None:
    assert changed(line, operator) == expected


@pytest.mark.parametrize(
    "source",
    [
        '"""Words, 3 of them."""',
        "import a.b\nfrom c import d",
        "x: int | None",
        "def f(a: int | None = None) -> list[int]: ...",
        '__all__ = ["a"] * 3',
        "if TYPE_CHECKING:\n    x = 3",
        "if __name__ == '__main__':\n    x = 3",
        "def f():\n    print(3, 4)\n    log.info('x', 3)\n    self._logger.warning('x', 4)",
        "def f(a):\n    x = f'{a + 1:.3f}'",
        "def f(a):\n    assert a is not None",
        "class A:\n    def __repr__(self):\n        return str(3)",
        "def f(p):\n    x = p(help='three' * 3)",
        "def f(a):\n    x = 'm' + a",
        "def f(a):\n    x = a / 'name'",
        "@dataclass(frozen=True)\nclass A:\n    x: int",
        "Pair = int | str",
        "def f(a, b):\n    x = zip(a, strict=True)",
    ],
)
def test_words_types_and_declarations_stay(source: str) -> None:
    assert [(mutant.operator, mutant.change) for mutant in mutants(source)] == []


def test_a_condition_of_one_comparison_is_turned_by_the_comparison_alone() -> None:
    found = {(mutant.operator, mutant.after) for mutant in mutants("def f(a):\n    if a < a.b:\n        a.c()\n")}
    assert found == {("compare", "<="), ("compare", ">="), ("deletion", "pass")}
    assert ("condition", "not (a)") in {(m.operator, m.after) for m in mutants("def f(a):\n    if a:\n        a.c()\n")}


def test_every_mutant_of_a_file_is_another_program_with_the_lines_of_the_first() -> None:
    source = textwrap.dedent("""
        LIMIT = 3  # ä
        class A:
            size: float = 2.5
            def f(self, x, n=4):
                self.g(
                    x,
                    -n,
                )
                while x > LIMIT and n:
                    x -= 1
                return x
    """)
    data = source.encode()
    found = mutants_of("a.py", data)
    texts = {mutant.apply(data) for mutant in found}
    assert len(texts) == len(found) > 15
    for mutant in found:
        faulty = mutant.apply(data).decode()
        compile(faulty, "a.py", "exec")
        assert len(faulty.splitlines()) == len(source.splitlines())
        assert source.splitlines()[mutant.line - 1].strip() == mutant.text
    assert len({mutant.key for mutant in found}) == len(found)


def test_where_a_mutant_runs() -> None:
    found = mutants("""
        LIMIT, OTHER = 3, "x"
        class A:
            size: float = 2.5
            def f(self, x, n=7):
                if x:
                    self.g(
                        x + 5)
                return x
    """)
    by = {mutant.before: mutant for mutant in found}
    assert (by["3"].function, by["3"].lines, by["3"].names) == ("<module>", (0, 0), ("LIMIT", "OTHER"))
    assert (by["2.5"].function, by["2.5"].lines, by["2.5"].names) == ("A", (0, 0), ("size",))
    assert (by["7"].function, by["7"].lines) == ("A.f", (6, 9))
    assert by["x"].lines == (6, 6)
    assert (by["5"].line, by["5"].lines) == (8, (7, 8))


def test_a_key_survives_that_lines_move_and_tells_equal_lines_apart() -> None:
    first = mutants("def f(a):\n    a.b(3)\n    a.b(3)\n")
    moved = mutants("import x\n\n\ndef f(a):\n    a.b(3)\n    a.b(3)\n")
    assert [mutant.key for mutant in first] == [mutant.key for mutant in moved]
    assert len({mutant.key for mutant in first}) == len(first)
    assert {mutant.nth for mutant in first} == {0, 1}


def test_a_sample_is_the_seeds_and_hardly_changes_with_the_code() -> None:
    body = "".join(f"    x.m{number}({number})\n" for number in range(100))
    many = mutants(f"def f(x):\n{body}")
    more = mutants(f"def f(x):\n    x.new(1000)\n{body}")
    chosen = sample(many, 60, seed=1)
    assert len(chosen) == 60
    assert [mutant.start for mutant in chosen] == sorted(mutant.start for mutant in chosen)
    assert sample(many, 60, seed=1) == chosen
    assert sample(many, 60, seed=2) != chosen
    assert sample(many, None, seed=1) == many
    same = {mutant.key for mutant in chosen} & {mutant.key for mutant in sample(more, 60, seed=1)}
    assert len(same) >= 57
