"""The ASGI application that uvicorn serves."""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vr.server.settings")
_django = get_asgi_application()

# They need models, which are there now.
from vr.server.files.limit import BodyLimit  # noqa: E402
from vr.server.senders import why_not  # noqa: E402
from vr.server.watchdog import Watched  # noqa: E402

application = Watched(
    BodyLimit(
        _django,
        uploads=("/api/v1/builds/upload/", "/build/upload/", "/files/farm/"),
        upload_bytes=settings.UPLOAD_BYTES,
        most_bytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
        gate=why_not,
    ),
    path="/login/",
)
