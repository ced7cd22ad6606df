"""A page that runs a model in the browser: its files, LiteRT.js, and a server to try it."""
