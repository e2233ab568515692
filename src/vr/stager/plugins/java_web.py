"""java_web: a web application (WAR) in a Tomcat of its own."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from vr.errors import VelociraptorError
from vr.files.unzip import unzip
from vr.stager.plugins.contract import Staging, StagingFailed
from vr.stager.scripts import RUNTIME, Startup

_SERVER_XML = """\
<?xml version="1.0" encoding="UTF-8"?>
<Server port="-1">
  <Service name="Catalina">
    <Connector port="${http.port}" protocol="HTTP/1.1"/>
    <Engine name="Catalina" defaultHost="localhost">
      <Host name="localhost" appBase="webapps" autoDeploy="false"/>
    </Engine>
  </Service>
</Server>
"""

# What every web application has beside its own web.xml: JSP, files. Debian keeps it in etc/.
_LINK_DEFAULTS = (
    'for each in "$CATALINA_HOME"/{conf,etc}/web.xml; do'
    ' [ ! -e "$each" ] || ln -sf "$each" tomcat/conf/; done'
)


def stage(staging: Staging) -> Startup:
    """Lay the app out as the root of a Tomcat base; the program itself is the stager's `tomcat`.

    That setting is a folder on the host; without it, Debian's is used where the app runs.
    """
    tomcat = staging.droplet / "tomcat"
    for name in ("conf", "logs", "temp", "webapps", "work"):
        (tomcat / name).mkdir(parents=True)
    _place_app(staging, tomcat / "webapps" / "ROOT")
    if not (tomcat / "webapps/ROOT/WEB-INF/web.xml").is_file():
        raise StagingFailed("Web application staging failed: web.xml not found")
    home, command = "${CATALINA_HOME:-/usr/share/tomcat10}", "$CATALINA_HOME/bin/catalina.sh run"
    installed = staging.settings.get("tomcat")
    if isinstance(installed, str):
        _copy_program(Path(installed), tomcat)
        home, command = "$PWD/tomcat", "./bin/catalina.sh run"
    (tomcat / "conf" / "server.xml").write_text(_SERVER_XML)
    before = () if (tomcat / "conf" / "web.xml").exists() else (_LINK_DEFAULTS,)
    memory = f"-Xms{staging.memory}m -Xmx{staging.memory}m"
    return Startup(
        command,
        {
            "CATALINA_BASE": "$PWD/tomcat",
            "CATALINA_HOME": home,
            "CATALINA_OPTS": "-Dhttp.port=$VCAP_APP_PORT",
            "JRE_HOME": f'$(dirname "$(dirname "$(readlink -f {RUNTIME})")")',
            "JAVA_OPTS": f"{memory} -Djava.io.tmpdir=$PWD/tmp",
        },
        before,
        folder="tomcat",
    )


def _place_app(staging: Staging, target: Path) -> None:
    wars = staging.app.glob("*.war")
    if wars:
        try:
            unzip(staging.app.path / wars[0], target)
        except (VelociraptorError, zipfile.BadZipFile) as error:
            raise StagingFailed(f"{wars[0]} can't be unpacked: {error}") from None
        return
    shutil.copytree(staging.app.path, target, symlinks=True)


def _copy_program(source: Path, tomcat: Path) -> None:
    if not (source / "bin" / "catalina.sh").is_file():
        raise StagingFailed(
            f"There is no Tomcat in {source}.",
            hint="Correct plugins.java_web.tomcat in the stager's configuration.",
        )
    for name in ("bin", "lib"):
        shutil.copytree(source / name, tomcat / name, symlinks=False)
    if (source / "conf").is_dir():
        shutil.copytree(source / "conf", tomcat / "conf", dirs_exist_ok=True)
