"""sinatra, rack, rails (docs/reference/staging.md#frameworks)."""

from __future__ import annotations

import shlex

from vr.stager.detection import main_file
from vr.stager.plugins.contract import INSIDE, Staging, StagingFailed
from vr.stager.scripts import RUNTIME, Startup

_GEMS, _UNWANTED = "rubygems", "development:test"
_RUBY = "ruby"
_CHECK = "exit RUBY_VERSION.include?(ARGV.first)"
# The app's output is to be seen when it is written, not when a buffer is full.
_STDSYNC = (
    "mkdir -p ruby",
    'echo "\\$stdout.sync = true" > ./ruby/stdsync.rb',
)


def stage_sinatra(staging: Staging) -> Startup:
    """The main file is the first that the request's string rules match."""
    main = main_file(staging.app, staging.properties.framework_info.detection)
    if main is None:
        raise StagingFailed("Unable to determine Sinatra startup command")
    return _startup(staging, f"{RUNTIME} {shlex.quote(main)} $@")


def stage_rack(staging: Staging) -> Startup:
    return _startup(staging, f"{RUNTIME} -S rackup $@ config.ru -E $RACK_ENV")


def stage_rails(staging: Staging) -> Startup:
    """Assets are compiled while staging; migrations run at start if there is a database."""
    bundled = _has_bundle(staging)
    if bundled:
        command = f"{RUNTIME} -S bundle exec {RUNTIME} {_rails_script(staging)} server $@"
    else:
        command = f"{RUNTIME} -S thin -R config.ru $@ start"
    startup = _startup(staging, command, variable="RAILS_ENV")
    if bundled and staging.app.exists("Rakefile") and staging.app.exists("app/assets"):
        # Apps want the key to boot, and get the real one where they run.
        env = {"SECRET_KEY_BASE": "none-while-staging", **_staging_env()}
        staging.install(*_bundle(staging), "exec", "rake", "assets:precompile", env=env)
    if not staging.app.exists("config/database.yml"):
        return startup
    rake = f"{RUNTIME} -S bundle exec {RUNTIME} -S rake" if bundled else f"{RUNTIME} -S rake"
    migrate = f"(cd app; {rake} db:migrate --trace >> ../logs/migration.log 2>&1)"
    return Startup(startup.command, startup.exports, (*startup.before, migrate))


def _startup(staging: Staging, command: str, variable: str = "RACK_ENV") -> Startup:
    exports: dict[str, str | None] = {
        variable: f"${{{variable}:-production}}",
        "RUBYOPT": f"{_rubygems(staging)}-I$PWD/ruby -rstdsync",
    }
    if variable != "RACK_ENV":
        exports["RACK_ENV"] = "${RACK_ENV:-production}"
    if _has_bundle(staging):
        # Bundler's own setting, not GEM_PATH: it knows the folder of the Ruby that runs. GEM_HOME
        # is where Bundler writes for an app whose .bundle/config wants the machine's gems.
        # An app that brings its gems along needs no server for them.
        local = ["--local"] if staging.app.glob("vendor/cache/*.gem") else []
        install = (*_bundle(staging), "install", "--jobs", "2", *local)
        staging.install(*install, env=_staging_env())
        folder = f"$PWD/app/{_GEMS}"
        exports |= {"BUNDLE_PATH": folder, "GEM_HOME": folder, "BUNDLE_WITHOUT": _UNWANTED}
        if command.startswith(f"{RUNTIME} ") and " bundle exec " not in command:
            command = f"{RUNTIME} -S bundle exec {command}"
    else:
        staging.log("Auto-reconfiguration disabled because app does not use Bundler.")
        staging.log("Please provide a Gemfile.lock to use auto-reconfiguration.")
    return Startup(command, exports, _STDSYNC)


def _rubygems(staging: Staging) -> str:
    """Only Ruby 1.8 has to be told to use gems; later ones may not know the option any more."""
    return "-rubygems " if staging.properties.runtime_info.version.startswith("1.8") else ""


def _has_bundle(staging: Staging) -> bool:
    return staging.app.exists("Gemfile.lock")


def _bundle(staging: Staging) -> tuple[str, ...]:
    """Bundler of the Ruby that gems are built with, which must be of the version asked for.

    Raises StagingFailed if there is no such Ruby here.
    """
    wanted = staging.properties.runtime_info
    if not wanted.version:
        return ("bundle",)
    # The interpreter of the request, else the one in use.
    for executable in dict.fromkeys((wanted.executable or _RUBY, _RUBY)):
        try:
            staging.commands.run((executable, "-e", _CHECK, wanted.version), {})
        except StagingFailed:
            continue
        return ("bundle",) if executable == _RUBY else (executable, "-S", "bundle")
    raise StagingFailed(f"No suitable runtime found. Needs version matching {wanted.version}")


def _rails_script(staging: Staging) -> str:
    """The app's own command: Rails 3 kept it in script/; without one, that of the gem."""
    scripts = ("bin/rails", "script/rails")
    return next((name for name in scripts if staging.app.exists(name)), "-S rails")


def _staging_env() -> dict[str, str]:
    return {
        "BUNDLE_PATH": _GEMS,
        "GEM_HOME": f"{INSIDE}/app/{_GEMS}",
        "BUNDLE_DEPLOYMENT": "true",
        "BUNDLE_WITHOUT": _UNWANTED,
        "RAILS_ENV": "production",
        "RACK_ENV": "production",
    }
