# The app of the stager's demo: one page, no Gemfile. Debian's ruby-sinatra is enough.
require 'sinatra'
require 'json'

get '/' do
  application = JSON.parse(ENV.fetch('VCAP_APPLICATION', '{}'))
  content_type 'text/plain'
  "Hello from Sinatra #{Sinatra::VERSION} on Ruby #{RUBY_VERSION}, " \
    "instance #{application['instance_index']} of #{application['name']}\n"
end
