"""The server: models, the swarm engine, the HTTP API and the web pages."""
