"""Drive a town of the embedded world through real ROS 2, with a live page.

Starts the stack's nodes as processes on a ROS domain of its own, shows what they do, restarts none, and ends all of
them within two seconds of Ctrl-C or of one dying. At the end there is a result, and runs/<time>/ holds result.json,
the nodes' logs, a bag and a video.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from simlingo.arguments import real, whole
from simlingo_node.leases import Lease, take
from simlingo_node.running import Running, announced
from simlingo_node.stack import NodeSpec, StackOptions, stack

DEFAULT_PORT = 8090
#: Ports tried from the default on where none was asked for.
_PORTS_TRIED = 20
#: The last messages of a drive reach page and recorder within this time, s.
_LAST_WORDS_S = 0.4
_INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``./simlingo drive``."""
    parser.add_argument("--town", default="gridtown", help="town to drive in (default: %(default)s)")
    parser.add_argument("--route", type=whole(0), default=0, help="number of the route of town and seed (default: 0)")
    parser.add_argument("--seed", type=whole(0), default=0, help="seed of routes, traffic and lights (default: 0)")
    parser.add_argument("--weather", default="clear_noon", help="such as rain_noon, dusk, fog (default: %(default)s)")
    parser.add_argument("--traffic", default="light", help="none, light or dense (default: %(default)s)")
    parser.add_argument(
        "--seconds", type=real(0.0), default=0.0, help="simulated seconds to drive (default: to the goal)"
    )
    parser.add_argument(
        "--instruction",
        action="append",
        default=[],
        metavar="SECONDS:TEXT",
        help='an instruction at a time, such as "12.0:turn left at the next junction"; may be repeated',
    )
    parser.add_argument(
        "--model", default="simlingo-mini", help="shipped model, or a model folder or checkpoint (default: %(default)s)"
    )
    parser.add_argument(
        "--threads", type=whole(1, 64), default=2, help="CPU threads of the network (default: %(default)s)"
    )
    parser.add_argument(
        "--route-as",
        default="target_point",
        choices=("target_point", "command"),
        help="what of the navigation the model is told (default: %(default)s)",
    )
    parser.add_argument(
        "--device", default="cpu", choices=("cpu", "cuda"), help="what the network runs on (default: %(default)s)"
    )
    parser.add_argument(
        "--precision",
        default="fp32",
        choices=("fp32", "bf16", "int8"),
        help="type of the network's weights; other than fp32 needs torch: ./simlingo setup train (default: %(default)s)",
    )
    parser.add_argument(
        "--text",
        default="on_change",
        choices=("never", "every_n", "on_change", "always"),
        help="when a model that can speak says what it does (default: %(default)s)",
    )
    parser.add_argument(
        "--text-before-plan", action="store_true", help="a plan waits for a text that is due (published order)"
    )
    parser.add_argument(
        "--instruction-mode",
        default="safety",
        choices=("safety", "follow"),
        help="follow: the model is told to obey whatever comes, unsafe or not (default: %(default)s)",
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--realtime", action="store_true", help="the world does not wait for the stack (default)")
    mode.add_argument("--lockstep", action="store_true", help="the world waits for the command of every tick")
    parser.add_argument("--headless", action="store_true", help="no live page")
    parser.add_argument(
        "--port", type=whole(1, 65535), help=f"port of the live page (default: {DEFAULT_PORT} or the next free one)"
    )
    parser.add_argument("--no-video", action="store_true", help="record no video")
    parser.add_argument("--no-record", action="store_true", help="record neither bag nor video")
    parser.add_argument("--domain", type=whole(0, 232), help="ROS domain, 0 to 232 (default: a free one)")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where runs are kept (default: %(default)s/)")


def run(args: argparse.Namespace) -> int:
    """Drive once; returns the exit status: 0 driven to an end, 1 failed, 130 interrupted."""
    options = options_from(args)
    check_options(options)
    port = None if args.headless else page_port(args.port)
    run_dir = make_run_dir(args.runs)
    record_dir = "" if args.no_record else str(run_dir)
    options = replace(options, page_port=port.number if port is not None else None, record_dir=record_dir)
    return drive(options, stack(options), run_dir, args.domain)


def options_from(args: argparse.Namespace) -> StackOptions:
    """The stack's options for the command line's; page and recording are ``run``'s.

    Raises:
        SimlingoError: an instruction cannot be read.
    """
    from simlingo_node.script import parse_script

    parse_script(args.instruction)
    return StackOptions(
        lockstep=args.lockstep,
        town=args.town,
        route=args.route,
        seed=args.seed,
        weather=args.weather,
        traffic=args.traffic,
        seconds=args.seconds,
        instructions=tuple(args.instruction),
        model=args.model,
        threads=args.threads,
        route_as=args.route_as,
        device=args.device,
        precision=args.precision,
        text=args.text,
        text_before_plan=args.text_before_plan,
        instruction_mode=args.instruction_mode,
        page_port=None,
        video=not args.no_video,
    )


def check_options(options: StackOptions) -> None:
    """Fail before any process is started.

    Raises:
        SimlingoError: unknown town, weather or traffic, or a number out of range; names the nearest right word.
    """
    from simlingo.contracts import InvalidInputError
    from simlingo_node.bridge.options import PARAMETERS
    from simlingo_sim import TOWNS
    from simlingo_sim.errors import unknown_name

    for parameter in PARAMETERS:
        problem = parameter.problem(getattr(options, parameter.name, parameter.default))
        if problem is not None:
            raise InvalidInputError(problem)
    if options.simulator == "embedded" and options.town not in TOWNS:
        raise InvalidInputError(str(unknown_name("town", options.town, TOWNS)))


def page_port(wanted: int | None) -> Lease:
    """A free port for the live page, held until the lease is released; the one ``wanted`` or none.

    Raises:
        SimlingoError: it is taken.
    """
    from simlingo.contracts import SimlingoError

    candidates = [wanted] if wanted is not None else list(range(DEFAULT_PORT, DEFAULT_PORT + _PORTS_TRIED))
    lease = take("port", candidates, _is_free)
    if lease is None:
        raise SimlingoError(
            f"port {candidates[0]} of the live page is taken by another program; choose another with --port,"
            " leave --port out for a free one, or drive without a page: --headless"
        )
    return lease


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def make_run_dir(runs: Path) -> Path:
    """A new folder named by the time."""
    name = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    for number in range(1, 100):
        path = runs / (name if number == 1 else f"{name}_{number}")
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        return path.resolve()
    raise FileExistsError(f"{runs / name} and 98 more exist; wait a second")


def drive(options: StackOptions, nodes: list[NodeSpec], run_dir: Path, domain_wanted: int | None = None) -> int:
    """Run ``nodes`` until the drive ends; writes ``result.json`` into ``run_dir``. Returns the exit status."""
    from simlingo_node import dds
    from simlingo_node.drive_result import write_result
    from simlingo_node.drive_view import DriveView

    domain = dds.take_domain(domain_wanted)
    environment = dds.environment(domain.number, pictures=False)
    os.environ.update(environment)  # for the monitor, which lives in this process
    address = f"http://127.0.0.1:{options.page_port}" if options.page_port is not None else ""
    driven = f"{options.town}, route {options.route}, seed {options.seed}"
    title = f"{driven}; ROS_DOMAIN_ID={domain.number}; {run_dir}"
    try:
        dds.remove_stale_segments(domain.number)
        dds.check_shared_memory(sum(node.pictures for node in nodes))
        with (
            stop_flag() as stopped,
            announced(Running(domain.number, driven)),
            DriveView(title, address) as view,
        ):
            ending, result = _supervise(options, nodes, environment, run_dir, domain.number, view, stopped)
            _show(view, result)  # also where the disk has no room for it
            write_result(result, run_dir / "result.json")
            view.say(f"kept in {run_dir}")
    finally:
        dds.remove_stale_segments(domain.number)
        domain.release()
    if ending == "interrupted":
        return _INTERRUPTED
    return 0 if not ending and result["status"] != "failed" else 1


def _supervise(
    options: StackOptions,
    nodes: list[NodeSpec],
    environment: dict[str, str],
    run_dir: Path,
    domain: int,
    view: Any,
    stopped: list[int],
) -> tuple[str, dict[str, Any]]:
    """Start, watch and end the nodes; returns why they ended (empty: the drive was over) and the result."""
    from simlingo_node.drive_monitor import DriveMonitor
    from simlingo_node.drive_result import make_result
    from simlingo_node.supervisor import Supervisor

    ending, opened = "", False
    monitor = DriveMonitor(options.role_name, domain)
    try:
        with Supervisor(nodes, environment, run_dir / "log") as supervisor:
            while not monitor.picture.ended:
                monitor.listen(0.1)
                view.update(monitor.picture)
                death = supervisor.death()
                if stopped or death is not None:
                    ending = "interrupted" if stopped else f"failed: {death}"
                    break
                if not opened and options.page_port is not None and monitor.picture.score is not None:
                    opened = True
                    _open_browser(f"http://127.0.0.1:{options.page_port}")
            else:
                monitor.listen(_LAST_WORDS_S)
    finally:
        monitor.close()
    return ending, make_result(options, monitor.picture, ending)


def _show(view: Any, result: dict[str, Any]) -> None:
    from simlingo_node.drive_result import result_lines

    view.result(result_lines(result))
    if result["status"] == "failed":
        view.say(result["reason"], "red")


def _open_browser(address: str) -> None:
    """Show the page where there is a desktop to show it on."""
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(address)


@contextmanager
def stop_flag() -> Iterator[list[int]]:
    """A list that holds the signal once Ctrl-C, SIGTERM or the terminal's end has come; a second one changes nothing."""
    stopped: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda got, _: stopped.append(got)) for number in numbers}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
