"""The set-up's parts: which Python, which ROS, which variables, what is done and what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from simlingo_bootstrap import checks, doctor, installer
from simlingo_bootstrap.environment import child_environment
from simlingo_bootstrap.errors import SetupError
from simlingo_bootstrap.interfaces import interface_packages
from simlingo_bootstrap.layout import Layout, find_layout
from simlingo_bootstrap.main import COMMAND_GROUPS, OPTION_GROUPS, SUBCOMMAND_GROUPS, groups_of
from simlingo_bootstrap.ros import RosInstallation, check_python_of_ros, find_ros
from simlingo_bootstrap.setup import GROUPS, report_missing
from simlingo_cli.commands import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
THIS_PYTHON = os.path.realpath(sys.executable)
PROFILES = "FASTRTPS_DEFAULT_PROFILES_FILE"


def start(*words: str, path: str, script: Path = ROOT / "simlingo", **env: str) -> subprocess.CompletedProcess[str]:
    """./simlingo in an environment that has nothing but what is named."""
    env = {"PATH": path, "HOME": "/nonexistent", **env}
    return subprocess.run([str(script), *words], env=env, capture_output=True, text=True, timeout=60)


def make_program(file: Path, script: str) -> Path:
    """An executable shell script."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with what the script itself calls, and no Python."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in ("dirname", "env", "cat", "sh"):
        (folder / name).symlink_to(shutil.which(name) or name)
    return folder


def test_a_failing_pyenv_shim_is_passed_over(tmp_path: Path, tools: Path) -> None:
    shims = tmp_path / "shims"
    for name in ("python3.12", "python3.11"):
        make_program(shims / name, "echo 'pyenv: no such version' >&2; exit 127")
    (shims / "python3").symlink_to(THIS_PYTHON)
    result = start("--version", path=f"{shims}:{tools}", SIMLINGO_ENV=str(tmp_path / "env"))
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("simlingo 0.")


def test_a_python_of_another_version_is_refused_by_name(tmp_path: Path, tools: Path) -> None:
    old = make_program(tmp_path / "python3.9", "exit 1")
    result = start("--version", path=str(tools), SIMLINGO_ENV=str(tmp_path / "env"), SIMLINGO_PYTHON=str(old))
    assert result.returncode == 2
    assert str(old) in result.stderr


@pytest.fixture
def script_without_system_python(tmp_path: Path) -> Path:
    """The entrance as it finds itself on a machine where /usr has no suitable Python."""
    root = tmp_path / "checkout"
    root.mkdir()
    for name in ("bootstrap", "cli"):
        (root / name).symlink_to(ROOT / name)
    text = (ROOT / "simlingo").read_text()
    assert "/usr/bin/python3.11" in text
    return make_program(root / "simlingo", text.replace("/usr/", "/nonexistent/").removeprefix("#!/bin/sh\n"))


def test_without_any_python_the_message_says_how_to_get_one(script_without_system_python: Path, tools: Path) -> None:
    result = start("drive", path=str(tools), script=script_without_system_python)
    assert result.returncode == 2
    assert "apt-get install" in result.stderr
    assert "uv" in result.stderr


def test_uv_brings_a_python_where_there_is_none(script_without_system_python: Path, tools: Path) -> None:
    make_program(tools / "uv", f'case "$2" in find) echo {THIS_PYTHON};; install) echo "$*" >&2;; esac')
    result = start("--version", path=str(tools), script=script_without_system_python)
    assert result.stdout.startswith("simlingo 0."), result.stderr
    assert "python install --quiet 3.12" in result.stderr


def test_an_environment_whose_python_has_changed_is_left_for_another(tmp_path: Path, tools: Path) -> None:
    """The venv's interpreter became 3.13 by an upgrade: the script looks for a suitable one."""
    upgraded = tmp_path / "env/bin/python"
    make_program(upgraded, f'SIMLINGO_FIND_PYTHON=1 exec {ROOT / "simlingo"} "${{4}}"')
    shims = tmp_path / "shims"
    shims.mkdir()
    (shims / "python3").symlink_to(THIS_PYTHON)
    result = start("--version", path=f"{shims}:{tools}", SIMLINGO_ENV=str(tmp_path / "env"))
    assert result.stdout.startswith("simlingo 0."), result.stderr


def test_help_and_unknown_commands_need_no_environment(tmp_path: Path) -> None:
    env = tmp_path / "env"
    for words, status, text in ((["--help"], 0, "commands:"), (["driev"], 2, "./simlingo drive"), ([], 2, "usage")):
        result = start(*words, path=os.environ["PATH"], SIMLINGO_ENV=str(env), SIMLINGO_PYTHON=THIS_PYTHON)
        assert result.returncode == status
        assert text in result.stdout + result.stderr
    assert not env.exists()


def test_every_command_has_its_requirements_and_its_group_exists() -> None:
    assert set(COMMAND_GROUPS) == {words[0] for words in COMMANDS}
    assert {group for groups in COMMAND_GROUPS.values() for group in groups} <= set(GROUPS)
    assert COMMAND_GROUPS["drive"] == ()
    assert set(SUBCOMMAND_GROUPS) <= set(COMMANDS)


def test_only_the_bench_of_the_model_needs_torch() -> None:
    assert groups_of(["bench", "model", "--frames", "3"]) == ("train",)
    assert groups_of(["bench", "planner"]) == groups_of(["bench"]) == groups_of(["bench", "--help"]) == ()


def test_collecting_needs_parquet_and_no_torch() -> None:
    assert groups_of(["collect", "--out", "there"]) == groups_of(["bench", "dataset"]) == ("data",)
    assert groups_of(["bench", "language", "--quick"]) == ("data", "words")
    assert GROUPS["data"] == ["data"]


def test_drawing_needs_its_packages_and_no_torch() -> None:
    assert (
        groups_of(["bench", "drive", "--plots", "there"])
        == groups_of(["bench", "drive", "--plots=there"])
        == ("plots",)
    )
    assert groups_of(["bench", "drive", "--json", "plots"]) == ()
    assert GROUPS["plots"] == ["plots"]
    assert {group for groups in OPTION_GROUPS.values() for group in groups} <= set(GROUPS)


def test_driving_installs_no_torch() -> None:
    for name in ("ros-jazzy.txt", "drive.txt"):
        assert "torch" not in [line.split("==")[0] for line in (ROOT / "requirements" / name).read_text().splitlines()]


def test_every_requirement_is_an_exact_pin_that_agrees_with_the_constraints() -> None:
    pins = dict(pins_of(ROOT / "requirements/constraints.txt"))
    for file in (ROOT / "requirements").glob("*.txt"):
        for name, version in pins_of(file):
            assert version, f"{file.name}: {name} is not pinned"
            if file.name != "bootstrap.txt":
                assert pins[name] == version, f"{file.name}: {name}"


def pins_of(file: Path) -> list[tuple[str, str]]:
    """Names and versions of a requirement file."""
    lines = (line.split("#")[0].strip() for line in file.read_text().splitlines())
    parts = (line.partition("==") for line in lines if line)
    return [(name.split("[")[0].strip().lower().replace("_", "-"), version) for name, _, version in parts]


# --- ROS


def make_ros(tmp_path: Path, python: str, *packages: str) -> dict[str, str]:
    """Variables of a shell with a sourced ROS of that Python."""
    prefix = tmp_path / "opt/ros/some"
    (prefix / f"lib/python{python}/site-packages/rclpy").mkdir(parents=True)
    for package in packages:
        (prefix / "share" / package).mkdir(parents=True)
        (prefix / "share" / package / "package.xml").touch()
    return {
        "ROS_DISTRO": "some",
        "AMENT_PREFIX_PATH": str(prefix),
        "PYTHONPATH": "/opt/ros/some/lib",
        "LD_LIBRARY_PATH": "/opt/l",
    }


def test_a_sourced_ros_is_found_with_its_python(tmp_path: Path) -> None:
    ros = find_ros(make_ros(tmp_path, "3.12", "carla_msgs"))
    assert ros is not None
    assert (ros.distro, ros.python) == ("some", (3, 12))
    assert ros.has_package("carla_msgs")
    assert not ros.has_package("tf2_msgs")


def test_without_ros_distro_there_is_none() -> None:
    assert find_ros({}) is None


def test_ros_distro_without_an_installation_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no rclpy") as caught:
        find_ros({"ROS_DISTRO": "jazzy", "AMENT_PREFIX_PATH": str(tmp_path)})
    assert "source /opt/ros/jazzy/setup.sh" in caught.value.cure


@pytest.mark.parametrize(
    ("python", "cure"), [((3, 10), "env -u ROS_DISTRO"), ((3, 12), "SIMLINGO_PYTHON=/usr/bin/python3.12")]
)
def test_a_ros_of_another_python_is_refused_with_the_cure(python: tuple[int, int], cure: str) -> None:
    with pytest.raises(SetupError, match=f"its Python is 3.{python[1]}") as caught:
        check_python_of_ros(RosInstallation("some", (), python), (3, 11))
    assert cure in caught.value.cure


def test_the_script_refuses_a_sourced_ros_of_another_python(tmp_path: Path) -> None:
    variables = {**make_ros(tmp_path, "3.10"), "SIMLINGO_PYTHON": THIS_PYTHON, "SIMLINGO_ENV": str(tmp_path / "env")}
    variables.pop("LD_LIBRARY_PATH")
    result = start("drive", path=os.environ["PATH"], **variables)
    assert result.returncode == 1
    assert "3.10" in result.stderr
    assert "Cure:" in result.stderr
    assert not (tmp_path / "env/bin").exists()


def test_only_what_the_sourced_ros_lacks_is_built(tmp_path: Path) -> None:
    layout = find_layout({})
    ros = find_ros(make_ros(tmp_path, "3.12", "tf2_msgs"))
    assert [folder.name for folder in interface_packages(layout, ros)] == ["simlingo_msgs", "carla_msgs"]
    assert [folder.name for folder in interface_packages(layout, None)] == ["simlingo_msgs", "carla_msgs", "tf2_msgs"]
    assert find_layout({"ROS_DISTRO": "jazzy"}).env.name == ".venv-jazzy"


# --- variables


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(root=ROOT, env=tmp_path / "env")


def test_nothing_of_another_ros_or_python_is_left_on_a_bare_machine(layout: Layout) -> None:
    foreign = {"PYTHONPATH": "/x", "LD_LIBRARY_PATH": "/x", "_ROS_WHEELS_BOOTSTRAP_COMPLETE": "1", "PATH": "/usr/bin"}
    env = child_environment(layout, None, foreign)
    assert not {"PYTHONPATH", "LD_LIBRARY_PATH", "_ROS_WHEELS_BOOTSTRAP_COMPLETE"} & set(env)
    assert env["PATH"] == f"{layout.env}/bin:/usr/bin"
    assert env["AMENT_PREFIX_PATH"] == str(layout.env)


def test_a_sourced_ros_keeps_its_variables_behind_ours(layout: Layout, tmp_path: Path) -> None:
    sourced = make_ros(tmp_path, "3.12")
    env = child_environment(layout, find_ros(sourced), sourced)
    assert env["PYTHONPATH"] == sourced["PYTHONPATH"]
    assert env["AMENT_PREFIX_PATH"].split(":") == [str(layout.env), sourced["AMENT_PREFIX_PATH"]]
    assert env["LD_LIBRARY_PATH"].split(":") == [str(layout.env / "lib"), "/opt/l"]


def test_the_dds_profile_is_ours_unless_the_user_chose_one(layout: Layout) -> None:
    assert Path(child_environment(layout, None, {})[PROFILES]).is_file()
    assert Path(child_environment(layout, None, {PROFILES: ""})[PROFILES]).is_file()
    assert child_environment(layout, None, {PROFILES: "/my/own.xml"})[PROFILES] == "/my/own.xml"
    elsewhere = Layout(root=layout.env, env=layout.env)
    assert PROFILES not in child_environment(elsewhere, None, {PROFILES: ""})


# --- checks


def test_each_missing_thing_names_its_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(checks.importlib.util, "find_spec", lambda name: None)
    findings = [checks.check_compiler(), checks.check_venv(), checks.check_disk(tmp_path / "env", 1e9)]
    assert [finding.ok for finding in findings] == [False] * 3
    with pytest.raises(SetupError) as caught:
        report_missing(findings)
    for word in ("build-essential", "-venv", "SIMLINGO_ENV"):
        assert word in caught.value.cure
    assert "no C and no C++ compiler" in caught.value.cause


def test_what_is_only_nice_to_have_stops_nothing() -> None:
    report_missing([checks.Finding("browser", False, "none", "install one", needed=False)])


def test_small_shared_memory_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not checks.check_shared_memory(tmp_path / "none").ok
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=64 * 2**20))
    finding = checks.check_shared_memory(tmp_path)
    assert not finding.ok
    assert "64 MiB" in finding.detail
    assert "--shm-size" in finding.cure


def test_the_doctor_lists_everything_without_an_environment(layout: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    doctor.run(layout, {})
    listing = capsys.readouterr().out
    for name in (
        "Python",
        "venv",
        "compiler",
        "headers",
        "disk",
        "shared memory",
        "ROS 2",
        "weights",
        "page port",
        "GPU",
        "browser",
    ):
        assert f"  {name} " in listing
    assert "./simlingo setup" in listing
    assert not layout.env.exists()


# --- installer


def test_pip_settings_are_given_to_uv() -> None:
    listing = "\n".join(
        [
            "global.extra-index-url='https://a.example/simple\\nhttps://b.example/simple'",
            "global.index-url='https://mirror.example/simple'",
            ":env:.index-url='https://chosen.example/simple'",
            "install.find-links='/one /two'",
            "download.cert='/not/for/install.pem'",
            "global.timeout='5'",
        ]
    )
    assert installer.read_pip_settings(listing) == {
        "extra-index-url": "https://a.example/simple https://b.example/simple",
        "index-url": "https://chosen.example/simple",
        "find-links": "/one,/two",
    }


def test_pip_does_the_work_where_uv_is_missing(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    attempts = installer.install_attempts(layout, ["drive.txt"], again=True)
    assert len(attempts) == 1
    assert attempts[0][1:4] == ["-m", "pip", "install"]
    assert "--force-reinstall" in attempts[0]
    make_program(layout.env / "bin/uv", "true")
    first, last = installer.install_attempts(layout, ["drive.txt"], again=False)
    assert first[0].endswith("/uv")
    assert last == [word for word in attempts[0] if word != "--force-reinstall"]


def test_a_machine_without_gpu_tries_the_small_torch_first(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    make_program(layout.env / "bin/uv", "true")
    small = installer.torch_attempts(layout, again=False, gpu=False)
    assert small[0][-1].endswith("+cpu")
    assert small[1][-2:] == ["--torch-backend", "cpu"]
    assert small[2:] == installer.torch_attempts(layout, again=False, gpu=True)
