"""The ASGI application that uvicorn serves."""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

from vr.server.files.limit import BodyLimit
from vr.server.watchdog import Watched

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vr.server.settings")
application = Watched(
    BodyLimit(
        get_asgi_application(),
        uploads=("/api/v1/builds/upload/", "/build/upload/", "/files/farm/"),
        upload_bytes=settings.UPLOAD_BYTES,
    ),
    path="/login/",
)
