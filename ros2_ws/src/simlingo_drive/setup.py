"""Builds the package simlingo_drive under colcon (ament_python)."""

from setuptools import find_packages, setup

PACKAGE = "simlingo_drive"

setup(
    name=PACKAGE,
    version="0.1.0",
    description="Driving a world without ROS: backends, routes, rig, the tick loop, expert and criteria.",
    license="Apache-2.0",
    maintainer="SimLingo ROS maintainers",
    maintainer_email="maintainers@simlingo.example",
    packages=find_packages(),
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
    ],
    zip_safe=False,
)
