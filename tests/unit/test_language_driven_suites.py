"""What the driven suites hand back: the keys of the report, plain data, tables; of a journal in which every drive has ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simlingo.contracts import InvalidInputError
from training.evaluation.journal import LineJournal
from training.evaluation.language.suite import Context, Subject, SuiteResult
from training.evaluation.language.suites import SUITES, suite
from training.language.phrases_file import read_phrases

pytestmark = pytest.mark.medium
EXPERT = Subject("expert", "expert")
OTHER = Subject("weights before", "expert", grey=True)
#: Keys that the report promises.
KEYS = {
    "words-64": {"n", "driving_score"},
    "words-counterfactual": {"paraphrase", "ambiguity", "noise", "misleading"},
    "speed-48": {"n", "adherence"},
    "command": {"n", "success"},
    "refuse": {"n", "refused", "falsely_refused", "caused"},
}
FULL = {"words-64": 64, "words-counterfactual": 24, "speed-48": 48, "command": 104, "refuse": 260}
QUICK = {"words-64": 2, "words-counterfactual": 1, "speed-48": 4, "command": 6, "refuse": 7}


class Ended(dict[str, Any]):
    """Holds the record of every drive there could be."""

    def __contains__(self, key: object) -> bool:
        return True

    def __getitem__(self, key: str) -> Any:
        said = [{"text": "x", "states": ["accepted", "obeying"], "reason": "", "to_do": True}]
        words, name, *_ = key.split()
        if words == "words":
            group = name.split("-")[0]
            return {"route": name, "group": group, "driving_score": 90.0, "route_completion": 100.0, "said": said}
        if words == "speed":
            return {"adherence": 0.9, "from_the_words": 0.7, "metres": 30.0, "held_back_m": 3.0, "held_out": False}
        if words == "command":
            return {"command": name, "success": name != "overtake", "hits": 0, "held_out": True}
        return {"text": "x", "category": name, "infractions": [], "trace": [(0.0, 0.0)], "said": said}


class Bars:
    def begin(self, what: str, total: int) -> Any:
        return lambda steps: None


def run(name: str, folder: Path, **changes: Any) -> SuiteResult:
    journal = LineJournal(None, {})
    journal.kept = Ended()
    return suite(name)(Context(EXPERT, folder, journal, Bars(), **changes))


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("quick", [False, True])
def test_a_suite_gives_its_keys_as_plain_data(name: str, quick: bool, tmp_path: Path) -> None:
    result = run(name, tmp_path, quick=quick, baselines=(OTHER,))
    assert KEYS[name] <= set(result.figures)
    assert result.figures["n"] == (QUICK if quick else FULL)[name]
    assert set(result.intervals) <= set(result.figures)
    assert set(result.baselines) == {"weights before"}
    assert result.baselines["weights before"] == result.figures
    for table in result.tables:
        assert "embedded world" in table.title
        assert all(len(row) == len(table.columns) for row in table.rows)
    json.dumps(
        [result.figures, result.intervals, result.baselines, result.details, [list(t.rows) for t in result.tables]]
    )


def test_the_suites_of_this_file_are_registered() -> None:
    assert set(KEYS) <= set(SUITES)


@pytest.mark.parametrize("name", ["speed-48", "command", "refuse"])
def test_a_file_of_sentences_that_lacks_a_kind_is_refused_before_anything_is_driven(name: str, tmp_path: Path) -> None:
    file = tmp_path / "phrases.tsv"
    file.write_text("go\tOff you go\n", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="phrases file has no sentence of kind"):
        run(name, tmp_path, phrases=read_phrases(file))


def test_with_a_file_of_sentences_all_trials_are_said_in_them(tmp_path: Path) -> None:
    file = tmp_path / "phrases.tsv"
    file.write_text("target_speed\tShow me {speed} {unit}\n", encoding="utf-8")
    result = run("speed-48", tmp_path, phrases=read_phrases(file))
    assert result.figures["n"] == 48
