"""The whole stack in the embedded world; the same as ``ros2 launch simlingo_node drive.launch.py``."""

from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Include the launch file that is installed with simlingo_node; it takes this one's arguments."""
    installed = PathJoinSubstitution([FindPackageShare("simlingo_node"), "launch", "drive.launch.py"])
    return LaunchDescription([IncludeLaunchDescription(PythonLaunchDescriptionSource(installed))])
