"""Every address of the server."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from vr.server.api.v1 import api, docs
from vr.server.builds.farm.exchange import give, receive
from vr.server.files.download import download
from vr.server.health import health, ready
from vr.server.metrics.page import metrics

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    # Monitors ask by these names, and some follow no redirect.
    path("health", health),
    path("health/", health),
    path("ready", ready),
    path("ready/", ready),
    path("metrics", metrics),
    path("metrics/", metrics),
    path("api/v1/docs/", docs, name="api_docs"),
    path("api/v1/", api.urls),
    path("api/streams/", include("vr.server.streams.urls")),
    path("files/farm/app.zip", give),
    path("files/farm/droplet.tgz", receive),
    path("files/<str:signature>/<str:name>", download, name="file"),
    path("", include("vr.server.web.urls")),
]
