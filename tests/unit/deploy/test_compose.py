"""docker-compose.yml and the Dockerfile as they are written; nothing is started."""

import re
import runpy
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from ruamel.yaml import YAML
from support.local_kafka import REPOSITORY, free_port

from processor.config import check
from processor.services import known_services

COMPOSE: dict[str, Any] = YAML(typ="safe").load(REPOSITORY / "docker-compose.yml")
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (REPOSITORY / "deploy/Dockerfile").read_text()
RUN = {name: service["command"][1:] for name, service in SERVICES.items() if service.get("command", [""])[0] == "run"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_may_do_nothing_it_need_not(name: str) -> None:
    """Not root, no capabilities, no new privileges; only Kafka's own start script writes to its root."""
    service = SERVICES[name]
    assert service["user"].split(":")[0] not in {"", "0", "root"}
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("read_only", False) == (name != "kafka")
    assert "stop_grace_period" in service


def test_images_are_pinned() -> None:
    """`latest` would be another one tomorrow; Kafka's is the version that deploy/kafka runs."""
    pom = (REPOSITORY / "deploy/kafka/pom.xml").read_text()
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{pom.split('<version>')[2].split('<')[0]}"
    assert SERVICES["postgres"]["image"] == "postgres:18"
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert bases == ["python:3.11-slim-bookworm"] * 2


def test_every_long_running_service_says_how_it_is() -> None:
    """`up --wait` and the conditions below rest on it; only the one-shot has none."""
    without = [name for name, service in SERVICES.items() if service["healthcheck"].get("disable")]
    assert without == ["setup"]
    for name in RUN:
        port = "8080" if name in {"ingress", "api"} else "8081"
        assert SERVICES[name]["healthcheck"]["test"][-1] == port


def test_services_wait_for_what_they_need() -> None:
    """The schema, the topics and the document are there before anything reads them."""
    for name in RUN:
        assert SERVICES[name]["depends_on"]["setup"] == {"condition": "service_completed_successfully"}
    assert SERVICES["setup"]["depends_on"].keys() == {"kafka", "postgres"}
    (steps,) = SERVICES["setup"]["command"]
    assert [step.split()[1] for step in steps.split(" && ")] == ["migrate", "topics", "config"]


def test_topics_are_never_made_by_asking_for_them() -> None:
    """As in deploy/kafka."""
    assert SERVICES["kafka"]["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_ports_are_open_on_this_machine_only() -> None:
    """Who wants more sets ISTHMUS_BIND; broker and database are never published."""
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published.keys() == {"ingress", "api"}
    assert all(port.startswith("${ISTHMUS_BIND:-127.0.0.1}:") for ports in published.values() for port in ports)


def test_every_key_comes_from_the_environment_and_says_so_when_missing() -> None:
    """What has no default stands in env.example, empty."""
    text = (REPOSITORY / "docker-compose.yml").read_text()
    needed = set(re.findall(r"\$\{(\w+):\?put \w+ into \.env, see deploy/env\.example\}", text))
    example = (REPOSITORY / "deploy/env.example").read_text()
    assert needed == set(re.findall(r"^(\w+)=$", example, re.MULTILINE))
    assert set(re.findall(r"\$\{(\w+):-", text)) == set(re.findall(r"^# (\w+)=", example, re.MULTILINE))
    document = (REPOSITORY / "deploy/compose.isthmus.yaml").read_text()
    assert check(document).warnings == ()
    assert set(re.findall(r"env: (\w+)", document)) <= needed


def test_each_process_exists() -> None:
    """`isthmus run NAME` knows every name that is given here."""
    assert {name for names in RUN.values() for name in names} <= set(known_services())


def test_the_image_runs_as_somebody_without_tools() -> None:
    """Two stages; the user, the health and the command are the image's own."""
    last = DOCKERFILE.split("FROM ")[-1]
    assert "USER 10001:10001" in last
    assert "HEALTHCHECK" in last
    assert 'ENTRYPOINT ["isthmus"]' in last
    assert "apt-get" not in last


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_healthcheck_follows_readiness(status: int, code: int) -> None:
    """0 for 200 and 1 for everything else, a closed port included."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the library's name
            self.send_response(status if self.path == "/health/ready" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
            pass

    main = runpy.run_path(str(REPOSITORY / "deploy/healthcheck.py"))["main"]
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            assert main([str(server.server_port)]) == code
            assert main([str(free_port()), str(server.server_port)]) == code
        finally:
            server.shutdown()
            thread.join()
    assert main([str(free_port())]) == 1
