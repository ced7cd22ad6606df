"""Networks as data. Importing any part of this package registers every kind of row."""

from mobilenet_tf.networks import lraspp as lraspp
from mobilenet_tf.networks import ssdlite as ssdlite
from mobilenet_tf.networks import zoo as zoo
