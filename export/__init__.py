"""Keras model -> .tflite -> proof -> device."""
