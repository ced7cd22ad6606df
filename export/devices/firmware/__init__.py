"""What all folders of C have: sizes, golden pictures, the self-test, and decoding by task."""
