"""Builds the package simlingo under colcon (ament_python)."""

from setuptools import find_packages, setup

PACKAGE = "simlingo"

setup(
    name=PACKAGE,
    version="0.1.0",
    description="The core of the SimLingo driving stack.",
    license="Apache-2.0",
    maintainer="SimLingo ROS maintainers",
    maintainer_email="maintainers@simlingo.example",
    packages=find_packages(),
    package_data={PACKAGE: ["weights/*/*"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
    ],
    zip_safe=False,
)
