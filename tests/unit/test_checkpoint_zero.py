"""DeepSpeed ZeRO-2 directories: put together, checked, and never executed."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from checkpoint_cases import LANGUAGE, random_network  # noqa: E402
from checkpoint_runs import Call, assert_same_plan, calls, hydra, with_ids, write_zero2  # noqa: E402

from simlingo.contracts import InvalidInputError  # noqa: E402
from simlingo.model.checkpoints.build import network_of  # noqa: E402
from simlingo.model.checkpoints.reader import open_checkpoint  # noqa: E402
from simlingo.model.checkpoints.torch_file import StandIn, read_training_file  # noqa: E402
from simlingo.model.checkpoints.zero import read_zero2  # noqa: E402
from simlingo.model.network import SimLingoNetwork  # noqa: E402


@pytest.fixture(scope="module")
def network() -> SimLingoNetwork:
    return random_network()


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_zero2_pieces_are_put_together(
    network: SimLingoNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    run = tmp_path / "run"
    wanted = write_zero2(run / "checkpoints/epoch=001.ckpt", network, processes)
    hydra(run, monkeypatch)
    checkpoint = open_checkpoint(run)  # the run's folder: it holds one checkpoint
    assert checkpoint.source.kind.value == "zero2"
    assert checkpoint.stored_keys == len(wanted)
    assert_same_plan(network_of(with_ids(checkpoint)), network)
    for path in (run / "checkpoints/epoch=001.ckpt", run / "checkpoints/epoch=001.ckpt/checkpoint"):
        assert open_checkpoint(path).weights == checkpoint.weights


def test_zero2_of_an_old_version_takes_frozen_weights_from_the_module(network: SimLingoNetwork, tmp_path: Path) -> None:
    wanted = write_zero2(tmp_path / "zero", network, without=("shared_params", "frozen_param_fragments"))
    found = read_zero2(tmp_path / "zero/checkpoint")
    assert set(found) == set(wanted)
    for name, tensor in wanted.items():
        frozen = found[name].dtype == torch.float16
        assert torch.equal(found[name], tensor.half() if frozen else tensor)
        assert frozen == ((name.startswith(LANGUAGE) and ".lora_" not in name) or name.startswith("adaptors.language"))


def test_zero2_directories_that_are_not_whole_are_named(tmp_path: Path) -> None:
    write_zero2(tmp_path / "zero", random_network(), 3)
    inside = tmp_path / "zero/checkpoint"
    last = inside / "zero_pp_rank_2_mp_rank_00_optim_states.pt"
    optimiser = read_training_file(last)
    last.rename(tmp_path / "kept")
    with pytest.raises(InvalidInputError, match=r"3\] processes but holds 2"):
        read_zero2(inside)
    (tmp_path / "kept").rename(last)
    first = inside / "zero_pp_rank_0_mp_rank_00_optim_states.pt"
    first.rename(tmp_path / "first")
    with pytest.raises(InvalidInputError, match="process 0"):
        read_zero2(inside)
    (tmp_path / "first").rename(first)
    state = optimiser["optimizer_state_dict"]
    del state["loss_scaler"]
    state["single_partition_of_fp32_groups"][0] = state["single_partition_of_fp32_groups"][0][:-8].clone()
    torch.save(optimiser, last)
    with pytest.raises(InvalidInputError, match="cut short"):
        read_zero2(inside)
    torch.save({"optimizer_state_dict": {**state, "zero_stage": 3}}, last)
    with pytest.raises(InvalidInputError, match="stage 3"):
        read_zero2(inside)


@pytest.mark.parametrize("way", ["system", "eval", "process", "exec"])
def test_a_training_file_executes_nothing(tmp_path: Path, way: str) -> None:
    marker = tmp_path / "executed"
    write_zero2(tmp_path / "zero", random_network())
    file = tmp_path / "zero/checkpoint/mp_rank_00_model_states.pt"
    torch.save({"module": {}, "param_shapes": [], "hyper_parameters": calls(marker)[way]}, file)
    with pytest.raises(InvalidInputError, match="could execute code"):
        read_zero2(tmp_path / "zero/checkpoint")
    assert not marker.exists()


def with_pickle(file: Path, pickle: bytes) -> Path:
    """A file of torch.save with another pickle in it."""
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, pickle if name.endswith("/data.pkl") else content)
    return file


def test_a_training_file_changes_no_class_of_torch(tmp_path: Path) -> None:
    """BUILD sets attributes of what a name stands for."""
    torch.save({}, tmp_path / "trap.pt")
    state = b"N}X\x07\x00\x00\x00changedK\x01s\x86"  # (None, {"changed": 1})
    before = dict(vars(torch.UntypedStorage))
    read_training_file(with_pickle(tmp_path / "trap.pt", b"\x80\x02ctorch.storage\nUntypedStorage\n" + state + b"b."))
    assert dict(vars(torch.UntypedStorage)) == before


def test_a_storage_without_a_type_is_read(tmp_path: Path) -> None:
    bare = torch.arange(4, dtype=torch.uint8).untyped_storage()
    torch.save({"bare": bare, "values": torch.arange(3.0)}, tmp_path / "file.pt")
    content = read_training_file(tmp_path / "file.pt")
    assert list(content["bare"]._untyped_storage) == [0, 1, 2, 3]
    assert torch.equal(content["values"], torch.arange(3.0))


def test_functions_of_allowed_packages_are_inert_too(tmp_path: Path) -> None:
    """torch can load and run programs; its functions are stand-ins but for the few that rebuild tensors."""
    torch.save({"weights": torch.arange(3.0)}, tmp_path / "inner.pt")
    torch.save({"x": Call(torch.load, str(tmp_path / "inner.pt")), "y": torch.ones(2)}, tmp_path / "outer.pt")
    content = read_training_file(tmp_path / "outer.pt")
    assert isinstance(content["x"], StandIn)
    assert torch.equal(content["y"], torch.ones(2))
