"""What aiokafka's errors mean to us.

aiokafka marks 20 of its 102 classes retriable, and ``KafkaTimeoutError`` is not one: so the few that mean set-up
are named here, and everything else of a broker is "away": wait.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka import errors as kafka

from processor.errors import ConfigError, UnavailableError

__all__ = ["translated"]

_SETUP = (
    kafka.AuthenticationFailedError,
    kafka.TopicAuthorizationFailedError,
    kafka.GroupAuthorizationFailedError,
    kafka.ClusterAuthorizationFailedError,
    kafka.SaslAuthenticationFailed,  # what a broker says to a wrong password; no AuthenticationFailedError
    kafka.UnsupportedSaslMechanismError,
    kafka.IllegalSaslStateError,
    kafka.InvalidTopicError,
)


@contextmanager
def translated() -> Iterator[None]:
    """Turn aiokafka's errors, socket errors and time-outs into ours."""
    try:
        yield
    except _SETUP as error:
        raise ConfigError(f"Kafka refuses us: {type(error).__name__}: check the credentials and rights") from error
    except (kafka.KafkaError, OSError, TimeoutError) as error:
        raise UnavailableError(f"Kafka: {type(error).__name__}", "kafka_away") from error
