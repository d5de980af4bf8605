"""Exit 0 when the process in this container can do its own job: `/health/ready` answers 200.

    healthcheck.py [PORT]

Left out, the port is that of ingress and api (ISTHMUS_PORT), and where nothing listens there the probe port.
The slim image has neither curl nor wget.
"""

import http.client
import os
import sys

TIMEOUT_S = 3


def ready(port: int) -> bool | None:
    """None where nothing listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except ConnectionRefusedError:
        return None
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main(arguments: list[str]) -> int:
    ports = arguments or [os.environ.get("ISTHMUS_PORT", "8080"), os.environ.get("ISTHMUS_PROBE_PORT", "8081")]
    answers = [answer for port in ports if (answer := ready(int(port))) is not None]
    return 0 if answers and answers[0] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
