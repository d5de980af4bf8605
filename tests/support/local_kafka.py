"""deploy/kafka/kafka.py for the tests, loaded by its path: the repository is not on sys.path, the wheel is tested."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

__all__ = ["Child", "KafkaError", "LocalKafka", "brokers_seen", "free_port", "kafka"]

REPOSITORY = Path(__file__).resolve().parents[2]


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("isthmus_local_kafka", REPOSITORY / "deploy/kafka/kafka.py")
    if spec is None or spec.loader is None:
        raise RuntimeError("deploy/kafka/kafka.py is not beside tests/")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


kafka = _load()

if TYPE_CHECKING:
    from kafka import KafkaError, LocalKafka, brokers_seen, free_port
    from keeper import Child
else:
    Child, KafkaError, LocalKafka = kafka.Child, kafka.KafkaError, kafka.LocalKafka
    brokers_seen, free_port = kafka.brokers_seen, kafka.free_port
