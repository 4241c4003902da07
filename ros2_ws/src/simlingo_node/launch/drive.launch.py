"""The whole stack: ``ros2 launch simlingo_node drive.launch.py town:=harbortown``.

Arguments are listed by ``ros2 launch simlingo_node drive.launch.py --show-args``. With ``simulator:=carla`` the
bridge connects to a CARLA 0.9.15/0.9.16 server at ``host:port`` instead of the embedded world. The end of one node
ends all.
"""

from dataclasses import fields

from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction, Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchContext, LaunchDescription
from simlingo_node.launch_arguments import launch_default, options_from_launch
from simlingo_node.stack import DESCRIPTIONS, PACKAGE, StackOptions, stack


def _nodes(context: LaunchContext) -> list[Node]:
    """The nodes of ``simlingo_node.stack`` with the values that the arguments have now."""
    given = {field.name: LaunchConfiguration(field.name).perform(context) for field in fields(StackOptions)}
    return [
        Node(
            package=PACKAGE,
            executable=node.executable,
            name=node.name,
            parameters=[dict(node.parameters)],
            output="screen",
            on_exit=[LogInfo(msg=f"{node.name} has ended, so all end"), Shutdown(reason=f"{node.name} has ended")],
        )
        for node in stack(options_from_launch(given))
    ]


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the nodes."""
    arguments = [
        DeclareLaunchArgument(
            field.name, default_value=launch_default(field.name), description=DESCRIPTIONS[field.name]
        )
        for field in fields(StackOptions)
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=_nodes)])
