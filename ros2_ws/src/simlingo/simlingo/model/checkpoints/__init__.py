"""Checkpoints: the published SimLingo, DeepSpeed's, InternVL2-1B's and our own, read, checked, written and verified.

``reader.open_checkpoint`` reads any of them, ``build.network_of`` makes a network of it, ``store.write_folder`` and
``publish.write_published`` write. The modules named ``command_*`` are the command line and import the others late.
"""
