"""Builds the package simlingo_sim under colcon (ament_python)."""

from setuptools import find_packages, setup

PACKAGE = "simlingo_sim"

setup(
    name=PACKAGE,
    version="0.1.0",
    description="The embedded simulator of the SimLingo stack.",
    license="Apache-2.0",
    maintainer="SimLingo ROS maintainers",
    maintainer_email="maintainers@simlingo.example",
    packages=find_packages(),
    package_data={PACKAGE: ["towns/*/*.xodr", "towns/*/*.json"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
    ],
    zip_safe=False,
)
