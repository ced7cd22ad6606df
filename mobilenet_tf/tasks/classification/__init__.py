"""One class per picture: `task` is the task, `cross_entropy` its training."""
