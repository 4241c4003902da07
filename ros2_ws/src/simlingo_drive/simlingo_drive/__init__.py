"""Driving a world without ROS: backends, routes, rig, the one tick loop, drivers, expert and criteria."""
