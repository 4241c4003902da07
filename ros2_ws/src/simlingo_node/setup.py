"""Builds the package simlingo_node under colcon (ament_python)."""

from glob import glob

from setuptools import find_packages, setup

PACKAGE = "simlingo_node"

setup(
    name=PACKAGE,
    version="0.1.0",
    description="ROS 2 nodes of the SimLingo driving stack.",
    license="Apache-2.0",
    maintainer="SimLingo ROS maintainers",
    maintainer_email="maintainers@simlingo.example",
    packages=find_packages(),
    package_data={PACKAGE: ["page/static/*"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
        (f"share/{PACKAGE}/config", sorted(glob("config/*"))),
        (f"share/{PACKAGE}/launch", sorted(glob("launch/*.launch.py"))),
    ],
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "carla_bridge = simlingo_node.carla_bridge:main",
            "route = simlingo_node.route:main",
            "planner = simlingo_node.planner:main",
            "controller = simlingo_node.controller:main",
            "lifecycle_manager = simlingo_node.lifecycle_manager:main",
            "page = simlingo_node.page.node:main",
            "recorder = simlingo_node.recorder.node:main",
        ]
    },
)
