"""Programs that measure, and write the tables in README.md and docs/."""

from mobilenet_tf.core import environment

environment.quieten()
