"""Telling people elsewhere: events to chats, mail and webhooks."""
