"""How every Kafka client of ours reaches the broker: addresses, TLS and SASL, from the settings."""

import ssl
from typing import Any

from processor.errors import ConfigError
from processor.settings import Settings

__all__ = ["connection_arguments"]


def connection_arguments(settings: Settings) -> dict[str, Any]:
    """Keyword arguments that aiokafka's producer, consumer and admin client share.

    Raises ``ConfigError`` when no broker is named, or when the CA file cannot be read.
    """
    servers = [server.strip() for server in settings.kafka.split(",") if server.strip()]
    if not servers:
        raise ConfigError("No broker is known: set ISTHMUS_KAFKA to host:port[,host:port].")
    arguments: dict[str, Any] = {"bootstrap_servers": servers, "security_protocol": settings.kafka_security}
    if settings.kafka_security in ("SSL", "SASL_SSL"):
        try:
            arguments["ssl_context"] = ssl.create_default_context(cafile=settings.kafka_ca_file)
        except OSError as error:
            raise ConfigError(f"ISTHMUS_KAFKA_CA_FILE: {settings.kafka_ca_file}: {error.strerror or error}") from error
    if settings.kafka_security.startswith("SASL"):
        arguments["sasl_mechanism"] = settings.kafka_sasl_mechanism
        arguments["sasl_plain_username"] = settings.kafka_username
        arguments["sasl_plain_password"] = settings.kafka_password.get_secret_value()
    return arguments
