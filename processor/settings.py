"""Runtime settings: environment variables, read once, each with its unit and meaning.

``docs/configuration.md`` holds a table made from here; a test keeps the two alike.
"""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, ValidationError

from processor.errors import ConfigError

__all__ = ["PREFIX", "Settings"]

PREFIX = "ISTHMUS_"


class Settings(BaseModel):
    """One frozen object; ``from_env`` reports every missing or bad name in one ``ConfigError``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kafka: str = Field(
        "", description="Bootstrap servers of Kafka, `host:port[,host:port]`; empty: the embedded broker."
    )
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="Security protocol towards Kafka."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="SASL mechanism towards Kafka."
    )
    kafka_username: str = Field("", description="SASL user name.")
    kafka_password: SecretStr = Field(SecretStr(""), description="SASL password.")
    kafka_ca_file: Path | None = Field(None, description="CA certificates for TLS towards Kafka; empty: the system's.")
    postgres: SecretStr = Field(SecretStr(""), description="DSN of PostgreSQL 15 or newer; empty: the embedded one.")
    postgres_pool: int = Field(8, ge=2, le=200, description="Connections to PostgreSQL a process, at most.")
    postgres_statement_cache: int = Field(
        512, ge=0, description="Prepared statements kept a connection; 0 behind old pgbouncers."
    )
    data_dir: Path = Field(Path(".isthmus"), description="Folder of the embedded parts, their data and `run.json`.")
    secret: SecretStr = Field(
        SecretStr(""),
        description="Signs marks, survey links and unsubscription; two separated by a comma while it is rotated.",
    )
    installation: str = Field(
        "isthmus",
        pattern=r"^[A-Za-z0-9._-]{1,40}$",
        description="Name of this installation in the marks of its calls; two that share a secret need two names.",
    )
    public_url: str = Field("", description="The one address of this installation that stands in links.")
    host: str = Field("127.0.0.1", description="Address that HTTP servers listen on.")
    port: int = Field(8080, ge=0, le=65_535, description="Port of ingress and api.")
    probe_port: int = Field(
        8081,
        ge=0,
        le=65_535,
        description="Port of health and metrics of a process without ingress or api; 0: any free one.",
    )
    topic_prefix: str = Field(
        "", pattern=r"^[A-Za-z0-9._-]{0,100}$", description="Put before the name of each of our own topics."
    )
    topic_partitions: int = Field(8, ge=1, le=1_000, description="Partitions of a topic that `isthmus topics` makes.")
    topic_replication: int = Field(1, ge=1, le=7, description="Replicas of a topic that `isthmus topics` makes.")
    topic_min_insync: int = Field(
        1, ge=1, le=7, description="`min.insync.replicas` of a topic that `isthmus topics` makes."
    )
    topic_retention_h: int = Field(168, ge=1, description="Hours that a topic keeps its records (7 days).")
    topic_max_message_bytes: int = Field(
        1_048_576, ge=65_536, description="Bytes of the largest record batch on a topic."
    )
    assignment: Literal["group", "all"] = Field(
        "group",
        description="How partitions are shared: a consumer group, or all of them to one process with another standing by.",
    )
    session_timeout_ms: int = Field(
        10_000,
        ge=1_000,
        description="Milliseconds after which Kafka gives a silent member's partitions away.",
    )
    batch_records: int = Field(
        3_000, ge=1, le=50_000, description="Records decided and written in one transaction, at most."
    )
    produce_timeout_s: float = Field(
        3.0,
        gt=0,
        le=4,
        description="Seconds until an unacknowledged write is answered 503; the webhook's sender waits 5.",
    )
    max_in_flight_bytes: int = Field(
        64 * 1024 * 1024,
        ge=1_048_576,
        description="Bytes waiting for Kafka in one ingress process; above it 503.",
    )
    webhook_max_body_bytes: int = Field(
        16 * 1024 * 1024,
        ge=65_536,
        le=1024 * 1024 * 1024,
        description="Bytes of one webhook's body, inflated; above it 413.",
    )
    max_in_flight_requests: int = Field(
        4_000, ge=1, description="Requests at once in one ingress process; above it 503."
    )
    workers: int = Field(
        1,
        ge=1,
        le=64,
        description="Processes of `isthmus run ingress` on the one port; limits of sources are divided among them.",
    )
    header_timeout_s: float = Field(10.0, gt=0, description="Seconds for a request's headers, once they have begun.")
    body_timeout_s: float = Field(30.0, gt=0, description="Seconds for a request's body; above it 408.")
    keep_alive_s: float = Field(
        75.0, gt=0, description="Seconds that a connection may be idle; more than the balancer in front allows."
    )
    shutdown_timeout_s: float = Field(
        10.0, gt=0, description="Seconds for the requests that were accepted, when a process is told to stop."
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="`auto`: readable on a terminal, JSON elsewhere."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    report_interval_s: float = Field(10.0, gt=0, description="Seconds between two reports in the log.")
    instance: str = Field("", description="Name of this process in logs and reports; empty: host name and process id.")
    _unset: bytes = PrivateAttr(default_factory=lambda: secrets.token_bytes(32))

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Read every ``ISTHMUS_*`` name that is a setting of ours; the others may be secrets of the document.

        Raises ``ConfigError`` that names each bad value's variable and what was expected, never the value.
        """
        given: dict[str, Any] = {
            name: env[PREFIX + name.upper()] for name in cls.model_fields if env.get(PREFIX + name.upper(), "") != ""
        }
        try:
            return cls(**given)
        except ValidationError as error:
            lines = [f"{PREFIX}{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors(include_input=False)]
            raise ConfigError("; ".join(lines)) from None

    @property
    def secrets(self) -> tuple[bytes, ...]:
        """The signing secrets, the first signs, all verify. Without one, what this process signs ends with it."""
        given = tuple(part.encode() for part in self.secret.get_secret_value().split(",") if part)
        return given or (self._unset,)

    def topic(self, name: str) -> str:
        """The broker's name of one of our own topics."""
        return self.topic_prefix + name
