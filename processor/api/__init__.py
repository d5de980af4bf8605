"""What other systems ask over HTTP: the directory in Qualtrics' shape, health, metrics."""
