"""What the parts of the rig stand on: the machine, the sink, a letter's folder, tables and plots."""
