"""One file a part: each has `run(bench)`, which measures, prints and stores."""
