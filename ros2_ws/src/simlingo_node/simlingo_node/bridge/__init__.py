"""Parts of the node ``carla_bridge``: the only place where the stack touches a simulator."""
