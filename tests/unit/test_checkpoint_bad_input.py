"""Files that are damaged, of something else, at odds with themselves, or would execute code."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from checkpoint_cases import (  # noqa: E402
    LANGUAGE,
    VISION,
    pair_config,
    published_state,
    random_network,
    write_pair,
)
from checkpoint_runs import calls  # noqa: E402
from tokenizers import Tokenizer, models  # noqa: E402

from simlingo.contracts import InvalidInputError  # noqa: E402
from simlingo.model.checkpoints.foreign_config import hydra_config  # noqa: E402
from simlingo.model.checkpoints.reader import open_checkpoint  # noqa: E402
from simlingo.model.checkpoints.shards import read_shards  # noqa: E402
from simlingo.model.checkpoints.store import write_folder  # noqa: E402
from simlingo.model.checkpoints.torch_file import read_flat, read_training_file  # noqa: E402
from simlingo_cli.main import main  # noqa: E402
from training.trainer.tokenizer import train_tokenizer  # noqa: E402

State = dict[str, Any]
#: The beginning of a run's configuration that is read.
KNOWN = "model: {language_model: {variant: OpenGVLab/InternVL2-1B}}"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pair(tmp_path_factory.mktemp("bad") / "tiny", random_network())


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "tiny"))


def rewrite(folder: Path, change: Callable[[State], None]) -> None:
    """Change the state dict of a pair."""
    state = torch.load(folder / "pytorch_model.pt", weights_only=True)
    change(state)
    torch.save(state, folder / "pytorch_model.pt")


@pytest.mark.parametrize("way", ["system", "eval", "process", "exec"])
def test_a_flat_file_executes_nothing(folder: Path, tmp_path: Path, way: str) -> None:
    marker = tmp_path / "executed"
    rewrite(folder, lambda state: state.update(surprise=calls(marker)[way]))
    with pytest.raises(InvalidInputError, match="could execute code"):
        open_checkpoint(folder)
    assert not marker.exists()
    torch.load(folder / "pytorch_model.pt", weights_only=False)  # the file is armed
    assert marker.exists()


def test_archives_that_hold_programs_are_refused(tmp_path: Path) -> None:
    """TorchScript's archives are torch's zip files with constants and code."""
    with zipfile.ZipFile(tmp_path / "program.pt", "w") as archive:
        for name in ("data.pkl", "constants.pkl", "code/__torch__.py"):
            archive.writestr(f"program/{name}", b"")
    for read in (read_flat, read_training_file):
        with pytest.raises(InvalidInputError, match=r"not written by torch\.save"):
            read(tmp_path / "program.pt")


def packed_again(file: Path, compression: int, twice: bool = False) -> None:
    """The parts of a file of torch.save in another zip file."""
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
            if twice and name.endswith("data.pkl"):
                archive.writestr(name, content)


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_compressed_files_are_refused(folder: Path, compression: int) -> None:
    """torch maps the file: compressed bytes would pass for numbers."""
    packed_again(folder / "pytorch_model.pt", compression)
    for read in (read_flat, read_training_file):
        with pytest.raises(InvalidInputError, match=r"was compressed .*without compression"):
            read(folder / "pytorch_model.pt")


def test_a_damaged_directory_of_a_file_is_named(folder: Path) -> None:
    """A name that is no UTF-8; a version that no reader knows."""
    file = folder / "pytorch_model.pt"
    whole = file.read_bytes()
    entry = whole.index(b"PK\x01\x02")
    for place, value in ((entry + 46, 0xFF), (entry + 6, 0xFF)):
        data = bytearray(whole)
        data[place] = value
        data[entry + 9] |= 0x08  # names are UTF-8
        file.write_bytes(bytes(data))
        with pytest.raises(InvalidInputError, match=r"pytorch_model\.pt"):
            open_checkpoint(folder)


def test_nested_configurations_without_end_are_named(folder: Path, tmp_path: Path) -> None:
    (folder / "config.json").write_text('{"a":' * 100_000 + "1" + "}" * 100_000)
    with pytest.raises(InvalidInputError, match=r"config\.json cannot be read"):
        open_checkpoint(folder)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_with_a_part_twice_is_refused(folder: Path) -> None:
    packed_again(folder / "pytorch_model.pt", zipfile.ZIP_STORED, twice=True)
    with pytest.raises(InvalidInputError, match="holds a part twice"):
        open_checkpoint(folder)


@pytest.mark.parametrize(
    ("change", "sign"),
    [
        (lambda tensor: tensor.to_sparse(), "sparse_coo instead of dense"),
        (lambda tensor: tensor.to("meta"), "holds no values"),
        (lambda tensor: tensor.to(torch.float8_e4m3fn), "torch.float8_e4m3fn instead of float64"),
        (lambda tensor: tensor.to(torch.complex64), "torch.complex64 instead of float64"),
    ],
)
def test_tensors_of_which_no_network_can_be_made_are_listed(
    folder: Path, change: Callable[[torch.Tensor], torch.Tensor], sign: str
) -> None:
    name = "wp_encoder.mlp.2.weight"
    rewrite(folder, lambda state: state.update({name: change(state[name])}))
    with pytest.raises(InvalidInputError) as caught:
        open_checkpoint(folder)
    assert f"{name}: {sign}" in str(caught.value)


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.999])
def test_a_file_cut_short_is_named(folder: Path, keep: float) -> None:
    file = folder / "pytorch_model.pt"
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(InvalidInputError, match=r"pytorch_model\.pt are damaged or cut short"):
        open_checkpoint(folder)


def test_a_tensor_that_repeats_a_few_values_without_end_is_refused(folder: Path) -> None:
    rewrite(folder, lambda state: state.update({"wp_encoder.mlp.4.weight": torch.zeros(1).expand(2**18, 2**18)}))
    assert (folder / "pytorch_model.pt").stat().st_size < 50e6
    with pytest.raises(InvalidInputError, match=r"wp_encoder\.mlp\.4\.weight claims more values than the file holds"):
        open_checkpoint(folder)


def test_a_training_file_may_not_repeat_values_either(tmp_path: Path) -> None:
    torch.save({"module": {"a": torch.zeros(1).expand(2**18, 2**18)}}, tmp_path / "states.pt")
    with pytest.raises(InvalidInputError, match="a tensor claims more values than the file holds"):
        read_training_file(tmp_path / "states.pt")
    torch.save({"module": {"a": torch.ones(2, 3)[:, 1:]}}, tmp_path / "states.pt")
    assert read_training_file(tmp_path / "states.pt")["module"]["a"].shape == (2, 2)


def test_descriptions_without_end_are_refused_unread(folder: Path, tmp_path: Path) -> None:
    """A million tensors, or tuples in tuples, would be read for minutes."""
    file = folder / "pytorch_model.pt"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", b"(" * 9_000_000)
    for read in (read_flat, read_training_file):
        with pytest.raises(InvalidInputError, match="takes 9 MB to describe its tensors"):
            read(file)
    header = json.dumps({f"tensor {i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(120_000)})
    (tmp_path / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header.encode())
    with pytest.raises(InvalidInputError, match=r"model\.safetensors take \d+ MB to describe their tensors"):
        read_shards(tmp_path)


def test_torchs_old_format_is_named_with_the_way_out(folder: Path) -> None:
    file = folder / "pytorch_model.pt"
    state = torch.load(file, weights_only=True)
    torch.save(state, file, _use_new_zipfile_serialization=False)
    with pytest.raises(InvalidInputError, match=r"old format.*torch\.save\(torch\.load"):
        open_checkpoint(folder)
    torch.save(torch.load(file, weights_only=True), file)
    assert open_checkpoint(folder).stored_keys == len(state)


def test_a_flipped_bit_stops_the_import(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "pytorch_model.pt"
    values = torch.load(file, weights_only=True)["wp_encoder.mlp.4.weight"].numpy().tobytes()
    data = bytearray(file.read_bytes())
    data[data.index(values) + 10] ^= 4
    file.write_bytes(bytes(data))
    assert main(["checkpoint", "import", str(folder), "--out", str(tmp_path / "out"), "--no-tokenizer"]) == 1
    assert "damaged" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_our_own_file_with_a_flipped_bit_or_cut_short_is_named(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_folder(open_checkpoint(folder), tmp_path / "ours", None)
    file = tmp_path / "ours/model.safetensors"
    data = bytearray(file.read_bytes())
    data[-5] ^= 1
    file.write_bytes(bytes(data))
    assert main(["checkpoint", "export", str(tmp_path / "ours"), "--out", str(tmp_path / "out")]) == 1
    assert "SHA256SUMS" in capsys.readouterr().err
    file.write_bytes(bytes(data[:-100]))
    with pytest.raises(InvalidInputError, match=r"model\.safetensors cannot be read"):
        open_checkpoint(tmp_path / "ours")


def test_every_difference_of_the_keys_is_listed_at_once(folder: Path) -> None:
    def change(state: State) -> None:
        del state["adaptors.driving.route_head.4.weight"]
        for i in range(2):
            del state[f"{LANGUAGE}model.layers.{i}.input_layernorm.weight"]
        state["adaptors.driving.extra"] = torch.zeros(1)
        state[f"{VISION}mlp1.3.bias"] = torch.zeros(23)
        state[f"{VISION}mlp1.0.bias"] = torch.zeros(64, dtype=torch.int64)

    rewrite(folder, change)
    with pytest.raises(InvalidInputError) as caught:
        open_checkpoint(folder)
    text = str(caught.value)
    for sign in (
        "missing adaptors.driving.route_head.4.weight",
        f"missing {LANGUAGE}model.layers.{{0-1}}.input_layernorm.weight (2 keys)",
        "unexpected adaptors.driving.extra",
        f"{VISION}mlp1.3.bias: (23,) instead of (24,)",
        f"{VISION}mlp1.0.bias: torch.int64 instead of float64, float32, float16 or bfloat16",
    ):
        assert sign in text


def test_another_architecture_is_called_that(folder: Path) -> None:
    torch.save({"encoder.0.weight": torch.zeros(3), "decoder.1.weight": torch.zeros(3)}, folder / "pytorch_model.pt")
    with pytest.raises(InvalidInputError, match=r"another architecture.*\n(.*\n)*.*unexpected encoder\.0\.weight"):
        open_checkpoint(folder)
    torch.save({"state_dict": published_state(random_network())}, folder / "pytorch_model.pt")
    with pytest.raises(InvalidInputError, match="no flat state dict"):
        open_checkpoint(folder)


def test_aliases_that_differ_are_named(folder: Path) -> None:
    def change(state: State) -> None:
        state["adaptors.language.lm_head.weight"] = state["adaptors.language.lm_head.weight"] + 1e-3

    rewrite(folder, change)
    with pytest.raises(InvalidInputError, match=r"adaptors\.language\.lm_head\.weight and .*\.lm_head\.weight"):
        open_checkpoint(folder)


def test_equal_aliases_need_not_share_memory(folder: Path) -> None:
    rewrite(
        folder, lambda state: state.update({n: state[n].clone() for n in state if n.startswith("adaptors.language")})
    )
    assert open_checkpoint(folder).aliases == 3


@pytest.mark.parametrize(
    ("field", "value", "sign"),
    [
        ("vision_config.hidden_size", 20, "instead of"),
        ("vision_config.num_hidden_layers", 3, r"missing .*layers\.2\."),
        ("llm_config.num_hidden_layers", 1, r"unexpected .*layers\.1\."),
        ("llm_config.vocab_size", 61, "instead of"),
        ("llm_config.num_key_value_heads", 4, "k_proj"),
        ("lora.r", 8, "lora_A"),
        ("llm_config.num_attention_heads", 5, "cannot be divided"),
        ("vision_config.patch_size", 14, "instead of"),
        ("downsample_ratio", 0.25, "instead of"),
        ("vision_config.norm_type", "rms_norm", "another architecture"),
        ("vision_config.qk_normalization", True, "another architecture"),
        ("ps_version", "v1", "another architecture"),
        ("select_layer", -2, "another architecture"),
        ("lora.alpha", None, "lora.alpha is missing"),
        ("llm_config.hidden_size", "24", "must be a number"),
        ("llm_config.hidden_size", 24.5, "must be whole"),
        ("llm_config.rope_theta", -1, "above 0"),
        ("force_image_size", 56, "force_image_size"),
        ("image.raw", [48], r"config\.json: image\.raw .*\[height, width\]"),
        ("image.crop_rows", 49, r"image\.crop_rows is 49, .* 48 rows"),
        ("image.raw", [48, 50], "not cut into two tiles side by side"),
        ("image.jpeg_round_trip", "yes", r"image\.jpeg_round_trip is 'yes', it must be true or false"),
        ("distance_to_first_point", 1, "true or false"),
        ("llm_config.num_hidden_layers", 10**6, r"llm_config\.num_hidden_layers is 1000000, it can be 256 at most"),
        ("vision_config.num_hidden_layers", 257, r"vision_config\.num_hidden_layers is 257"),
        ("downsample_ratio", 0.3, "1 divided by a whole number"),
        ("token_ids.img_context", 60, r"token_ids\.img_context is 60, .* end at 59"),
    ],
)
def test_a_configuration_at_odds_with_the_tensors_is_refused(folder: Path, field: str, value: Any, sign: str) -> None:
    config = pair_config()
    *parents, last = field.split(".")
    part = config
    for name in parents:
        part = part[name]
    part[last] = value
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InvalidInputError, match=sign):
        open_checkpoint(folder)


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b'{"vision_config": "\xff"}', b"{}"])
def test_broken_configurations_are_named(folder: Path, content: bytes) -> None:
    (folder / "config.json").write_bytes(content)
    with pytest.raises(InvalidInputError, match=r"config\.json"):
        open_checkpoint(folder)


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("model: {}", "no model"),
        ("- 1", "no model"),
        ("a: [", "cannot be read"),
        ("model: !!python/object/apply:os.system ['true']", "cannot be read"),
        ("model: {vision_model: {variant: a/b}, language_model: {variant: c/d}}", "different models"),
        ("model: {vision_model: {variant: a/b}}", "not known here"),
        ("model: {language_model: {variant: OpenGVLab/InternVL2-1B, lora: false}}", "lora false"),
        ("model: {vision_model: {variant: [a]}}", r"config\.yaml: model\.vision_model\.variant .*\['a'\]"),
        (f"{{{KNOWN}, data_module: {{base: {{use_global_img: true}}}}}}", "third tile"),
        (f"{{{KNOWN}, sets: [{{use_global_img: 1}}]}}", "third tile"),
    ],
)
def test_runs_configurations_that_say_too_little_are_named(tmp_path: Path, text: str, sign: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(InvalidInputError, match=sign):
        hydra_config(tmp_path / "config.yaml")


def test_a_run_without_a_third_tile_is_read(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("{" + KNOWN + ", data_module: {base: {use_global_img: false}}}")
    assert hydra_config(tmp_path / "config.yaml").image.tile == 448


def test_the_first_token_may_end_a_turn(folder: Path) -> None:
    config = pair_config()
    config["token_ids"]["eos"] = 0
    (folder / "config.json").write_text(json.dumps(config))
    ids = open_checkpoint(folder).config.token_ids
    assert ids is not None
    assert ids.end_of_turn == 0


def test_paths_without_a_checkpoint_say_what_was_expected(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="there is no such"):
        open_checkpoint(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInputError, match=r"expected pytorch_model\.pt"):
        open_checkpoint(tmp_path / "empty")
    (folder / "case.npz").touch()
    with pytest.raises(InvalidInputError, match="no file of a checkpoint"):
        open_checkpoint(folder / "case.npz")
    for name in ("one", "two"):
        shutil.copytree(folder, tmp_path / f"run/checkpoints/{name}.ckpt")
    with pytest.raises(InvalidInputError, match="several checkpoints"):
        open_checkpoint(tmp_path / "run")


def test_the_tokenizer_is_asked_for_and_checked(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["checkpoint", "import", str(folder), "--out", str(tmp_path / "out")]
    for options, sign in (
        ([], "without a tokenizer; name one: --tokenizer"),
        (["--tokenizer", str(tmp_path / "none")], "no such file"),
        (["--tokenizer", str(tmp_path)], r"no tokenizer in"),
    ):
        assert main(command + options) == 1
        assert sign in capsys.readouterr().err
    Tokenizer(models.BPE()).save(str(tmp_path / "tokenizer.json"))
    assert main([*command, "--tokenizer", str(tmp_path)]) == 1
    assert "lacks the tokens" in capsys.readouterr().err
    train_tokenizer(tmp_path / "tokenizer.json", 512)
    assert main([*command, "--tokenizer", str(tmp_path)]) == 1
    assert "take the tokenizer of these weights" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".out")]
