"""ROS 2 nodes: they convert messages and call the core."""
