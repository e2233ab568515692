"""A real WAR in Debian's Tomcat, staged and run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.cloud import zipped

WEB_XML = """<?xml version="1.0" encoding="UTF-8"?>
<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="5.0">
</web-app>
"""
PAGE = """<%= "Hello from " + "Tomcat " + System.getProperty("catalina.base") %>
"""
WAR = {"WEB-INF/web.xml": WEB_XML, "index.jsp": PAGE}
# A virtual machine that compiles little is there sooner.
QUICK = ["JAVA_TOOL_OPTIONS=-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"]


@pytest.mark.parametrize(
    ("files", "greeting"),
    [
        ({"shop.war": zipped(WAR)}, "Hello from Tomcat /home/vcap/tomcat"),
        ({**WAR, "index.jsp": "", "index.html": "Only files"}, "Only files"),
    ],
    ids=["war", "unpacked"],
)
def test_a_java_web_app_runs_in_a_tomcat_of_its_own(
    page_of: Callable[..., str],
    files: dict[str, str | bytes],
    greeting: str,
    request: pytest.FixtureRequest,
) -> None:
    limits = {"mem": 256, "disk": 64, "fds": 1024}
    name = request.node.callspec.id
    text = page_of(name, "java_web", "java", files, start={"limits": limits, "env": QUICK})
    assert greeting in text
