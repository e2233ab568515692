"""Settings to a client of Consul or etcd."""

from __future__ import annotations

from vr.pilot.config import ConsulSettings
from vr.pilot.errors import ConfigError
from vr.pilot.httpclient import HttpClient, Server

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from typing import Union

    from vr.pilot.config import EtcdSettings
    from vr.pilot.discovery.base import Discovery
    from vr.pilot.log import Log
    from vr.pilot.loop import Loop
    from vr.pilot.resolver import Resolver

# Where Consul's own tools and etcdctl look for the same things.
_CONSUL_TLS = ("CONSUL_CACERT", "CONSUL_CAPATH", "CONSUL_CLIENT_CERT", "CONSUL_CLIENT_KEY")
_ETCD_TLS = ("ETCDCTL_CACERT", "", "ETCDCTL_CERT", "ETCDCTL_KEY")


def connect(
    settings: Union[ConsulSettings, EtcdSettings],
    loop: Loop,
    resolver: Resolver,
    log: Log,
    environ: Mapping[str, str],
) -> Discovery:
    """A client; connects with the first request. Raises ConfigError for bad TLS files."""
    if isinstance(settings, ConsulSettings):
        from vr.pilot.discovery.consul import Consul

        verify = environ.get("CONSUL_HTTP_SSL_VERIFY", "").lower() not in ("0", "false", "f")
        tls = tls_context(_CONSUL_TLS, environ, verify) if settings.secure else None
        server = Server(settings.secure, settings.host, settings.port)
        name = environ.get("CONSUL_TLS_SERVER_NAME", "")
        http = HttpClient(loop, resolver, server, tls, name)
        return Consul(http, settings.token or environ.get("CONSUL_HTTP_TOKEN", ""))
    from vr.pilot.discovery.etcd_servers import EtcdServers

    secure = any(endpoint[0] for endpoint in settings.endpoints)
    tls = tls_context(_ETCD_TLS, environ, True) if secure else None
    servers = EtcdServers(
        [
            HttpClient(loop, resolver, Server(*endpoint), tls if endpoint[0] else None)
            for endpoint in settings.endpoints
        ]
    )
    if settings.api == 3:
        from vr.pilot.discovery.etcd3 import Etcd3

        return Etcd3(servers, settings.prefix, log)
    from vr.pilot.discovery.etcd2 import Etcd2

    return Etcd2(servers, settings.prefix, log)


def tls_context(
    names: tuple[str, str, str, str], environ: Mapping[str, str], verify: bool
) -> ssl.SSLContext:
    """`names` are the variables of CA file, CA folder, certificate and key, each optional."""
    import ssl

    ca_file, ca_folder, certificate, key = (environ.get(name) or None for name in names)
    try:
        context = ssl.create_default_context(cafile=ca_file, capath=ca_folder)
        if certificate:
            context.load_cert_chain(certificate, key)
    except (OSError, ValueError) as error:
        where = ", ".join(name for name in names if environ.get(name))
        raise ConfigError([f"Could not set up TLS from {where}: {error}"]) from None
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
