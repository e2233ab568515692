"""Plugins: what they install and how they start an app, on folders of files, nothing executed."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pytest

from vr.stager.app_folder import AppFolder
from vr.stager.plugins import registry
from vr.stager.plugins.contract import Staging, StagingFailed
from vr.stager.request import parse_properties
from vr.stager.scripts import Startup, startup_script


@dataclass
class Recorder:
    """Notes commands instead of running them."""

    ran: list[str] = field(default_factory=list)
    commands: dict[str, str] = field(default_factory=dict)
    failing: tuple[str, ...] = ()

    def run(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        self.ran.append(" ".join(argv))
        if argv[0] in self.failing:
            raise StagingFailed("no")

    def run_buildpack(self, reference: str | None) -> tuple[str, dict[str, str]]:
        self.ran.append(f"buildpack {reference}")
        return "pack", self.commands


@dataclass
class Staged:
    startup: Startup
    ran: list[str]
    log: list[str]
    droplet: Path

    @property
    def script(self) -> str:
        return startup_script(self.startup)


Stage = Callable[..., Staged]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    def run(
        framework: str,
        files: Mapping[str, str],
        *,
        settings: Mapping[str, Any] | None = None,
        commands: dict[str, str] | None = None,
        failing: tuple[str, ...] = (),
        **properties: Any,
    ) -> Staged:
        droplet = tmp_path / "droplet"
        app = AppFolder(droplet / "app")
        app.path.mkdir(parents=True)
        for name, text in files.items():
            (app.path / name).parent.mkdir(parents=True, exist_ok=True)
            (app.path / name).write_text(text)
        detection = properties.pop("detection", [])
        values = {"framework_info": {"name": framework, "detection": detection}, **properties}
        recorder, log = Recorder(commands=commands or {}, failing=failing), []
        staging = Staging(
            app, droplet, parse_properties(values, "x"), recorder, log.append, settings or {}
        )
        return Staged(registry.plugin_for(framework)(staging), recorder.ran, log, droplet)

    return run


RULES = [{"*.rb": "require 'sinatra'"}]
SINATRA = {"hello world.rb": "require 'sinatra'"}


def test_sinatra_finds_its_main_file_and_quotes_it(stage: Stage) -> None:
    staged = stage("sinatra", SINATRA, detection=RULES)
    assert staged.startup.command == "%VCAP_LOCAL_RUNTIME% 'hello world.rb' $@"
    assert "Auto-reconfiguration disabled because app does not use Bundler." in staged.log
    assert staged.ran == []


@pytest.mark.parametrize(
    ("version", "option"), [("1.8.7", '"-rubygems -I'), ("1.9.3", '"-I'), ("3.1", '"-I')]
)
def test_only_ruby_1_8_is_told_of_gems(stage: Stage, version: str, option: str) -> None:
    runtime = {"name": "ruby", "version": version}
    script = stage("sinatra", SINATRA, detection=RULES, runtime_info=runtime).script
    assert f"RUBYOPT={option}$PWD/ruby -rstdsync" in script


def test_bundler_installs_while_staging_and_runs_the_app(stage: Stage) -> None:
    staged = stage("rack", {"config.ru": "", "Gemfile": "", "Gemfile.lock": ""})
    assert staged.ran == ["bundle install --jobs 2"]
    assert staged.startup.command.startswith("%VCAP_LOCAL_RUNTIME% -S bundle exec %VCAP")
    assert staged.startup.exports["BUNDLE_PATH"] == "$PWD/app/rubygems"


RUBY_19 = {"name": "ruby19", "executable": "/opt/ruby19", "version": "1.9.2"}
CHECK = "-e exit RUBY_VERSION.include?(ARGV.first) 1.9.2"


def test_gems_are_built_with_the_ruby_that_was_asked_for(stage: Stage) -> None:
    staged = stage("rack", {"Gemfile.lock": ""}, runtime_info=RUBY_19)
    assert staged.ran == [f"/opt/ruby19 {CHECK}", "/opt/ruby19 -S bundle install --jobs 2"]


def test_the_ruby_in_use_will_do_if_it_is_of_that_version(stage: Stage) -> None:
    staged = stage("rack", {"Gemfile.lock": ""}, runtime_info=RUBY_19, failing=("/opt/ruby19",))
    assert staged.ran[1:] == [f"ruby {CHECK}", "bundle install --jobs 2"]


def test_gems_are_not_built_with_another_ruby(stage: Stage) -> None:
    both = ("/opt/ruby19", "ruby")
    with pytest.raises(StagingFailed) as caught:
        stage("rack", {"Gemfile.lock": ""}, runtime_info=RUBY_19, failing=both)
    assert str(caught.value) == "No suitable runtime found. Needs version matching 1.9.2"


def test_vendored_gems_are_installed_without_a_server(stage: Stage) -> None:
    staged = stage("rack", {"config.ru": "", "Gemfile.lock": "", "vendor/cache/rack-2.gem": ""})
    assert staged.ran == ["bundle install --jobs 2 --local"]


@pytest.mark.parametrize(
    ("script", "command"),
    [("bin/rails", "bin/rails"), ("script/rails", "script/rails"), ("x", "-S rails")],
)
def test_rails_is_started_by_the_apps_own_command(stage: Stage, script: str, command: str) -> None:
    staged = stage("rails", {"Gemfile.lock": "", script: ""})
    assert f" {command} server $@" in staged.startup.command


@pytest.mark.parametrize("framework", ["rails", "rails3"])
def test_rails_migrates_at_start_and_compiles_assets_before(stage: Stage, framework: str) -> None:
    files = dict.fromkeys(("Gemfile.lock", "Rakefile", "app/assets/x", "config/database.yml"), "")
    staged = stage(framework, files)
    assert staged.ran == ["bundle install --jobs 2", "bundle exec rake assets:precompile"]
    assert " rails server $@" in staged.startup.command
    assert "rake db:migrate" in staged.script and "logs/migration.log" in staged.script
    assert 'RAILS_ENV="${RAILS_ENV:-production}"' in staged.script


@pytest.mark.parametrize(
    ("files", "command", "ran"),
    [
        ({"a.js": ""}, "a.js", []),
        ({"index.js": "", "app.js": "", "x.js": ""}, "index.js", []),
        ({"package.json": '{"scripts": {"start": "node lib/x.js --a"}}'}, "lib/x.js --a", []),
        ({"a.js": "", "package-lock.json": "{}"}, "a.js", ["npm ci --omit=dev"]),
        (
            {"a.js": "", "package.json": '{"dependencies": {"x": "1"}}'},
            "a.js",
            ["npm install --omit=dev --no-package-lock"],
        ),
        ({"a.js": "", "yarn.lock": ""}, "a.js", ["yarn install --production --frozen-lockfile"]),
    ],
)
def test_node(stage: Stage, files: dict[str, str], command: str, ran: list[str]) -> None:
    staged = stage("node", files)
    assert staged.startup.command == f"%VCAP_LOCAL_RUNTIME% $NODE_ARGS {command} $@"
    assert staged.ran == ran


def test_wsgi_installs_while_staging(stage: Stage) -> None:
    staged = stage("wsgi", {"wsgi.py": "", "requirements.txt": "flask"})
    assert staged.ran == [
        "python3 -m venv --without-pip /home/vcap/python",
        "python3 -m pip --python /home/vcap/python/bin/python3 install --no-input gunicorn"
        " -r requirements.txt",
    ]
    assert "../python/bin/gunicorn -c ../gunicorn.config wsgi:application" in staged.script
    assert "VCAP_APP_PORT" in (staged.droplet / "gunicorn.config").read_text()


def test_django_finds_its_project_and_migrates(stage: Stage) -> None:
    staged = stage("django", {"manage.py": "", "shop/wsgi.py": ""})
    assert staged.ran[-1].endswith("install --no-input gunicorn django")
    assert staged.startup.command.endswith("shop.wsgi:application")
    assert "manage.py migrate --noinput" in staged.script


def test_php_serves_the_folder_with_the_index(stage: Stage) -> None:
    assert stage("php", {"public/index.php": ""}).startup.command.endswith("-t public")


def test_java_web_lays_out_a_tomcat(stage: Stage, tmp_path: Path) -> None:
    for name in ("bin/catalina.sh", "lib/x.jar", "conf/web.xml"):
        (tmp_path / "tomcat" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tomcat" / name).touch()
    settings = {"tomcat": str(tmp_path / "tomcat")}
    staged = stage("java_web", {"WEB-INF/web.xml": ""}, settings=settings)
    tomcat = staged.droplet / "tomcat"
    assert (tomcat / "webapps/ROOT/WEB-INF/web.xml").exists()
    assert (tomcat / "lib/x.jar").exists() and (tomcat / "conf/web.xml").exists()
    assert "${http.port}" in (tomcat / "conf/server.xml").read_text()
    assert "cd tomcat\n./bin/catalina.sh run > ../logs/stdout.log" in staged.script
    assert "-Xmx512m" in staged.script


def test_java_web_unpacks_a_war(stage: Stage, tmp_path: Path) -> None:
    def make_war(path: Path) -> str:
        with zipfile.ZipFile(path, "w") as war:
            war.writestr("WEB-INF/web.xml", "<web-app/>")
        return path.read_bytes().decode("latin-1")

    text = make_war(tmp_path / "x.war")
    with pytest.raises(StagingFailed, match=r"can't be unpacked|web\.xml not found"):
        stage("java_web", {"shop.war": text[:40]})


def test_standalone_runs_what_it_is_told(stage: Stage) -> None:
    meta = {"command": "./run && true"}
    script = stage("standalone", {"run": ""}, meta=meta).script
    assert "\n( ./run && true ) > ../logs/stdout.log" in script


def test_standalone_takes_the_procfile_else(stage: Stage) -> None:
    staged = stage("standalone", {"Procfile": "web: ./run $PORT"})
    assert staged.startup.command == "bash -c './run $PORT'"


def test_static_writes_a_configuration_of_nginx(stage: Stage) -> None:
    staged = stage("static", {"public/index.html": ""})
    assert "root ROOT/app/public;" in (staged.droplet / "nginx.conf.in").read_text()


def test_buildpacks_give_the_command(stage: Stage) -> None:
    staged = stage("buildpack", {}, commands={"web": "serve 'x'"}, buildpack="https://x/y.git")
    assert staged.ran == ["buildpack https://x/y.git"]
    assert "exec bash -c" in staged.startup.command


@pytest.mark.parametrize("reference", ["/etc", "file:///root", "../x", "C:"])
def test_buildpacks_of_the_host_are_refused(stage: Stage, reference: str) -> None:
    with pytest.raises(StagingFailed, match="none of https"):
        stage("buildpack", {}, buildpack=reference)


def plugin_of_somebody_else(staging: Staging) -> Startup:
    return Startup("mine")


def test_plugins_are_added_by_entry_points(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    found = EntryPoint("fortran", f"{__name__}:plugin_of_somebody_else", registry.GROUP)

    def entry_points(**wanted: str) -> EntryPoints:
        return EntryPoints([found]).select(**wanted)

    monkeypatch.setattr(registry, "entry_points", entry_points)
    monkeypatch.setattr(EntryPoint, "load", lambda _self: plugin_of_somebody_else)
    assert stage("fortran", {}).startup.command == "mine"
    assert "fortran" in registry.known() and "sinatra" in registry.known()
