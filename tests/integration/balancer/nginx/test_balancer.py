"""The nginx balancer with a real nginx."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from support.load import Load
from support.nginx_server import Nginx, nginx_server
from support.waiting import until
from vr.balancer.nginx.balancer import NginxBalancer
from vr.balancer.nginx.host import NginxHost
from vr.balancer.nginx.settings import NginxSettings
from vr.balancer.several_hosts import HostsBalancer
from vr.errors import VelociraptorError
from vr.hosts.local import LocalConnection
from vr.hosts.supervisor import Supervisor
from vr.paths import Root


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with nginx_server(tmp_path_factory.mktemp("nginx") / "nginx") as found:
        yield found


def balancer_of(nginx: Nginx) -> NginxBalancer:
    """A new one, as another process has it."""
    return NginxBalancer(nginx.config, [connection("here")])


def connection(name: str) -> LocalConnection:
    nowhere = Path("/nonexistent")
    return LocalConnection(name, Root(nowhere), Supervisor(name, "unix:///none"), nowhere)


@pytest.fixture
def balancer(nginx: Nginx) -> Iterator[NginxBalancer]:
    made = balancer_of(nginx)
    yield made
    for file in nginx.folder.glob("pools/*.conf"):
        made.delete_pool(file.stem)


@contextmanager
def node(text: str) -> Iterator[str]:
    """A server that answers `text`; the block's value is its node."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("X-Shop-Version", text)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def pool_files(nginx: Nginx) -> list[str]:
    return sorted(path.name for path in nginx.folder.glob("pools/*"))


def test_a_new_pool_is_reachable_by_its_name_at_once(nginx: Nginx, balancer: NginxBalancer) -> None:
    with node("v1") as one:
        balancer.set_nodes("shop", [one])
        assert nginx.get("shop").text == "v1"
        assert balancer.get_nodes("shop") == [one]


def test_a_removed_node_gets_no_request_once_set_nodes_returns(
    nginx: Nginx, balancer: NginxBalancer
) -> None:
    with ExitStack() as nodes, Load(nginx.port, "shop.localhost", rate=200) as load:
        current = nodes.enter_context(node("0"))
        balancer.set_nodes("shop", [current])
        load.failures.clear()
        for turn in range(1, 6):
            with ExitStack() as old:
                old.push(nodes.pop_all())
                current = nodes.enter_context(node(str(turn)))
                balancer.set_nodes("shop", [current])
                balancer.wait_drained(10)
        until(lambda: load.versions["5"] > 10, "the last node serves")
    assert [failure for failure in load.failures if "404" not in failure] == []
    assert sum(load.versions.values()) > 50


def test_an_emptied_pool_leaves_no_file_that_nginx_would_reject(
    nginx: Nginx, balancer: NginxBalancer
) -> None:
    with node("v1") as one:
        balancer.add_nodes("shop", [one])
        balancer.delete_nodes("shop", [one])
    assert nginx.get("shop").status_code == 404
    assert not (nginx.folder / "pools" / "shop.conf").exists()


def test_what_nginx_rejects_is_taken_back_and_its_words_are_shown(
    nginx: Nginx, balancer: NginxBalancer
) -> None:
    with node("v1") as one:
        balancer.set_nodes("shop", [one])
        with pytest.raises(VelociraptorError) as error:
            balancer.set_nodes("shop", ["no-such-host.invalid:80"])
        assert "host not found" in error.value.details
        assert balancer.get_nodes("shop") == [one]
        assert nginx.get("shop").text == "v1"
        with pytest.raises(VelociraptorError):
            balancer.set_nodes("other", ["no-such-host.invalid:80"])
        assert not (nginx.folder / "pools" / "other.conf").exists()


def test_a_writer_that_died_before_its_reload_is_made_up_for(
    nginx: Nginx, balancer: NginxBalancer
) -> None:
    with node("v1") as one, node("v2") as two:
        balancer.set_nodes("shop", [one])
        file = nginx.folder / "pools" / "shop.conf"
        # What a kill -9 between the rename and the reload leaves.
        (nginx.folder / "pools" / ".shop.pending").touch()
        file.write_text(file.read_text().replace(one, two))
        balancer.set_nodes("shop", [two])
        assert nginx.get("shop").text == "v2"


def test_writers_of_one_pool_lose_no_node_and_of_many_pools_no_pool(
    nginx: Nginx, balancer: NginxBalancer
) -> None:
    nodes = [f"127.0.0.1:{port}" for port in range(20001, 20005)]

    def add(item: tuple[str, str]) -> None:
        balancer_of(nginx).add_nodes(item[0], [item[1]])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, [(name, one) for one in nodes for name in ("shop", "blog")]))
    assert balancer.get_nodes("shop") == balancer.get_nodes("blog") == nodes


def test_nothing_is_reloaded_when_nothing_changes(nginx: Nginx, balancer: NginxBalancer) -> None:
    balancer.set_nodes("shop", ["127.0.0.1:20001"])
    log = nginx.folder / "error.log"
    before = log.read_text().count("reconfiguring")
    balancer.set_nodes("shop", ["127.0.0.1:20001"])
    assert log.read_text().count("reconfiguring") == before


def test_other_users_can_read_pool_files_and_nobody_changes_them(
    nginx: Nginx, balancer: NginxBalancer
) -> None:
    balancer.set_nodes("shop", ["127.0.0.1:20001"])
    assert (nginx.folder / "pools" / "shop.conf").stat().st_mode & 0o777 == 0o644
    assert [name for name in pool_files(nginx) if not name.startswith(".")] == ["shop.conf"]


def test_a_pool_tells_where_it_answers(nginx: Nginx, balancer: NginxBalancer) -> None:
    assert balancer.address("Shop") == f"http://shop.localhost:{nginx.port}/"


def test_several_machines_all_get_a_pool_or_none_does(nginx: Nginx, tmp_path: Path) -> None:
    with nginx_server(tmp_path / "second") as second, node("v1") as one, node("v2") as two:
        servers = {"first": nginx, "second": second}
        both = HostsBalancer(
            {},
            [
                NginxHost(connection(name), NginxSettings.checked(server.config))
                for name, server in servers.items()
            ],
        )
        both.set_nodes("shop", [one])
        assert [server.get("shop").text for server in servers.values()] == ["v1", "v1"]
        # What the administrator of one of them breaks keeps the change from all.
        users_own = second.folder / "pools" / "users.conf"
        users_own.write_text("nonsense;\n")
        with pytest.raises(VelociraptorError, match="the pool 'shop' on second") as error:
            both.set_nodes("shop", [two])
        assert "nonsense" in error.value.details
        assert both.nodes_by_host("shop") == {"first": [one], "second": [one]}
        assert [server.get("shop").text for server in servers.values()] == ["v1", "v1"]
        users_own.unlink()
        both.set_nodes("shop", [two])
        assert [server.get("shop").text for server in servers.values()] == ["v2", "v2"]
        both.delete_pool("shop")
