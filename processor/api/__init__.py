"""What other systems ask over HTTP: the directory in Qualtrics' shape, control calls, health, metrics."""
