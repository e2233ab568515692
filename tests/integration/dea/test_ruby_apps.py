"""Rack and Rails apps with real Bundler and gems, staged and run; no server of gems is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from support.ruby_gems import gem_files, locked

RACK = """
run lambda { |env|
  places = $LOADED_FEATURES.grep(/rack.rb$/)
  [200, {"Content-Type" => "text/plain"}, ["Hello from Rack in #{ENV["RACK_ENV"]}, #{places}"]]
}
"""
RAILS = {
    # As `rails new` of Rails 3 laid apps out: the command is in script/.
    "script/rails": """#!/usr/bin/env ruby
APP_PATH = File.expand_path("../config/application", __dir__)
require "rails/commands"
""",
    "Rakefile": """
require_relative "config/application"
Shop.load_tasks
namespace :assets do
  task(:precompile) { mkdir_p "public"; File.write("public/assets", "compiled in #{Rails.env}") }
end
namespace :db do
  task(:migrate) { File.write("migrated", "migrated") }
end
""",
    "config/application.rb": """
require "rails"
require "action_controller/railtie"
class Shop < Rails::Application
  config.eager_load = true
  config.hosts.clear
  config.secret_key_base = "only for tests, but it has to be long enough"
  config.logger = Logger.new($stdout)
  routes.append { root to: "pages#show" }
end
class PagesController < ActionController::Base
  def show
    found = %w[public/assets migrated].map { |name| Rails.root.join(name).read }
    render plain: ["Hello from Rails", *found].join(", ")
  end
end
""",
    "config/environment.rb": 'require_relative "application"\nShop.initialize!\n',
    "config/database.yml": "production: {}\n",
    "config.ru": 'require_relative "config/environment"\nrun Shop\n',
    "app/assets/shop.css": "",
    # The gems of the machine will do: what Bundler itself calls `path.system`.
    ".bundle/config": 'BUNDLE_PATH__SYSTEM: "true"\n',
}
RAILS_RULES = [{"config/application.rb": True}, {"config/environment.rb": True}]


def test_rack_without_bundler_uses_the_machines_gems(page_of: Callable[..., str]) -> None:
    text = page_of("rack", "rack", "ruby", {"config.ru": RACK}, detection=[{"config.ru": True}])
    assert "Hello from Rack in production" in text


def test_rack_with_bundler_brings_the_gems_it_vendored(
    page_of: Callable[..., str], tmp_path: Path
) -> None:
    gems = {f"vendor/cache/{k}": v for k, v in gem_files(tmp_path, "rack", "webrick").items()}
    app = {"config.ru": RACK, **locked(tmp_path, "rack", "webrick"), **gems}
    text = page_of("bundled", "rack", "ruby", app)
    assert "Hello from Rack in production" in text
    assert "/home/vcap/app/rubygems/ruby/" in text


def test_rails_compiles_assets_while_staging_and_migrates_at_start(
    page_of: Callable[..., str], tmp_path: Path
) -> None:
    app = {**RAILS, **locked(tmp_path, "railties", "webrick")}
    text = page_of(
        "rails",
        "rails3",
        "ruby",
        app,
        start={"limits": {"mem": 256, "disk": 64, "fds": 256}},
        detection=RAILS_RULES,
    )
    assert text == "Hello from Rails, compiled in production, migrated"
