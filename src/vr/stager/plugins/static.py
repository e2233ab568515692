"""static: files as they are, served by nginx, which is the runtime."""

from __future__ import annotations

from vr.stager.plugins.contract import Staging
from vr.stager.scripts import RUNTIME, Startup

_CONFIG = """\
daemon off;
worker_processes 1;
pid ROOT/tmp/nginx.pid;
error_log stderr;
events { worker_connections 512; }
http {
    types {
        text/html html htm; text/css css; text/plain txt; text/xml xml;
        application/javascript js mjs; application/json json; application/pdf pdf;
        application/wasm wasm; font/woff2 woff2; font/woff woff;
        image/png png; image/jpeg jpg jpeg; image/gif gif; image/webp webp;
        image/svg+xml svg; image/x-icon ico; video/mp4 mp4;
    }
    default_type application/octet-stream;
    charset utf-8;
    sendfile on;
    gzip on;
    gzip_types text/css text/plain application/javascript application/json image/svg+xml;
    access_log ROOT/logs/access.log;
    client_body_temp_path ROOT/tmp/body;
    proxy_temp_path ROOT/tmp/proxy;
    fastcgi_temp_path ROOT/tmp/fastcgi;
    uwsgi_temp_path ROOT/tmp/uwsgi;
    scgi_temp_path ROOT/tmp/scgi;
    server {
        listen PORT;
        root ROOT/app/FOLDER;
        index index.html;
        location ~ /\\. { deny all; }
    }
}
"""


def stage(staging: Staging) -> Startup:
    """The files are in `public/` if that has an index.html, else in the app's root."""
    folder = "public" if staging.app.exists("public/index.html") else ""
    staging.write("nginx.conf.in", _CONFIG.replace("FOLDER", folder))
    fill_in = 'sed -e "s|ROOT|$PWD|g" -e "s|PORT|$VCAP_APP_PORT|" nginx.conf.in > tmp/nginx.conf'
    return Startup(f'{RUNTIME} -e stderr -p "$PWD/.." -c "$PWD/../tmp/nginx.conf"', {}, (fill_in,))
