"""The whole stack on a CARLA 0.9.15/0.9.16 server: ``ros2 launch launch/carla.launch.py host:=... town:=Town03``."""

from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

from launch import LaunchDescription

ARGUMENTS = {
    "host": ("127.0.0.1", "address of the CARLA server"),
    "port": ("2000", "TCP port of the CARLA server"),
    "town": ("Town03", "map to load on the server"),
}


def generate_launch_description() -> LaunchDescription:
    """Include the launch file that is installed with simlingo_node, with the server as its simulator."""
    installed = PathJoinSubstitution([FindPackageShare("simlingo_node"), "launch", "drive.launch.py"])
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in ARGUMENTS.items()
    ]
    server = {"simulator": "carla", **{name: LaunchConfiguration(name) for name in ARGUMENTS}}
    include = IncludeLaunchDescription(PythonLaunchDescriptionSource(installed), launch_arguments=server.items())
    return LaunchDescription([*declared, include])
